"""What evaluations of detectors and of judges have in common: their words, what they need, how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, Task, read_recipe
from repairai.runs.folder import RunFolder, run_folder
from repairai.runs.journal import Asked, Journal
from repairai.runs.order import Order
from training.given import evaluation_run
from training.kept_lines import Tell

Scores = TypeVar("Scores")


def add_order(parser: argparse.ArgumentParser, shown: str, wrong: str, escape: float) -> None:
    """Add the words that say how a model is evaluated.

    Args:
        parser: Of the script.
        shown: What it is shown: "photos".
        wrong: Of what some that are wrong may pass: "steps".
        escape: How many of them, usually: a share.
    """
    add = parser.add_argument
    add("--on", choices=("val", "test"), help=f"{shown} that figures are taken from (usual: test)")
    usual = f"of wrong {wrong} that may pass, 0.01 is 1 %% (usual: {escape:g})"
    add("--escape", type=float, metavar="SHARE", help=usual)
    add("--limit", type=int, metavar="N", help=f"{shown} at most that figures are taken from (usual: all)")
    add("--seed", type=int, metavar="N", help=f"of the choice of these (usual: {Order.seed})")


def trained_run(order: Order, task: Task, files: Sequence[str], shown: str) -> tuple[RunFolder, Recipe]:
    """Return the run that an order is for, with its recipe.

    Args:
        order: Of the evaluation.
        task: What the run has to train.
        files: One of them lies in the folder of its model.
        shown: What it learned from: "photos".

    Raises:
        RepairError: There is no such run, it trains something else, has made no model yet, or names no data.
    """
    trained = run_folder(order.run)
    recipe = read_recipe(trained.recipe)
    if recipe.task != task:
        raise RepairError(f"{trained.id} trains no {task}", f"evaluate it with training.{recipe.task}_eval")
    if not any((trained.model / name).is_file() for name in files):
        raise RepairError(f"{trained.id} has made no model yet", "let it train to its end first")
    if not recipe.data:
        raise RepairError(f"{trained.id} names no {shown}", "write the folder of a set behind data: in its recipe")
    return trained, recipe


def teller(journal: Journal) -> Tell:
    """Return what writes down how far an evaluation is, and leaves it where that is asked."""

    def tell(phase: str, done: int, total: int) -> None:
        journal.check()
        journal.phase(phase, done, total)

    return tell


def evaluated(
    path: Path, order: dict[str, Any], command: Sequence[str], evaluate: Callable[[RunFolder, Journal], Scores]
) -> tuple[RunFolder, Scores]:
    """Evaluate a run, or go on with an evaluation; return its folder, and what was found.

    Args:
        path: Of either, see `evaluation_run`.
        order: What was said on the command line.
        command: That evaluates.
        evaluate: Does it.

    Raises:
        RepairError: It cannot be evaluated.
        Asked: To stop or to pause, which is said.
    """
    folder = evaluation_run(path, order, command, {"limit": None})
    try:
        with Journal(folder) as journal:
            return folder, evaluate(folder, journal)
    except Asked as asked:
        print(f"it was asked to {asked}; go on with: python -m {command[2]} {folder.path}")
        raise


def ended(program: str, script: Callable[[], str]) -> int:
    """Run a script to whatever end, print what is to be said, and return the exit code.

    Args:
        program: Its name.
        script: Returns what was found, in words.
    """
    try:
        told = script()
    except Asked:
        return 1
    except (RepairError, ValueError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    print(told)
    return 0
