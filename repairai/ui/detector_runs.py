"""The evaluation of a detector, as the Runs tab shows it, with its worst photos."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.runs.detector_scores import read_detector_scores
from repairai.ui import detector_scores_render, render


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
