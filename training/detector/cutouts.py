"""A person's own parts, cut out of their labelled photos: to be laid onto other grounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from repairai.errors import RepairError
from repairai.schema import Box
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import MODEL, LabelledBox, LabelledPhoto, PhotoSet
from repairai.vision.tiles import overlaps

AROUND = 0.25
"""Of a part's sides: what is cut out with it, to see what it lies on."""
LEAST_PX = 10.0
"""Shortest side of a part that is worth cutting out."""
LARGEST_PX = 480
"""Longest side of a cut-out: scenes are not much larger."""
_PLAUSIBLE = 0.2
"""Share of a box that its part fills at least: else the mask went wrong."""

Alpha = NDArray[np.float32]


class MaskMaker(Protocol):
    """What makes masks: `repairai.vision.segmenter.Segmenter`."""

    def masks(self, photo: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.bool_]:
        """Return a mask for each box, (n, H, W)."""
        ...


@dataclass(frozen=True)
class CutOut:
    """A part without its ground.

    Args:
        part: What it is.
        picture: RGBA; opaque where the part is.
        ground: Mean colour (3,) of what it lay on, in [0, 1].
        share: Its longer side, in longer sides of its photo.
        box: As it was labelled: who drew it goes with it.
        origin: Name of its photo.
    """

    part: str
    picture: Image.Image
    ground: NDArray[np.float32]
    share: float
    box: LabelledBox
    origin: str


def material(photos: PhotoSet) -> tuple[LabelledPhoto, ...]:
    """Return the photos that may be cut up and laid on: to train on, labelled, and not made themselves.

    Nothing of a photo that a detector is measured with may reach one that it is trained on.
    """
    measured = {each.source for each in photos.photos if each.source and each.split != "train"}
    return tuple(
        each
        for each in photos.of("train")
        if not each.made and each.source not in measured
    )  # fmt: skip


def is_certain(box: LabelledBox) -> bool:
    """Tell whether somebody stands for a box: not one that a model drew and nobody looked at."""
    return box.checked or not box.by.startswith(MODEL)


def cut_outs(photos: PhotoSet, photo: LabelledPhoto, segmenter: MaskMaker | None) -> Iterator[CutOut]:
    """Yield the parts of a photo, cut out; those that others cover, that its edge cuts or that are tiny stay.

    Args:
        photos: The set.
        photo: One of its `material`.
        segmenter: Makes masks; without one, what differs from the ground round a part is taken for it, and where that
            makes no sense the ellipse in its box.
    """
    try:
        pixels = read_photo(photos.path(photo)).pixels
    except RepairError:  # the doctor names it
        return
    for number, box in enumerate(photo.boxes):
        others = np.array([each.box for i, each in enumerate(photo.boxes) if i != number], np.float32).reshape(-1, 4)
        alone = not (overlaps(np.array(box.box, np.float32), others)[0] > 0.1).any()
        if is_certain(box) and alone and _whole(box.box, photo):
            yield _cut(pixels, box, photo, segmenter)


def _whole(box: Box, photo: LabelledPhoto) -> bool:
    left, top, right, bottom = box
    inside = left > 1 and top > 1 and right < photo.width - 1 and bottom < photo.height - 1
    return inside and min(right - left, bottom - top) >= LEAST_PX


def _cut(pixels: NDArray[np.uint8], box: LabelledBox, photo: LabelledPhoto, segmenter: MaskMaker | None) -> CutOut:
    height, width = pixels.shape[:2]
    left, top, right, bottom = box.box
    reach_x, reach_y = max(3.0, AROUND * (right - left)), max(3.0, AROUND * (bottom - top))
    x0, y0 = int(max(0, left - reach_x)), int(max(0, top - reach_y))
    x1, y1 = int(min(width, right + reach_x + 1)), int(min(height, bottom + reach_y + 1))
    window = pixels[y0:y1, x0:x1]
    own = (left - x0, top - y0, right - x0, bottom - y0)
    inside = _inside(window.shape[:2], own)
    ring = window[~inside].reshape(-1, 3) / 255
    alpha = _by_mask(window, own, segmenter) if segmenter else _by_ground(window, inside)
    if alpha[inside].mean() < _PLAUSIBLE:
        alpha = ellipse(window.shape[:2], own)
    picture = Image.fromarray(np.dstack([window, (alpha * 255).astype(np.uint8)]), "RGBA")
    found = Image.fromarray(alpha > 0.5).getbbox() or (0, 0, picture.width, picture.height)
    share = max(found[2] - found[0], found[3] - found[1]) / max(width, height)
    # With the soft rim, which lies half outside of what counts as the part.
    picture = picture.crop((max(0, found[0] - 2), max(0, found[1] - 2), found[2] + 2, found[3] + 2))
    longest = max(picture.size)
    if longest > LARGEST_PX:
        size = [max(1, round(side * LARGEST_PX / longest)) for side in picture.size]
        picture = picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    return CutOut(box.part, picture, ring.mean(axis=0).astype(np.float32), share, box, photo.name)


def _inside(shape: tuple[int, ...], box: Box) -> NDArray[np.bool_]:
    rows, columns = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1])[None] + 0.5
    return (columns > box[0]) & (columns < box[2]) & (rows > box[1]) & (rows < box[3])


def _by_mask(window: NDArray[np.uint8], box: Box, segmenter: MaskMaker) -> Alpha:
    """Return the mask of a part as opacity (h, w), its rim softened by a px."""
    mask = segmenter.masks(np.ascontiguousarray(window), [box])[0]
    soft = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
    return np.asarray(soft, dtype=np.float32) / 255


def _by_ground(window: NDArray[np.uint8], inside: NDArray[np.bool_]) -> Alpha:
    """Return as opacity (h, w) what differs from the ground round a box, as far as that reaches from its middle.

    The ground is described by its median colour and its usual difference from it; what differs three times as much is
    the part. Holes in it are filled: a screw's recess may have the ground's colour.
    """
    values = np.asarray(Image.fromarray(window).filter(ImageFilter.GaussianBlur(1)).convert("YCbCr"), dtype=np.float32)
    ground = np.median(values[~inside], axis=0)
    away = np.linalg.norm(values - ground, axis=2)
    usual = max(4.0, float(np.percentile(away[~inside], 90)))
    other = (away > 1.5 * usual) & inside
    # Closed by a few px, filled from the rim inwards, opened again: specks go, gaps close.
    reach = max(3, (min(window.shape[:2]) // 24) | 1)
    closed = Image.fromarray((other * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(reach))
    closed = (
        closed.filter(ImageFilter.MinFilter(reach)).filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))
    )
    filled = np.asarray(closed) > 127
    down, up = np.logical_or.accumulate(filled, axis=0), np.logical_or.accumulate(filled[::-1], axis=0)[::-1]
    right, left = np.logical_or.accumulate(filled, axis=1), np.logical_or.accumulate(filled[:, ::-1], axis=1)[:, ::-1]
    whole = filled | (down & up & right & left)
    soft = Image.fromarray((whole * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    return np.asarray(soft, dtype=np.float32) / 255


def ellipse(shape: tuple[int, ...], box: Box) -> Alpha:
    """Return the ellipse in a box as opacity (h, w), with a soft rim."""
    rows, columns = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1])[None] + 0.5
    half = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    r = np.hypot((columns - box[0] - half[0]) / half[0], (rows - box[1] - half[1]) / half[1])
    return np.clip((1 - r) * min(half) / 1.5 + 0.5, 0, 1).astype(np.float32)
