"""`guides`: import, find and read guides."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from repairai.commands.words import MOST, as_data, noun, print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.schema import Guide, Step

_HUB = "hub:"


def add_words(verbs: Any) -> None:
    """Add `guides` and its verbs to the command line."""
    verbs = noun(verbs, "guides", "import, find and read guides")
    read = verb(verbs, "import", _import, "read guides from a file, a folder, iFixit's web address or the Hub")
    read.add_argument(
        "source", metavar="PATH|URL|hub:OWNER/NAME", help="behind a name of the Hub @REVISION, if need be"
    )
    read.add_argument("--refresh", action="store_true", help="fetch guides again that are there already")
    find = verb(verbs, "search", _search, "find steps by words")
    find.add_argument("words", nargs="+")
    find.add_argument("--device")
    find.add_argument("--limit", type=whole(1, MOST), default=10)
    verb(verbs, "list", _list, "all guides").add_argument("--device")
    verb(verbs, "show", _show, "a guide with its steps").add_argument("id")
    verb(verbs, "remove", _remove, "take a guide out of the library").add_argument("id")
    ask = verb(verbs, "requirements", _requirements, "what a photo of a step must show")
    ask.add_argument("id", nargs="?")
    ask.add_argument("--step", type=int)
    ask.add_argument("--text", help="read this text instead of a guide")


def library() -> Any:
    """Return the library of guides, opened."""
    from repairai.sop.library import Library

    return Library()


def _import(chosen: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from repairai.sop.guides import import_guides

    source = _from_hub(chosen.source) if chosen.source.startswith(_HUB) else chosen.source
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        report = import_guides(
            source,
            library(),
            lambda done, total, words: bar.update(task, completed=done, total=total, description=words),
            refresh=chosen.refresh,
        )
    if chosen.json:
        print_json(as_data(report))
        return 0
    print(
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {len(report.problems)} skipped"
    )
    for problem in report.problems:
        print(f"  {problem}", file=sys.stderr)
    return 0


def _from_hub(source: str) -> str:
    """Return the folder of a data set of the Hub, fetched where it is not here."""
    from repairai.commands.transfer import fetched
    from repairai.hub.pull import plan

    name, _, revision = source.removeprefix(_HUB).partition("@")
    planned = plan(name, "dataset", revision or "main")
    return str(fetched(planned))


def _search(chosen: argparse.Namespace) -> int:
    from repairai.sop.search import Search

    hits = Search(library()).search(" ".join(chosen.words), chosen.device, chosen.limit)
    if chosen.json:
        print_json([as_data(hit) for hit in hits])
        return 0
    for hit in hits:
        where = f" step {hit.step}" if hit.step else ""
        print(f"{hit.guide_id}{where}  {hit.title} ({hit.device})\n    {hit.snippet}")
    if not hits:
        print("no guide fits these words: try fewer, or import guides with `guides import`")
    return 0


def _list(chosen: argparse.Namespace) -> int:
    found = library().summaries(chosen.device)
    if chosen.json:
        print_json([as_data(each) for each in found])
        return 0
    for each in found:
        print(f"{each.id}  {each.title} ({each.device}), {each.n_steps} steps")
    if not found:
        print(f"there is no guide for {chosen.device}: try a part of its name, or `guides list` for all")
    return 0


def _show(chosen: argparse.Namespace) -> int:
    guide: Guide = library().guide(chosen.id)
    if chosen.json:
        print_json(as_data(guide))
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


def _remove(chosen: argparse.Namespace) -> int:
    library().remove(chosen.id)
    print(f"{chosen.id} removed")
    return 0


def _requirements(chosen: argparse.Namespace) -> int:
    steps = _texts(chosen)
    if chosen.json:
        answers = [_asked(text) if number is None else {"step": number, **_asked(text)} for number, text in steps]
        print_json(answers[0] if len(answers) == 1 else answers)
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
        if asked["questions"]:
            print(f"  a judge of states can be asked as well: {', '.join(each['text'] for each in asked['questions'])}")
    return 0


def _texts(chosen: argparse.Namespace) -> list[tuple[int | None, str]]:
    if chosen.text is not None:
        return [(None, chosen.text)]
    if not chosen.id:
        raise RepairError("no guide and no text were given", 'give a guide\'s id, or --text "Remove the four screws"')
    steps: Sequence[Step] = library().guide(chosen.id).steps
    if chosen.step is not None:
        steps = [library().step(chosen.id, chosen.step)]
    return [(step.number, step.text) for step in steps]


def _asked(text: str) -> dict[str, Any]:
    from repairai.sop.requirements import step_as_data

    return step_as_data(text)
