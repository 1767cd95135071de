"""What a backbone sees in the photos of a set, and in versions of them in which the answer stays the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from repairai.judge.classifier import Features, fitted
from repairai.judge.questions import position
from training.judge.pictures import read_picture

View = Literal["plain", "mirrored", "lit"]
BATCH = 16
"""Photos that go through the backbone at once: more is not faster on a CPU."""
GAMMA, GAIN = 0.25, 0.1
"""Spread of the change of light, and of each channel's share in it: as between two lamps, not as by night."""
_SIDED = re.compile(
    r"\b(left|right|clockwise|counterclockwise|anticlockwise|mirrored|reversed|backwards?|turned|rotated|orient\w*|"
    r"pointing|facing|readable|legible|text|letters?|number|label|arrow|side|oriented|direction|upside|sideways)\b"
)
"""Words by which a mirrored photo may have another answer."""


def mirrors(question: str, opposite: str) -> bool:
    """Return whether a question has the same answer for a photo and for what a mirror shows of it."""
    return all(position(each) is None and not _SIDED.search(each.lower()) for each in (question, opposite))


def lit(photo: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return a photo (H, W, 3) in a slightly other light."""
    noise = np.random.default_rng(seed)
    tones = (photo.astype(np.float32) / 255) ** np.exp(noise.normal(0, GAMMA))
    tones *= np.exp(noise.normal(0, GAIN, 3)).astype(np.float32)
    return np.asarray((tones.clip(0, 1) * 255).round(), np.uint8)


def view_of(photo: NDArray[np.uint8], view: View, seed: int) -> NDArray[np.uint8]:
    """Return one view of a photo (H, W, 3)."""
    if view == "mirrored":
        return np.ascontiguousarray(photo[:, ::-1])
    return lit(photo, seed) if view == "lit" else photo


def read_fitted(folder: Path, names: Sequence[str], size_px: int, tell: Callable[[int], None]) -> NDArray[np.uint8]:
    """Return the photos of a set as a backbone takes them, (n, size, size, 3).

    Args:
        folder: Of the set.
        names: Of the photos in it.
        size_px: Side of the input.
        tell: Is told how many are read; may raise.

    Raises:
        RepairError: One is not there or cannot be read.
    """
    found = np.zeros((len(names), size_px, size_px, 3), np.uint8)
    for number, name in enumerate(names):
        tell(number)
        found[number] = fitted(read_picture(folder / name), size_px)
    return found


def seen(run: Features, photos: NDArray[np.uint8], view: View, tell: Callable[[int], None]) -> NDArray[np.float32]:
    """Return the features (n, F) of one view of photos.

    Args:
        run: The backbone.
        photos: (n, size, size, 3), n from 1.
        view: Of each.
        tell: Is told how many are seen; may raise.
    """
    found = []
    for begin in range(0, len(photos), BATCH):
        tell(begin)
        some = photos[begin : begin + BATCH]
        found.append(run(np.stack([view_of(each, view, begin + number) for number, each in enumerate(some)])))
    return np.concatenate(found)
