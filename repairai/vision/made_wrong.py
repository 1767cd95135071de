"""What is made wrong with a photo that comes back to be looked at again: see `repairai.vision.looked`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from repairai.schema import Box
from repairai.vision.photo_set import MODEL, LabelledBox, LabelledPhoto
from repairai.vision.tiles import overlaps

Wrong = Literal["moved", "part", "decoy", "nothing"]
"""A box beside its place, one with another part's name, one round nothing; or nothing: who changes what is right?"""
_OFTEN: dict[Wrong, float] = {"moved": 0.35, "part": 0.2, "decoy": 0.25, "nothing": 0.2}
_LEAST_PX = 8.0
"""Shortest side of a box that is altered: nobody sees a smaller one move."""


@dataclass(frozen=True)
class Check:
    """A photo that comes back.

    Args:
        id: From 0.
        photo: Its name.
        wrong: What is wrong with it.
        altered: The box that is not as it was accepted; None where nothing is wrong.
        answered: Whether the person has answered.
        noticed: Whether they mended it; where nothing is wrong, whether they changed something.
    """

    id: int
    photo: str
    wrong: Wrong
    altered: LabelledBox | None = None
    answered: bool = False
    noticed: bool = False


def is_accepted(box: LabelledBox) -> bool:
    """Tell whether a model drew a box and a person accepted it."""
    return box.by.startswith(MODEL) and box.checked


def comes_back(photo: LabelledPhoto) -> bool:
    """Tell whether a photo has boxes to be looked at again: not a made one, whose boxes are copies."""
    return photo.labelled and not photo.made and any(is_accepted(box) for box in photo.boxes)


def make_wrong(check: Check, photo: LabelledPhoto, parts: tuple[str, ...], rng: np.random.Generator) -> Check:
    """Return the check with something wrong, where there is room for it."""
    wrong = str(rng.choice(list(_OFTEN), p=list(_OFTEN.values())))
    fit = [each for each in photo.boxes if is_accepted(each) and _short_side(each.box) >= _LEAST_PX]
    if wrong == "nothing" or not fit:
        return check
    one = fit[rng.integers(len(fit))]
    others = [part for part in parts if part != one.part]
    if wrong == "part" and others:
        return replace(check, wrong="part", altered=replace(one, part=others[rng.integers(len(others))]))
    if wrong == "decoy":
        place = _empty_place(one.box, photo, rng)
        if place:
            return replace(check, wrong="decoy", altered=replace(one, box=place))
    place = _beside(one.box, photo, rng)
    return replace(check, wrong="moved", altered=replace(one, box=place)) if place else check


def _short_side(box: Box) -> float:
    return min(box[2] - box[0], box[3] - box[1])


def _moved(box: Box, x: float, y: float) -> Box:
    return round(box[0] + x, 1), round(box[1] + y, 1), round(box[2] + x, 1), round(box[3] + y, 1)


def _fits(box: Box, photo: LabelledPhoto) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= photo.width and box[3] <= photo.height


def _beside(box: Box, photo: LabelledPhoto, rng: np.random.Generator) -> Box | None:
    """Return a box a quarter to a third of its size beside its place: to be seen at a look, and not at none."""
    for _ in range(20):
        x, y = rng.uniform(0.25, 0.35, 2) * rng.choice([-1, 1], 2) * [box[2] - box[0], box[3] - box[1]]
        place = _moved(box, float(x), float(y))
        if _fits(place, photo):
            return place
    return None


def _empty_place(box: Box, photo: LabelledPhoto, rng: np.random.Generator) -> Box | None:
    """Return a box of the same size round nothing that is labelled."""
    labelled = np.array([each.box for each in photo.boxes], dtype=np.float32)
    for _ in range(50):
        corner = rng.uniform(0, 1, 2) * [photo.width - (box[2] - box[0]), photo.height - (box[3] - box[1])]
        place = _moved(box, float(corner[0] - box[0]), float(corner[1] - box[1]))
        if _fits(place, photo) and not overlaps(np.array(place, np.float32), labelled)[0].any():
            return place
    return None


def _origin(check: Check, photo: LabelledPhoto) -> int:
    """Return which box of the photo the altered one stands for; the number of boxes where it stands for none."""
    altered = check.altered
    if altered is None or check.wrong == "decoy":
        return len(photo.boxes)
    fits = [
        (float(overlaps(np.array(altered.box, np.float32), np.array([each.box], np.float32))[1][0]), -number)
        for number, each in enumerate(photo.boxes)
        if is_accepted(each) and each.score == altered.score and (check.wrong == "part" or each.part == altered.part)
    ]
    best = max(fits, default=(0.0, 0))
    return -best[1] if best[0] > 0 else -1


def still_fits(check: Check, photo: LabelledPhoto) -> bool:
    """Tell whether a check that waits still fits its photo, which may have been labelled anew."""
    return comes_back(photo) and _origin(check, photo) >= 0


def shown(check: Check, photo: LabelledPhoto) -> tuple[LabelledBox, ...]:
    """Return the boxes that a person is shown, in an order that does not tell which one is wrong."""
    boxes = photo.boxes
    if check.altered is not None:
        number = _origin(check, photo)
        boxes = (*boxes[:number], check.altered, *boxes[number + 1 :])
    return tuple(sorted(boxes, key=lambda each: each.box))
