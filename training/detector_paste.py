"""A photo-poor start: scenes made of the parts on a person's own photos, and rendered ones, to train on.

    python -m training.detector_paste bench --scenes 200
    python -m training.detector_paste bench --scenes 200 --masks facebook/sam2.1-hiera-tiny --backgrounds my-desk/
    python -m training.detector_paste bench --rendered 200 --part "M3 screw=screw"
    python -m training.detector_paste bench --remove

Cuts parts out of the labelled photos of the set in REPAIRAI_HOME under data/detector/NAME that are there to train on,
and lays them onto photos of the set, pictures of a folder, or surfaces that training/scenes draws. Each scene becomes a
photo to train on whose source is `pasted` (or `rendered`) and whose origin names what it is made of; val and test stay
as they are, and nothing of them is used. What was made can be taken out again. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from repairai.errors import RepairError
from repairai.files import expanded
from training.detector.making import make, remove
from training.detector.shots import Made, Order
from training.script import Parser, ended, teller


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step and return its exit code; see the module's first lines."""
    return ended(lambda: _run(arguments), "what was made is in the set")


def _run(arguments: Sequence[str] | None) -> int:
    chosen = _parser().parse_args(arguments)
    if chosen.remove:
        gone = remove(chosen.name)
        print(json.dumps({"removed": gone}) if chosen.json else f"{gone:,} made photos are taken out again")
        return 0
    made = make(_order(chosen), teller(chosen.progress_json))
    print(json.dumps(asdict(made)) if chosen.json else in_words(made))
    return 0


def in_words(made: Made) -> str:
    """Return what was made as lines."""
    parts = ", ".join(f"{count:,} {part}" for part, count in made.parts.items())
    lines = [f"{made.name}: {made.pasted:,} pasted and {made.rendered:,} rendered photos to train on ({parts})"]
    if made.cut_outs:
        lines.append("cut out: " + ", ".join(f"{count:,} {part}" for part, count in made.cut_outs.items()))
    if made.without:
        lines.append(f"no part of these could be cut out: {', '.join(made.without)}")
    if made.refused:
        lines.append(f"{made.refused:,} backgrounds were left out: they show what val or test shows, or are no photos")
    lines.append(f"`photos paste {made.name} --remove` takes them out again")
    return "\n".join(lines)


def _order(chosen: argparse.Namespace) -> Order:
    if not chosen.scenes and not chosen.rendered:
        raise RepairError("nothing says how many scenes to make", "give --scenes N, or --rendered N, or --remove")
    folder = expanded(chosen.backgrounds) if chosen.backgrounds else None
    return Order(chosen.name, chosen.scenes, chosen.rendered, chosen.masks, folder, dict(chosen.part), chosen.seed)


def _pair(text: str) -> tuple[str, str]:
    ours, found, theirs = text.partition("=")
    if not (found and ours and theirs):
        raise argparse.ArgumentTypeError(f"need PART=RENDERED, got {text:.40}")
    return ours, theirs


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > 100_000:
        raise argparse.ArgumentTypeError(f"need a whole number up to 100000, got {text:.40}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m training.detector_paste", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("name", metavar="NAME", help="of the set")
    add("--scenes", type=_number, default=0, metavar="N", help="how many to paste together")
    add("--rendered", type=_number, default=0, metavar="N", help="how many to render, of parts that the renderer knows")
    add("--masks", default="", metavar="MODEL", help="a SAM 2 model to cut out with: cleaner rims")
    add("--backgrounds", default="", metavar="FOLDER", help="photos without any of the parts, to lay them on")
    add(
        "--part", action="append", default=[], type=_pair, metavar="PART=RENDERED", help="the renderer's name of a part"
    )
    add("--seed", type=_number, default=7, help="of every choice (default: 7)")
    add("--remove", action="store_true", help="take all made photos out of the set again")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what}")
    add("--json", action="store_true", help="print what was made as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
