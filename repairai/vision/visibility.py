"""How much a photo can show at all: light, glare and focus, measured before anything is believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repairai.schema import Box, Visibility

LONG_SIDE_PX = 512
"""Photos are measured at this size or half of it: blur that shows at neither does not keep a part from being told."""
EDGES = 0.02
"""Share of a photo's steepest steps that are taken for its edges."""
BLUR_PX = 4
"""Radius of the blur that is tried on: a window of 9 px, as in the source."""
TOO_DARK, TOO_BRIGHT, TOO_BLURRED = 0.10, 0.60, 0.40
"""Measured with `benchmarks/visibility.py`: they pass all clean photos of the sets there. Under them the built-in
detector counts worse, in the dark soon, blurred slowly; what a person could not tell is not believed of it either."""


def look(photo: NDArray[np.uint8]) -> Visibility:
    """Return how much a photo (H, W, 3) can show."""
    grey = Image.fromarray(photo).convert("L")
    grey = grey.reduce(-(-max(grey.size) // LONG_SIDE_PX))
    levels = np.cumsum(grey.histogram())
    bright = float(np.searchsorted(levels, 0.95 * levels[-1]) / 255)
    glare = float(1 - levels[249] / levels[-1])
    values = np.asarray(grey)
    sharp = min(_sharpness(each) for each in (values, values.T))
    problem = None
    if bright < TOO_DARK:
        problem = "too_dark"
    elif glare > TOO_BRIGHT:
        problem = "too_bright"
    elif sharp < TOO_BLURRED:
        problem = "too_blurred"
    return Visibility(round(bright, 4), round(glare, 4), round(sharp, 4), problem)  # type: ignore[arg-type]


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Return how much of the steps at a photo's edges a blur from row to row takes away, in [0, 1].

    A sharp edge loses most of its steepness, a blurred one has little to lose. Only the steepest steps are asked, since
    between them, on bare surfaces, there is nothing to be sharp. The blur is never made: means of rows that lie one
    apart share all but the first and the last, so what is left of a step is the difference of those.

    Args:
        grey: (H, W).

    Source:
        After Crete, Dolmiere, Ladret and Nicolas 2007, "The blur effect: perception and estimation with a new
        no-reference perceptual blur metric", with the average taken over the edges only.
    """
    above, below = grey[:-1], grey[1:]
    steps = np.maximum(above, below) - np.minimum(above, below)
    counts = np.cumsum(Image.fromarray(steps).histogram()) if steps.size else np.zeros(1)
    least = max(int(np.searchsorted(counts, (1 - EDGES) * steps.size)), 1)
    row, column = np.divmod(np.flatnonzero(steps >= least), max(steps.shape[1], 1))
    first, last = np.maximum(row - BLUR_PX, 0), np.minimum(row + BLUR_PX + 1, len(grey) - 1)
    left = np.abs(grey[last, column].astype(np.float64) - grey[first, column]) / (2 * BLUR_PX + 1)
    edges = steps[row, column].astype(np.float64)
    return float(np.clip(edges - left, 0, None).sum() / edges.sum()) if len(edges) else 0.0


SAME_VIEW = 0.38
"""Correlation from which two photos are taken for the same view; `benchmarks/visibility.py` prints how well it parts
rendered scenes seen twice, from two sides in two lights, from pairs of different ones."""
GRID, REACH, SLOW = 64, 8, 8.0
"""Size of the coarse pattern, how far it may shift, and how slow a change is light and no pattern, in its cells."""


def same_view(
    before: NDArray[np.uint8], after: NDArray[np.uint8], parts: Sequence[Box] = (), parts_after: Sequence[Box] = ()
) -> bool:
    """Tell whether two photos show the same place from about the same side.

    Both are shrunk to a coarse pattern; where a part was or is, nothing is compared, since parts come and go. What is
    left must agree after a small shift.

    Args:
        before: RGB uint8 (H, W, 3).
        after: RGB uint8, of any other size.
        parts: Boxes in px of the first photo.
        parts_after: Boxes in px of the second photo.

    Source:
        Normalised cross-correlation with masks, over all shifts at once by Fourier transform (Padfield 2012, "Masked
        object registration in the Fourier domain").
    """
    boxes = np.array([*_shares(parts, before), *_shares(parts_after, after)]).reshape(-1, 4)
    (first, seen), (second, seen_too) = (_pattern(photo, boxes) for photo in (before, after))
    agreement = _correlate(first, second)
    own, other = _correlate(first**2, seen_too), _correlate(seen, second**2)
    score = agreement / np.sqrt(np.maximum(own * other, 1e-9))
    near = np.roll(score, (REACH, REACH), axis=(0, 1))[: 2 * REACH + 1, : 2 * REACH + 1]
    return bool(near.max() >= SAME_VIEW)


def _shares(boxes: Sequence[Box], photo: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    height, width = photo.shape[:2]
    return [np.array(box) / [width, height, width, height] for box in boxes]


def _pattern(photo: NDArray[np.uint8], boxes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a photo's coarse pattern without slow light, and where it may be compared, (GRID, GRID) each.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) as shares of width and height, where it may not.
    """
    grey = Image.fromarray(photo).convert("L").resize((GRID, GRID), Image.Resampling.BOX)
    values, seen = np.asarray(grey, dtype=np.float64), np.ones((GRID, GRID))
    for left, top, right, bottom in np.concatenate(
        [np.floor(boxes[:, :2] * GRID), np.ceil(boxes[:, 2:] * GRID)], axis=1
    ):
        seen[int(top) : int(bottom), int(left) : int(right)] = 0
    distance = np.subtract.outer(np.arange(GRID), np.arange(GRID))
    kernel = np.exp(-0.5 * (distance / SLOW) ** 2)
    slow = kernel @ (values * seen) @ kernel / np.maximum(kernel @ seen @ kernel, 1e-9)
    return (values - slow) * seen, seen


def _correlate(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of products for every shift, (2 GRID, 2 GRID); negative shifts count from the end."""
    size = (2 * GRID, 2 * GRID)
    return np.asarray(np.fft.irfft2(np.fft.rfft2(first, size) * np.conj(np.fft.rfft2(second, size)), size))
