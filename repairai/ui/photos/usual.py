"""The usual recipe for a detector that needs no plan: it is small, and trains on any machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import repairai.builtin
from repairai.errors import RepairError
from repairai.files import expanded, read_text
from repairai.hardware.recipe import Augmentation, Detecting, Recipe, read_recipe
from repairai.hardware.workload import Method
from repairai.ui.recipe_text import shipped
from repairai.vision.photo_set import PhotoSet

BUILTIN = "builtin"
"""Stands for the detector that comes with RepairAI."""
READY = {"full": "detector_builtin_full_cpu.yaml", "few_shot": "detector_builtin_few-shot_cpu.yaml"}
"""By method, what lies in `training/recipes` for it."""
IMAGE_PX = 320


def builtin_folder() -> Path:
    """Return the folder of the detector that comes with RepairAI."""
    return Path(repairai.builtin.__file__).parent / "detector"


def is_small(model: str) -> bool:
    """Return whether a detector is one of ours, for whose kind no plan is needed: the built-in one or its offspring."""
    return model == BUILTIN or (expanded(model) / "limits.json").is_file()


def usual(model: str, method: Method, augmentation: Augmentation, photos: PhotoSet | None) -> Recipe:
    """Return a recipe for a small detector: the one that lies ready, for these photos.

    Args:
        model: `builtin`, or the folder of one that was trained from it.
        method: `full` or `few_shot`.
        augmentation: What a photo goes through each time.
        photos: That it is trained on; None where they are not chosen yet.

    Raises:
        RepairError: No recipe lies ready.
    """
    ready = read_recipe(shipped(READY.get(method, READY["full"])))
    n_train = len(photos.of("train")) if photos else ready.step.batch
    boxes = max((len(photo.boxes) for photo in photos.photos), default=0) if photos else 0
    step = replace(
        ready.step, model=model, image_px=side_px(model), boxes=max(boxes, ready.step.boxes),
        batch=min(ready.step.batch, max(n_train, 1)),
    )  # fmt: skip
    detecting = replace(ready.detecting or Detecting(), augmentation=augmentation)
    return replace(ready, step=step, data=str(photos.folder) if photos else "", detecting=detecting)


def side_px(model: str) -> int:
    """Return the side of the square that a small detector sees; the usual one where its folder does not say."""
    folder = builtin_folder() if model == BUILTIN else expanded(model)
    try:
        return int(json.loads(read_text(folder / "preprocessor_config.json"))["size"]["height"])
    except (RepairError, ValueError, LookupError, TypeError):
        return IMAGE_PX
