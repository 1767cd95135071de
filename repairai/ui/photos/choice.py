"""Which photos of a set are shown: by part, by what they are for, by a finding, by who has looked at them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repairai.ui.photos.sets import Finding
from repairai.vision.photo_set import SPLITS, LabelledPhoto, PhotoSet

ALL, UNSEEN, BY_MODEL, EMPTY, BARE = "all", "unseen", "model", "empty", "bare"
STATES = [
    ("All photos", ALL), ("Not yet looked at", UNSEEN), ("With boxes by a model", BY_MODEL),
    ("Without any box", EMPTY), ("Without labels", BARE),
]  # fmt: skip
PAGE_SIZE = 12


@dataclass(frozen=True)
class Wanted:
    """What is to be shown.

    Args:
        part: Photos that show it; empty for any.
        split: Photos that are for it; empty for any.
        state: One of `STATES`.
        finding: Id of one of the doctor's; empty for none.
    """

    part: str = ""
    split: str = ""
    state: str = ALL
    finding: str = ""


def chosen(photos: PhotoSet, wanted: Wanted, findings: Sequence[Finding] = ()) -> list[LabelledPhoto]:
    """Return the photos that are wanted, in the order of the set."""
    named = {name for each in findings if each.id == wanted.finding for name in each.photos}
    return [
        each
        for each in photos.photos
        if (not wanted.part or any(box.part == wanted.part for box in each.boxes))
        and (not wanted.split or each.split == wanted.split)
        and (not wanted.finding or each.name in named)
        and is_in(each, wanted.state)
    ]


def is_in(photo: LabelledPhoto, state: str) -> bool:
    """Return whether a photo is of one of `STATES`."""
    if state == UNSEEN:
        return not photo.labelled or any(not box.checked for box in photo.boxes)
    if state == BY_MODEL:
        return any(box.by.startswith("model:") for box in photo.boxes)
    if state == EMPTY:
        return not photo.boxes
    if state == BARE:
        return not photo.labelled
    return True


def page_of(photos: Sequence[LabelledPhoto], at: int, size: int = PAGE_SIZE) -> tuple[Sequence[LabelledPhoto], int]:
    """Return a page of photos and its number, which is the nearest that there is."""
    last = max((len(photos) - 1) // size, 0)
    at = min(max(at, 0), last)
    return photos[at * size : (at + 1) * size], at


def beside(photos: Sequence[LabelledPhoto], name: str, by: int) -> str:
    """Return the name of the photo so many places behind one; empty behind the last. An unknown one leads to the first.

    Args:
        photos: That are shown.
        name: Where one is.
        by: 1 for the next, -1 for the one before.
    """
    names = [each.name for each in photos]
    if name not in names:
        return names[0] if names else ""
    at = names.index(name) + by
    return names[at] if 0 <= at < len(names) else ""


def counts(photos: PhotoSet) -> dict[str, dict[str, tuple[int, int]]]:
    """Return for each part and each split how many photos show it and how many boxes there are."""
    found: dict[str, dict[str, tuple[int, int]]] = {part: dict.fromkeys(SPLITS, (0, 0)) for part in photos.parts}
    for photo in photos.photos:
        for part in {box.part for box in photo.boxes}:
            n_photos, n_boxes = found[part][photo.split]
            boxes = sum(box.part == part for box in photo.boxes)
            found[part][photo.split] = (n_photos + 1, n_boxes + boxes)
    return found
