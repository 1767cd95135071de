"""The gate before the bench: a trained model becomes the active agent only where it is no worse than the one before.

Both have to have answered the same exam. What a person's safety hangs on may not get worse either, even where the
whole got better: saying so when there is no guide, warnings, and counts of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from repairai.runs.folder import RunFolder, run_folder, runs_folder
from repairai.runs.scores import Compared, Mark, Scores, compared, in_words, read_scores
from repairai.sop import agents

FEWEST = 20
"""Questions below which an exam says too little."""
FEWEST_SAFETY = 5
"""Likewise of one figure that safety hangs on: fewer can be lost by luck alone."""
SAFETY = {
    "refused": "saying so where there is no guide",
    "warnings_kept": "warnings kept",
    "counts_exact": "counts of parts exact",
}
OVERALL = "overall"


@dataclass(frozen=True)
class Decision:
    """Whether a trained model became the active agent.

    Args:
        active: Whether it is the active one now.
        said: Why, in one sentence for the person.
        differences: What it was decided by: `overall` and the figures of safety, before for the agent that it is held
            against, after for the new one. Empty where nothing could be compared.
    """

    active: bool
    said: str
    differences: dict[str, Compared]


def activate(run_id: str, force: bool = False) -> Decision:
    """Make a run's model the active SOP agent where it is no worse than the one before, and say why or why not.

    Args:
        run_id: Of a finished training.
        force: Make it active whatever the exam says.

    Raises:
        RepairError: There is no such run, it has made no model, or its scores are damaged.
    """
    folder = run_folder(run_id)
    if not folder.model.is_dir():
        raise RepairError(f"{run_id} has made no model yet", f"let it train to its end first: runs show {run_id}")
    if agents.active().run_id == run_id:
        return Decision(True, f"{run_id} is the active agent already.", {})
    passed, why, differences = _judged(run_id, folder)
    if not passed and not force:
        return Decision(False, f"{run_id} is not made active: {why}.", differences)
    agents.use(_agent(folder))
    how = "" if passed else " because you insist"
    return Decision(True, f"{run_id} is the active agent now{how}: {why}.", differences)


def _judged(run_id: str, folder: RunFolder) -> tuple[bool, str, dict[str, Compared]]:
    """Return whether a run's model may become the active one, why in a clause, and by which differences."""
    if not folder.scores.is_file():
        return False, f"it has no scores yet; evaluate it first: runs evaluate {run_id}", {}
    new = read_scores(folder.scores)
    if new.exam.examples < FEWEST:
        few = f"{new.exam.examples} questions are too few to tell whether it is worse, {FEWEST} are needed"
        return False, f"{few}; evaluate it again with more: runs evaluate {run_id}", {}
    against, name = _opponent(new)
    if not against:
        other = f"{name} is the active agent and was asked another exam, so that the two cannot be compared"
        return False, f"{other}; evaluate both with the same one: runs evaluate {name}", {}
    differences = _differences(against, new.marks)
    worse = [figure for figure, difference in differences.items() if difference.is_worse]
    told = f"it {in_words(differences[OVERALL], name)}"
    if not worse or OVERALL in worse:
        return not worse, told, differences
    lost = " and ".join(_lost(figure, differences[figure]) for figure in worse)
    return False, f"it is worse at {lost}; on the whole {told}", differences


def _opponent(new: Scores) -> tuple[list[dict[str, float]], str]:
    """Return the marks that a new model is held against, and whose they are; none where they are of another exam.

    The active agent's where it was asked an exam; else those of the new model's own base.
    """
    active = agents.active()
    base = [_all_marks(mark.before, mark.before_figures) for mark in new.marks]
    # Its folder may be gone, or it was never a run: a model from elsewhere, a server, the steps themselves.
    path = RunFolder(runs_folder() / active.run_id).scores
    if not active.run_id or not path.is_file():
        return base, f"{new.model} (the active agent, {active.name}, has no scores)"
    old = read_scores(path)
    if old.exam.sha != new.exam.sha:
        return [], active.run_id
    known = {mark.id: _all_marks(mark.after, mark.after_figures) for mark in old.marks}
    return [known[mark.id] for mark in new.marks], active.run_id


def _differences(against: Sequence[dict[str, float]], marks: Sequence[Mark]) -> dict[str, Compared]:
    """Return the whole and the figures of safety compared; figures of too few questions are left out."""
    found: dict[str, Compared] = {}
    for name in (OVERALL, *SAFETY):
        pairs = [
            (old[name], new[name])
            for old, mark in zip(against, marks, strict=True)
            if name in (new := _all_marks(mark.after, mark.after_figures)) and name in old
        ]
        if len(pairs) >= (1 if name == OVERALL else FEWEST_SAFETY):
            found[name] = compared([old for old, _ in pairs], [new for _, new in pairs])
    return found


def _all_marks(score: float, figures: dict[str, float]) -> dict[str, float]:
    return {OVERALL: score, **figures}


def _lost(name: str, difference: Compared) -> str:
    return (
        f"{SAFETY[name]} ({difference.before:.2f} before, {difference.after:.2f} now, {difference.examples} questions)"
    )


def _agent(folder: RunFolder) -> agents.Agent:
    """Return what the registry is to know of a run's model."""
    recipe = read_recipe(folder.recipe)
    whole = not (folder.model / "adapter_config.json").is_file()
    return agents.Agent(
        name=folder.id,
        kind="local",
        path=str(folder.model.absolute()),
        base="" if whole else recipe.step.model,
        run_id=folder.id,
        length_tokens=recipe.step.length_tokens,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )
