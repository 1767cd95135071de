"""Labelled photos for a detector: one folder with the photos and one COCO file that says what is on them.

    <home>/data/detector/<name>/photos/*.jpg
    <home>/data/detector/<name>/annotations.coco.json

The file is plain COCO, so that other tools read it; `photo_coco` says what stands beside COCO's own keys. Of a large
set, what was changed last lies in `changes.jsonl` until the file is written whole again; `write_changes` does so.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import read_text, write_whole
from repairai.named_sets import PHOTO_SETS, alone
from repairai.vision import photo_changes
from repairai.vision.labelled import (
    IMPORTED,
    MODEL,
    PASTED,
    PERSON,
    PHOTOS,
    RENDERED,
    SPLITS,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    Split,
)
from repairai.vision.photo_changes import CHANGES
from repairai.vision.photo_coco import FAULTS, as_coco, from_coco

__all__ = [
    "ANNOTATIONS", "CHANGES", "IMPORTED", "MODEL", "PASTED", "PERSON", "PHOTOS", "RENDERED", "REPORT",
    "SPLITS", "LabelledBox", "LabelledPhoto", "PhotoSet", "PhotoSource", "Split", "digest_of_annotations", "edit",
    "is_report_stale", "read_photo_set", "version_of",
    "with_boxes", "write_changes", "write_photo_set",
]  # fmt: skip

ANNOTATIONS, REPORT = PHOTO_SETS.files[0], "report.json"
WHOLE_BYTES = 512 * 1024
"""Of a COCO file that is written whole at each change: that takes no time worth saving."""
MOST_CHANGED = 0.25
"""Of the COCO file's size that changes beside it may have before it is written whole."""
MOST_HELD = 3
"""Sets that are kept in memory as they were read last."""


# ---- read and written


def version_of(folder: Path) -> tuple[int, ...]:
    """Return numbers that are others once a set has changed.

    Raises:
        OSError: It is not there.
    """
    numbers = _stamp(folder / ANNOTATIONS)
    with suppress(FileNotFoundError):
        numbers += _stamp(folder / CHANGES)
    return numbers


def _stamp(path: Path) -> tuple[int, ...]:
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


@dataclass(frozen=True)
class _Held:
    """A set as it was read, so that the next read takes up only what is new.

    Args:
        stamp: Of the COCO file.
        digest: SHA-256 of it.
        at: Place behind the changes that are in `photos`.
        photos: The set.
    """

    stamp: tuple[int, ...]
    digest: str
    at: int
    photos: PhotoSet


_held: dict[Path, _Held] = {}
_reading = threading.RLock()


def read_photo_set(folder: Path) -> PhotoSet:
    """Return the photos in a folder; what was read before is read no second time.

    Raises:
        RepairError: There are none, or the file is damaged.
    """
    return _read(folder).photos


def _read(folder: Path) -> _Held:
    path = folder / ANNOTATIONS
    with _reading:
        while True:
            try:
                stamp = _stamp(path)
            except OSError:
                raise RepairError(
                    f"{folder} holds no {ANNOTATIONS}", "import photos with `python -m repairai photos import`"
                ) from None
            held = _held.get(folder)
            if held is None or held.stamp != stamp:
                held = _parsed(path, stamp)
            lines, at = photo_changes.read_lines(folder, held.digest, held.at)
            if at < held.at:  # they are gone, and the file is the same: somebody took them away
                _held.pop(folder, None)
                continue
            changes = [photo_changes.from_line(folder, line) for line in lines]
            held = replace(held, at=at, photos=photo_changes.with_changes(held.photos, changes))
            # A file that was written whole meanwhile has taken in changes that were there when it was read.
            with suppress(OSError):
                if _stamp(path) == stamp:
                    _hold(folder, held)
                    return held


