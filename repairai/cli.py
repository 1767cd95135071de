"""`python -m repairai ...`: one verb for each thing the web app can do.

Exit codes of `inspect`: 0 PASS, 1 FAIL, 3 UNCERTAIN; every verb: 2 for bad input. With several photos the worst counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.schema import part_of

if TYPE_CHECKING:
    from repairai.schema import Finding, Guide, Inspection, PartLimits, Requirement, Step, View

EXIT = {"PASS": 0, "FAIL": 1, "UNCERTAIN": 3}
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except RepairError as error:
        print(f"repairai: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("repairai: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        return 0
    return code


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
            print(json.dumps(_answer(photo, done), ensure_ascii=False) if chosen.json else _spoken(photo, done))
            code = max(code, EXIT[done.verdict.outcome], key=_badness)
            if chosen.record:
                Records().keep(done, *(each for each in (photo, chosen.before) if each))
            if chosen.save:
                _save(photo, done, chosen.save, detector.limits)
        except RepairError as error:  # the other photos still get their verdict, and this one keeps its own
            print(f"repairai: {error}", file=sys.stderr)
            code = BAD_INPUT
    return code


def _badness(code: int) -> int:
    return (0, 3, 1, 2).index(code)


def _requirements(chosen: argparse.Namespace) -> tuple[Requirement, ...]:
    """Return what the photo must show: as given by hand, else as the step's text asks it."""
    from repairai.sop.actions import read_actions
    from repairai.sop.requirement_text import read_requirement
    from repairai.sop.requirements import requirements_for

    if chosen.require:
        return tuple(read_requirement(each) for each in chosen.require)
    if not chosen.guide or chosen.step is None:
        raise RepairError("nothing says what the photo must show", 'give --guide ID --step N, or --require "4 screw"')
    found = requirements_for(read_actions(_library().step(chosen.guide, chosen.step).text), _view(chosen))
    if not found:
        raise RepairError(
            f"step {chosen.step} of {chosen.guide} asks nothing that a count or a change can show",
            'say what the photo must show with --require "4 screw"',
        )
    return found


def _view(chosen: argparse.Namespace) -> View:
    return "before_after" if chosen.before else chosen.view


def _answer(photo: Path, done: Inspection) -> dict[str, Any]:
    """Return the one object a photo that `--json` prints."""
    return {
        "photo": str(photo),
        "outcome": done.verdict.outcome,
        "findings": [_finding(each) for each in done.verdict.findings],
        "detections": to_data(done.detections),
        "before_detections": to_data(done.before_detections),
        "visibility": to_data(done.visibility),
        "models": list(done.models),
        "seconds": done.seconds,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    part = part_of(finding.requirement) or None
    return {"part": part, **{key: value for key, value in to_data(finding).items() if key != "requirement"}}


def _spoken(photo: Path, done: Inspection) -> str:
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
    save(draw(read_photo(photo).pixels, done.detections, limits, outcomes), folder / f"{photo.stem}_inspected.jpg")
    write_record(folder / f"{photo.stem}_inspected.json", done)


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
        print(json.dumps(to_data(report), ensure_ascii=False))
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
        print(json.dumps([to_data(hit) for hit in hits], ensure_ascii=False))
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
        print(json.dumps([to_data(each) for each in found], ensure_ascii=False))
        return 0
    for each in found:
        print(f"{each.id}  {each.title} ({each.device}), {each.n_steps} steps")
    if not found:
        print(f"there is no guide for {chosen.device}: try a part of its name, or `guides list` for all")
    return 0


def _guides_show(chosen: argparse.Namespace) -> int:
    guide: Guide = _library().guide(chosen.id)
    if chosen.json:
        print(json.dumps(to_data(guide), ensure_ascii=False))
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
        print(json.dumps(answers[0] if len(answers) == 1 else answers, ensure_ascii=False))
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

    found = Records().newest(chosen.limit)
    if chosen.json:
        print(json.dumps([{"id": kept.id, **to_data(kept.inspection)} for kept in found], ensure_ascii=False))
        return 0
    for kept in found:
        done = kept.inspection
        step = f"{done.guide} step {done.step}" if done.guide else "by hand"
        print(f"{kept.id:>5}  {done.at}  {done.verdict.outcome:<9}  {done.photo.name}  {step}")
    if not found:
        print("no inspections are kept yet: `inspect` a photo")
    return 0


def _doctor(chosen: argparse.Namespace) -> int:
    from repairai.hardware.doctor import examine

    checks = examine()
    if chosen.json:
        print(json.dumps([to_data(each) for each in checks], ensure_ascii=False))
    else:
        for each in checks:
            print(f"{each.state:<8} {each.name}: {each.seen}")
            if each.mend:
                print(f"         mend it: {each.mend}")
    return int(any(each.state in ("missing", "broken") for each in checks))


# ---- the words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="repairai", description="Is this repair step done? A guide, a photo, a verdict."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _inspect_words(verbs.add_parser("inspect", help="judge photos of a step"))
    guides = verbs.add_parser("guides", help="import, find and read guides").add_subparsers(
        required=True, metavar="VERB"
    )
    _guides_words(guides)
    records = verbs.add_parser("records", help="kept inspections").add_subparsers(required=True, metavar="VERB")
    _verb(records, "list", _records_list, "the newest inspections").add_argument("--limit", type=int, default=50)
    _verb(verbs, "doctor", _doctor, "what is installed, what is missing, and what mends it")
    return parser


def _verb(verbs: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=what)
    parser.add_argument("--json", action="store_true", help="answer with JSON")
    parser.set_defaults(run=run)
    return parser


def _inspect_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--before", type=Path, metavar="PHOTO", help="a photo from before the step")
    parser.add_argument("--guide", metavar="ID")
    parser.add_argument("--step", type=int, metavar="N")
    parser.add_argument(
        "--require", action="append", metavar='"4 screw"', help="what the photo must show; may be repeated"
    )
    parser.add_argument("--view", choices=("device", "mat"), default="device", help="what the photo shows")
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
    find.add_argument("--limit", type=int, default=10)
    _verb(verbs, "list", _guides_list, "all guides").add_argument("--device")
    _verb(verbs, "show", _guides_show, "a guide with its steps").add_argument("id")
    _verb(verbs, "remove", _guides_remove, "take a guide out of the library").add_argument("id")
    ask = _verb(verbs, "requirements", _guides_requirements, "what a photo of a step must show")
    ask.add_argument("id", nargs="?")
    ask.add_argument("--step", type=int)
    ask.add_argument("--text", help="read this text instead of a guide")
