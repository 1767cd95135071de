"""What photos go through in training, on one sheet with their boxes, so that a person sees it before it is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.hardware.recipe import Augmentation
from repairai.vision.photo_set import PhotoSet
from training.detector.photos import Photos

WAYS = 4
"""Of each photo, beside the photo as it is."""
CELL_PX, GAP_PX = 240, 6
COLOURS = ("#e6194b", "#3cb44b", "#ffe119", "#4363d8", "#f58231", "#46f0f0", "#f032e6", "#bcf60c")


def contact_sheet(
    photos: PhotoSet, preset: Augmentation, out: Path, size_px: int = 320, rows: int = 4, ways: int = WAYS,
    seed: int = 0,
) -> Path:  # fmt: skip
    """Write `preview.jpg`: a row a photo, first as it is, then as it is trained on; return its path.

    Args:
        photos: The set.
        preset: What they go through.
        out: Folder.
        size_px: Side of the model's input.
        rows: Photos at most; those with boxes first.
        ways: Of each.
        seed: Of the random numbers.

    Raises:
        RepairError: No photo is for training, one cannot be read, or the folder cannot be written to.
    """
    shown = sorted(photos.of("train"), key=lambda each: not each.boxes)[: max(rows, 1)]
    if not shown:
        raise RepairError(f"{photos.name} has no labelled photos for training", "label some first")
    numbers = {part: number for number, part in enumerate(photos.parts)}
    looked = Photos(photos, shown, numbers, size_px, preset, seed, keep=False)
    step = CELL_PX + GAP_PX
    sheet = Image.new("RGB", (step * (ways + 1) - GAP_PX, step * len(shown) - GAP_PX), "white")
    for row in range(len(shown)):
        items = [looked.whole(row, np.random.default_rng(seed)), *(looked[row, drawn] for drawn in range(ways))]
        for column, item in enumerate(items):
            sheet.paste(_cell(item), (column * step, row * step))
    path = out / "preview.jpg"
    try:
        out.mkdir(parents=True, exist_ok=True)
        sheet.save(path, quality=90)
    except OSError as error:
        raise disk_error(path, error) from None
    return path


def _cell(item: dict[str, object]) -> Image.Image:
    """Return one photo with its boxes."""
    pixels, labels = item["pixel_values"], item["labels"]
    picture = Image.fromarray(pixels.numpy()).resize((CELL_PX, CELL_PX))  # type: ignore[attr-defined]
    drawn = ImageDraw.Draw(picture)
    for (x, y, w, h), label in zip(labels["boxes"].tolist(), labels["class_labels"].tolist(), strict=True):  # type: ignore[index]
        edges = [(x - w / 2) * CELL_PX, (y - h / 2) * CELL_PX, (x + w / 2) * CELL_PX, (y + h / 2) * CELL_PX]
        drawn.rectangle(edges, outline=COLOURS[label % len(COLOURS)], width=2)
    return picture
