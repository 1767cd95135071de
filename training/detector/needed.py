"""What a detector's training needs before its first step: photos that can be trained on, a model, a judge, warnings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.runs.journal import Journal
from repairai.vision.detectors import WORDED
from repairai.vision.photo_set import ANNOTATIONS, PhotoSet, read_photo_set
from repairai.vision.small_boxes import said as said_of_small
from repairai.vision.small_boxes import small_boxes
from training.detector import grounding
from training.detector.forward import Forward, Plain
from training.detector.judged import Judge
from training.detector.model import Parts, find_detector, kind_of, load_detector_model, processor
from training.detector.photos import Photos
from training.detector.trainer import detecting


def load(recipe: Recipe, parts: tuple[str, ...]) -> tuple[Any, Forward, Any, Parts]:
    """Return a recipe's detector for these parts, how it takes photos, what is saved beside it, and what it knows.

    Raises:
        RepairError: There is no such detector, or it is not trained that way.
    """
    step = recipe.step
    torch.manual_seed(recipe.seed)  # rows of the head for new parts begin at random
    place = find_detector(step.model, recipe.revision)
    if kind_of(place) in WORDED:
        return grounding.load(place, parts, step.image_px, step.method)
    model, known = load_detector_model(place, parts)
    return model, Plain(), processor(step.image_px), known


def read_data(folder: Path, journal: Journal | None = None) -> PhotoSet:
    """Return a set of photos that a detector can be trained on.

    Raises:
        RepairError: There is nothing in it to train on, or a box of a part that it does not name.
    """
    photos = read_photo_set(folder)
    train = photos.of("train")
    if not any(each.boxes for each in train):
        raise RepairError(
            f"no photo of {photos.name} that is for training has a box", "label some, and give them the split train"
        )
    unknown = sorted({box.part for each in photos.photos for box in each.boxes} - set(photos.parts))
    if unknown:
        raise RepairError(f"{photos.name} has boxes of {unknown[0]}, which is none of its parts", "label them again")
    if journal:
        sha = hashlib.sha256((folder / ANNOTATIONS).read_bytes()).hexdigest()
        for split in ("train", "val"):
            own = photos.of(split)  # type: ignore[arg-type]
            empty = sum(not each.boxes for each in own)
            n_boxes = sum(len(each.boxes) for each in own)
            text = f"{split}: {len(own)} photos with {n_boxes} parts, {empty} of them without any"
            journal.event("data", text, photos=len(own), boxes=n_boxes, background=empty, sha256=sha)
    return photos


def looked_at(recipe: Recipe, photos: PhotoSet, forward: Forward) -> tuple[Photos, Judge | None]:
    """Return the photos to train on, and the judge of those that are for that; None where there are none."""
    numbers = {part: number for number, part in enumerate(photos.parts)}
    size, preset = recipe.step.image_px, detecting(recipe).augmentation
    train_on = Photos(photos, photos.of("train"), numbers, size, preset, recipe.seed)
    if not photos.of("val"):
        return train_on, None
    judged = Photos(photos, photos.of("val"), numbers, size, keep=False)
    return train_on, Judge(judged, len(photos.parts), forward, recipe.step.batch)


def model_words(model: Any, recipe: Recipe) -> str:
    """Return what is known of the model that is trained, in a sentence."""
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    whole = sum(weight.numel() for weight in model.parameters())
    return f"{recipe.step.model}, {whole / 1e6:.2f} million numbers, of which {trained / 1e6:.2f} million are trained"


def commit_of(recipe: Recipe) -> str:
    """Return the commit of a model that came from the Hub; empty for others."""
    folder = find_detector(recipe.step.model, recipe.revision)
    return folder.name if folder.parent.name == "snapshots" else ""


def warn(journal: Journal, model: Any, train_on: Photos, photos: PhotoSet) -> None:
    """Say what is allowed and will be missed later."""
    queries = getattr(model.config, "num_queries", 0)
    most = max(len(boxes) for boxes in train_on.boxes)
    if queries and most > queries:
        journal.event("warning", f"a photo has {most} parts, and the model finds {queries} on one at most")
    shown = {int(label) for labels in train_on.labels for label in labels}
    if never := [part for number, part in enumerate(photos.parts) if number not in shown]:
        journal.event("warning", f"no photo for training shows {', '.join(never)}: it will not be found")
    small = small_boxes(train_on.chosen, train_on.size_px)
    if small.many:
        journal.event("warning", said_of_small(train_on.chosen, small))
    if not photos.of("val"):
        journal.event("warning", "no photos are for validation: the last weights are kept, whatever they are worth")
