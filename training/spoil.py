"""Photos made worse on purpose: what a bench, a phone and a hurry do to them, in three strengths."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Photo = NDArray[np.uint8]
Boxes = NDArray[np.float32]


@dataclass(frozen=True)
class Spoiled:
    """A photo made worse, with the boxes where they are now.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) left, top, right, bottom in px, clipped to the photo.
        seen: (n,) share of each box's area that is still to be seen, in [0, 1].
    """

    photo: Photo
    boxes: Boxes
    seen: NDArray[np.float32]


def blur(photo: Photo, strength: int, rng: np.random.Generator) -> Photo:
    """Return the photo out of focus: a Gaussian of 0.2, 0.5 or 1 % of the shorter side."""
    sigma = (0.002, 0.005, 0.010)[strength - 1] * min(photo.shape[:2])
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(sigma)))


def noise(photo: Photo, strength: int, rng: np.random.Generator) -> Photo:
    """Return the photo with the grain of a small sensor: a standard deviation of 5, 12 or 25 % of full scale."""
    deviation = (0.05, 0.12, 0.25)[strength - 1] * 255
    return np.clip(photo + rng.normal(0, deviation, photo.shape), 0, 255).astype(np.uint8)


def dark(photo: Photo, strength: int, rng: np.random.Generator) -> Photo:
    """Return the photo with 50, 25 or 10 % of its light, and the grain that comes with it."""
    dimmed = photo * (0.5, 0.25, 0.1)[strength - 1]
    return np.clip(dimmed + rng.normal(0, 2, photo.shape), 0, 255).astype(np.uint8)


def glare(photo: Photo, strength: int, rng: np.random.Generator) -> Photo:
    """Return the photo with a lamp's white reflection: its radius is 12, 22 or 35 % of the shorter side."""
    height, width = photo.shape[:2]
    radius = (0.12, 0.22, 0.35)[strength - 1] * min(height, width)
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) / radius
    light = np.clip(1.6 - distance, 0, 1)[..., None]
    return (photo * (1 - light) + 255 * light).astype(np.uint8)


def jpeg(photo: Photo, strength: int, rng: np.random.Generator) -> Photo:
    """Return the photo after a messenger has squeezed it: JPEG of quality 40, 20 or 8."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=(40, 20, 8)[strength - 1])
    return np.asarray(Image.open(buffer))


def turn(photo: Photo, boxes: Boxes, strength: int, rng: np.random.Generator) -> Spoiled:
    """Return the photo turned by 90, 180 or 270 degrees against the clock."""
    height, width = photo.shape[:2]
    left, top, right, bottom = boxes.reshape(-1, 4).T
    turned = {
        1: (top, width - right, bottom, width - left),
        2: (width - right, height - bottom, width - left, height - top),
        3: (height - bottom, left, height - top, right),
    }[strength]
    return Spoiled(np.rot90(photo, strength).copy(), np.stack(turned, axis=1), np.ones(len(boxes), np.float32))


def zoom(photo: Photo, boxes: Boxes, strength: int, rng: np.random.Generator) -> Spoiled:
    """Return the photo from 1 / 0.6 times as far, or from 1 / 1.3 or 1 / 1.6 of the distance, about its middle."""
    return rescale(photo, boxes, (0.6, 1.3, 1.6)[strength - 1], fill=photo.mean(axis=(0, 1)))


def rescale(
    photo: Photo, boxes: Boxes, factor: float, fill: NDArray[np.float64], centre: tuple[float, float] = (0.5, 0.5)
) -> Spoiled:
    """Return the photo enlarged about a point and cut or filled to the size it had.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) in px.
        factor: Over 1 comes closer, under 1 goes away.
        fill: (3,) colour outside of the photo, from 0 to 255.
        centre: The point that stays where it is, as shares of width and height.
    """
    height, width = photo.shape[:2]
    x0, y0 = centre[0] * width * (1 - 1 / factor), centre[1] * height * (1 - 1 / factor)
    moved = Image.fromarray(photo).transform(
        (width, height),
        Image.Transform.AFFINE,
        (1 / factor, 0, x0, 0, 1 / factor, y0),
        Image.Resampling.BILINEAR,
        fillcolor=tuple(int(part) for part in fill),
    )
    whole = (boxes.reshape(-1, 4) - np.array([x0, y0, x0, y0], np.float32)) * factor
    clipped = np.clip(whole, 0, np.array([width, height, width, height], np.float32))
    return Spoiled(np.asarray(moved), clipped.astype(np.float32), area(clipped) / np.maximum(area(whole), 1e-6))


def cover(photo: Photo, boxes: Boxes, strength: int, rng: np.random.Generator) -> Spoiled:
    """Return the photo with 40, 70 or 100 % of one part behind a finger, a tool or a cable."""
    share = (0.4, 0.7, 1.0)[strength - 1]
    covered, seen = photo.copy(), np.ones(len(boxes), np.float32)
    if len(boxes):
        chosen = int(rng.integers(len(boxes)))
        left, top, right, bottom = boxes[chosen]
        margin = 0.08 * (right - left) if strength == 3 else 0.0
        reach = (right - left + 2 * margin) * share
        start = left - margin if rng.random() < 0.5 else right + margin - reach
        x0, x1 = (int(np.clip(edge, 0, photo.shape[1])) for edge in (start, start + reach))
        y0, y1 = (int(np.clip(edge, 0, photo.shape[0])) for edge in (top - margin - 4, bottom + margin + 4))
        skin = np.array([(205, 155, 125), (60, 60, 62), (150, 110, 90), (230, 230, 225)][rng.integers(4)])
        covered[y0:y1, x0:x1] = np.clip(skin + rng.normal(0, 5, (y1 - y0, x1 - x0, 3)), 0, 255)
        seen[chosen] = 1 - share
    return Spoiled(covered, boxes, seen)


def area(boxes: Boxes) -> NDArray[np.float32]:
    """Return (n,) areas of (n, 4) boxes."""
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


_LIGHT: dict[str, Callable[[Photo, int, np.random.Generator], Photo]] = {
    "blur": blur, "noise": noise, "dark": dark, "glare": glare, "jpeg": jpeg,
}  # fmt: skip
_MOVED: dict[str, Callable[[Photo, Boxes, int, np.random.Generator], Spoiled]] = {
    "turn": turn, "zoom": zoom, "cover": cover,
}  # fmt: skip
KINDS = (*_LIGHT, *_MOVED)


def spoil(photo: Photo, boxes: Boxes, kind: str, strength: int, rng: np.random.Generator) -> Spoiled:
    """Return the photo spoiled in one of `KINDS`, with strength 1, 2 or 3."""
    if strength not in (1, 2, 3):
        raise ValueError(f"need strength 1, 2 or 3, got {strength}")
    if kind in _LIGHT:
        return Spoiled(_LIGHT[kind](photo, strength, rng), boxes, np.ones(len(boxes), np.float32))
    return _MOVED[kind](photo, boxes, strength, rng)
