"""`inspect`: judge photos of a step."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.guides import library
from repairai.commands.words import as_data, print_json, refuse
from repairai.errors import RepairError
from repairai.judge.questions import completed
from repairai.schema import State, part_of

if TYPE_CHECKING:
    from repairai.schema import Finding, Inspection, PartLimits, Requirement, Step, Verdict, View
    from repairai.vision.segmenter import Segmenter

EXIT = {"PASS": 0, "FAIL": 1, "UNCERTAIN": 3}


def add_words(verbs: Any) -> None:
    """Add `inspect` to the command line."""
    parser = verbs.add_parser("inspect", help="judge photos of a step")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    shows = parser.add_mutually_exclusive_group()
    shows.add_argument("--before", type=Path, metavar="PHOTO", help="a photo from before the step")
    shows.add_argument("--view", choices=("device", "mat"), help="what the photo shows, if not the device")
    parser.add_argument("--guide", metavar="ID")
    parser.add_argument("--step", type=int, metavar="N")
    parser.add_argument(
        "--require", action="append", metavar='"4 screw"', help="what the photo must show; may be repeated"
    )
    parser.add_argument(
        "--detector", default="", metavar="NAME", help="builtin, a run's id or a folder; else the one that inspects"
    )
    parser.add_argument(
        "--judge", default="", metavar="NAME",
        help="who answers questions of state: a judge's name, a run's id, a folder, OWNER/NAME of the Hub, http://..., "
        "or nobody; else the one in use",
    )  # fmt: skip
    parser.add_argument("--masks", metavar="MODEL", help="a SAM 2 model, by folder or Hub name: masks of what is found")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write the photo with its boxes, and the whole record")
    parser.add_argument("--no-record", dest="record", action="store_false", help="do not keep the inspection")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each photo")
    parser.set_defaults(run=_inspect)


def _inspect(chosen: argparse.Namespace) -> int:
    from repairai.inspection import inspect, open_detector, open_reasoner
    from repairai.records import Records
    from repairai.vision import detectors

    requirements = _requirements(chosen)
    # A judge takes seconds to open, but a wrong name is told in any case.
    asks = chosen.judge or any(isinstance(each, State) for each in requirements)
    reasoner = open_reasoner(chosen.judge) if asks else None
    if reasoner and (away := _away(chosen.judge)):
        print(f"repairai: {away}", file=sys.stderr)
    detector = open_detector(chosen.detector)
    if not chosen.detector and (trouble := detectors.trouble()):
        print(f"repairai: {trouble}", file=sys.stderr)
    segmenter = _segmenter(chosen.masks)
    code = 0
    for photo in chosen.photos:
        try:
            done = inspect(
                photo,
                requirements,
                detector,
                view=_view(chosen),
                before=chosen.before,
                guide=chosen.guide or "",
                step=chosen.step,
                reasoner=reasoner,
            )
            if segmenter:
                done = masked(done, photo, segmenter)
            if chosen.json:
                print_json(answer(str(photo), done))
            else:
                print(spoken(str(photo), done.verdict))
            code = max(code, EXIT[done.verdict.outcome], key=_badness)
            if chosen.record:
                Records().keep(done, *(each for each in (photo, chosen.before) if each))
            if chosen.save:
                _save(photo, done, chosen.save, detector.limits)
        except RepairError as error:  # the other photos still get their verdict, and this one keeps its own
            code = refuse(error)
    return code


def _away(name: str) -> str:
    """Return that photos leave this machine, as a sentence; empty where they do not."""
    from repairai.judge import judges
    from repairai.judge.server import sent_away

    try:
        judge = judges.named(name) if name else judges.active()
    except RepairError:  # a run's id; or a damaged register, which is told when the judge is asked
        return ""
    return sent_away(judge.path) if judge.kind == "server" else ""


def _segmenter(model: str | None) -> Segmenter | None:
    if not model:
        return None
    from repairai.vision.segmenter import load_segmenter  # torch takes seconds to import: only where it is used

    return load_segmenter(model)


def masked(done: Inspection, photo: Path, segmenter: Segmenter) -> Inspection:
    """Return an inspection with a mask for each detection in its photo; its verdict is as it was."""
    from repairai.vision.photo import read_photo
    from repairai.vision.segmenter import with_masks

    seen = with_masks(read_photo(photo).pixels, done.detections, segmenter)
    return replace(done, detections=seen, models=(*done.models, segmenter.name))


def _badness(code: int) -> int:
    return (0, 3, 1, 2).index(code)


def _requirements(chosen: argparse.Namespace) -> tuple[Requirement, ...]:
    """Return what the photo must show: as given by hand, else as the step's text asks it."""
    from repairai.sop.actions import read_actions
    from repairai.sop.requirement_text import read_requirement
    from repairai.sop.requirements import questions_for, requirements_for

    step = _step(chosen)
    if chosen.require:
        return tuple(read_requirement(completed(each)) for each in chosen.require)
    if step is None:
        raise RepairError("nothing says what the photo must show", 'give --guide ID --step N, or --require "4 screw"')
    actions = read_actions(step.text)
    # What goes beyond counts is asked where it may settle something: who has no judge is left with no open end more.
    found = (*requirements_for(actions, _view(chosen)), *_measured(questions_for(actions, _view(chosen)), chosen.judge))
    if not found:
        raise RepairError(
            f"step {chosen.step} of {chosen.guide} asks nothing that a count or a change can show",
            'say what the photo must show with --require "4 screw"',
        )
    return found


