"""What a photo goes through each time that it is trained on: other distances, turns and lights, and what a bench adds.

A photo comes out as the model takes it, a square of uint8: distance and turn are one cut out of the photo, light is a
table of 256 values, so that a processor augments faster than it trains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from repairai.hardware.recipe import Augmentation
from training.spoil import Boxes, Photo, area, spoil

SMALLEST_PX = 6.0
"""A part smaller than this at the model's input is not asked for: nobody could tell what it is."""
SEEN = 0.4
"""Share of a part that has to be in the picture, or it is not asked for."""
NEAREST = 2.0
"""Times that a photo is enlarged at most: a photo has to be read with twice as many px as the model takes."""
HARM = (("cover", 0.2), ("glare", 0.12), ("blur", 0.3), ("dark", 0.15), ("noise", 0.3), ("jpeg", 0.3))
"""What `strong` does to a photo, each with its chance."""
DETAIL = 2.0
"""Least spread of the grey values in a part, of 255: with less, glare or darkness has wiped it out."""


@dataclass(frozen=True)
class Augmented:
    """A photo as another camera might have taken it, as the model takes it.

    Args:
        photo: RGB uint8 (size, size, 3).
        boxes: (n, 4) left, top, right, bottom in px of that, clipped to it.
        kept: (n,) which of them are still to be found.
    """

    photo: Photo
    boxes: Boxes
    kept: NDArray[np.bool_]


def augment(
    photo: Photo,
    boxes: Boxes,
    rng: np.random.Generator,
    size_px: int,
    preset: Augmentation = "strong",
    window: tuple[float, float, float, float] | None = None,
) -> Augmented:
    """Return the photo as another camera might have taken it.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) in px.
        rng: Random numbers.
        size_px: Side of the model's input, for which parts can become too small.
        preset: `none` changes nothing; `bench` the light, sharpness, turn and distance, and no colour; `strong` also
            colours, mirrors, fingers, glare, noise and the squeeze of messengers.
        window: Of the photo that is looked at, in px; None for all of it.
    """
    height, width = photo.shape[:2]
    window = window or (0.0, 0.0, float(width), float(height))
    if preset != "none":
        window = _other_distance(window, width, height, rng, preset)
    seen = _cut(photo, window, size_px)
    moved, shown = _moved(boxes, window, size_px)
    if preset == "none":
        return Augmented(seen, moved, shown >= SEEN)
    seen, moved = _turned(seen, moved, int(rng.integers(4)))
    if preset == "strong":
        if rng.random() < 0.5:
            seen, moved = seen[:, ::-1], _mirrored(moved, size_px)
        seen = recolour(np.ascontiguousarray(seen), rng)
        for kind, chance in HARM:
            if rng.random() < chance:
                worse = spoil(seen, moved, kind, int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2])), rng)
                seen, shown = worse.photo, np.minimum(shown, worse.seen)
    else:
        seen = _lit(seen, rng)
        if rng.random() < 0.25:
            seen = _blurred(seen, float(rng.uniform(0.3, 0.006 * size_px)))
    kept = (shown >= SEEN) & (np.sqrt(area(moved)) >= SMALLEST_PX)
    kept &= np.array([_has_detail(seen, box) for box in moved], bool)
    return Augmented(np.ascontiguousarray(seen), moved, kept)


# ---- distance


def _other_distance(
    window: tuple[float, float, float, float], width: int, height: int, rng: np.random.Generator, preset: Augmentation
) -> tuple[float, float, float, float]:
    """Return the window that a camera nearer or farther sees; farther ones look beyond the photo."""
    if rng.random() >= 0.7:
        return window
    far, near = (0.55, NEAREST) if preset == "strong" else (0.65, 1.8)
    factor = math.exp(rng.uniform(math.log(far), math.log(near)))
    left, top, right, bottom = window
    wide, high = (right - left) / factor, (bottom - top) / factor
    x = left + (right - left - wide) * rng.uniform()
    y = top + (bottom - top - high) * rng.uniform()
    return x, y, x + wide, y + high


