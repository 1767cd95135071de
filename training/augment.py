"""What a photo goes through each time that it is trained on: other distances, turns, lights, cameras and fingers."""

from __future__ import annotations

import numpy as np

from training.spoil import Boxes, Photo, area, rescale, spoil

SMALLEST_PX = 6.0
"""A part smaller than this at the model's input is not asked for: nobody could tell what it is."""


def augment(photo: Photo, boxes: Boxes, rng: np.random.Generator, size_px: int) -> tuple[Photo, Boxes, np.ndarray]:
    """Return the photo as another camera might have taken it.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) in px.
        rng: Random numbers.
        size_px: Side of the model's input, for which parts can become too small.

    Returns:
        The photo, the boxes (n, 4) where they are now, and (n,) bool: which of them are still to be found.
    """
    kept = np.ones(len(boxes), bool)
    if rng.random() < 0.7:
        factor = float(np.exp(rng.uniform(np.log(0.55), np.log(2.0))))
        fill = photo.mean(axis=(0, 1)) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 255))
        centre = rng.uniform(0.1, 0.9, 2)
        moved = rescale(photo, boxes, factor, fill, (float(centre[0]), float(centre[1])))
        photo, boxes, kept = moved.photo, moved.boxes, kept & (moved.seen >= 0.4)
    if rng.random() < 0.5:
        moved = spoil(photo, boxes, "turn", int(rng.integers(1, 4)), rng)
        photo, boxes = moved.photo, moved.boxes
    if rng.random() < 0.5:
        photo = photo[:, ::-1]
        boxes = np.stack([photo.shape[1] - boxes[:, 2], boxes[:, 1], photo.shape[1] - boxes[:, 0], boxes[:, 3]], axis=1)
    photo = recolour(photo, rng)
    for kind, chance in (("cover", 0.2), ("glare", 0.12), ("blur", 0.3), ("dark", 0.15), ("noise", 0.3), ("jpeg", 0.3)):
        if rng.random() < chance:
            strength = int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
            moved = spoil(photo, boxes, kind, strength, rng)
            photo, kept = moved.photo, kept & (moved.seen > 0.35)
    shown = np.array([size_px / photo.shape[1], size_px / photo.shape[0]] * 2, np.float32)
    kept &= np.sqrt(area(boxes * shown)) >= SMALLEST_PX
    kept &= np.array([_has_detail(photo, box) for box in boxes], bool)
    return np.ascontiguousarray(photo), boxes.astype(np.float32), kept


def recolour(photo: Photo, rng: np.random.Generator) -> Photo:
    """Return the photo with another white balance, exposure, contrast and saturation."""
    pixels = photo.astype(np.float32) * rng.uniform(0.82, 1.18, 3).astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * rng.uniform(0.0, 1.4)
    mean = float(pixels.mean())
    pixels = (mean + (pixels - mean) * rng.uniform(0.7, 1.3)) * rng.uniform(0.6, 1.3)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _has_detail(photo: Photo, box: np.ndarray) -> bool:
    """Tell whether anything is left to see of a part, or glare has wiped it out."""
    left, top, right, bottom = (int(edge) for edge in box)
    inside = photo[top:bottom, left:right]
    return inside.size > 0 and float(inside.mean(axis=2).std()) > 2.0
