"""Boxes that a model proposes on photos that nobody has labelled: a person then accepts, moves and deletes them.

    python -m training.detector_label bench --model IDEA-Research/grounding-dino-tiny --prompt "screw: a metal screw"
    python -m training.detector_label bench --model google/owlv2-base-patch16-ensemble --like screw a.jpg "#1"
    python -m training.detector_label bench --model builtin --masks facebook/sam2.1-hiera-tiny

Reads a set in REPAIRAI_HOME under data/detector/NAME, and writes boxes into it that say who drew them, with their
score; a photo counts as labelled only when a person accepts it, or where --accept-above says so. Ended at any time, it
goes on where it was: `proposed.jsonl` beside the set says which photos were looked at. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.schema import Box
from repairai.vision.photo_set import read_photo_set
from repairai.vision.proposals import Prompt
from training.detector.finders import Asked, Like
from training.detector.proposing import Order, Report, propose
from training.script import Parser, ended, teller


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step and return its exit code; see the module's first lines."""
    return ended(lambda: _run(arguments), "what was found is in the set, and the same command goes on")


def _run(arguments: Sequence[str] | None) -> int:
    chosen = _parser().parse_args(arguments)
    report = propose(_order(chosen), teller(chosen.progress_json))
    print(json.dumps(asdict(report)) if chosen.json else in_words(report))
    return 0


def in_words(report: Report) -> str:
    """Return what came of it as lines."""
    parts = ", ".join(f"{count:,} {part}" for part, count in sorted(report.parts.items()))
    lines = [f"{report.name}: {report.boxes:,} boxes on {report.photos:,} photos ({parts or 'nothing was found'})"]
    if report.empty:
        lines.append(f"on {report.empty:,} photos nothing was found")
    if report.large:
        lines.append(f"{report.large:,} boxes fill over 40 % of their photo: look at these first")
    if report.unreadable:
        lines.append(f"{len(report.unreadable):,} photos could not be read: {', '.join(report.unreadable[:5])}")
    if report.accepted:
        lines.append(f"{report.accepted:,} photos were labelled without a person; nobody has looked at them")
    lines.append(f"{report.waiting:,} photos wait for a person: `photos accept {report.name} PHOTO...`, or the page")
    return "\n".join(lines)


def _order(chosen: argparse.Namespace) -> Order:
    likes = tuple(_like(chosen.name, *each) for each in chosen.like)
    prompts = tuple(map(_prompt, chosen.prompt))
    asked = Asked(chosen.model, prompts, tuple(chosen.without), likes, chosen.floor, not chosen.whole)
    return Order(
        chosen.name, asked, chosen.all, tuple(chosen.photo), chosen.accept_above, chosen.masks, chosen.again
    )  # fmt: skip


def _prompt(text: str) -> Prompt:
    part, _, words = text.partition(":")
    try:
        return Prompt(part.strip(), words.strip() or part.strip())
    except ValueError as error:
        raise RepairError(f"'{text:.60}' asks for nothing: {error}", 'write --prompt "PART: WORDS"') from None


def _like(name: str, part: str, photo: str, place: str) -> Like:
    """Return the part that is shown: its box as four numbers in px, or as the number of a box of that photo."""
    if place.startswith("#"):
        boxes = read_photo_set(PHOTO_SETS.folder(name)).photo(photo).boxes
        if not place[1:].isdecimal() or not 1 <= int(place[1:]) <= len(boxes):
            raise RepairError(f"{photo} has {len(boxes)} boxes, and no box {place}", "count from #1")
        return Like(part, photo, boxes[int(place[1:]) - 1].box)
    return Like(part, photo, _box(place))


def _box(text: str) -> Box:
    try:
        left, top, right, bottom = (float(edge) for edge in text.split(","))
    except ValueError:
        raise RepairError(f"'{text:.60}' is no box", 'write "left,top,right,bottom" in px, or "#1"') from None
    if not (0 <= left < right and 0 <= top < bottom):
        raise RepairError(f"'{text:.60}' is a box without px", 'write "left,top,right,bottom" in px, or "#1"')
    return left, top, right, bottom


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"need a score from 0 to 1, got {text:.40}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m training.detector_label", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("name", metavar="NAME", help="of the set")
    add("--model", required=True, help="builtin, a run, a folder, or a name on the Hub")
    add("--prompt", action="append", default=[], metavar="PART: WORDS", help="what to look for; may be given again")
    add("--without", action="append", default=[], metavar="WORDS", help="what is not meant; may be given again")
    add("--like", action="append", default=[], nargs=3, metavar=("PART", "PHOTO", "BOX"), help="a part that is shown")
    add("--floor", type=_score, metavar="S", help="least score of a box (default: the model's own)")
    add("--whole", action="store_true", help="look at large photos as a whole only: faster, and small parts are missed")
    add("--all", action="store_true", help="also photos that are labelled: with new boxes they wait for a person again")
    add("--photo", action="append", default=[], metavar="PHOTO", help="this photo only; may be given again")
    add("--accept-above", type=_score, metavar="S", help="label photos to train on where each box has this score")
    add("--masks", default="", metavar="MODEL", help="a SAM 2 model: boxes as tight as the masks")
    add("--again", action="store_true", help="also photos that the same command has looked at before")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what}")
    add("--json", action="store_true", help="print what came of it as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
