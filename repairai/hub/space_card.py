"""The README of a Space: the header that the Hub reads, and what the Space inspects with, for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from repairai.hub.card_words import Origin, cell, licence_section, origins_table
from repairai.hub.licences import Passed, passed_on
from repairai.hub.own_code import SOURCES
from repairai.hub.space_contents import Contents
from repairai.schema import Guide

CARD = "README.md"
TITLE = "RepairAI inspector"
"""Of a Space that nobody has named."""
_OWN = "repairai/builtin/detector"


@dataclass(frozen=True)
class Eyes:
    """A detector for a Space.

    Args:
        name: Kept with every inspection.
        folder: Of its checkpoint.
        source: Its name on the Hub; empty where it came from nowhere.
        licence: As its source says; empty where nobody said one.
    """

    name: str
    folder: Path
    source: str = ""
    licence: str = ""


@dataclass(frozen=True)
class StateJudge:
    """A judge of states for a Space.

    Args:
        name: Kept with every inspection that asks it.
        folder: Of its model.
        source: Its name on the Hub; empty where it came from nowhere.
        licence: As its source says; empty where nobody said one.
        base: Name on the Hub of what it stands on, where it is an adapter.
        limits: File with what was measured of it; None where nothing was.
    """

    name: str
    folder: Path
    source: str = ""
    licence: str = ""
    base: str = ""
    limits: Path | None = None


def written_card(
    template: str,
    contents: Contents,
    eyes: Eyes | None,
    guides: Sequence[Guide],
    title: str,
    judge: StateJudge | None = None,
) -> str:
    """Return a Space's README.

    Args:
        template: The usual one.
        contents: What the Space inspects with.
        eyes: Its detector; None where it is the one that comes with RepairAI.
        guides: What it shows.
        title: Its name for people; empty takes the template's.
        judge: Who answers questions of state; None where nobody does.
    """
    head, body = _parted(template)
    sees = (eyes.licence or _licence_of(eyes.folder)) if eyes else "Apache-2.0"
    origins = [
        Origin(f"{each.title} ({each.device})", each.licence, each.url, f"{len(each.steps)} steps", each.author)
        for each in guides
    ]
    answers = (judge.licence or _licence_of(judge.folder)) if judge else ""
    passed = passed_on([sees, *([answers] if judge else []), *(each.licence for each in guides)])
    head |= {"sdk_version": version("gradio"), "license": passed.id}
    if passed.name:
        head["license_name"] = passed.name
    if title:
        head["title"] = " ".join(title.split())[:80]
        body = body.replace(f"# {TITLE}", f"# {cell(title)}", 1)
    models = [each.source for each in (eyes, judge) if each and each.source]
    if models:
        head["models"] = [*models, *([judge.base] if judge and judge.base else [])]
    said = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=200)
    folder = contents.folder if eyes else _OWN
    said_of_judge = _judge(judge, answers, contents.judge_folder)
    inside = _inside(contents.detector, eyes.folder if eyes else SOURCES / _OWN, folder, sees, said_of_judge)
    own = [Origin(f"the detector {contents.detector}", sees)]
    own += [Origin(f"the judge {judge.name}", answers)] if judge else []
    parts = [body.strip(), inside, f"## Guides\n\n{origins_table(origins)}", _licences(passed, [*own, *origins])]
    return f"---\n{said}---\n\n" + "\n\n".join(parts) + "\n"


def _inside(name: str, folder: Path, place: str, licence: str, judge: str) -> str:
    """Return what the Space inspects with, in a section."""
    card = f"; [its card]({place}/{CARD})" if (folder / CARD).is_file() else ""
    return "\n".join([
        "## What it inspects with",
        "",
        f"- Detector: **{cell(name)}**, under {cell(licence) or 'a licence that nobody said'}{card}.",
        f"- Parts with measured limits: {_measured(folder) or 'none, so that it decides little'}.",
        f"- Judge: {judge}",
        f"- Made by RepairAI {version('repairai')}, whose code is under Apache-2.0.",
    ])  # fmt: skip


def _judge(judge: StateJudge | None, licence: str, place: str) -> str:
    """Return who answers questions of state, in a sentence or two."""
    if judge is None:
        return "counts. Questions of state (is the latch closed?) are left to you."
    card = f"; [its card]({place}/{CARD})" if (judge.folder / CARD).is_file() else ""
    on = f", on {cell(judge.base)}" if judge.base else ""
    under = cell(licence) or "a licence that nobody said"
    return (
        f"counts; questions of state are answered by **{cell(judge.name)}**{on}, under {under}{card}. It is asked each "
        "question twice, the other way round too, and decides only where both answers agree and were measured."
    )


def _licences(passed: Passed, origins: Sequence[Origin]) -> str:
    return licence_section(passed, origins, ("Each part keeps its own.",), "")


def _parted(text: str) -> tuple[dict[str, Any], str]:
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def _measured(folder: Path) -> str:
    try:
        parts = json.loads((folder / "limits.json").read_bytes())["parts"]
        return ", ".join(cell(str(name)) for name in parts)
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _licence_of(folder: Path) -> str:
    """Return the licence that a detector's card says; empty where it says none."""
    try:
        said = _parted((folder / CARD).read_text("utf-8"))[0].get("license")
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return ""
    return said if isinstance(said, str) else ""
