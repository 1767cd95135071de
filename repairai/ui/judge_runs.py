"""The evaluation of a judge of states, as the Runs tab shows it, with the photos that it was asked about."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from repairai.runs.folder import run_folder
from repairai.runs.judge_scores import read_judge_scores
from repairai.ui import judge_scores_render, render


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
