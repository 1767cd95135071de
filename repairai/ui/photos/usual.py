"""The usual recipe for a detector that needs no plan: it is small, and trains on any machine."""

from __future__ import annotations

import json
import math
from pathlib import Path

import repairai.builtin
from repairai.errors import RepairError
from repairai.files import expanded, read_text
from repairai.hardware.recipe import Augmentation, Detecting, Recipe
from repairai.hardware.workload import Method, Workload
from repairai.vision.photo_set import PhotoSet

BUILTIN = "builtin"
"""Stands for the detector that comes with RepairAI."""
BATCH = 8
STEPS = 600
"""That a training is given, about: a few hundred photos go through it some twenty times."""
MOST_EPOCHS, LEAST_EPOCHS = 60, 8
RATE = {"full": 5e-4, "few_shot": 1e-3}
IMAGE_PX = 320
LEAST_BOXES = 20


def is_small(model: str) -> bool:
    """Return whether a detector is one of ours, in whose kind no plan is needed: the built-in one or its offspring."""
    return model == BUILTIN or (expanded(model) / "limits.json").is_file()


def usual(
    model: str, method: Method, augmentation: Augmentation, photos: PhotoSet | None, eval_steps: int = 0
) -> Recipe:  # fmt: skip
    """Return a recipe for a small detector.

    Args:
        model: `builtin`, or the folder of one that was trained from it.
        method: `full` or `few_shot`.
        augmentation: What a photo goes through each time.
        photos: That it is trained on; None where they are not chosen yet.
        eval_steps: Steps between looks at the photos to choose with; 0 for about ten looks.
    """
    n_train = len(photos.of("train")) if photos else 0
    each = max(math.ceil(n_train / BATCH), 1)
    epochs = min(max(round(STEPS / each), LEAST_EPOCHS), MOST_EPOCHS)
    boxes = max((len(photo.boxes) for photo in photos.photos), default=0) if photos else 0
    step = Workload(
        model, method, batch=min(BATCH, max(n_train, 1)), accumulation=1, image_px=side_px(model),
        boxes=max(boxes, LEAST_BOXES), precision="fp32", optimizer="adamw", checkpointing=False,
    )  # fmt: skip
    return Recipe(
        "detector", step, float(epochs), RATE.get(method, RATE["full"]), data=str(photos.folder) if photos else "",
        clip=0.1, weight_decay=1e-4, eval_steps=eval_steps or max(each * epochs // 10, 1), patience=5,
        detecting=Detecting(backbone_rate=0.1 if method == "full" else 0.0, augmentation=augmentation),
    )  # fmt: skip


def side_px(model: str) -> int:
    """Return the side of the square that a small detector sees; the usual one where its folder does not say."""
    folder = Path(repairai.builtin.__file__).parent / "detector" if model == BUILTIN else expanded(model)
    try:
        return int(json.loads(read_text(folder / "preprocessor_config.json"))["size"]["height"])
    except (RepairError, ValueError, LookupError, TypeError):
        return IMAGE_PX
