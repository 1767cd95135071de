"""Large photos and small parts: where to look, and how to count nothing twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

FINEST = 1.5
"""Side of the smallest tile, in sides of the detector's input: parts down to 1.5 times its smallest are found."""
STEP = 3.0
"""How much larger each level's tiles are than those of the level below."""
OVERLAP = 1 / 3
"""Share of a tile that it has in common with its neighbour; no smaller than 1 / STEP, so that a part too large for one
level's overlap is no larger than the smallest part that the level above is sure to find."""
BORDER_PX = 2.0
"""A box that comes nearer than this, in px of the detector's input, to an inner border of its tile is cut by it."""


SPECK_PX = 4.0
"""What a coarse look sees with fewer px of the detector's input than this is left to the finer look that follows."""


def windows(width: int, height: int, size_px: int) -> NDArray[np.int64]:
    """Return where to look, coarse to fine: the whole photo first, then tiles where it is large.

    Args:
        width: Of the photo, in px.
        height: Of the photo, in px.
        size_px: Side of the detector's input.

    Returns:
        (n, 4) left, top, right, bottom. A part no larger than `OVERLAP` of a tile lies whole in at least one
        tile of its level, wherever it lies.
    """
    sides = [round(FINEST * size_px)]
    while sides[-1] * 2 < max(width, height):
        sides.append(round(sides[-1] * STEP))
    found = [(0, 0, width, height)]
    for tile in reversed(sides[:-1]):
        columns, rows = _starts(width, tile), _starts(height, tile)
        found += [(x, y, min(x + tile, width), min(y + tile, height)) for y in rows for x in columns]
    return np.array(found, dtype=np.int64)


def finest(windows: NDArray[np.int64], size_px: int) -> NDArray[np.float64]:
    """Return how many px of the photo make one px of the detector's input in the smallest windows, (2,) of x and y."""
    return np.asarray((windows[:, 2:] - windows[:, :2]).min(axis=0) / size_px)


def _starts(length: int, tile: int) -> list[int]:
    """Return where tiles begin along one side: evenly, with at least `OVERLAP` in common."""
    if length <= tile:
        return [0]
    n = int(np.ceil((length - tile) / (tile * (1 - OVERLAP)))) + 1
    return [round(start) for start in np.linspace(0, length - tile, n)]


def better_elsewhere(
    boxes: Boxes, windows: Boxes, finest: NDArray[np.float64], width: int, height: int, size_px: int
) -> NDArray[np.bool_]:
    """Return which boxes another window shows better, (n,).

    Those that end at an inner border of their window, which a neighbour sees whole, and specks in a coarse one.

    Args:
        boxes: (n, 4) in px of the photo.
        windows: (n, 4) that each was seen through.
        finest: (2,) px of the photo that make one px of the input in the smallest windows.
        width: Of the photo, in px.
        height: Of the photo, in px.
        size_px: Side of the detector's input.
    """
    margin = BORDER_PX / size_px * (windows[:, 2:] - windows[:, :2])
    before = (windows[:, :2] > 0) & (boxes[:, :2] < windows[:, :2] + margin)
    behind = (windows[:, 2:] < [width, height]) & (boxes[:, 2:] > windows[:, 2:] - margin)
    per_px = (windows[:, 2:] - windows[:, :2]) / size_px
    speck = (boxes[:, 2:] - boxes[:, :2] < SPECK_PX * per_px) & (per_px > 1.01 * finest)
    return np.asarray(np.any(before | behind | speck, axis=1))


def merge(boxes: Boxes, scores: NDArray[np.float32], places: NDArray[np.int64], passes: NDArray[np.int64]) -> list[int]:
    """Return the indices of the boxes to keep, best first: of those that show the same thing only the best.

    Two boxes are the same thing where they share most of the smaller one, if they come from different windows: one may
    be a part of the other. Within one window the detector has already chosen, so there they must be nearly the same
    box; two long screws that lie side by side are two. Boxes of different kinds of place (a screw on a battery) are
    the same only where they are nearly the same box.

    Args:
        boxes: (n, 4) in px of the photo.
        scores: (n,).
        places: (n,) kind of place: a screw and its empty hole are one kind.
        passes: (n,) number of the window that each comes from.
    """
    order = sorted(range(len(boxes)), key=lambda i: (-round(float(scores[i]), 4), *boxes[i].tolist()))
    kept: list[int] = []
    for i in order:
        if kept:
            over_smaller, over_union = overlaps(boxes[i], boxes[kept])
            apart = passes[kept] != passes[i]
            alike = places[kept] == places[i]
            same = (over_union >= 0.7) | (alike & (over_smaller >= np.where(apart, 0.6, 0.85)))
            if same.any():
                continue
        kept.append(i)
    return kept


def overlaps(box: Boxes, others: Boxes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the intersection of a box (4,) with others (n, 4), over the smaller area and over the union, (n,) each."""
    wide = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    high = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    shared = np.clip(wide, 0, None) * np.clip(high, 0, None)
    own = (box[2] - box[0]) * (box[3] - box[1])
    theirs = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return shared / np.maximum(np.minimum(own, theirs), 1e-6), shared / np.maximum(own + theirs - shared, 1e-6)
