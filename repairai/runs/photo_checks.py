"""What is checked before a detector's training starts: its photos, their boxes and the detector that it begins with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.models import find_config
from repairai.hardware.recipe import Recipe
from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import read_photo_set, write_changes

BUILTIN = "builtin"
"""Stands for the detector that comes with RepairAI."""
KINDS = ("rt_detr", "rt_detr_v2", "d_fine", "grounding-dino", "mm-grounding-dino")
METHODS = ("full", "few_shot")
STRIDE_PX = 32
"""Of the coarsest features: sides of a detector's input are multiples of it."""


def ready_to_look(recipe: Recipe, base: Path) -> Recipe:
    """Return a detector's recipe whose paths are written in full, where all that it needs is there.

    Args:
        recipe: As it was read. Where it names no photos, those that were changed last are taken.
        base: What its paths relate to.

    Raises:
        RepairError: It is not.
    """
    step = recipe.step
    if step.method not in METHODS:
        raise RepairError(
            f"the recipe's method is {step.method}, which trains no detector", "take full, or few_shot for few photos"
        )
    if step.precision == "fp16":
        raise RepairError("fp16 makes a detector's losses overflow", "take fp32, or bf16 where the card computes in it")
    if recipe.gpus > 1:
        raise RepairError(f"the recipe wants {recipe.gpus} GPUs, and detectors are trained on one", "set gpus: 1")
    if step.image_px % STRIDE_PX:
        near = max(round(step.image_px / STRIDE_PX), 1) * STRIDE_PX
        raise RepairError(f"image_px is {step.image_px}, no multiple of {STRIDE_PX}", f"take {near}")
    if recipe.backend != "trl":
        raise RepairError(f"{recipe.backend} trains no detectors", "leave backend out of the recipe")
    photos = checked_photos(PHOTO_SETS.given(recipe.data, base))
    return replace(recipe, data=str(photos), step=replace(step, model=_detector(step.model, base)))


def checked_photos(folder: Path) -> Path:
    """Return a folder of labelled photos, in full, where a detector can be trained on them.

    Raises:
        RepairError: It cannot, or the set cannot be written.
    """
    folder = folder.absolute()
    write_changes(folder)  # the training keeps the digest of one file
    photos = read_photo_set(folder)
    train = photos.of("train")
    if not train:
        raise RepairError(
            f"no labelled photo in {folder.name} is for training", "label some, or give others the split train"
        )
    if not any(each.boxes for each in train):
        raise RepairError(f"no photo for training in {folder.name} has a box", "draw some, or let a model propose them")
    missing = [each.name for each in train if not photos.path(each).is_file()]
    if missing:
        raise RepairError(
            f"{len(missing)} photos of {folder.name} are not there, {missing[0]} among them",
            f"import them again, or let `python -m repairai photos doctor {folder.name}` look",
        )
    return folder


def _detector(model: str, base: Path) -> str:
    """Return a detector's folder in full, or its name on the Hub, or the word for the built-in one, as it is.

    Raises:
        RepairError: A folder holds another model.
    """
    place = base / expanded(model)
    if model == BUILTIN or not place.is_dir():
        return model
    if not (place / "config.json").is_file():
        raise RepairError(f"{place} holds no config.json", "give the folder of a detector as transformers saves it")
    kind = str(find_config(str(place)).get("model_type"))
    if kind not in KINDS:
        raise RepairError(
            f"{place} holds {kind}, which is no detector that is trained here", f"give one of {', '.join(KINDS)}"
        )
    return str(place.absolute())
