r"""Step 1 of the judge of states: photos whose answers are known, to examples that a training reads.

    python -m training.judge_data build latch --yes open/ --no closed/ --question "Is the latch open?"
    python -m training.judge_data build bench --records
    python -m training.judge_data build bench --add --rendered connector --scenes 400
    python -m training.judge_data build screws --photos presence --yes-part screw --no-part screw_hole \
        --question "Is the screw in place?" --opposite "Is the screw missing?" --positions
    python -m training.judge_data build all --file sources.yaml

Writes `data/judge/NAME/` in REPAIRAI_HOME, whole or not at all: `photos/` (what a reasoner is shown: a photo, or what
is cut out of it), `examples.jsonl` and `sources.json` (repairai/judge/state_set.py says what they hold), `report.json`
(what is in it, and what would spoil a training) and `looks.npz` (by which photos that are alike are told). Words of
sources may be given again: a new source begins where one comes again. Photos keep the split that they come with; others
are split 70/15/15 by what they were made from, so that val and test get their part of each answer. Drawn scenes are
trained on alone, but for `--split shared`. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from repairai.files import expanded
from repairai.judge.state_set import REPORT
from training.judge.build import Order, build
from training.judge.report_words import in_words
from training.judge.wanted import MOST_SCENES, WAYS, from_file, from_words
from training.script import Parser, ended, teller


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step and return its exit code; see the module's first lines."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return ended(lambda: _build(_parser().parse_args(words)), "nothing was written")


def _build(chosen: argparse.Namespace) -> int:
    began = time.perf_counter()
    wanted = from_words(chosen.words or ())
    for path in chosen.file:
        wanted += from_file(expanded(path))
    order = Order(chosen.name, wanted, chosen.add, chosen.balance, chosen.seed)
    folder = build(order, teller(chosen.progress_json))
    report = report_of(folder)
    if chosen.json:
        print(json.dumps({"folder": str(folder), **report}))
        return 0
    print(in_words(report))
    print(f"\nwrote {folder} in {time.perf_counter() - began:.1f} s")
    return 0


def report_of(folder: Path) -> dict[str, Any]:
    """Return the report of a set as it was built last."""
    data: dict[str, Any] = json.loads((folder / REPORT).read_text("utf-8"))
    return data


# ---- the command


class _InOrder(argparse.Action):
    """Keeps words of sources in the order in which they are given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        name = (option or "").removeprefix("--").replace("-", "_")
        value = True if self.nargs == 0 else values
        namespace.words = [*(namespace.words or ()), (name, value)]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m training.judge_data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB", parser_class=Parser)
    made = verbs.add_parser("build", help="make a set of states, or add to one")
    made.add_argument("name", metavar="NAME")
    made.set_defaults(words=None)
    _add_sources(made)
    add = made.add_argument
    add("--file", action="append", default=[], metavar="FILE", help="a YAML file that lists sources by the same words")
    add("--add", action="store_true", help="put the examples into the set of this name, which is there already")
    add("--balance", action="store_true", help="draw as many of yes as of no to train on")
    add("--seed", type=_whole, default=7, help="of every choice (default: 7)")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what}")
    add("--json", action="store_true", help="print the report as JSON")
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    def word(name: str, what: str, **more: Any) -> None:
        parser.add_argument(name, action=_InOrder, dest="words", help=what, **more)

    word("--yes", "folder of photos of which the answer is yes", metavar="DIR")
    word("--no", "folder of photos of which the answer is no", metavar="DIR")
    word("--photos", "set of labelled photos, each box of which is cut out", metavar="SET")
    word("--yes-part", "the part whose boxes answer yes", metavar="PART")
    word("--no-part", "the part whose boxes answer no", metavar="PART")
    word("--positions", "name the place of each box in the question, where the boxes of a photo form a grid", nargs=0)
    word("--rendered", "drawn scenes", choices=tuple(WAYS))
    word("--scenes", f"how many of them (up to {MOST_SCENES:,})", type=_whole, metavar="N")
    word("--records", "what people answered at kept inspections", nargs=0)
    word("--question", 'what the photos answer: "Is the latch open?"', metavar="TEXT")
    word("--opposite", "the same the other way round (default: proposed)", metavar="TEXT")
    word(
        "--split",
        "where all of it goes (default: its own split, else shared)",
        choices=("train", "val", "test", "shared"),
    )
    word("--licence", "of photos that do not say one; goes onto the card of what is trained", metavar="NAME")
    word("--url", "where the photos can be found; the same", metavar="URL")


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"need a whole number from 0 on, got {text:.40}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
