"""Boxes that are too small for a detector to see, at the finest look that it takes at their photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from repairai.vision import tiles
from repairai.vision.labelled import LabelledPhoto

SMALL_PX = 16
"""Shortest side of a part that is hardly seen, in px of the detector's input: two cells of its finest grid."""
USUAL_PX = 640
"""Side of the input of most detectors, where nobody says which one it is."""
SHARE = 0.05
"""Of all boxes, from which on it is worth to be told."""
SIDES_PX = (320, 480, 640, 800, 960, 1280)
"""That a larger input is proposed from."""


@dataclass(frozen=True)
class SmallBoxes:
    """Boxes that are too small.

    Args:
        image_px: Side of the detector's input.
        tiny: How many boxes are.
        boxes: Of how many.
        photos: Names of the photos with such boxes.
    """

    image_px: int
    tiny: int
    boxes: int
    photos: tuple[str, ...]

    @property
    def share(self) -> float:
        """Return the share of boxes that are too small, in [0, 1]."""
        return self.tiny / self.boxes if self.boxes else 0.0

    @property
    def many(self) -> bool:
        """Return whether there are so many that it is worth to be told."""
        return self.share > SHARE


def small_boxes(photos: Sequence[LabelledPhoto], image_px: int) -> SmallBoxes:
    """Return the boxes that are too small for a detector, which looks at large photos in tiles, too.

    Args:
        photos: With their boxes.
        image_px: Side of the detector's input.
    """
    tiny, boxes, names = 0, 0, []
    for photo in photos:
        across, down = _px_of_photo(photo.width, photo.height, image_px)
        count = sum(
            min((right - left) / across, (bottom - top) / down) < SMALL_PX
            for left, top, right, bottom in (each.box for each in photo.boxes)
        )
        tiny, boxes = tiny + count, boxes + len(photo.boxes)
        if count:
            names.append(photo.name)
    return SmallBoxes(image_px, tiny, boxes, tuple(names))


@cache
def _px_of_photo(width: int, height: int, image_px: int) -> tuple[float, float]:
    """Return how many px of a photo make one px of the detector's input, across and down, where it looks closest."""
    across, down = tiles.finest(tiles.windows(width, height, image_px), image_px)
    return float(across), float(down)


def better_px(photos: Sequence[LabelledPhoto], found: SmallBoxes) -> int | None:
    """Return the smallest larger input with which no longer too many boxes are too small; None where there is none."""
    sides = (side for side in SIDES_PX if side > found.image_px)
    return next((side for side in sides if not small_boxes(photos, side).many), None)


def said(photos: Sequence[LabelledPhoto], found: SmallBoxes) -> str:
    """Return in a sentence without its end how many boxes are too small, for which input, and what to do."""
    side = better_px(photos, found)
    larger = f", or train with `image_px: {side}`" if side else ""
    verb = "box is" if found.tiny == 1 else "boxes are"
    return (
        f"{found.tiny:,} {verb} under {SMALL_PX} px at the closest look of a detector with an input of "
        f"{found.image_px} px, {found.share:.0%} of all: go closer{larger}"
    )
