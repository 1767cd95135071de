"""Masks of parts: kept as runs of px in a window of the photo, shown as polygons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from repairai.schema import Box, Mask

Inside = NDArray[np.bool_]
Point = tuple[float, float]

TOLERANCE_PX = 0.75
"""That a polygon may leave the outline of its px: less than the eye sees in a drawing."""


def encode(inside: Inside, left: int = 0, top: int = 0) -> Mask:
    """Return the mask of a window (h, w) whose upper left corner lies at `left`, `top` of the photo."""
    height, width = inside.shape
    flat = inside.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    return Mask(left, top, width, height, _letters(np.diff(edges, prepend=0, append=flat.size).tolist()))


def decode(mask: Mask) -> Inside:
    """Return the window (h, w) of a mask.

    Raises:
        ValueError: Its runs do not fill its window.
    """
    runs = _runs(mask.counts)
    if min(runs) < 0 or sum(runs) != mask.width * mask.height:
        raise ValueError(f"need runs of {mask.width * mask.height} px, got {sum(runs)}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape((mask.height, mask.width), order="F")


def whole(mask: Mask, width: int, height: int) -> Inside:
    """Return a mask in its photo, (height, width)."""
    inside = np.zeros((height, width), bool)
    inside[mask.top : mask.top + mask.height, mask.left : mask.left + mask.width] = decode(mask)
    return inside


def box_of(mask: Mask) -> Box | None:
    """Return the smallest box round a mask's px; None for a mask without any."""
    inside = decode(mask)
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    if not len(columns):
        return None
    left, top = mask.left + int(columns[0]), mask.top + int(rows[0])
    return float(left), float(top), float(mask.left + columns[-1] + 1), float(mask.top + rows[-1] + 1)


# ---- runs as letters


def _letters(runs: list[int]) -> str:
    """Return runs in COCO's letters.

    Source:
        COCO API, `maskApi.c`: from the third on, each run is written as its difference to the one before the last,
        five bits a letter, lowest first; the sixth bit says that more follow.
    """
    letters = []
    for number, run in enumerate(runs):
        value = run - (runs[number - 2] if number > 2 else 0)
        more = True
        while more:
            five, value = value & 31, value >> 5
            more = value != (-1 if five & 16 else 0)
            letters.append(chr(48 + five + 32 * more))
    return "".join(letters)


def _runs(letters: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for letter in letters:
        code = ord(letter) - 48
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            if code & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs or [0]


# ---- polygons


def polygons(mask: Mask, tolerance_px: float = TOLERANCE_PX) -> tuple[tuple[Point, ...], ...]:
    """Return the outlines of a mask in px of the photo: also those of its holes, to be filled by the even-odd rule."""
    inside = np.pad(decode(mask), 1)
    follows: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # Each edge between a px of the part and one that is none, with the part on its right.
    for y, x in np.argwhere(inside[1:, :] != inside[:-1, :]).tolist():
        ends = ((x, y + 1), (x + 1, y + 1))
        follows.setdefault(ends[not inside[y + 1, x]], []).append(ends[bool(inside[y + 1, x])])
    for y, x in np.argwhere(inside[:, 1:] != inside[:, :-1]).tolist():
        ends = ((x + 1, y + 1), (x + 1, y))
        follows.setdefault(ends[not inside[y, x + 1]], []).append(ends[bool(inside[y, x + 1])])
    found = []
    while follows:
        start = here = next(iter(follows))
        ring = []
        while True:
            ring.append((here[0] - 1 + mask.left, here[1] - 1 + mask.top))
            ways = follows[here]
            after = ways.pop()
            if not ways:
                del follows[here]
            here = after
            if here == start:
                break
        found.append(_simpler(np.array(ring, dtype=np.float64), tolerance_px))
    return tuple(found)


def _simpler(ring: NDArray[np.float64], tolerance_px: float) -> tuple[Point, ...]:
    """Return a ring with as few points as stay within the tolerance.

    Source:
        Douglas and Peucker, 1973; on the two halves of the ring.
    """
    far = int(np.argmax(np.hypot(*(ring - ring[0]).T)))
    closed = np.vstack([ring, ring[:1]])
    keep = np.zeros(len(closed), bool)
    keep[[0, far, -1]] = True
    todo = [(0, far), (far, len(ring))]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        span = closed[last] - closed[first]
        off = closed[first + 1 : last] - closed[first]
        length = float(np.hypot(*span))
        away = np.abs(off[:, 0] * span[1] - off[:, 1] * span[0]) / length if length else np.hypot(*off.T)
        worst = int(np.argmax(away))
        if away[worst] > tolerance_px:
            keep[first + 1 + worst] = True
            todo += [(first, first + 1 + worst), (first + 1 + worst, last)]
    return tuple((float(x), float(y)) for x, y in closed[:-1][keep[:-1]])
