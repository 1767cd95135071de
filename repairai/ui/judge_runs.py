"""What the Runs tab does with a run that trained a judge of states, where it is not the same as with an agent's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from repairai.judge import judges
from repairai.runs import judge_gate
from repairai.runs.folder import run_folder
from repairai.runs.judge_scores import read_judge_scores
from repairai.ui import judge_scores_render, render, scores_render

TASK = "judge"
LABELS = {"activate": "Let it judge", "evaluate": "Evaluate and calibrate it", "back": "Back to the one before"}


def has_past() -> bool:
    """Return whether another judge, or nobody, answered before."""
    with suppress(RepairError):  # what is wrong is said where the active one stands
        return judges.before() is not None
    return False


def judging() -> str:
    """Return who judges states, as HTML."""
    try:
        return judge_scores_render.judging(judges.active(), judges.before())
    except RepairError as error:
        return render.problem(str(error))


def scores(path: Path) -> str:
    """Return an evaluation, as HTML."""
    try:
        found = read_judge_scores(path)
        return judge_scores_render.scores(found, data_of(found.run))
    except RepairError as error:
        return render.problem(str(error))


def data_of(run_id: str) -> Path | None:
    """Return the folder of the states that a run was trained on; None where it is not there."""
    with suppress(RepairError):
        recipe = run_folder(run_id).recipe
        folder = Path(read_recipe(recipe).data) if recipe.is_file() else Path()
        return folder if folder.is_absolute() and folder.is_dir() else None
    return None


def activate(run_id: str, force: bool) -> tuple[bool, str]:
    """Let a run's judge answer where it is no worse; return whether it does, and why, as HTML."""
    found = judge_gate.activate(run_id, force)
    return found.active, scores_render.decision(found.active, found.said)


def back() -> str:
    """Let the judge answer again that did so before, and say so."""
    return f"Questions of state are answered by {judge_scores_render.titled(judges.back())} again."
