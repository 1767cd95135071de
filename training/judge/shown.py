"""One picture as a reasoner is to be shown it, with the answers that are known of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repairai.judge.state_set import MadeBy
from repairai.schema import Box
from repairai.vision.photo import MIN_SIDE_PX
from training.detector.alike import Look

LONGEST_PX = 1280
"""Longer side of a picture in a set: more than any reasoner looks at."""
LOSSLESS_PX = 256
"""Up to this longer side nothing is lost in writing a picture: it is small, and its px are all there is."""
QUALITY = 95
Answer = Literal["yes", "no"]


@dataclass(frozen=True)
class Shown:
    """A picture with its question.

    Args:
        origin: Where it comes from, for the person.
        identity: By which it is met again: of the photo's bytes, and of the place in it.
        content: Its file.
        suffix: Of its name.
        size_px: Width and height of what was cut out, before it was made smaller or larger.
        source: What the photo was made from, `COLLECTION/NAME`; empty: as its own name in the set will be.
        look: Of the whole photo, by which copies of it are told; None where none is to be compared.
        question: To be answered by yes or no.
        opposite: The same the other way round.
        answer: The right one.
        split: That it came with; empty for none.
        made_by: Who knew the answer.
    """

    origin: str
    identity: str
    content: bytes
    suffix: str
    size_px: tuple[int, int]
    source: str
    look: Look | None
    question: str
    opposite: str
    answer: Answer
    split: str = ""
    made_by: MadeBy = "import"


@dataclass(frozen=True)
class Task:
    """One photo that is still to be opened.

    Args:
        origin: Where it comes from, for the person.
        run: Opens it and returns what it shows; raises RepairError where it cannot be read.
    """

    origin: str
    run: Callable[[], Sequence[Shown]]


@dataclass
class Offered:
    """What one source has to offer.

    Args:
        collection: Its name.
        tasks: Its photos.
        left: What of it is left out before anything is opened: name and why.
        licence: Of its photos, as far as it says so itself.
        url: Where they can be found, likewise.
        whole: What is shown whole, since the place that the question means was not found.
    """

    collection: str
    tasks: Sequence[Task]
    left: dict[str, str] = field(default_factory=dict)
    licence: str = ""
    url: str = ""
    whole: Sequence[str] = ()


def cut(pixels: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    """Return what lies in a box of a photo; all of it, where there is none.

    Args:
        pixels: RGB uint8 (H, W, 3).
        box: Left, top, right, bottom in px.
    """
    if box is None:
        return pixels
    height, width = pixels.shape[:2]
    left, top = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    if left >= right or top >= bottom:
        raise ValueError(f"need a box within {width} x {height} px, got {box}")
    return pixels[top:bottom, left:right]


def as_file(pixels: NDArray[np.uint8]) -> tuple[bytes, str]:
    """Return a picture's file and its suffix: no longer than `LONGEST_PX`, and no smaller than a photo may be."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    longest, shortest = max(image.size), min(image.size)
    factor = min(1.0, LONGEST_PX / longest)
    if shortest * factor < MIN_SIDE_PX:
        factor = MIN_SIDE_PX / shortest
    if factor != 1.0:
        size = (max(MIN_SIDE_PX, round(image.width * factor)), max(MIN_SIDE_PX, round(image.height * factor)))
        how = Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.BICUBIC
        image = image.resize(size, how, reducing_gap=2.0 if factor < 1 else None)
    out = io.BytesIO()
    if longest <= LOSSLESS_PX:
        image.save(out, "PNG")
        return out.getvalue(), ".png"
    image.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue(), ".jpg"
