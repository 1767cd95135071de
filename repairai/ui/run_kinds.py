"""What the Runs tab does with a run, by what it trained: an agent, a detector or a judge of states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.judge import judges
from repairai.judge.judges import Judge
from repairai.runs import detector_gate, gate, judge_gate, launch
from repairai.runs.decision import Decision
from repairai.runs.folder import RunFolder
from repairai.sop import agents
from repairai.sop.agents import Agent
from repairai.ui import detector_scores_render, judge_scores_render, render, scores_render
from repairai.vision import detectors
from repairai.vision.detectors import Inspector

ESCAPE_PERCENT = 5.0
"""Of wrong steps may pass, where nobody says otherwise."""
LEAST_PERCENT, MOST_PERCENT = 0.01, 50.0
CALIBRATED = "Evaluate and calibrate it"
Model = TypeVar("Model")


@dataclass(frozen=True)
class RunKind(Generic[Model]):
    """A kind of run.

    Args:
        mark: Stands for it among the names of a run's buttons; empty for the usual kind.
        labels: Of buttons that are called otherwise.
        active: Returns who does its work now.
        before: Returns who did so before; None where nobody did.
        one_back: Goes one step back, and returns who does it now.
        shown: Returns both, as HTML.
        does: What they do, the beginning of a sentence.
        titled: Returns their names for people.
        gate: Puts a run's model to use where it is no worse, or whatever its test says.
        no_scores: What stands where it was not evaluated yet.
    """

    mark: str
    labels: Mapping[str, str]
    active: Callable[[], Model]
    before: Callable[[], Model | None]
    one_back: Callable[[], Model]
    shown: Callable[[Model, Model | None], str]
    does: str
    titled: Callable[[Model], str]
    gate: Callable[[str, bool], Decision]
    no_scores: str

    def has_past(self) -> bool:
        """Tell whether there is one step back."""
        with suppress(RepairError):  # what is wrong is said where the active one stands
            return self.before() is not None
        return False

    def in_use(self) -> str:
        """Return who does its work now, as HTML."""
        try:
            return self.shown(self.active(), self.before())
        except RepairError as error:
            return render.problem(str(error))

    def activate(self, run_id: str, force: bool) -> tuple[bool, str]:
        """Put a run's model to use where it is no worse; return whether it is in use, and why, as HTML.

        Args:
            run_id: Of the training.
            force: Whatever its test says.
        """
        found = self.gate(run_id, force)
        return found.active, scores_render.decision(found.active, found.said)

    def back(self) -> str:
        """Go one step back, and say so."""
        return f"{self.does} {self.titled(self.one_back())} again."


AGENT: RunKind[Agent] = RunKind(
    "", {}, agents.active, agents.before, agents.back, scores_render.answering, "Questions are answered by",
    scores_render.titled, gate.activate, scores_render.NO_SCORES,
)  # fmt: skip
DETECTOR: RunKind[Inspector] = RunKind(
    "eyes", {"activate": "Let it inspect", "evaluate": CALIBRATED}, detectors.active, detectors.before, detectors.back,
    detector_scores_render.inspecting, "Photos are inspected by", detector_scores_render.titled, detector_gate.activate,
    detector_scores_render.NO_SCORES,
)  # fmt: skip
JUDGE: RunKind[Judge] = RunKind(
    "states", {"activate": "Let it judge", "evaluate": CALIBRATED}, judges.active, judges.before, judges.back,
    judge_scores_render.judging, "Questions of state are answered by", judge_scores_render.titled, judge_gate.activate,
    judge_scores_render.NO_SCORES,
)  # fmt: skip
KINDS: dict[str, RunKind[Any]] = {"detector": DETECTOR, "judge": JUDGE}
"""By what a recipe trains; all others train agents."""


def kind_of(folder: RunFolder) -> RunKind[Any]:
    """Return the kind of a run."""
    return KINDS.get(task_in(folder.recipe), AGENT) if folder.recipe.is_file() else AGENT


def marked(names: list[str]) -> RunKind[Any]:
    """Return the kind that is marked among the names of a run's buttons."""
    return next((each for each in KINDS.values() if each.mark in names), AGENT)


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
