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


def written_card(template: str, contents: Contents, eyes: Eyes | None, guides: Sequence[Guide], title: str) -> str:
    """Return a Space's README.

    Args:
        template: The usual one.
        contents: What the Space inspects with.
        eyes: Its detector; None where it is the one that comes with RepairAI.
        guides: What it shows.
        title: Its name for people; empty takes the template's.
    """
    head, body = _parted(template)
    sees = (eyes.licence or _licence_of(eyes.folder)) if eyes else "Apache-2.0"
    origins = [
        Origin(f"{each.title} ({each.device})", each.licence, each.url, f"{len(each.steps)} steps", each.author)
        for each in guides
    ]
    passed = passed_on([sees, *(each.licence for each in guides)])
    head |= {"sdk_version": version("gradio"), "license": passed.id}
    if passed.name:
        head["license_name"] = passed.name
    if title:
        head["title"] = " ".join(title.split())[:80]
        body = body.replace(f"# {TITLE}", f"# {cell(title)}", 1)
    if eyes and eyes.source:
        head["models"] = [eyes.source]
    said = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=200)
    folder = contents.folder if eyes else _OWN
    inside = _inside(contents.detector, eyes.folder if eyes else SOURCES / _OWN, folder, sees)
    detector = Origin(f"the detector {contents.detector}", sees)
    parts = [body.strip(), inside, f"## Guides\n\n{origins_table(origins)}", _licences(passed, [detector, *origins])]
    return f"---\n{said}---\n\n" + "\n\n".join(parts) + "\n"


def _inside(name: str, folder: Path, place: str, licence: str) -> str:
    """Return what the Space inspects with, in a section."""
    card = f"; [its card]({place}/{CARD})" if (folder / CARD).is_file() else ""
    return "\n".join([
        "## What it inspects with",
        "",
        f"- Detector: **{cell(name)}**, under {cell(licence) or 'a licence that nobody said'}{card}.",
        f"- Parts with measured limits: {_measured(folder) or 'none, so that it decides little'}.",
        "- Judge: counts. Questions of state (is the latch closed?) are left to you.",
        f"- Made by RepairAI {version('repairai')}, whose code is under Apache-2.0.",
    ])  # fmt: skip


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
