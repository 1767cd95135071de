"""Sets of photos as the page reads them: each once until it changes, with what the doctor found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.vision.photo_set import (
    ANNOTATIONS,
    SPLITS,
    PhotoSet,
    is_report_stale,
    photo_set_folder,
    photo_sets,
    read_photo_set,
    version_of,
)

REPORT = "report.json"


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found.

    Args:
        id: By which it is mended.
        kind: What it is.
        severity: "stop", "warn" or "note".
        said: One sentence.
        photos: Names of some of the photos.
        count: How many there are.
        mend: Id of what mends it; empty where a person has to.
        mend_said: The same in words.
    """

    id: str
    kind: str
    severity: str
    said: str
    photos: tuple[str, ...] = ()
    count: int = 0
    mend: str = ""
    mend_said: str = ""


@dataclass(frozen=True)
class Report:
    """What the doctor wrote down of a set.

    Args:
        made: When.
        findings: The worst first.
        stale: The photos or their boxes were changed since.
    """

    made: str = ""
    findings: tuple[Finding, ...] = field(default=())
    stale: bool = False


def chosen_set(folder: str | None) -> PhotoSet | None:
    """Return the set that was chosen, or None where none was or it is gone; only names count, no paths.

    Raises:
        RepairError: It is damaged.
    """
    if not folder:
        return None
    path = photo_set_folder(Path(folder).name)
    return read_photo_set(path) if (path / ANNOTATIONS).is_file() else None


def the_set(folder: str | None) -> PhotoSet:
    """Return the set that was chosen.

    Raises:
        RepairError: None was, or it is gone or damaged.
    """
    found = chosen_set(folder)
    if found is None:
        raise RepairError("there are no photos yet", "import some first")
    return found


def listed() -> list[tuple[str, str]]:
    """Return all sets, newest first, each as what it says and its folder."""
    found = []
    for name in photo_sets():
        folder = photo_set_folder(name)
        try:
            said = _said(folder)
        except RepairError:
            said = f"{name} · damaged"
        found.append((said, str(folder)))
    return found


def _said(folder: Path) -> str:
    return f"{folder.name} · {_short(folder, version_of(folder))}"


@lru_cache(maxsize=64)
def _short(folder: Path, version: tuple[int, ...]) -> str:
    """Return a set in a few words; of a large one the text is kept, not the set."""
    photos = read_photo_set(folder)
    counts = ", ".join(f"{number:,} {split}" for split in SPLITS if (number := len(photos.of(split))))
    bare = sum(not each.labelled for each in photos.photos)
    waiting = f", {bare:,} without labels" if bare else ""
    parts = ", ".join(photos.parts[:4]) + (" …" if len(photos.parts) > 4 else "")
    return f"{counts or 'no labelled photos'}{waiting} · {parts or 'no parts'}"


def report_of(folder: Path) -> Report:
    """Return what the doctor wrote down of a set; empty where it has not looked yet, or that cannot be read."""
    try:
        data: dict[str, Any] = json.loads(read_text(folder / REPORT))
        findings = tuple(finding_of(each) for each in data.get("findings", ()))
        return Report(str(data.get("made", "")), findings, is_report_stale(folder, data))
    except (RepairError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return Report()


def finding_of(data: dict[str, Any]) -> Finding:
    """Return a finding as a report holds it; what it lacks is a KeyError."""
    return Finding(
        str(data["id"]), str(data.get("kind", "")), str(data.get("severity", "note")), str(data["said"]),
        tuple(str(name) for name in data.get("photos", ())), int(data.get("count", 0)), str(data.get("mend", "") or ""),
        str(data.get("mend_said", "") or ""),
    )  # fmt: skip


def free_name(wanted: str, what: str = "photos", folder_of: Callable[[str], Path] = photo_set_folder) -> str:
    """Return the name that a new set gets: the one that is wanted, else `photos`, `photos-2` and so on.

    Args:
        wanted: By a person.
        what: The set holds.
        folder_of: Returns the folder of a set by its name.

    Raises:
        RepairError: It is none for a folder, or it is taken.
    """
    wanted = wanted.strip()
    if not wanted:
        number = 1
        while folder_of(name := what if number == 1 else f"{what}-{number}").exists():
            number += 1
        return name
    if folder_of(wanted).exists():
        raise RepairError(f"there are {what} named {wanted} already", "choose another name")
    return wanted


def nameless(photos: PhotoSet) -> tuple[str, ...]:
    """Return the parts whose names are numbers, as some exports have them: a person has to say what they are."""
    return tuple(part for part in photos.parts if re.fullmatch(r"[\d\W_]+", part))