def _cut(photo: Photo, window: tuple[float, float, float, float], size_px: int) -> Photo:
    """Return what a window shows, (size, size, 3); beyond the photo it is as the photo is on the whole."""
    height, width = photo.shape[:2]
    left, top, right, bottom = window
    inner = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
    picture = Image.fromarray(photo)
    if inner == window:
        return np.asarray(picture.resize((size_px, size_px), Image.Resampling.BILINEAR, window, reducing_gap=1.0))
    scale_x, scale_y = size_px / (right - left), size_px / (bottom - top)
    x0, y0 = round((inner[0] - left) * scale_x), round((inner[1] - top) * scale_y)
    x1, y1 = round((inner[2] - left) * scale_x), round((inner[3] - top) * scale_y)
    small = picture.resize((max(x1 - x0, 1), max(y1 - y0, 1)), Image.Resampling.BILINEAR, inner, reducing_gap=1.0)
    seen = np.asarray(small)
    ground = np.empty((size_px, size_px, 3), np.uint8)
    ground[:] = seen[:: max(seen.shape[0] // 16, 1), :: max(seen.shape[1] // 16, 1)].mean(axis=(0, 1))
    ground[y0 : y0 + seen.shape[0], x0 : x0 + seen.shape[1]] = seen[: size_px - y0, : size_px - x0]
    return ground


def _moved(boxes: Boxes, window: tuple[float, float, float, float], size_px: int) -> tuple[Boxes, NDArray[np.float32]]:
    """Return the boxes as a window shows them, (n, 4), and the share of each that it shows, (n,)."""
    left, top, right, bottom = window
    scale = np.array([size_px / (right - left), size_px / (bottom - top)] * 2, np.float32)
    whole = (boxes.reshape(-1, 4) - np.array([left, top, left, top], np.float32)) * scale
    clipped = np.clip(whole, 0, size_px).astype(np.float32)
    return clipped, area(clipped) / np.maximum(area(whole), 1e-6)


# ---- turn


def _turned(photo: Photo, boxes: Boxes, quarters: int) -> tuple[Photo, Boxes]:
    """Return a square photo turned by so many quarters against the clock."""
    if not quarters:
        return photo, boxes
    size = photo.shape[0]
    left, top, right, bottom = boxes.reshape(-1, 4).T
    turned = {
        1: (top, size - right, bottom, size - left),
        2: (size - right, size - bottom, size - left, size - top),
        3: (size - bottom, left, size - top, right),
    }[quarters]
    return np.rot90(photo, quarters), np.stack(turned, axis=1)


def _mirrored(boxes: Boxes, size_px: int) -> Boxes:
    return np.stack([size_px - boxes[:, 2], boxes[:, 1], size_px - boxes[:, 0], boxes[:, 3]], axis=1)


# ---- light


def _lit(photo: Photo, rng: np.random.Generator) -> Photo:
    """Return the photo in another light: brighter or darker, harder or softer, all colours alike."""
    levels = np.arange(256, dtype=np.float32) / 255
    levels = levels ** rng.uniform(0.75, 1.35)
    levels = 0.5 + (levels - 0.5) * rng.uniform(0.75, 1.25)
    levels = levels * math.exp(rng.uniform(-0.4, 0.3))
    photo = (np.clip(levels, 0, 1) * 255).astype(np.uint8)[photo]
    if rng.random() < 0.3:  # a lamp that stands aside
        from_side = np.linspace(*rng.uniform(0.7, 1.15, 2), photo.shape[0], dtype=np.float32)
        ramp = from_side[:, None, None] if rng.random() < 0.5 else from_side[None, :, None]
        photo = np.minimum(photo * ramp, 255).astype(np.uint8)
    return photo


def _blurred(photo: Photo, sigma_px: float) -> Photo:
    return np.asarray(Image.fromarray(np.ascontiguousarray(photo)).filter(ImageFilter.GaussianBlur(sigma_px)))


def recolour(photo: Photo, rng: np.random.Generator) -> Photo:
    """Return the photo with another white balance, exposure, contrast and saturation."""
    pixels = photo.astype(np.float32) * rng.uniform(0.82, 1.18, 3).astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * rng.uniform(0.0, 1.4)
    mean = float(pixels.mean())
    pixels = (mean + (pixels - mean) * rng.uniform(0.7, 1.3)) * rng.uniform(0.6, 1.3)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _has_detail(photo: Photo, box: NDArray[np.float32]) -> bool:
    """Tell whether anything is left to see of a part, or glare has wiped it out."""
    left, top, right, bottom = (int(edge) for edge in box)
    inside = photo[top : bottom + 1, left : right + 1, 1]
    return inside.size > 0 and float(inside.std()) > DETAIL
