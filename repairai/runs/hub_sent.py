"""What a training on Hugging Face Jobs costs at most, and what is sent there for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from repairai.errors import RepairError
from repairai.files import disk_error, expanded, to_data, write_whole
from repairai.hardware.recipe import Job, Recipe
from repairai.hub import account, jobs
from repairai.hub.own_code import own_code, requirements
from repairai.judge import state_set
from repairai.judge.state_set import EXAMPLES
from repairai.runs.checkpoints import last_whole
from repairai.runs.folder import RunFolder
from repairai.vision.photo_set import ANNOTATIONS, PHOTOS


@dataclass(frozen=True)
class Price:
    """What a job can cost.

    Args:
        hardware: The machine.
        most_hours: After which it is ended.
        owner: Who pays.
    """

    hardware: jobs.Hardware
    most_hours: float
    owner: str

    @property
    def said(self) -> str:
        """It, in a sentence."""
        card = self.hardware.gpu or self.hardware.cpu
        return (
            f"{self.hardware.title} ({card}) costs {self.hardware.dollars_per_hour:.2f} dollars an hour; it is ended "
            f"after {self.most_hours:g} hours, so that {self.owner} pays "
            f"{self.hardware.dollars_per_hour * self.most_hours:.2f} dollars at most"
        )


def cost(asking: Job) -> Price:
    """Return what a job can cost by the Hub's price of now.

    Raises:
        RepairError: Nobody is logged in with a token that may write, there is no such machine, or the Hub is not there.
    """
    who = _who()
    if asking.owner and asking.owner not in (who.name, *who.organisations):
        raise RepairError(
            f"{who.name} does not belong to {asking.owner}", "let `owner` be empty, or name one of your organisations"
        )
    return Price(jobs.machine(asking.flavor), asking.timeout_hours, asking.owner or who.name)


def check_model(recipe: Recipe) -> None:
    """Refuse a model that only this machine has.

    Raises:
        RepairError: It is one.
    """
    if expanded(recipe.step.model).is_absolute():
        raise RepairError(
            f"the model {recipe.step.model} is a folder of this machine, which a job cannot read",
            "let the recipe name a model of the Hub: push this one first, with `models push`",
        )


def sent_files(recipe: Recipe, folder: RunFolder) -> tuple[tuple[str, Path], ...]:
    """Return what a job needs, with its paths in the data set: code, data, the recipe, and where to go on from.

    Raises:
        RepairError: Something of it is not here, or the model is one that only this machine has.
    """
    check_model(recipe)
    data = Path(expanded(recipe.data))
    if recipe.task == "detector":
        names = [data / ANNOTATIONS, *sorted((data / PHOTOS).iterdir()), *data.glob("*.json")]
    elif recipe.task == "judge":
        names = [data / EXAMPLES, *sorted((data / state_set.PHOTOS).rglob("*")), *data.glob("*.json")]
    else:
        names = [*data.glob("*.jsonl"), *data.glob("*.json")]
    files = {f"data/{each.relative_to(data).as_posix()}": each for each in names if each.is_file()}
    begin = last_whole(folder)
    if begin:
        inside = begin.path.relative_to(folder.path)
        files |= {
            f"home/runs/{folder.id}/{inside.as_posix()}/{each.relative_to(begin.path).as_posix()}": each
            for each in begin.path.rglob("*")
            if each.is_file()
        }
    return (*own_code(), *sorted(files.items()), *_written(recipe, folder))


def _who() -> account.Account:
    who = account.who()
    if who is None or not who.can_write:
        raise RepairError(
            "a job on Hugging Face needs a token that may write, and nobody is logged in with one"
            if who is None
            else f"the token of {who.name} may read but not write",
            "log in with `python -m repairai hub login`",
        )
    return who


def _written(recipe: Recipe, folder: RunFolder) -> Iterator[tuple[str, Path]]:
    """Write the files that only the job needs, and yield them with their paths in the data set."""
    there = replace(recipe, data="data", where="here", push="", job=None, forecast=None)
    contents = {
        "recipe.yaml": yaml.safe_dump(to_data(there), sort_keys=False, allow_unicode=True, width=120),
        "requirements.txt": "\n".join([*requirements(), ""]),
    }
    place = folder.path / "sent"
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(place, error) from None
    for name, content in contents.items():
        write_whole(place / name, content.encode())
        yield name, place / name
