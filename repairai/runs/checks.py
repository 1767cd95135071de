"""What is checked before a run starts: nothing is made until all of it is well."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Job, Recipe
from repairai.named_sets import DATA_SETS
from repairai.runs.forecast import check_disk
from repairai.runs.photo_checks import ready_to_look
from repairai.runs.state_checks import ready_to_judge

NAME_ON_HUB = "check the name, or give a name on the Hub"


def ready(recipe: Recipe, base: Path | None = None, there_gib: float = 0.0) -> Recipe:
    """Return a recipe whose run may start: its paths are written in full, since the run starts in another folder.

    Names of models on the Hub are not asked for: the trainer does that first of all.

    Args:
        recipe: As it was read. Where it names no data, those that were built last are taken.
        base: What its paths relate to; None for the current folder.
        there_gib: What lies on the disk of the run already.

    Raises:
        RepairError: Something that it needs is not there, or the disk has no room for it.
    """
    base = base or Path.cwd()
    if recipe.task == "detector":
        if _is_path(recipe.step.model) and not (base / expanded(recipe.step.model)).is_dir():
            raise RepairError(f"there is no folder of a detector at {base / expanded(recipe.step.model)}", NAME_ON_HUB)
        recipe = ready_to_look(recipe, base)
        check_disk(recipe, there_gib)
        _check_on_hub(recipe)
        return recipe
    if recipe.task == "judge":
        recipe = ready_to_judge(recipe, base)
        check_disk(recipe, there_gib)
        _check_on_hub(recipe)
        return recipe
    if recipe.step.method not in ("full", "lora", "qlora"):
        raise RepairError(
            f"the recipe's method is {recipe.step.method}, which trains no SOP agent", "take full, lora or qlora"
        )
    model = _model(recipe.step.model, base)
    data = str(checked_data(_data(recipe.data, base)))
    recipe = replace(recipe, data=data, step=replace(recipe.step, model=model))
    check_disk(recipe, there_gib)
    _check_on_hub(recipe)
    return recipe


def _check_on_hub(recipe: Recipe) -> None:
    """Refuse what the Hub would refuse when hours are over; it is asked only where the recipe needs it."""
    if recipe.where == "hf-jobs":
        from repairai.runs import hub_sent

        hub_sent.check_model(recipe)
        hub_sent.cost(recipe.job or Job())
    if recipe.push:
        _check_push(recipe)


def _check_push(recipe: Recipe) -> None:
    """Refuse a push that would be refused when the training is over."""
    from repairai.hub import push
    from repairai.runs.sharing.origins import hub_name

    if recipe.task != "detector" and recipe.step.method in ("lora", "qlora") and not hub_name(recipe.step.model):
        raise RepairError(
            f"an adapter on {recipe.step.model}, which only this machine has, is of no use on the Hub",
            "let the recipe name its model as the Hub does, or leave out `push` and use `models push --base` later",
        )
    if recipe.backend != "trl":
        raise RepairError(
            f"what {recipe.backend} trains is not put on the Hub by its own environment",
            f"leave out `push`, and say `models push RUN {recipe.push}` when it is trained",
        )
    push.check(recipe.push, "model", private=True)


def _data(data: str, base: Path) -> Path:
    """Return the folder of data that are given by their folder or their name; the newest where they are not given."""
    if not data:
        return DATA_SETS.newest()
    place = base / expanded(data)
    return place if place.exists() or data not in DATA_SETS.names() else DATA_SETS.known(data)


def checked_data(folder: Path) -> Path:
    """Return a folder of data, in full, where there is something in it to train on.

    Raises:
        RepairError: There is not.
    """
    folder = folder.absolute()
    train = folder / "train.jsonl"
    if not folder.is_dir():
        raise RepairError(f"there is no folder of data at {folder}", f"check the name, or {DATA_SETS.begin}")
    if not train.is_file():
        raise RepairError(f"{folder} holds no train.jsonl", f"give a folder of built data, or {DATA_SETS.begin}")
    try:
        with train.open("rb") as file:
            empty = not any(line.strip() for line in file)
    except OSError as error:
        raise RepairError(f"{train} cannot be read: {error.strerror}", "check its permissions") from None
    if empty:
        raise RepairError(f"{train} is empty", f"{DATA_SETS.begin} from guides that have steps")
    return folder


def _model(model: str, base: Path) -> str:
    """Return a model's folder in full, or its name on the Hub as it is.

    Raises:
        RepairError: It is a path, and no model lies there.
    """
    place = base / expanded(model)
    if place.is_dir():
        if (place / "config.json").is_file():
            return str(place.absolute())
        raise RepairError(f"{place} holds no config.json", "give the folder of a model as transformers saves it")
    if place.is_file() and place.suffix.lower() == ".gguf":
        raise RepairError(
            f"{model} is a GGUF file, which is not trained on as it is",
            f"make a model's folder of it with `python -m training.from_gguf {model} FOLDER`",
        )
    if _is_path(model):
        raise RepairError(f"there is no folder of a model at {place}", NAME_ON_HUB)
    return model


def _is_path(model: str) -> bool:
    """Return whether a name can be none on the Hub, which has one "/" at most."""
    return model.count("/") > 1 or "\\" in model or bool(re.match(r"[~./]|[A-Za-z]:", model))
