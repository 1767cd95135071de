"""Scenes made of a person's own parts: cut out of the photos to train on, and laid onto other grounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from repairai.schema import Box
from repairai.vision.photo_set import LabelledBox
from training.detector.cutouts import CutOut
from training.scenes.relief import clouds

LONGEST_PX = 960
"""Longer side of a scene."""
SMALLEST_PX, LARGEST_SHARE = 12.0, 0.6
"""Of a pasted part: its longer side in px, and in shorter sides of the scene."""
_TRIES = 25
_COVERED = 0.35
"""Most of a part that one laid on it may hide."""

Canvas = NDArray[np.uint8]
Owners = NDArray[np.int16]


@dataclass(frozen=True)
class Ground:
    """What parts are laid on.

    Args:
        pixels: RGB uint8 (H, W, 3).
        name: In words, for the photo's origin.
        boxes: What is labelled on it already: nothing is laid on these.
    """

    pixels: Canvas
    name: str
    boxes: tuple[LabelledBox, ...] = ()


@dataclass
class Laid:
    """A scene while parts are laid onto it.

    Args:
        canvas: (H, W, 3) in [0, 255].
        owners: (H, W) number of the part that each px shows; -1 for the ground.
        parts: Cut-outs by that number.
        areas: How many px each showed when it was laid down.
    """

    canvas: NDArray[np.float32]
    owners: Owners
    parts: list[CutOut] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)


def small(ground: Ground, longest_px: int = LONGEST_PX) -> Ground:
    """Return a ground with its longer side at most `longest_px`."""
    height, width = ground.pixels.shape[:2]
    factor = longest_px / max(height, width)
    if factor >= 1:
        return ground
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    pixels = np.asarray(Image.fromarray(ground.pixels).resize(size, Image.Resampling.LANCZOS))
    scale = (size[0] / width, size[1] / height)
    return Ground(pixels, ground.name, tuple(replace(each, box=_scaled(each.box, *scale)) for each in ground.boxes))


def _scaled(box: Box, x: float, y: float) -> Box:
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def scene(
    rng: np.random.Generator, ground: Ground, cut_outs: Sequence[CutOut], n: int
) -> tuple[Canvas, tuple[LabelledBox, ...]]:
    """Return a photo with `n` parts at most laid onto a ground, and the box of each: round what can be seen of it.

    Args:
        rng: Random numbers; the same ones give the same scene.
        ground: Its own boxes stay.
        cut_outs: To choose from: each part as often as the others.
        n: How many; fewer where there is no room.
    """
    height, width = ground.pixels.shape[:2]
    laid = Laid(ground.pixels.astype(np.float32), np.full((height, width), -1, np.int16))
    names = sorted({each.part for each in cut_outs})
    by_part = {name: [each for each in cut_outs if each.part == name] for name in names}
    lift = rng.uniform(0.0, 0.06)
    lamp = rng.uniform(-1, 1, 2)
    for _ in range(n):
        own = by_part[names[rng.integers(len(names))]]
        _lay(rng, laid, own[rng.integers(len(own))], ground.boxes, lift * lamp)
    boxes = (*ground.boxes, *(
        replace(part.box, box=box) for number, part in enumerate(laid.parts) if (box := _seen(laid.owners, number))
    ))  # fmt: skip
    return _photographed(rng, laid.canvas), boxes


def _lay(
    rng: np.random.Generator, laid: Laid, part: CutOut, labelled: Sequence[LabelledBox], lift: NDArray[np.float64]
) -> None:
    """Lay a part down where there is room for it, in a size, turn and light that fit; nothing where there is none."""
    height, width = laid.owners.shape
    side = part.share * max(height, width) * float(np.exp(rng.uniform(np.log(0.65), np.log(1.45))))
    side = min(side, LARGEST_SHARE * min(height, width), 1.6 * max(part.picture.size))
    factor = max(side, SMALLEST_PX) / max(part.picture.size)
    size = [max(2, round(edge * factor)) for edge in part.picture.size]
    picture = part.picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    picture = picture.rotate(float(rng.uniform(0, 360)), Image.Resampling.BICUBIC, expand=True)
    picture = picture.crop(picture.getchannel("A").point(lambda value: 255 * (value > 8)).getbbox())
    if picture.width >= width or picture.height >= height:
        return
    pixels = np.asarray(picture, dtype=np.float32)
    alpha = pixels[..., 3:] / 255
    body = alpha[..., 0] > 0.5
    over = rng.random() < 0.3
    for _ in range(_TRIES):
        x, y = int(rng.integers(0, width - picture.width + 1)), int(rng.integers(0, height - picture.height + 1))
        place = np.s_[y : y + picture.height, x : x + picture.width]
        if _free(laid, place, body, (x, y, x + picture.width, y + picture.height), labelled, over):
            break
    else:
        return
    _shade(laid.canvas, alpha[..., 0], x, y, lift * max(picture.size))
    ground = laid.canvas[place]
    gain = ((ground.mean(axis=(0, 1)) / 255 + 0.05) / (part.ground + 0.05)) ** 0.7
    lit = np.clip(pixels[..., :3] * np.clip(gain, 0.55, 1.7) * rng.uniform(0.9, 1.1), 0, 255)
    laid.canvas[place] = alpha * lit + (1 - alpha) * ground
    laid.owners[place][body] = len(laid.parts)
    laid.parts.append(part)
    laid.areas.append(int(body.sum()))


def _free(
    laid: Laid,
    place: tuple[slice, slice],
    body: NDArray[np.bool_],
    box: Box,
    labelled: Sequence[LabelledBox],
    over: bool,
) -> bool:
    """Tell whether a part may lie at a place: on no labelled box, and over parts that were laid only a little."""
    left, top, right, bottom = box
    if any(left < b[2] + 2 and right > b[0] - 2 and top < b[3] + 2 and bottom > b[1] - 2
           for b in (each.box for each in labelled)):  # fmt: skip
        return False
    under = laid.owners[place][body]
    under = under[under >= 0]
    if not len(under):
        return True
    if not over:
        return False
    numbers, counts = np.unique(under, return_counts=True)
    left_px = [int((laid.owners == number).sum()) for number in numbers]
    return all(
        px - count >= (1 - _COVERED) * laid.areas[number]
        for number, count, px in zip(numbers, counts, left_px, strict=True)
    )


def _shade(canvas: NDArray[np.float32], alpha: NDArray[np.float32], x: int, y: int, lift: NDArray[np.float64]) -> None:
    """Darken the ground where a part's shadow falls, in place; `lift` is how far it falls, in px of x and y."""
    reach = int(np.ceil(np.abs(lift).max() * 2)) + 2
    dark = Image.new("L", (alpha.shape[1] + 2 * reach, alpha.shape[0] + 2 * reach))
    dark.paste(Image.fromarray((alpha * 120).astype(np.uint8)), (reach + round(lift[0]), reach + round(lift[1])))
    soft = np.asarray(dark.filter(ImageFilter.GaussianBlur(0.5 + float(np.abs(lift).max()))), dtype=np.float32) / 255
    top, left = y - reach, x - reach
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(canvas.shape[0], top + soft.shape[0]), min(canvas.shape[1], left + soft.shape[1])
    canvas[y0:y1, x0:x1] *= 1 - soft[y0 - top : y1 - top, x0 - left : x1 - left, None]


def _seen(owners: Owners, number: int) -> Box | None:
    """Return the box round what can be seen of a part; None where nothing can."""
    mine = owners == number
    columns, rows = np.flatnonzero(mine.any(axis=0)), np.flatnonzero(mine.any(axis=1))
    if not len(columns):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _photographed(rng: np.random.Generator, canvas: NDArray[np.float32]) -> Canvas:
    """Return the scene as a camera sees it, ground and parts alike: in uneven light, a little soft, with noise."""
    height, width = canvas.shape[:2]
    x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    lamp = 1 + rng.uniform(0, 0.2) * (x * np.cos(angle) + y * np.sin(angle))
    lamp = lamp * (1 + rng.uniform(0, 0.1) * clouds(rng, width, height, 0.5 * min(width, height)))
    seen = np.clip(canvas * (lamp * rng.uniform(0.8, 1.15))[..., None], 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        seen = np.asarray(Image.fromarray(seen).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.9)))))
    noise = rng.normal(0, rng.uniform(0.5, 4), (height, width, 1))
    return np.clip(seen + noise, 0, 255).astype(np.uint8)
