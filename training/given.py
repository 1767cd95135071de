"""What a training's or an evaluation's script is given, as the folder of its run: one that is there, or a new one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from repairai.errors import RepairError
from repairai.files import read_text, to_data
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.folder import RunFolder, new_run, run_folder, runs_folder
from repairai.runs.order import Order


def training_run(path: Path, name: str, command: Sequence[str], refuse: Callable[[Recipe], None]) -> RunFolder:
    """Return the run at a path: a run's folder as it is, for a recipe a new one.

    Args:
        path: Of either.
        name: Of a new run; empty: it is called as its recipe.
        command: That trains it, "{run}" standing for its folder.
        refuse: Raises RepairError where the script does not train the recipe.

    Raises:
        RepairError: It is neither.
    """
    if path.is_dir():
        return RunFolder(path)
    refuse(read_recipe(path))
    return new_run(name or path.stem, "train", command, text=read_text(path))


def evaluation_run(
    path: Path, order: dict[str, Any], command: Sequence[str], usual: dict[str, Any] | None = None
) -> RunFolder:
    """Return the folder of an evaluation: as it is where it is one, else a new one for a trained run.

    Args:
        path: Of an evaluation's folder, of a trained run's folder, or a trained run's id.
        order: What was said of the evaluation on the command line.
        command: That evaluates, "{run}" standing for the evaluation's folder.
        usual: What a new order says where nothing was said.

    Raises:
        RepairError: It is neither, or the order cannot be.
    """
    if (path / "order.yaml").is_file():
        if order:
            raise RepairError(f"{path.name} has its order already", "give the trained run to evaluate it otherwise")
        return RunFolder(path)
    inside = path.is_dir() and path.resolve().parent == runs_folder().resolve()
    if path.is_dir() and not inside:
        raise RepairError(f"{path} is not among the runs in {runs_folder()}", "give the id of one of those")
    trained = run_folder(path.resolve().name if inside else str(path))
    if not trained.recipe.is_file():
        raise RepairError(f"{trained.id} is no training: it has no recipe.yaml", "give the id of a training")
    try:
        made = Order(trained.id, **{**(usual or {}), **order})
    except ValueError as error:
        raise RepairError(str(error), "see --help") from None
    text = yaml.safe_dump(to_data(made), sort_keys=False, allow_unicode=True)
    return new_run(f"{trained.id[:58]}-eval", "evaluate", command, text=text, parent=trained.id)


def push_where_asked(folder: RunFolder) -> None:
    """Send a trained model to the Hub where its recipe says so.

    A process of its own does it: nothing of the Hub's client is needed to train, and nothing of it can end a training.

    Args:
        folder: Of a finished training.
    """
    if read_recipe(folder.recipe).push:
        subprocess.run([sys.executable, "-m", "repairai.runs.pushing", str(folder.path)], check=False)
