"""What a recipe's run will take on this machine: disk, memory and time, beside what is free."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from repairai.errors import RepairError
from repairai.hardware.card import Card, Fit, card_for, fit_on, timed
from repairai.hardware.memory import Estimate, estimate
from repairai.hardware.probe import probe
from repairai.hardware.recipe import Recipe
from repairai.hardware.speed import step_seconds
from repairai.hardware.workload import Workload
from repairai.runs.checks import ready
from repairai.runs.forecast import DiskForecast, disk_forecast
from repairai.ui.photos.sets import chosen_set
from repairai.ui.photos.usual import BUILTIN, builtin_folder
from repairai.ui.states.state_sets import chosen_states

TOKENS_A_BAR = 128
"""Width of a bar in the histogram of a report, see `training/sop/data_report.py`."""
PROBE = "linear_probe"
FILLED = 0.95
"""Of a row of `length_tokens`, where short examples are packed together."""


@dataclass(frozen=True)
class Foreseen:
    """What a run will take.

    Args:
        disk: What it writes.
        card: On what it runs.
        held_gib: At least and at most what it holds at its peak; None where that is not known.
        steps: That it makes; None where the data are not known.
        hours: At least and at most; None where the machine's speed or the data are not known.
        faults: Why it cannot start, in sentences.
        remarks: What is not known, and why.
        at_once: Memory and time are still to be worked out.
        light: It trains a linear layer alone, which any processor does in minutes.
    """

    disk: DiskForecast
    card: Card
    held_gib: tuple[float, float] | None
    steps: int | None
    hours: tuple[float, float] | None
    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    at_once: bool = False
    light: bool = False

    @property
    def fit(self) -> Fit | None:
        """Return whether it fits into memory; None where that is not known."""
        return fit_on(self.card, self.held_gib) if self.held_gib else None


def foresee(recipe: Recipe, report: Mapping[str, Any] | None, at_once: bool = False) -> Foreseen:
    """Return what a recipe's run will take here.

    Args:
        recipe: The recipe.
        report: Of its data, if they were built here.
        at_once: Leave out memory and time, which take some seconds for a setting that was never asked for.

    Raises:
        RepairError: The disk cannot be looked at.
    """
    card, faults, remarks = card_for(None, probe()), [], []
    try:
        ready(recipe)
    except RepairError as error:
        faults.append(str(error))
    held, hours = None, None
    steps = {"detector": photo_steps, "judge": state_steps}.get(recipe.task, partial(steps_of, report=report))(recipe)
    light = recipe.step.method == PROBE
    if not (at_once or light):
        try:
            found = estimate([_with_shape(recipe.step)])[0]
            low, high = found.held_gib(card.device)
            held = low * card.past.memory, high * card.past.memory
            hours = _hours(recipe, found, steps, card)
        except RepairError as error:
            remarks.append(f"How much memory it takes is not known: {error}")
    return Foreseen(disk_forecast(recipe), card, held, steps, hours, tuple(faults), tuple(remarks), at_once, light)


def steps_of(recipe: Recipe, report: Mapping[str, Any] | None) -> int | None:
    """Return how many optimizer steps a run will make, about; None where its data are not known."""
    if report is None or recipe.max_steps:
        return recipe.max_steps
    rows = int(sum(report["examples"].get("train", {}).values()))
    length = recipe.step.length_tokens
    if recipe.packing:
        bars = report["lengths"]["train"]["histogram"]
        tokens = sum(min((bar + 0.5) * TOKENS_A_BAR, length) * count for bar, count in enumerate(bars))
        rows = min(rows, math.ceil(tokens / (length * FILLED)))
    each = recipe.step.batch * recipe.step.accumulation * recipe.gpus
    return max(math.ceil(math.ceil(rows / each) * recipe.epochs), 1)


def photo_steps(recipe: Recipe) -> int | None:
    """Return how many optimizer steps a detector's run will make; None where its photos are not known."""
    if recipe.max_steps:
        return recipe.max_steps
    try:
        photos = chosen_set(recipe.data)
    except RepairError:
        photos = None
    if photos is None:
        return None
    each = recipe.step.batch * recipe.step.accumulation * recipe.gpus
    return max(math.ceil(math.ceil(len(photos.of("train")) / each) * recipe.epochs), 1)


def state_steps(recipe: Recipe) -> int | None:
    """Return how many optimizer steps a judge's run will make; None where none are, or its states are not known."""
    if recipe.step.method == PROBE:
        return None
    if recipe.max_steps:
        return recipe.max_steps
    try:
        states = chosen_states(recipe.data)
    except RepairError:
        states = None
    if states is None:
        return None
    each = recipe.step.batch * recipe.step.accumulation * recipe.gpus
    return max(math.ceil(math.ceil(states.n_train / each) * recipe.epochs), 1)


def _with_shape(step: Workload) -> Workload:
    """Return a step whose model can be looked up: the built-in detector lies in a folder."""
    return replace(step, model=str(builtin_folder())) if step.model == BUILTIN else step


def _hours(recipe: Recipe, found: Estimate, steps: int | None, card: Card) -> tuple[float, float] | None:
    rates = timed(card).rates
    if rates is None or steps is None:
        return None
    low, high = step_seconds(found.demand, recipe.step.accumulation, recipe.step.precision, rates)
    factor = steps * card.past.seconds / 3600
    return low * factor, high * factor
