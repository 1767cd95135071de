"""Runs beside each other: their curves, what came of them, and where their recipes differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from repairai.errors import RepairError
from repairai.files import read_data, to_data
from repairai.hardware.recipe import read_recipe
from repairai.runs.checkpoints import best
from repairai.runs.folder import RunFolder, run_folder
from repairai.runs.metrics import SERIES, Curve
from repairai.runs.state import Run, read_run

MOST_RUNS = 8
BESIDE = "forecast"
"""Of a recipe, which changes nothing of what is trained."""
ABSENT = ""


@dataclass(frozen=True)
class Came:
    """What came of a run.

    Args:
        run: How it stands.
        loss: The newest on the training data; None where there is none.
        best_eval_loss: The lowest on the validation data; None where there is none.
        best_step: At which step that was.
        tokens_per_second: In the middle of all steps that were read; None where there are none.
        memory_gib: The most that it held; None where that is not known.
    """

    run: Run
    loss: float | None
    best_eval_loss: float | None
    best_step: int | None
    tokens_per_second: float | None
    memory_gib: float | None


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other, in the order in which they were asked for.

    Args:
        ids: Of the runs.
        came: What came of each.
        curves: By run, then by name of a series: (step, value), thinned.
        differences: (key, value in each run's recipe) for each key that differs, "step.rank" for one of the step.
    """

    ids: tuple[str, ...]
    came: tuple[Came, ...]
    curves: dict[str, dict[str, tuple[tuple[int, float], ...]]]
    differences: tuple[tuple[str, ...], ...]


def compare(ids: Sequence[str]) -> Comparison:
    """Return runs beside each other.

    Raises:
        RepairError: There are fewer than two, more than eight, one twice, or one that is not there.
    """
    if not 2 <= len(set(ids)) <= MOST_RUNS or len(set(ids)) != len(ids):
        raise RepairError(f"{len(ids)} runs were given to compare", f"give two to {MOST_RUNS} different ones")
    folders = [run_folder(each) for each in ids]
    curves = {folder.id: _curves(folder) for folder in folders}
    came = tuple(came_of(folder, curves[folder.id]) for folder in folders)
    return Comparison(tuple(ids), came, curves, differences([_recipe(folder) for folder in folders]))


def came_of(folder: RunFolder, curves: dict[str, tuple[tuple[int, float], ...]] | None = None) -> Came:
    """Return what came of a run.

    Args:
        folder: Of it.
        curves: Its curves where they are read already.
    """
    curves = _curves(folder) if curves is None else curves
    looks = curves.get("eval_loss", ())
    lowest = min(looks, key=lambda point: point[1], default=None)
    marked = best(folder)
    if marked and marked.eval_loss is not None and (lowest is None or marked.eval_loss <= lowest[1]):
        lowest = (marked.step, marked.eval_loss)
    rates = sorted(value for _, value in curves.get("tokens_per_second", ()))
    held = [value for _, value in curves.get("memory_gib", ())]
    losses = curves.get("loss", ())
    return Came(
        read_run(folder),
        losses[-1][1] if losses else None,
        lowest[1] if lowest else None,
        lowest[0] if lowest else None,
        rates[len(rates) // 2] if rates else None,
        max(held, default=None),
    )


def differences(recipes: Sequence[dict[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return the keys in which recipes differ, each with its value in every one of them.

    Args:
        recipes: Each as key to value, "step.rank" for a key of the step.
    """
    keys = dict.fromkeys(key for recipe in recipes for key in recipe)
    rows = [(key, *(recipe.get(key, ABSENT) for recipe in recipes)) for key in keys]
    return tuple(row for row in rows if len(set(row[1:])) > 1)


def _curves(folder: RunFolder) -> dict[str, tuple[tuple[int, float], ...]]:
    curve = Curve(folder.metrics)
    curve.poll()
    return {name: points for name in SERIES if (points := tuple(curve.series(name)))}


def _recipe(folder: RunFolder) -> dict[str, str]:
    """Return a run's recipe, or its order, flat; what is left out in one that can be read is as usual."""
    path = folder.recipe if folder.recipe.exists() else folder.order
    try:
        data: Any = to_data(read_recipe(path)) if path == folder.recipe else read_data(path)
    except RepairError:  # of another version, or damaged: as it stands, if at all
        try:
            data = read_data(path)
        except RepairError:
            return {}
    found = _flat(data if isinstance(data, dict) else {})
    return {key: value for key, value in found.items() if key.split(".")[0] != BESIDE}


def _flat(data: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found
