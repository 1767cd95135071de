"""What a person gives as photos, as `python -m training.detector_data` takes it: files, a place here, or the Hub."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import disk_error, expanded

DROPPED, HERE, HUB = "dropped", "here", "hub"
FROM = [("Files: a zip, or photos with their labels", DROPPED), ("A folder or a zip on this machine", HERE),
        ("A dataset on the Hub", HUB)]  # fmt: skip


def gathered(files: Sequence[str], beside: Path) -> list[str]:
    """Return what was dropped as sources: each zip is one, all other files together are one folder.

    Args:
        files: As they were uploaded, each in a folder of its own.
        beside: An empty folder, in which the files are put together.

    Raises:
        RepairError: Nothing was dropped, two files have one name, or the disk is full.
    """
    if not files:
        raise RepairError("nothing was dropped", "drop a zip or photos, or choose another source")
    paths = [Path(each) for each in files]
    zips = [str(path) for path in paths if path.suffix.lower() == ".zip"]
    loose = [path for path in paths if path.suffix.lower() != ".zip"]
    if not loose:
        return zips
    place = beside / "photos"
    try:
        place.mkdir()
        for path in loose:
            if (place / path.name).exists():
                raise RepairError(f"two files are called {path.name}", "give them as a zip or a folder, or rename one")
            shutil.copyfile(path, place / path.name)
    except OSError as error:
        raise disk_error(place, error) from None
    return [*zips, str(place)]


def sources(kind: str, files: Sequence[str], words: str, beside: Path) -> list[str]:
    """Return what is imported, as words for the script.

    Args:
        kind: One of `FROM`.
        files: That were dropped.
        words: A place on this machine, or a name on the Hub.
        beside: See `gathered`.

    Raises:
        RepairError: Nothing was given, or there is nothing there.
    """
    words = words.strip().strip("\"'")
    if kind == DROPPED:
        return gathered(files, beside)
    if kind == HUB:
        if not words:
            raise RepairError("no dataset is named", "write its name on the Hub, owner/name")
        return [f"hub:{words.removeprefix('hub:')}"]
    if not words:
        raise RepairError("no folder is named", "write where it lies on this machine")
    path = expanded(words)
    if not path.exists():
        raise RepairError(f"there is nothing at {words:.200}", "check the name")
    return [str(path.absolute())]


def flags(name: str, licence: str, bare: bool) -> list[str]:
    """Return how photos are brought in, as words for the script.

    Args:
        name: Of the set.
        licence: Of the photos; empty where nobody knows it.
        bare: They have no labels yet.
    """
    told = [f"--licence={licence.strip()}"] if licence.strip() else []
    return [f"--name={name}", "--progress-json", *told, *(["--unlabelled"] if bare else [])]


def own_place() -> Path:
    """Return a new, empty folder for what was dropped."""
    return Path(tempfile.mkdtemp(prefix="repairai-"))
