"""How much a photo can show at all: light, glare and focus, measured before anything is believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from repairai.schema import Visibility

LONG_SIDE_PX = 512
"""Photos are measured at this size or half of it: blur that shows at neither does not keep a part from being told."""
EDGES = 0.02
"""Share of a photo's steepest steps that are taken for its edges."""
BLUR_PX = 4
"""Radius of the blur that is tried on: a window of 9 px, as in the source."""
TOO_DARK, TOO_BRIGHT, TOO_BLURRED = 0.10, 0.60, 0.40
"""Measured with `benchmarks/visibility.py`: they pass all clean photos of the sets there, and stop those in which the
built-in detector miscounts."""


def look(photo: NDArray[np.uint8]) -> Visibility:
    """Return how much a photo (H, W, 3) can show."""
    grey = Image.fromarray(photo).convert("L")
    grey = grey.reduce(-(-max(grey.size) // LONG_SIDE_PX))
    levels = np.cumsum(grey.histogram())
    bright = float(np.searchsorted(levels, 0.95 * levels[-1]) / 255)
    glare = float(1 - levels[249] / levels[-1])
    sharp = min(_sharpness(grey, axis) for axis in (0, 1))
    problem = None
    if bright < TOO_DARK:
        problem = "too_dark"
    elif glare > TOO_BRIGHT:
        problem = "too_bright"
    elif sharp < TOO_BLURRED:
        problem = "too_blurred"
    return Visibility(round(bright, 4), round(glare, 4), round(sharp, 4), problem)  # type: ignore[arg-type]


def _sharpness(grey: Image.Image, axis: int) -> float:
    """Return how much of the steps at a photo's edges a blur along one axis takes away, in [0, 1].

    A sharp edge loses most of its steepness, a blurred one has little to lose. Only the steepest steps are asked, since
    between them, on bare surfaces, there is nothing to be sharp.

    Source:
        After Crete, Dolmiere, Ladret and Nicolas 2007, "The blur effect: perception and estimation with a new
        no-reference perceptual blur metric", with the average taken over the edges only.
    """
    blurred = grey.filter(ImageFilter.BoxBlur((0, BLUR_PX) if axis == 0 else (BLUR_PX, 0)))
    steps, left = (np.abs(np.diff(np.asarray(each, dtype=np.int16), axis=axis)) for each in (grey, blurred))
    counts = np.cumsum(Image.fromarray(steps.astype(np.uint8)).histogram())
    edge = steps >= max(int(np.searchsorted(counts, (1 - EDGES) * steps.size)), 1)
    steep = steps[edge]
    total = int(steep.sum())
    return float(np.clip(steep - left[edge], 0, None).sum()) / total if total else 0.0


def same_view(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Tell whether two photos show the same place from about the same side.

    Both are shrunk until single parts no longer matter; then what is left must agree after a small shift.
    """
    first, second = (_pattern(photo) for photo in (before, after))
    spectrum = np.fft.rfft2(first) * np.conj(np.fft.rfft2(second))
    agreement = np.fft.irfft2(spectrum, first.shape)
    reach = 8
    near = np.roll(agreement, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    return bool(near.max() >= SAME_VIEW)


SAME_VIEW = 0.5
"""Correlation from which two photos are taken for the same view."""


def _pattern(photo: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a photo's coarse pattern of light, (64, 64), with mean 0 and length 1."""
    grey = Image.fromarray(photo).convert("L").resize((64, 64), Image.Resampling.BOX)
    values = np.asarray(grey.filter(ImageFilter.GaussianBlur(1)), dtype=np.float64)
    values = values - values.mean()
    length = max(float(np.linalg.norm(values)), 1e-9)
    return np.asarray(values / length)
