"""`records`: kept inspections, and what persons answer to their questions."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from repairai.commands.inspect import answer, spoken
from repairai.commands.words import MOST, as_data, noun, print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.records import Kept, Records
    from repairai.schema import PhotoTaken

PLACE = "kept inspections: in a file under REPAIRAI_HOME, or in the database whose URL is in REPAIRAI_DATABASE"


def add_words(verbs: Any) -> None:
    """Add `records` and its verbs to the command line."""
    records = noun(verbs, "records", "kept inspections", PLACE)
    verb(records, "list", _list, "the newest inspections").add_argument("--limit", type=whole(1, MOST), default=50)
    verb(records, "show", _show, "one inspection, and where the copies of its photos lie").add_argument(
        "number", type=whole(1, 2**31 - 1), metavar="N"
    )
    said = verb(
        records, "answer", _answer, "say what an inspection's question of state comes to: a judge learns from it"
    )
    said.add_argument("number", type=whole(1, 2**31 - 1), metavar="N")
    said.add_argument("question", nargs="?", default="", metavar='"QUESTION"', help="may be left out where it asks one")
    said.add_argument("answer", choices=("yes", "no"))


def _list(chosen: argparse.Namespace) -> int:
    from repairai.records import Records

    records = Records()
    found, lost = records.newest(chosen.limit), records.unreadable(chosen.limit)
    if lost:
        numbers = ", ".join(map(str, lost))
        print(f"repairai: {len(lost)} of the newest cannot be read and are left out: number {numbers}", file=sys.stderr)
    if chosen.json:
        print_json([{"id": kept.id, **as_data(kept.inspection), **_since(kept)} for kept in found])
        return 0
    for kept in found:
        done = kept.inspection
        step = f"{done.guide} step {done.step}" if done.guide else "by hand"
        said = "; ".join(f"{each.question} {each.answer}" for each in kept.answers)
        print(f"{kept.id:>5}  {done.at}  {kept.verdict.outcome:<9}  {done.photo.name}  {step}")
        if said:
            print(f"       a person said: {said} (as judged: {done.verdict.outcome})")
    if not found and not lost:
        print("no inspections are kept yet: `inspect` a photo")
    return 0


def _show(chosen: argparse.Namespace) -> int:
    from repairai.records import Records

    records = Records()
    kept = records.get(chosen.number)
    done = kept.inspection
    copies = [_copy(records, taken) for taken in (done.photo, done.before) if taken]
    if chosen.json:
        about = {"id": kept.id, "at": done.at, "guide": done.guide, "step": done.step, "copies": copies}
        print_json({**about, **answer(done.photo.name, done, kept.verdict), **_since(kept)})
        return 0
    print(spoken(done.photo.name, kept.verdict))
    for said in kept.answers:
        print(f"  {said.at}  a person said: {said.question} {said.answer} (as judged: {done.verdict.outcome})")
    for copy in copies:
        print(f"  {copy or 'no copy of its photo was kept'}")
    return 0


def _answer(chosen: argparse.Namespace) -> int:
    from repairai.records import Records

    kept = Records().answer(chosen.number, chosen.question, chosen.answer)
    if chosen.json:
        print_json({"id": kept.id, **_since(kept)})
        return 0
    print(spoken(kept.inspection.photo.name, kept.verdict))
    return 0


def _since(kept: Kept) -> dict[str, Any]:
    """Return what persons answered since an inspection, and what came of it."""
    return {"answers": as_data(kept.answers), "outcome_now": kept.verdict.outcome}


def _copy(records: Records, taken: PhotoTaken) -> str | None:
    try:
        return str(records.photo(taken))
    except RepairError:  # its verdict is still worth reading
        return None
