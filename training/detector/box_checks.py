"""What the doctor finds in boxes: out of their photo, drawn twice, said to be two parts, too small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet
from repairai.vision.small_boxes import said as said_of_small
from repairai.vision.small_boxes import small_boxes
from training.detector.findings import Finding, finding, n

DOUBLED = 0.95
"""Overlap from which on two boxes are one."""
OUTSIDE_PX = 1.0


def box_findings(photos: PhotoSet, image_px: int) -> Iterator[Finding]:
    """Yield what is wrong with boxes.

    Args:
        photos: The set.
        image_px: Side of the input of the detector that will be trained.
    """
    out = [each.name for each in photos.photos if outside(each)]
    if out:
        yield finding(
            "outside", "warn", f"boxes on {n(len(out), 'photo')} stand out of it", out,
            mend="outside", mend_said="clip them, and drop those of which nothing is left",
        )  # fmt: skip
    twice = {each.name: len(doubled(each.boxes)) for each in photos.photos if len(each.boxes) > 1}
    names = [name for name, count in twice.items() if count]
    if names:
        count = sum(twice.values())
        yield finding(
            "doubled", "warn", f"{n(count, 'box is', 'boxes are')} drawn twice, on {n(len(names), 'photo')}",
            names, count, "doubled", "keep one of each",
        )  # fmt: skip
    torn = [each.name for each in photos.photos if len(each.boxes) > 1 and _contradicts(each.boxes)]
    if torn:
        yield finding(
            "two-parts", "warn", f"on {n(len(torn), 'photo')} one box is said to be two parts: look at them", torn
        )
    yield from _small(photos, image_px)


def outside(photo: LabelledPhoto) -> bool:
    """Return whether a box of a photo stands out of it."""
    return any(
        min(box.box[0], box.box[1]) < -OUTSIDE_PX
        or box.box[2] > photo.width + OUTSIDE_PX
        or box.box[3] > photo.height + OUTSIDE_PX
        for box in photo.boxes
    )


def doubled(boxes: Sequence[LabelledBox]) -> list[int]:
    """Return the numbers of boxes that are drawn again: of each pair the one that nobody checked, else the later."""
    over = _overlap(boxes) >= DOUBLED
    gone: set[int] = set()
    for one, other in zip(*np.nonzero(np.triu(over, 1)), strict=True):
        if boxes[one].part == boxes[other].part and not {int(one), int(other)} & gone:
            gone.add(int(one if boxes[other].checked and not boxes[one].checked else other))
    return sorted(gone)


def _contradicts(boxes: Sequence[LabelledBox]) -> bool:
    pairs = zip(*np.nonzero(np.triu(_overlap(boxes) >= DOUBLED, 1)), strict=True)
    return any(boxes[one].part != boxes[other].part for one, other in pairs)


def _overlap(boxes: Sequence[LabelledBox]) -> NDArray[np.float64]:
    edges = np.array([box.box for box in boxes])
    low = np.maximum(edges[:, None, :2], edges[None, :, :2])
    high = np.minimum(edges[:, None, 2:], edges[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    area = (edges[:, 2:] - edges[:, :2]).prod(1)
    overlap: NDArray[np.float64] = shared / (area[:, None] + area[None] - shared)
    return overlap


def _small(photos: PhotoSet, image_px: int) -> Iterator[Finding]:
    small = small_boxes(photos.photos, image_px)
    if small.many:
        yield finding("small", "warn", said_of_small(photos.photos, small), small.photos, small.tiny)