def _parsed(path: Path, stamp: tuple[int, ...]) -> _Held:
    try:
        text = read_text(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return _Held(stamp, digest, 0, from_coco(path.parent, text))
    except OSError as error:
        raise RepairError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from None
    except FAULTS as error:
        raise RepairError(f"{path} is damaged: {error!s:.200}", "import the photos again") from None


def _hold(folder: Path, held: _Held) -> None:
    with _reading:
        _held.pop(folder, None)
        _held[folder] = held
        while len(_held) > MOST_HELD:
            _held.pop(next(iter(_held)))


def write_photo_set(photos: PhotoSet) -> None:
    """Write what is known of the photos, whole or not at all; the photos themselves are left as they are.

    Raises:
        RepairError: It cannot be written.
    """
    write_whole(photos.folder / ANNOTATIONS, as_coco(photos))
    photo_changes.forget(photos.folder)


def write_changes(folder: Path) -> None:
    """Write a set whole where changes lie beside its COCO file, so that other tools find them in it.

    Raises:
        RepairError: It cannot be read or written, or somebody else is long at it.
    """
    if not (folder / CHANGES).is_file():
        return
    with alone(folder):
        held = _read(folder)
        if not held.at:  # they were taken in before, by somebody who went down
            photo_changes.forget(folder)
            return
        content = as_coco(held.photos)
        write_whole(folder / ANNOTATIONS, content)
        photo_changes.forget(folder)
        stamp = _stamp(folder / ANNOTATIONS)
        _hold(folder, _Held(stamp, hashlib.sha256(content).hexdigest(), 0, held.photos))


def edit(folder: Path, change: Callable[[PhotoSet], PhotoSet]) -> PhotoSet:
    """Change a set as it is now, one change after the other whoever makes them, and return it.

    Of a large set only the photos that have changed are written, which takes no longer than for a small one.

    Raises:
        RepairError: It cannot be read or written, or somebody else is long at it.
    """
    if not folder.is_dir():  # a lock would make the folder
        return read_photo_set(folder)
    with alone(folder):
        held = _read(folder)
        changed = change(held.photos)
        return changed if _written_beside(folder, held, changed) else _written_whole(changed)


def _written_whole(photos: PhotoSet) -> PhotoSet:
    write_photo_set(photos)
    return photos


def _written_beside(folder: Path, held: _Held, changed: PhotoSet) -> bool:
    """Write what has changed beside the COCO file of a large set; return whether that was done."""
    size = held.stamp[2]
    if size <= WHOLE_BYTES or changed.folder != folder:
        return False
    change = photo_changes.change_between(held.photos, changed)
    if change is None:
        return False
    if changed == held.photos:
        return True
    line = photo_changes.as_line(change)
    if held.at + len(line) > MOST_CHANGED * size:
        return False
    at = photo_changes.append_line(folder, held.digest, line, held.at)
    after = photo_changes.with_changes(held.photos, [photo_changes.from_line(folder, line)])
    _hold(folder, replace(held, at=at, photos=after))
    return True


def with_boxes(photos: PhotoSet, name: str, boxes: tuple[LabelledBox, ...]) -> PhotoSet:
    """Return the set with other boxes on one photo; a part that is new to the set becomes its last.

    Raises:
        RepairError: There is no such photo.
    """
    old = photos.photo(name)
    parts = tuple(dict.fromkeys((*photos.parts, *(box.part for box in boxes))))
    new = replace(old, boxes=boxes, labelled=True)
    kept = tuple(new if each.name == name else each for each in photos.photos)
    ids = photos.original_ids
    return replace(photos, parts=parts, photos=kept, original_ids=ids if len(parts) == len(photos.parts) else ())


# ---- what the doctor wrote of it


def digest_of_annotations(folder: Path) -> str:
    """Return the SHA-256 of what is known of the photos, by which a report tells what it speaks of; empty for none.

    It is another one while changes lie beside the COCO file, and when they were taken in: a report is written after
    `write_changes`.
    """
    try:
        with (folder / ANNOTATIONS).open("rb") as file:
            own = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
    changes, _ = photo_changes.read_lines(folder, own)
    return hashlib.sha256(b"".join([own.encode(), *changes])).hexdigest() if changes else own


def is_report_stale(folder: Path, report: Mapping[str, Any]) -> bool:
    """Tell whether a set was changed since the doctor wrote a report of it."""
    return report.get("digest") != digest_of_annotations(folder)
