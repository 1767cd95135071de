"""Gives the parts of a set other names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from repairai.vision.photo_set import PhotoSet, edit


def rename(folder: Path, names: Mapping[str, str]) -> PhotoSet:
    """Call parts of a set otherwise, and return it; those that it no longer has do not count.

    Args:
        folder: Of the set.
        names: Old name -> new name; no two parts may come to have one.

    Raises:
        RepairError: It cannot be read or written.
    """

    def change(photos: PhotoSet) -> PhotoSet:
        parts = tuple(names.get(part, part) for part in photos.parts)
        kept = tuple(
            replace(photo, boxes=tuple(replace(box, part=names.get(box.part, box.part)) for box in photo.boxes))
            for photo in photos.photos
        )
        return replace(photos, parts=parts, photos=kept)

    return edit(folder, change)
