"""What the Runs tab does with a run that trained a detector, where it is not the same as with an agent's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.runs import detector_gate
from repairai.runs.detector_scores import read_detector_scores
from repairai.ui import detector_scores_render, render, scores_render
from repairai.vision import detectors

TASK = "detector"
LABELS = {"activate": "Let it inspect", "evaluate": "Evaluate and calibrate it", "back": "Back to the one before"}


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


def activate(run_id: str, force: bool) -> tuple[bool, str]:
    """Let a run's detector inspect where it is no worse; return whether it does, and why, as HTML."""
    found = detector_gate.activate(run_id, force)
    return found.active, scores_render.decision(found.active, found.said)


def back() -> str:
    """Let the detector inspect again that did so before, and say so."""
    return f"Photos are inspected by {detector_scores_render.titled(detectors.back())} again."
