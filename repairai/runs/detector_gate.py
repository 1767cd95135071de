"""The gate before the bench, for detectors: a trained one inspects only where it is no worse than the one before.

Both have to have been shown the same test photos of the person's own. Counts have to come out exact as often, and wrong
steps may not pass more often, beyond what luck explains.
"""

from __future__ import annotations

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from repairai.runs.decision import Decision, Judged, decided
from repairai.runs.detector_score_words import NAMES
from repairai.runs.detector_scores import EXACT, DetectorScores, compared_marks, read_detector_scores
from repairai.runs.figures import ESCAPE, in_words, is_worse
from repairai.runs.folder import RunFolder, run_folder, runs_folder
from repairai.vision import detectors

FEWEST = 10
"""Independent test photos below which too little is known of a detector."""


def activate(run_id: str, force: bool = False) -> Decision:
    """Let a run's detector inspect where it is no worse than the one before, and say why or why not.

    Args:
        run_id: Of a finished training of a detector.
        force: Let it inspect whatever its test says.

    Raises:
        RepairError: There is no such run, it trains no detector or has made none yet, or its scores are damaged.
    """
    folder = run_folder(run_id)
    if not (folder.model / "config.json").is_file():
        raise RepairError(f"{run_id} has made no model yet", f"let it train to its end first: runs show {run_id}")
    if not folder.recipe.is_file() or read_recipe(folder.recipe).task != "detector":
        raise RepairError(f"{run_id} trains no detector", "give the id of a run that does: runs list")
    return decided(
        run_id, detectors.active().run_id, ("is the detector that inspects", "does not inspect"),
        lambda: _judged(run_id, folder),
        lambda: detectors.use(detectors.Inspector(run_id, str(folder.model.absolute()), run_id)), force,
    )  # fmt: skip


def _judged(run_id: str, folder: RunFolder) -> Judged:
    """Return whether a run's detector may inspect, why in a clause, and by which differences."""
    if not folder.scores.is_file():
        return False, f"it has not been tested yet; evaluate it first: runs evaluate {run_id}", {}
    new = read_detector_scores(folder.scores)
    if new.shown.split != "test":
        other = f"it was only measured on {new.shown.split} photos, which its thresholds were chosen on"
        return False, f"{other}; evaluate it on its test photos: runs evaluate {run_id}", {}
    if new.shown.sources < FEWEST:
        few = (
            f"{new.shown.sources} independent test photos are too few to tell whether it is worse, {FEWEST} are needed"
        )
        return False, f"{few}; label more photos for the test, or insist with --force", {}
    if new.parts.keys() <= new.undecided.keys():
        first = next(iter(new.undecided.values()), "it knows no part")
        return False, f"it would leave everything undecided: {first}", {}
    pairs, name = _pairs(new)
    if pairs is None:
        other = f"{name} inspects now, and was not shown the same photos"
        return False, f"{other}; evaluate it again: runs evaluate {run_id}", {}
    differences = {figure: each for figure, each in compared_marks(pairs).items() if figure in (EXACT, ESCAPE)}
    if not differences:
        return True, f"{name} knows none of its parts, so that there is nothing to be worse at", {}
    worse = [figure for figure, found in differences.items() if is_worse(figure, found)]
    told = " and ".join(in_words(figure, differences[figure], name, NAMES) for figure in worse or [EXACT])
    return not worse, f"it {told}", differences


def _pairs(new: DetectorScores) -> tuple[list[tuple[str, dict[str, float], dict[str, float]]] | None, str]:
    """Return the figures of each photo by the detector that inspects and by the new one, and the former's name.

    None where the one that inspects now was not shown these photos.
    """
    active = detectors.active()
    if active.name == new.model:
        return [(each.source, each.before, each.after) for each in new.marks], active.name
    path = RunFolder(runs_folder() / active.run_id).scores
    if active.run_id and path.is_file():
        old = read_detector_scores(path)
        # Two detectors of the same parts can be compared by what each did alone.
        if old.shown.sha == new.shown.sha and old.parts.keys() == new.parts.keys():
            known = {each.photo: each.alone for each in old.marks}
            return [(each.source, known[each.photo], each.alone) for each in new.marks], active.name
    return None, active.name
