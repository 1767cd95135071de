"""Runs beside each other: their curves, what came of them, and where their recipes differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from repairai.errors import RepairError
from repairai.files import read_data, to_data
from repairai.hardware.recipe import read_recipe
from repairai.runs import detector_scores, judge_scores
from repairai.runs.checkpoints import best
from repairai.runs.folder import RunFolder, run_folder
from repairai.runs.metrics import SERIES, Curve
from repairai.runs.state import Run, read_run
from repairai.runs.words import span

MOST_RUNS = 8
BESIDE = "forecast"
"""Of a recipe, which changes nothing of what is trained."""
ABSENT = ""
OTHERS = {
    "detector": (
        "step.length_tokens", "step.new_tokens", "step.loss", "step.rank", "step.targets", "step.adapter_precision",
        "step.master_weights", "step.double_quant", "step.upcast", "step.layerwise", "step.four_bit", "backend",
        "packing", "alpha", "rslora", "dropout",
    ),
    "sop": ("step.image_px", "step.boxes", "detecting"),
    "judge": ("step.boxes", "step.new_tokens", "step.four_bit", "backend", "packing", "detecting"),
}  # fmt: skip
"""By task: keys of a recipe that mean something for other tasks alone."""
TESTED = {
    "exact": "all parts counted exactly", "decided": "verdicts decided", "escape": "wrong steps passed",
    "false_call": "right steps failed", "balanced": "states told rightly", "blank": "grey photos told rightly",
}  # fmt: skip
"""What is told of the evaluation of a detector, or of a judge of states."""
_FIGURES = {"balanced": "balanced_accuracy", "decided": "decided", "escape": "escaped", "false_call": "false_calls",
            "blank": "blank_accuracy"}  # fmt: skip
"""What these are called among a judge's figures."""


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
        exact: Of a detector: the highest share of parts on validation photos that were counted exactly, in [0, 1].
        ap: Likewise COCO's average precision on them.
        tested: Of a detector that was evaluated: `exact`, `decided`, `escape` and `false_call` on its test photos, in
            [0, 1]; of a judge `balanced` and `blank` in place of `exact`; empty for others.
        tested_on: SHA-256 of these photos; only where it is the same can the figures of two runs be compared.
        right: Of a judge that reads photos and words: the highest share of questions about validation photos that were
            answered right, in [0, 1].
    """

    run: Run
    loss: float | None
    best_eval_loss: float | None
    best_step: int | None
    tokens_per_second: float | None
    memory_gib: float | None
    exact: float | None = None
    ap: float | None = None
    tested: dict[str, float] = field(default_factory=dict)
    tested_on: str = ""
    right: float | None = None


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
    exact, ap, right = (
        max((value for _, value in curves.get(name, ())), default=None) for name in ("exact", "ap", "right")
    )
    return Came(
        read_run(folder),
        losses[-1][1] if losses else None,
        lowest[1] if lowest else None,
        lowest[0] if lowest else None,
        rates[len(rates) // 2] if rates else None,
        max(held, default=None),
        exact,
        ap,
        *_tested(folder),
        right=right,
    )


def _tested(folder: RunFolder) -> tuple[dict[str, float], str]:
    """Return what a run scored on which photos; nothing where it was not evaluated, or that cannot be read."""
    try:
        if judge_scores.is_of_judge(folder.scores):
            return _of_judge(judge_scores.read_judge_scores(folder.scores))
        if not detector_scores.is_of_detector(folder.scores):
            return {}, ""
        found = detector_scores.read_detector_scores(folder.scores)
    except RepairError:  # whoever looks at the run is told
        return {}, ""
    return {name: getattr(found.whole, name) for name in ("exact", "decided", "escape", "false_call")}, found.shown.sha


def _of_judge(found: judge_scores.JudgeScores) -> tuple[dict[str, float], str]:
    if found.split != "test":
        return {}, ""
    shares = {name: getattr(found.whole, own) for name, own in _FIGURES.items()}
    return {name: share for name, share in shares.items() if share is not None}, found.sha


def figures(came: Sequence[Came]) -> tuple[tuple[str, ...], ...]:
    """Return what came of runs in rows of words: what it is, and each run's; rows that no run fills are left out."""
    same = len({each.tested_on for each in came if each.tested_on}) <= 1
    on = "on test photos" if same else "on test photos, which are not the same"
    rows = [
        ("loss", *(_form(each.loss, ".3f") for each in came)),
        ("lowest validation loss", *(_form(each.best_eval_loss, ".3f") for each in came)),
        ("most parts counted exactly on validation photos", *(_form(each.exact, ".1%") for each in came)),
        ("highest average precision on them", *(_form(each.ap, ".3f") for each in came)),
        ("most validation questions answered right", *(_form(each.right, ".1%") for each in came)),
        *((f"{words} {on}", *(_form(each.tested.get(name), ".1%") for each in came)) for name, words in TESTED.items()),
        ("tokens/s", *(_form(each.tokens_per_second, ",.0f") for each in came)),
        ("memory at most", *(_form(each.memory_gib, ".2f", " GiB") for each in came)),
        ("worked", *(span(each.run.seconds) if each.run.seconds else ABSENT for each in came)),
    ]
    return tuple(row for row in rows if any(row[1:]))


def _form(value: float | None, form: str, unit: str = "") -> str:
    return ABSENT if value is None else f"{value:{form}}{unit}"


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
    left_out = (BESIDE, *OTHERS.get(found.get("task", ""), ()))
    return {key: value for key, value in found.items() if key not in left_out and key.split(".")[0] not in left_out}


def _flat(data: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found
