"""Step 1 of the detector: a person's own photos and labels to a set that a training reads.

    python -m training.detector_data my-photos.zip --name bench
    python -m training.detector_data hub:OWNER/NAME --rename 0=screw --drop background
    python -m training.detector_data doctor bench
    python -m training.detector_data mend bench doubled leak
    python -m training.detector_data names bench 0=screw 1=hole

Reads folders, zips and datasets of the Hub in COCO, YOLO, Pascal VOC or ImageFolder with metadata.jsonl, and finds out
which it is. Writes `data/detector/NAME/` in REPAIRAI_HOME, whole or not at all: `photos/` (upright, 2560 px at most on
the longer side, without the place where they were taken), `annotations.coco.json` (repairai/vision/photo_set.py says
what it holds), `report.json` (what the doctor found), `import.json` (what the import saw) and `looks.npz` (by which
photos that are alike are told). The splits of the source are kept where nothing leaks; else photos are split 70/15/15
by what they were made from. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import REPORT, PhotoSet
from training.detector.formats import HUB, SHAPES
from training.detector.import_photos import Order, import_photos
from training.detector.mends import examined, mend, rename
from training.detector.parts import Wishes
from training.detector.words import in_words
from training.script import Parser, ended, teller


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step and return its exit code; see the module's first lines."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    run, parser = _VERBS.get(words[0] if words else "", (_import, _import_parser))
    own = words if run is _import else words[1:]
    return ended(lambda: run(parser().parse_args(own)), "nothing was written")


def _import(chosen: argparse.Namespace) -> int:
    began = time.perf_counter()
    wishes = Wishes(dict(chosen.rename), tuple(chosen.drop), chosen.merge)
    order = Order(
        chosen.add or chosen.name or free_name(chosen.sources[0]), tuple(chosen.sources), chosen.format,
        chosen.licence, chosen.url, wishes, chosen.seed, bool(chosen.add), chosen.unlabelled,
    )  # fmt: skip
    made = import_photos(order, teller(chosen.progress_json))
    report = _report_of(made)
    if chosen.json:
        print(json.dumps({"folder": str(made.folder), **report}))
        return 0
    print(in_words(report))
    print(f"\nwrote {made.folder} in {time.perf_counter() - began:.1f} s")
    return 0


def _report_of(made: PhotoSet) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((made.folder / REPORT).read_text("utf-8"))
    return data


def _doctor(chosen: argparse.Namespace) -> int:
    return _told(examined(chosen.name, chosen.image_px), chosen.json)


def _mend(chosen: argparse.Namespace) -> int:
    return _told(mend(chosen.name, chosen.findings), chosen.json)


def _names(chosen: argparse.Namespace) -> int:
    return _told(rename(chosen.name, dict(chosen.names)), chosen.json)


def _told(report: dict[str, Any], as_json: bool) -> int:
    print(json.dumps(report) if as_json else in_words(report))
    return 0


def free_name(source: str) -> str:
    """Return a name for the photos of a source that no other photos have."""
    stem = PurePath(source.removeprefix(HUB).split("@")[0].rstrip("/")).name.removesuffix(".zip")
    wanted = re.sub(r"[^\w.-]+", "-", stem).strip(".-_")[:50] or "photos"
    return PHOTO_SETS.free_name(wanted)


# ---- the command


def _import_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m training.detector_data", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="a folder, a zip, or hub:OWNER/NAME")
    into = parser.add_mutually_exclusive_group()
    into.add_argument("--name", default="", help="of the new set (default: the source's)")
    into.add_argument("--add", default="", metavar="NAME", help="put the photos into this set, which is there already")
    add("--format", choices=SHAPES, default="auto", help="of the labels (default: found out)")
    add("--licence", default="", help="of sources that do not say one; goes onto the card of what is trained")
    add("--url", default="", help="where the photos can be found; the same")
    add("--rename", action="append", default=[], type=_pair, metavar="OLD=NEW", help="a class, by name or number")
    add("--drop", action="append", default=[], metavar="PART", help="leave a class out, by name or number")
    add("--merge", action="store_true", help="make classes of one name one part")
    add("--unlabelled", action="store_true", help="take photos without any labels, to draw boxes later")
    add("--seed", type=_whole, default=7, help="of the splits (default: 7)")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what}")
    add("--json", action="store_true", help="print the report as JSON")
    return parser


def _verb_parser(verb: str, what: str, *more: tuple[str, dict[str, Any]]) -> Callable[[], argparse.ArgumentParser]:
    def parser() -> argparse.ArgumentParser:
        made = Parser(prog=f"python -m training.detector_data {verb}", description=what)
        made.add_argument("name", metavar="NAME")
        for name, settings in more:
            made.add_argument(name, **({"nargs": "+"} if name[0] != "-" else {}), **settings)
        made.add_argument("--json", action="store_true", help="print the report as JSON")
        return made

    return parser


def _pair(text: str) -> tuple[str, str]:
    old, found, new = text.partition("=")
    if not (found and old.strip() and new.strip()):
        raise argparse.ArgumentTypeError(f"need OLD=NEW, got {text:.40}")
    return old.strip(), new.strip()


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"need a whole number from 0 on, got {text:.40}")
    return int(text)


def _side(text: str) -> int:
    side = _whole(text)
    if not 32 <= side <= 4096:
        raise argparse.ArgumentTypeError(f"need a side from 32 to 4,096 px, got {side}")
    return side


_VERBS: dict[str, tuple[Callable[[argparse.Namespace], int], Callable[[], argparse.ArgumentParser]]] = {
    "doctor": (
        _doctor,
        _verb_parser(
            "doctor",
            "look through a set for what would spoil a training",
            (
                "--image-px",
                {
                    "type": _side,
                    "help": "side of the detector's input, as its recipe says it (default: as the last time)",
                },
            ),
        ),
    ),
    "mend": (_mend, _verb_parser("mend", "mend what the doctor found", ("findings", {"metavar": "FINDING"}))),
    "names": (
        _names,
        _verb_parser("names", "give parts other names", ("names", {"metavar": "OLD=NEW", "type": _pair})),
    ),
}


if __name__ == "__main__":
    sys.exit(main())