def _measured(questions: tuple[State, ...], judge: str) -> tuple[State, ...]:
    """Return the questions that a judge was measured on; a fault of the one in use takes no count away."""
    from repairai.inspection import measured

    if judge:
        return measured(questions, judge)
    try:
        return measured(questions)
    except RepairError as error:
        print(f"repairai: {error}", file=sys.stderr)
        return ()


def _step(chosen: argparse.Namespace) -> Step | None:
    """Return the step, looked up even where it need not be read: a record must not name one that does not exist."""
    if chosen.step is None:
        if chosen.guide:
            library().guide(chosen.guide)
        return None
    if not chosen.guide:
        raise RepairError(f"step {chosen.step} was given without its guide", "give --guide ID as well")
    step: Step = library().step(chosen.guide, chosen.step)
    return step


def _view(chosen: argparse.Namespace) -> View:
    return "before_after" if chosen.before else chosen.view or "device"


def answer(photo: str, done: Inspection, verdict: Verdict | None = None) -> dict[str, Any]:
    """Return the one object a photo that `--json` prints.

    Args:
        photo: As it is named.
        done: Its inspection.
        verdict: Where persons have settled some of it since; None for the inspection's own.
    """
    verdict = verdict or done.verdict
    return {
        "photo": photo,
        "outcome": verdict.outcome,
        "findings": [_finding(each) for each in verdict.findings],
        "detections": as_data(done.detections),
        "before_detections": as_data(done.before_detections),
        "visibility": as_data(done.visibility),
        "models": list(done.models),
        "seconds": done.seconds,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    asked = finding.requirement.question if isinstance(finding.requirement, State) else None
    about = {"part": part_of(finding.requirement) or None, "question": asked}
    return {**about, **{key: value for key, value in as_data(finding).items() if key != "requirement"}}


def spoken(photo: str, verdict: Verdict) -> str:
    """Return what a person is told of a photo: its verdict, and a line or more for each finding."""
    lines = [f"{verdict.outcome}  {photo}"]
    for each in verdict.findings:
        lines.append(f"  {each.outcome:<9}  expected {each.expected}; found {each.found} ({each.reason})")
        lines += [f"             {said}" for said in (_looked(each), each.next_action, each.flips) if said]
    return "\n".join(lines)


def _looked(finding: Finding) -> str:
    """Return where the judge of states looked and how sure of yes it is; empty where none answered."""
    if finding.probability is None:
        return ""
    box = ", ".join(f"{each:.0f}" for each in finding.region or ())
    place = f"at {box} px (left, top, right, bottom)" if box else "at the whole photo"
    return f"The judge looked {place} and gives {finding.probability:.2f} for yes."


def _save(photo: Path, done: Inspection, folder: Path, limits: Mapping[str, PartLimits]) -> None:
    """Write the photo with its detections drawn in, and the whole record beside it."""
    from repairai.files import write_record
    from repairai.vision.draw import draw, save
    from repairai.vision.photo import read_photo

    outcomes = {part: each.outcome for each in done.verdict.findings if (part := part_of(each.requirement))}
    drawn = draw(read_photo(photo).pixels, done.detections, limits, outcomes)
    # Photos in two folders may share a name, and a name has at most 255 bytes.
    stem = os.fsencode(photo.stem)[:200].decode("utf-8", "ignore")
    record = folder / f"{stem}_{done.photo.sha256[:8]}_inspected.json"
    write_record(record, done)
    try:
        save(drawn, record.with_suffix(".jpg"))
    except RepairError:
        with suppress(OSError):
            record.unlink()
        raise
