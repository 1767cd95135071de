"""What was changed on a few photos of a large set since it was written whole: `changes.jsonl` beside its COCO file.

The COCO file of 20,000 photos has 20 MB, and whoever corrects one photo after the other saves every few seconds. So a
change is a line here, which is a COCO document of its own with the changed photos alone; the next whole write takes
all lines in, and the file away. The first line names the COCO file to which they belong by its SHA-256: lines that
belong to another one were taken in already. A line without an end was never saved: whoever wrote it went down.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import disk_error, write_whole
from repairai.named_sets import PHOTO_SETS
from repairai.vision.labelled import PhotoSet
from repairai.vision.photo_coco import FAULTS, as_coco, from_coco

CHANGES = PHOTO_SETS.files[1]
MOST_PHOTOS = 500
"""That one change may hold; more of them are written whole."""


def change_between(before: PhotoSet, after: PhotoSet) -> PhotoSet | None:
    """Return a set of those photos alone that are new or otherwise afterwards; None where that does not say it all.

    Photos that are gone, stand in another order, or are too many, can only be written whole.
    """
    if len(after.photos) < len(before.photos):
        return None
    pairs = zip(before.photos, after.photos, strict=False)
    changed = [now for was, now in pairs if was is not now and was != now]
    new = after.photos[len(before.photos) :]
    names = [each.name for each in before.photos]
    in_order = names == [each.name for each in after.photos[: len(names)]]
    if not in_order or len(changed) + len(new) > MOST_PHOTOS or len({*names, *(each.name for each in new)}) != len(
        after.photos
    ):  # fmt: skip
        return None
    return replace(after, photos=(*changed, *new))


def with_changes(photos: PhotoSet, changes: Sequence[PhotoSet]) -> PhotoSet:
    """Return a set as it is after changes, the first of them first."""
    if not changes:
        return photos
    now = {each.name: each for each in photos.photos}
    for change in changes:
        now |= {each.name: each for each in change.photos}
    return replace(changes[-1], folder=photos.folder, photos=tuple(now.values()))


def as_line(change: PhotoSet) -> bytes:
    """Return a change as it is kept."""
    return as_coco(change) + b"\n"


def from_line(folder: Path, line: bytes) -> PhotoSet:
    """Return a change that was kept.

    Raises:
        RepairError: It is none.
    """
    try:
        return from_coco(folder, line.decode())
    except FAULTS as error:
        raise RepairError(
            f"{folder / CHANGES} is damaged: {error!s:.200}",
            "take it away; what was changed on photos since their labels were last written whole is lost then",
        ) from None


def read_lines(folder: Path, digest: str, start: int = 0) -> tuple[list[bytes], int]:
    """Return the changes to a COCO file that follow a place, and the place behind them.

    Args:
        folder: Of the set.
        digest: SHA-256 of the COCO file.
        start: Bytes that were read before.

    Returns:
        The lines, and how many bytes there are up to their end: 0 where no change belongs to this file.
    """
    try:
        with (folder / CHANGES).open("rb") as file:
            first = file.readline()
            if first != _first(digest):
                return [], 0
            file.seek(max(start, len(first)))
            content = file.read()
            size = file.tell()
    except OSError:
        return [], 0
    whole = content[: content.rfind(b"\n") + 1]
    return whole.splitlines(keepends=True), size - len(content) + len(whole)


def append_line(folder: Path, digest: str, line: bytes, at: int) -> int:
    """Write a change behind the others, and return the place behind it; whoever calls keeps others from doing so.

    Args:
        folder: Of the set.
        digest: SHA-256 of the COCO file.
        line: See `as_line`.
        at: Place behind the last change, as `read_lines` tells.

    Raises:
        RepairError: It cannot be written; then it is not there.
    """
    path = folder / CHANGES
    if not at:
        write_whole(path, _first(digest) + line)
        return len(_first(digest)) + len(line)
    try:
        with path.open("r+b") as file:
            file.truncate(at)  # what somebody left behind it who went down
            file.seek(at)
            try:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(at)
                raise
    except OSError as error:
        raise disk_error(path, error) from None
    return at + len(line)


def forget(folder: Path) -> None:
    """Take all changes away, once the COCO file holds them."""
    with suppress(OSError):  # they belong to a COCO file that is no more, and count no longer
        (folder / CHANGES).unlink(missing_ok=True)


def _first(digest: str) -> bytes:
    return json.dumps({"of": digest}).encode() + b"\n"
