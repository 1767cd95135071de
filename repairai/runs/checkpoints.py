"""The checkpoints of a run: which are whole, which is the best, what they weigh."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repairai.runs.folder import RunFolder, read_json

MARK = "whole"
"""The file that a trainer writes last into a checkpoint: {step, eval_loss}, and for a detector {worth}."""
NAME = re.compile(r"checkpoint-(\d{1,12})")


@dataclass(frozen=True)
class Checkpoint:
    """A step from which a run can go on.

    Args:
        step: Optimizer steps that were made.
        path: Its folder.
        gib: What it weighs.
        eval_loss: Of the validation data; None where it was not looked at.
        best: No other of the run has a lower one; of a detector, none is worth more by what its recipe judges by.
        whole: It was written to its end.
    """

    step: int
    path: Path
    gib: float
    eval_loss: float | None
    best: bool
    whole: bool


def checkpoints(folder: RunFolder) -> list[Checkpoint]:
    """Return the checkpoints of a run, earliest first, half-written ones among them."""
    marks = {step: read_json(path / MARK) for step, path in _found(folder)}
    losses = {step: loss for step, mark in marks.items() if isinstance(loss := mark.get("eval_loss"), int | float)}
    worth = {step: value for step, mark in marks.items() if isinstance(value := mark.get("worth"), int | float)}
    costs = {step: -value for step, value in worth.items()} or losses
    best_step = min(costs, key=lambda step: costs[step], default=None)
    return [
        Checkpoint(step, path, _gib(path), losses.get(step), step == best_step, _is_whole(path))
        for step, path in _found(folder)
    ]


def last_whole(folder: RunFolder) -> Checkpoint | None:
    """Return the checkpoint that a run goes on from, or None where it has to begin anew."""
    return next((each for each in reversed(checkpoints(folder)) if each.whole), None)


def best(folder: RunFolder) -> Checkpoint | None:
    """Return the checkpoint that did best on the validation data, or None where none was looked at."""
    return next((each for each in checkpoints(folder) if each.best), None)


def last_whole_step(folder: RunFolder) -> int | None:
    """Return the step of the checkpoint that a run goes on from, without weighing any."""
    return next((step for step, path in reversed(_found(folder)) if _is_whole(path)), None)


def remove_halves(folder: RunFolder) -> list[str]:
    """Take away checkpoints that were not written to their end; return their names."""
    removed = []
    for _, path in _found(folder):
        if not _is_whole(path):
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path.name)
    return removed


def _found(folder: RunFolder) -> list[tuple[int, Path]]:
    try:
        paths = list(folder.checkpoints.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted((int(match[1]), path) for path in paths if (match := NAME.fullmatch(path.name)) and path.is_dir())


def _is_whole(path: Path) -> bool:
    """The marker is written whole or not at all, so that it counts where it can be read."""
    return "step" in read_json(path / MARK)


def _gib(path: Path) -> float:
    total = 0
    for each in path.rglob("*"):
        with suppress(OSError):  # it may be going away
            total += each.stat().st_size if each.is_file() else 0
    return total / 2**30
