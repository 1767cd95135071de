"""What the Runs tab does otherwise for a run that trained a detector or a judge, and not an agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.runs import launch
from repairai.runs.folder import RunFolder
from repairai.ui import detector_runs, detector_scores_render, judge_runs, judge_scores_render

ESCAPE_PERCENT = 5.0
"""Of wrong steps may pass, where nobody says otherwise."""
LEAST_PERCENT, MOST_PERCENT = 0.01, 50.0


@dataclass(frozen=True)
class RunKind:
    """A kind of run.

    Args:
        mark: Stands for it among the names of a run's buttons.
        labels: Of buttons that are called otherwise.
        has_past: Tells whether there is one step back.
        in_use: Returns who does its work now, as HTML.
        no_scores: What stands where it was not evaluated yet.
        activate: Puts a run's model to use where it is no worse, or whatever its test says; returns whether it is in
            use, and why, as HTML.
        back: Goes one step back, and says so.
    """

    mark: str
    labels: Mapping[str, str]
    has_past: Callable[[], bool]
    in_use: Callable[[], str]
    no_scores: str
    activate: Callable[[str, bool], tuple[bool, str]]
    back: Callable[[], str]


KINDS = {
    detector_runs.TASK: RunKind(
        "eyes", detector_runs.LABELS, detector_runs.has_past, detector_runs.inspecting,
        detector_scores_render.NO_SCORES, detector_runs.activate, detector_runs.back,
    ),
    judge_runs.TASK: RunKind(
        "states", judge_runs.LABELS, judge_runs.has_past, judge_runs.judging, judge_scores_render.NO_SCORES,
        judge_runs.activate, judge_runs.back,
    ),
}  # fmt: skip


def kind_of(folder: RunFolder) -> RunKind | None:
    """Return the kind of a run; None where it trains an agent."""
    return KINDS.get(task_in(folder.recipe)) if folder.recipe.is_file() else None


def marked(names: list[str]) -> RunKind | None:
    """Return the kind that is marked among the names of a run's buttons; None for an agent's."""
    return next((each for each in KINDS.values() if each.mark in names), None)


def task_in(path: Path) -> str:
    """Return what a recipe trains, without reading all of it; empty where that cannot be read."""
    with suppress(RepairError):
        for line in read_text(path).splitlines():
            if line.startswith("task:"):
                return line.partition(":")[2].strip().strip("'\"")
    return ""


def evaluate(run_id: str, percent: float | None) -> RunFolder:
    """Start an evaluation that also chooses the thresholds.

    Args:
        run_id: Of the training.
        percent: Of wrong steps, that may pass; None for what is usual.

    Raises:
        RepairError: It cannot be started, or so many may not pass.
    """
    share = ESCAPE_PERCENT if percent is None else percent
    if not LEAST_PERCENT <= share <= MOST_PERCENT:
        raise RepairError(
            f"{share:g} % of wrong steps cannot be what may pass", f"write from {LEAST_PERCENT:g} to {MOST_PERCENT:g} %"
        )
    return launch.evaluate(run_id, None, escape=share / 100)
