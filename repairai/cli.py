"""`python -m repairai ...`: one verb for each thing the web app can do.

Exit codes of `inspect`: 0 PASS, 1 FAIL, 3 UNCERTAIN; every verb: 2 for bad input. With several photos the worst counts.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from repairai.errors import RepairError
from repairai.schema import part_of

if TYPE_CHECKING:
    from repairai.records import Records
    from repairai.schema import Finding, Guide, Inspection, PartLimits, PhotoTaken, Requirement, Step, View

EXIT = {"PASS": 0, "FAIL": 1, "UNCERTAIN": 3}
BAD_INPUT = 2
MOST = 1_000_000
"""Of anything that a list may show."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal shows the number of a letter that it does not know
            stream.reconfigure(errors="backslashreplace")
    try:
        chosen = _parser().parse_args(arguments)
        code: int = chosen.run(chosen)
    except KeyboardInterrupt:
        print("repairai: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        return 0
    except ImportError as error:
        return _refuse(f"{error}; `python -m repairai doctor` says what is missing.")
    except (RepairError, OSError) as error:
        return _refuse(error)
    return code


def _refuse(error: object) -> int:
    print(f"repairai: {error}", file=sys.stderr)
    return BAD_INPUT


def _data(record: object) -> Any:
    from repairai.files import to_data  # not above: `doctor` has to work where this cannot be imported

    return to_data(record)


def _print_json(data: object) -> None:
    print(json.dumps(data))  # in ASCII: whatever the terminal's encoding, it stays JSON


# ---- inspect


def _inspect(chosen: argparse.Namespace) -> int:
    from repairai.inspection import inspect, open_detector
    from repairai.records import Records

    requirements = _requirements(chosen)
    detector = open_detector(chosen.detector)
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
            )
            if chosen.json:
                _print_json(_answer(str(photo), done))
            else:
                print(_spoken(str(photo), done))
            code = max(code, EXIT[done.verdict.outcome], key=_badness)
            if chosen.record:
                Records().keep(done, *(each for each in (photo, chosen.before) if each))
            if chosen.save:
                _save(photo, done, chosen.save, detector.limits)
        except RepairError as error:  # the other photos still get their verdict, and this one keeps its own
            code = _refuse(error)
    return code


def _badness(code: int) -> int:
    return (0, 3, 1, 2).index(code)


def _requirements(chosen: argparse.Namespace) -> tuple[Requirement, ...]:
    """Return what the photo must show: as given by hand, else as the step's text asks it."""
    from repairai.sop.actions import read_actions
    from repairai.sop.requirement_text import read_requirement
    from repairai.sop.requirements import requirements_for

    step = _step(chosen)
    if chosen.require:
        return tuple(read_requirement(each) for each in chosen.require)
    if step is None:
        raise RepairError("nothing says what the photo must show", 'give --guide ID --step N, or --require "4 screw"')
    found = requirements_for(read_actions(step.text), _view(chosen))
    if not found:
        raise RepairError(
            f"step {chosen.step} of {chosen.guide} asks nothing that a count or a change can show",
            'say what the photo must show with --require "4 screw"',
        )
    return found


def _step(chosen: argparse.Namespace) -> Step | None:
    """Return the step, looked up even where it need not be read: a record must not name one that does not exist."""
    if chosen.step is None:
        if chosen.guide:
            _library().guide(chosen.guide)
        return None
    if not chosen.guide:
        raise RepairError(f"step {chosen.step} was given without its guide", "give --guide ID as well")
    step: Step = _library().step(chosen.guide, chosen.step)
    return step


def _view(chosen: argparse.Namespace) -> View:
    return "before_after" if chosen.before else chosen.view or "device"


