"""What is checked before a judge's training starts: its states, their photos and the model that it begins with."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe
from repairai.judge.state_set import read_state_set
from repairai.named_sets import STATE_SETS
from repairai.runs.folder import read_json

BUILTIN = "builtin"
"""Stands for the backbone of the detector that comes with RepairAI."""
CLASSIFIER = "repairai_state_classifier"
"""The model type of what comes of it."""
PROBE = "linear_probe"
METHODS = (PROBE, "lora", "qlora", "full")
NAME_ON_HUB = "check the name, or give a name on the Hub"


def ready_to_judge(recipe: Recipe, base: Path) -> Recipe:
    """Return a judge's recipe whose paths are written in full, where all that it needs is there.

    Args:
        recipe: As it was read. Where it names no states, those that were changed last are taken.
        base: What its paths relate to.

    Raises:
        RepairError: It is not.
    """
    step = recipe.step
    if step.method not in METHODS:
        raise RepairError(
            f"the recipe's method is {step.method}, which trains no judge", f"take one of {', '.join(METHODS)}"
        )
    if recipe.backend != "trl":
        raise RepairError(f"{recipe.backend} trains no judges", "leave backend out of the recipe")
    if recipe.gpus > 1:
        raise RepairError(f"the recipe wants {recipe.gpus} GPUs, and judges are trained on one", "set gpus: 1")
    states = checked_states(STATE_SETS.given(recipe.data, base))
    return replace(recipe, data=str(states), step=replace(step, model=_model(step.model, step.method, base)))


def checked_states(folder: Path) -> Path:
    """Return a folder of states, in full, where a judge can be trained on them.

    Raises:
        RepairError: It cannot.
    """
    folder = folder.absolute()
    examples = read_state_set(folder)
    train = [each for each in examples if each.split == "train"]
    if not train:
        raise RepairError(f"no state in {folder.name} is for training", STATE_SETS.begin)
    answers = {each.answer for each in train}
    if len(answers) == 1:
        (only,) = answers
        raise RepairError(
            f"all {len(train)} states for training in {folder.name} are answered {only}",
            "add photos of the other state: from one answer alone nothing is learned",
        )
    missing = sorted({each.photo for each in train if not (folder / each.photo).is_file()})
    if missing:
        raise RepairError(f"{len(missing)} photos of {folder.name} are not there, {missing[0]} among them",
                          "build the set again")  # fmt: skip
    return folder


def _model(model: str, method: str, base: Path) -> str:
    """Return a model's folder in full; its name on the Hub, or the word for the built-in backbone, as it is.

    Raises:
        RepairError: A folder is not there or holds another model, or the built-in backbone is to be trained.
    """
    if model == BUILTIN:
        if method != PROBE:
            raise RepairError(
                f"the built-in backbone is not trained by {method}",
                f"take {PROBE}, or name a model that reads photos and text",
            )
        return model
    place = base / expanded(model)
    if not place.is_dir():
        if model.count("/") > 1 or "\\" in model or re.match(r"[~./]|[A-Za-z]:", model):
            raise RepairError(f"there is no folder of a model at {place}", NAME_ON_HUB)
        return model
    if not (place / "config.json").is_file():
        raise RepairError(f"{place} holds no config.json", "give the folder of a model as transformers saves it")
    config = read_json(place / "config.json")  # of a vision backbone, too, which the planner does not know
    if not isinstance(config.get("model_type"), str):
        raise RepairError(f"{place} does not say what type of model it holds", "give a config.json with a model_type")
    if config.get("model_type") == CLASSIFIER:
        raise RepairError(
            f"{place} holds a judge that is trained already", f"train anew from what it stands on: model: {BUILTIN}"
        )
    if method != PROBE and "vision_config" not in config:
        raise RepairError(
            f"{place} holds {config.get('model_type')}, which reads no photos",
            "give a model that reads photos and text",
        )
    return str(place.absolute())
