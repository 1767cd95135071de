"""What an open-vocabulary model is asked, and which of the boxes that it answers with are shown to a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repairai.schema import Box
from repairai.vision.tiles import Boxes, overlaps

LARGE_SHARE = 0.4
"""Of the photo: from here on a box is rather one round many small parts, or the photo itself, than a part.
Source: what users of Grounding DINO report (training-free-object-counter, issue 3)."""
MOST = 300
"""Boxes on a photo: as many as the detectors of this family can give."""
NEGATIVE = -1
_MOST_WORDS = 200


@dataclass(frozen=True)
class Prompt:
    """What to look for.

    Args:
        part: That the boxes get as their label.
        words: As the model is asked, in plain English.
    """

    part: str
    words: str

    def __post_init__(self) -> None:
        if not self.part.strip() or not plain(self.words):
            raise ValueError(f"need a part and words for it, got {self.part!r} and {self.words!r}")
        if len(self.words) > _MOST_WORDS:
            raise ValueError(f"need at most {_MOST_WORDS} letters for a part, got {len(self.words)}")


@dataclass(frozen=True)
class Proposal:
    """A box that a model proposes for a part.

    Args:
        part: As it was asked for.
        score: In [0, 1].
        box: In px of the photo.
        suspicious: Whether it fills so much of the photo that a person has to look before it is used.
    """

    part: str
    score: float
    box: Box
    suspicious: bool = False


def plain(words: str) -> str:
    """Return words as these models read them: in small letters, and without the full stop that divides prompts."""
    return " ".join(words.replace(".", " ").lower().split())


def is_large(box: Box, width: int, height: int) -> bool:
    """Tell whether a box fills a suspicious share of its photo (width, height in px)."""
    left, top, right, bottom = box
    return (right - left) * (bottom - top) > LARGE_SHARE * width * height


def choose(boxes: Boxes, scores: NDArray[np.float32], kinds: NDArray[np.int64]) -> list[int]:
    """Return the indices of the boxes to show, best first.

    A box goes where a negative prompt has nearly the same one with a higher score; where a better one shows the same
    thing, for whatever part; where it lies round several boxes of its own part; and where it lies in, or round, a
    better one of its own part. A small part on a large one of another kind stays: a screw on a battery.

    Args:
        boxes: (n, 4) in px of the photo.
        scores: (n,).
        kinds: (n,) number of the part, or `NEGATIVE`.
    """
    order = sorted(range(len(boxes)), key=lambda i: (-round(float(scores[i]), 4), *boxes[i].tolist()))
    negative = [i for i in order if kinds[i] == NEGATIVE]
    kept: list[int] = []
    for i in order:
        if kinds[i] == NEGATIVE or (
            negative and np.any((overlaps(boxes[i], boxes[negative])[1] >= 0.5) & (scores[negative] > scores[i]))
        ):
            continue
        if not kept or not same_thing(boxes[i], boxes[kept]).any():
            kept.append(i)
    kept = [i for i in kept if not _round_several(i, kept, boxes, kinds)]
    alone: list[int] = []
    for i in kept:
        own = [j for j in alone if kinds[j] == kinds[i]]
        if not own or (overlaps(boxes[i], boxes[own])[0] < 0.85).all():
            alone.append(i)
    return alone[:MOST]


def same_thing(box: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Tell which of others (n, 4) show what a box (4,) shows: alike in place and in size, (n,)."""
    over_smaller, over_union = overlaps(box, others)
    sizes = np.prod(others[:, 2:] - others[:, :2], axis=1) / np.prod(box[2:] - box[:2])
    return np.asarray((over_union >= 0.7) | ((over_smaller >= 0.6) & (sizes >= 0.5) & (sizes <= 2)))


def _round_several(i: int, kept: list[int], boxes: Boxes, kinds: NDArray[np.int64]) -> bool:
    """Tell whether a box lies round two or more others of its part, each less than half as large."""
    others = [j for j in kept if j != i and kinds[j] == kinds[i]]
    if len(others) < 2:
        return False
    area = np.prod(boxes[others, 2:] - boxes[others, :2], axis=1)
    inside = (overlaps(boxes[i], boxes[others])[0] >= 0.85) & (area < 0.5 * np.prod(boxes[i, 2:] - boxes[i, :2]))
    return int(inside.sum()) >= 2