def _answer(photo: str, done: Inspection) -> dict[str, Any]:
    """Return the one object a photo that `--json` prints."""
    return {
        "photo": photo,
        "outcome": done.verdict.outcome,
        "findings": [_finding(each) for each in done.verdict.findings],
        "detections": _data(done.detections),
        "before_detections": _data(done.before_detections),
        "visibility": _data(done.visibility),
        "models": list(done.models),
        "seconds": done.seconds,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    part = part_of(finding.requirement) or None
    return {"part": part, **{key: value for key, value in _data(finding).items() if key != "requirement"}}


def _spoken(photo: str, done: Inspection) -> str:
    lines = [f"{done.verdict.outcome}  {photo}"]
    for each in done.verdict.findings:
        lines.append(f"  {each.outcome:<9}  expected {each.expected}; found {each.found} ({each.reason})")
        lines += [f"             {said}" for said in (each.next_action, each.flips) if said]
    return "\n".join(lines)


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


# ---- guides


def _library() -> Any:
    from repairai.sop.library import Library

    return Library()


def _guides_import(chosen: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from repairai.sop.guides import import_guides

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        report = import_guides(
            chosen.source,
            _library(),
            lambda done, total, words: bar.update(task, completed=done, total=total, description=words),
            refresh=chosen.refresh,
        )
    if chosen.json:
        _print_json(_data(report))
        return 0
    print(
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {len(report.problems)} skipped"
    )
    for problem in report.problems:
        print(f"  {problem}", file=sys.stderr)
    return 0


def _guides_search(chosen: argparse.Namespace) -> int:
    from repairai.sop.search import Search

    hits = Search(_library()).search(" ".join(chosen.words), chosen.device, chosen.limit)
    if chosen.json:
        _print_json([_data(hit) for hit in hits])
        return 0
    for hit in hits:
        where = f" step {hit.step}" if hit.step else ""
        print(f"{hit.guide_id}{where}  {hit.title} ({hit.device})\n    {hit.snippet}")
    if not hits:
        print("no guide fits these words: try fewer, or import guides with `guides import`")
    return 0


def _guides_list(chosen: argparse.Namespace) -> int:
    found = _library().summaries(chosen.device)
    if chosen.json:
        _print_json([_data(each) for each in found])
        return 0
    for each in found:
        print(f"{each.id}  {each.title} ({each.device}), {each.n_steps} steps")
    if not found:
        print(f"there is no guide for {chosen.device}: try a part of its name, or `guides list` for all")
    return 0


def _guides_show(chosen: argparse.Namespace) -> int:
    guide: Guide = _library().guide(chosen.id)
    if chosen.json:
        _print_json(_data(guide))
        return 0
    print(f"{guide.title}\n{guide.device}")
    print(" · ".join(each for each in (guide.licence, guide.author, guide.url) if each))
    if guide.tools:
        print(f"Tools: {', '.join(guide.tools)}")
    for step in guide.steps:
        print(f"\n{step.number}. {step.title}".rstrip())
        for line in step.lines:
            mark = "" if line.kind == "step" else f"[{line.kind}] "
            print(f"   {'  ' * line.level}{mark}{line.text}")
    return 0


def _guides_remove(chosen: argparse.Namespace) -> int:
    _library().remove(chosen.id)
    print(f"{chosen.id} removed")
    return 0


def _guides_requirements(chosen: argparse.Namespace) -> int:
    steps = _texts(chosen)
    if chosen.json:
        answers = [_asked(text) if number is None else {"step": number, **_asked(text)} for number, text in steps]
        _print_json(answers[0] if len(answers) == 1 else answers)
        return 0
    for number, text in steps:
        asked = _asked(text)
        print(f"step {number}" if number else "text")
        for action in asked["actions"]:
            start, end = action["span"]
            size = f" {action['size']}" if action["size"] else ""
            count = "an unknown number of" if action["count"] is None else action["count"]
            print(f'  {action["action"]} {count}{size} {action["part"]}   from "{text[start:end]}"')
        for view, wanted in asked["requirements"].items():
            print(f"  {view}: {', '.join(each['text'] for each in wanted) or 'nothing to see'}")
    return 0


def _texts(chosen: argparse.Namespace) -> list[tuple[int | None, str]]:
    if chosen.text is not None:
        return [(None, chosen.text)]
    if not chosen.id:
        raise RepairError("no guide and no text were given", 'give a guide\'s id, or --text "Remove the four screws"')
    steps: Sequence[Step] = _library().guide(chosen.id).steps
    if chosen.step is not None:
        steps = [_library().step(chosen.id, chosen.step)]
    return [(step.number, step.text) for step in steps]


def _asked(text: str) -> dict[str, Any]:
    from repairai.sop.requirements import step_as_data

    return step_as_data(text)


# ---- records, doctor


def _records_list(chosen: argparse.Namespace) -> int:
    from repairai.records import Records

    records = Records()
    found, lost = records.newest(chosen.limit), records.unreadable(chosen.limit)
    if lost:
        numbers = ", ".join(map(str, lost))
        print(f"repairai: {len(lost)} of the newest cannot be read and are left out: number {numbers}", file=sys.stderr)
    if chosen.json:
        _print_json([{"id": kept.id, **_data(kept.inspection)} for kept in found])
        return 0
    for kept in found:
        done = kept.inspection
        step = f"{done.guide} step {done.step}" if done.guide else "by hand"
        print(f"{kept.id:>5}  {done.at}  {done.verdict.outcome:<9}  {done.photo.name}  {step}")
    if not found and not lost:
        print("no inspections are kept yet: `inspect` a photo")
    return 0


def _records_show(chosen: argparse.Namespace) -> int:
    from repairai.records import Records

    records = Records()
    kept = records.get(chosen.number)
    done = kept.inspection
    copies = [_copy(records, taken) for taken in (done.photo, done.before) if taken]
    if chosen.json:
        about = {"id": kept.id, "at": done.at, "guide": done.guide, "step": done.step, "copies": copies}
        _print_json({**about, **_answer(done.photo.name, done)})
        return 0
    print(_spoken(done.photo.name, done))
    for copy in copies:
        print(f"  {copy or 'no copy of its photo was kept'}")
    return 0


def _copy(records: Records, taken: PhotoTaken) -> str | None:
    try:
        return str(records.photo(taken))
    except RepairError:  # its verdict is still worth reading
        return None


def _doctor(chosen: argparse.Namespace) -> int:
    from repairai.hardware.doctor import examine

    checks = examine()
    if chosen.json:
        _print_json([dataclasses.asdict(each) for each in checks])
    else:
        for each in checks:
            print(f"{each.state:<8} {each.name}: {each.seen}")
            if each.mend:
                print(f"         mend it: {each.mend}")
    return int(any(each.state in ("missing", "broken") for each in checks))


# ---- the words


class Parser(argparse.ArgumentParser):
    """Reads a command line."""

    def error(self, message: str) -> NoReturn:
        """Refuse wrong words as everything else is refused: in one sentence."""
        raise RepairError(message, f"see `{self.prog} --help`")


def whole(at_least: int, at_most: int) -> Callable[[str], int]:
    """Return what reads a whole number between two others from the command line."""

    def read(text: str) -> int:
        if not (text.isdecimal() and len(text) <= len(str(at_most)) and at_least <= int(text) <= at_most):
            raise argparse.ArgumentTypeError(f"need a whole number from {at_least} to {at_most}, got {text:.40}")
        return int(text)

    return read


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m repairai", description="Is this repair step done? A guide, a photo, a verdict.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _inspect_words(verbs.add_parser("inspect", help="judge photos of a step"))
    guides = verbs.add_parser("guides", help="import, find and read guides").add_subparsers(
        required=True, metavar="VERB"
    )
    _guides_words(guides)
    place = "kept inspections: in a file under REPAIRAI_HOME, or in the database whose URL is in REPAIRAI_DATABASE"
    records = verbs.add_parser("records", help="kept inspections", description=place).add_subparsers(
        required=True, metavar="VERB"
    )
    _verb(records, "list", _records_list, "the newest inspections").add_argument(
        "--limit", type=whole(1, MOST), default=50
    )
    _verb(records, "show", _records_show, "one inspection, and where the copies of its photos lie").add_argument(
        "number", type=whole(1, 2**31 - 1), metavar="N"
    )
    _verb(verbs, "doctor", _doctor, "what is installed, what is missing, and what mends it")
    return parser


def _verb(verbs: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=what)
    parser.add_argument("--json", action="store_true", help="answer with JSON")
    parser.set_defaults(run=run)
    return parser


def _inspect_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    shows = parser.add_mutually_exclusive_group()
    shows.add_argument("--before", type=Path, metavar="PHOTO", help="a photo from before the step")
    shows.add_argument("--view", choices=("device", "mat"), help="what the photo shows, if not the device")
    parser.add_argument("--guide", metavar="ID")
    parser.add_argument("--step", type=int, metavar="N")
    parser.add_argument(
        "--require", action="append", metavar='"4 screw"', help="what the photo must show; may be repeated"
    )
    parser.add_argument("--detector", default="builtin", metavar="NAME")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write the photo with its boxes, and the whole record")
    parser.add_argument("--no-record", dest="record", action="store_false", help="do not keep the inspection")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each photo")
    parser.set_defaults(run=_inspect)


def _guides_words(verbs: Any) -> None:
    read = _verb(verbs, "import", _guides_import, "read guides from a file, a folder or iFixit's web address")
    read.add_argument("source", metavar="PATH|URL")
    read.add_argument("--refresh", action="store_true", help="fetch guides again that are there already")
    find = _verb(verbs, "search", _guides_search, "find steps by words")
    find.add_argument("words", nargs="+")
    find.add_argument("--device")
    find.add_argument("--limit", type=whole(1, MOST), default=10)
    _verb(verbs, "list", _guides_list, "all guides").add_argument("--device")
    _verb(verbs, "show", _guides_show, "a guide with its steps").add_argument("id")
    _verb(verbs, "remove", _guides_remove, "take a guide out of the library").add_argument("id")
    ask = _verb(verbs, "requirements", _guides_requirements, "what a photo of a step must show")
    ask.add_argument("id", nargs="?")
    ask.add_argument("--step", type=int)
    ask.add_argument("--text", help="read this text instead of a guide")
