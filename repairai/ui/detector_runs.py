"""What the Runs tab does with a run that trained a detector, where it is not the same as with an agent's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.runs import detector_gate, launch
from repairai.runs.detector_scores import read_detector_scores
from repairai.runs.folder import RunFolder
from repairai.ui import detector_scores_render, render, scores_render
from repairai.vision import detectors

TASK = "detector"
EYES = "eyes"
"""Stands among the names of a run's buttons where it trains a detector."""
LABELS = {"activate": "Let it inspect", "evaluate": "Evaluate and calibrate it", "back": "Back to the one before"}
ESCAPE_PERCENT = 5.0
"""Of wrong steps may pass, where nobody says otherwise."""
LEAST_PERCENT, MOST_PERCENT = 0.01, 50.0


def task_in(path: Path) -> str:
    """Return what a recipe trains, without reading all of it; empty where that cannot be read."""
    with suppress(RepairError):
        for line in read_text(path).splitlines():
            if line.startswith("task:"):
                return line.partition(":")[2].strip().strip("'\"")
    return ""


def is_eyes(folder: RunFolder) -> bool:
    """Return whether a run trains a detector."""
    return folder.recipe.is_file() and task_in(folder.recipe) == TASK


def has_past() -> bool:
    """Return whether another detector inspected before."""
    with suppress(RepairError):  # what is wrong is said where the active one stands
        return detectors.before() is not None
    return False


def inspecting() -> str:
    """Return who inspects, as HTML."""
    try:
        return detector_scores_render.inspecting(detectors.active(), detectors.before())
    except RepairError as error:
        return render.problem(str(error))


def scores(path: Path) -> str:
    """Return an evaluation, as HTML."""
    try:
        return detector_scores_render.scores(read_detector_scores(path), drawn_in(path))
    except RepairError as error:
        return render.problem(str(error))


def drawn_in(path: Path) -> Path:
    """Return the folder in which an evaluation has drawn its worst photos: its own, or that of the run which made it.

    Args:
        path: The `scores.json`, of which the training has a copy.
    """
    own = path.parent
    if not (own / detector_scores_render.WORST).is_dir():
        with suppress(OSError):
            content = path.read_bytes()
            for other in sorted(own.parent.glob(f"*/{path.name}")):
                if (other.parent / detector_scores_render.WORST).is_dir() and other.read_bytes() == content:
                    return other.parent
    return own


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


def activate(run_id: str, force: bool) -> tuple[bool, str]:
    """Let a run's detector inspect where it is no worse; return whether it does, and why, as HTML."""
    found = detector_gate.activate(run_id, force)
    return found.active, scores_render.decision(found.active, found.said)


def back() -> str:
    """Let the detector inspect again that did so before, and say so."""
    return f"Photos are inspected by {detector_scores_render.titled(detectors.back())} again."
