"""Puts the boxes of a source onto the photo as it lies in the set: turned, scaled and clipped as the photo was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repairai.vision.photo_set import IMPORTED, LabelledBox
from training.detector.labels import SaidPhoto
from training.detector.photos_in import Arrived, turn_boxes, turned_sideways

LEAST_PX = 1.0
"""A box with a shorter side than this shows nothing."""
ROUNDED_PX = 1.5
"""By which boxes stand over the edge when a tool rounded them: clipped without a word."""
_SAME_SHAPE = 0.01


@dataclass(frozen=True)
class Placed:
    """Boxes on a photo of a set.

    Args:
        boxes: Inside the photo.
        empty: How many had no area and were left out.
        clipped: How many stood out of the photo.
        outside: How many lay outside altogether, and were left out.
        turned: Whether they were drawn on the photo as it is stored, and were turned with it.
        unsure: Whether nothing tells if they were; they are taken as drawn on the upright photo.
        resized: Whether they were drawn on another size of the photo, and were scaled.
        strange: Whether the size that is said is none that the photo can have had.
    """

    boxes: tuple[LabelledBox, ...]
    empty: int = 0
    clipped: int = 0
    outside: int = 0
    turned: bool = False
    unsure: bool = False
    resized: bool = False
    strange: bool = False


@dataclass(frozen=True)
class _Drawn:
    """On what boxes were drawn: the photo as it is stored or upright, and how large it was."""

    raw: bool
    size: tuple[float, float]
    unsure: bool = False
    resized: bool = False
    strange: bool = False


def place(said: SaidPhoto, arrived: Arrived, parts: Mapping[int, str]) -> Placed:
    """Return the boxes of a photo as they lie in the set.

    Args:
        said: The photo as its source tells it.
        arrived: The photo as it was read.
        parts: Number of a class in the source -> name of the part; a class that is not in it is left out.
    """
    kept = [(parts[box.part], box) for box in said.boxes if box.part in parts]
    if not kept:
        return Placed(())
    edges = np.array([box.edges for _, box in kept], np.float64)
    shares = np.array([box.shares for _, box in kept])
    drawn = _drawn(said, arrived, edges[~shares])
    edges[~shares] /= np.array([*drawn.size, *drawn.size])  # all are shares of the photo now
    if drawn.raw:
        edges = turn_boxes(edges, 1.0, 1.0, arrived.orientation)
    width, height = arrived.size
    return _clipped([name for name, _ in kept], edges * np.array([width, height, width, height]), width, height, drawn)


def _drawn(said: SaidPhoto, arrived: Arrived, boxes: NDArray[np.float64]) -> _Drawn:
    """Return on what the boxes of a photo were drawn, as its size tells it."""
    upright = (float(arrived.full[0]), float(arrived.full[1]))
    raw = (float(arrived.raw[0]), float(arrived.raw[1]))
    told = (float(said.width), float(said.height))
    turned = arrived.orientation != 1
    tells = turned_sideways(arrived.orientation) and raw[0] != raw[1]  # the size differs when it is turned
    if not all(told):
        if tells and len(boxes) and not _inside(boxes, upright) and _inside(boxes, raw):
            return _Drawn(True, raw)
        return _Drawn(False, upright, unsure=turned)
    if told == upright:
        return _Drawn(False, upright, unsure=turned and not tells)
    if tells and told == raw:
        return _Drawn(True, raw)
    if _alike(told, upright):
        return _Drawn(False, told, unsure=turned and not tells, resized=True)
    if tells and _alike(told, raw):
        return _Drawn(True, told, resized=True)
    return _Drawn(False, upright, unsure=turned, strange=bool(len(boxes)))


def _inside(boxes: NDArray[np.float64], size: tuple[float, float]) -> bool:
    return bool(boxes[:, 2].max() <= size[0] + ROUNDED_PX and boxes[:, 3].max() <= size[1] + ROUNDED_PX)


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= _SAME_SHAPE


def _clipped(names: list[str], edges: NDArray[np.float64], width: int, height: int, drawn: _Drawn) -> Placed:
    limits = np.array([width, height, width, height], np.float64)
    inside = np.clip(edges, 0, limits)
    found: list[LabelledBox] = []
    empty = clipped = outside = 0
    for name, own, cut in zip(names, edges, inside, strict=True):
        if min(own[2] - own[0], own[3] - own[1]) < LEAST_PX:
            empty += 1
        elif min(cut[2] - cut[0], cut[3] - cut[1]) < LEAST_PX:
            outside += 1
        else:
            clipped += bool(np.abs(own - cut).max() > ROUNDED_PX)
            left, top, right, bottom = (round(float(edge), 2) for edge in cut)
            found.append(LabelledBox(name, (left, top, right, bottom), IMPORTED))
    return Placed(
        tuple(found), empty, clipped, outside, drawn.raw, drawn.unsure, drawn.resized, drawn.strange
    )  # fmt: skip
