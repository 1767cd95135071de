"""A trained detector inspects only where it is no worse than the one before on the person's own test photos."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.runs.detector_gate import activate
from repairai.runs.detector_score_words import as_table, said
from repairai.runs.detector_scores import (
    Confusion,
    Curve,
    DetectorScores,
    PartScores,
    PhotoMark,
    PhotosShown,
    compared_marks,
    is_of_detector,
    read_detector_scores,
    write_detector_scores,
)
from repairai.runs.folder import RunFolder, new_run
from repairai.vision import detectors

RECIPE = Recipe("detector", Workload("builtin", "full"), 1.0, 1e-4)


def trained(name: str, recipe: Recipe = RECIPE) -> RunFolder:
    """A finished training, as far as the gate looks at it."""
    folder = new_run(name, "train", ["python"], text=json.dumps(to_data(recipe)))
    folder.model.mkdir()
    (folder.model / "config.json").write_text("{}")
    return folder


def figures(exact: float, escape: float = 0.0) -> dict[str, float]:
    """Those of one photo."""
    return {"exact": exact, "escape": escape, "false_call": 0.0, "decided": 1.0}


def marks(before: dict[str, float], after: dict[str, float], n: int = 21, copies: int = 1) -> list[PhotoMark]:
    """`n` sources of photos that are all judged alike, with some noise that is the same for both."""
    found = []
    for at in range(n):
        off = 0.1 * (at % 3 - 1) if before else 0.0
        old = {**before, "exact": before["exact"] + off} if before else {}
        new = {**after, "exact": after["exact"] + off}
        found += [PhotoMark(f"{at}-{copy}", f"s{at}", old, new if before else {}, new) for copy in range(copies)]
    return found


def judged(
    folder: RunFolder, own: list[PhotoMark], against: str = "builtin", parts: tuple[str, ...] = ("screw",),
    undecided: dict[str, str] | None = None, split: str = "test", sha: str = "photos",
) -> DetectorScores:  # fmt: skip
    """Give a run scores made by hand."""
    row = PartScores(len(own), len(own), len(own), 0.9, 1.0, 0.0, 0.0, 0.95, 0.7, 0.9)
    n_sources = len({each.source for each in own})
    scores = DetectorScores(
        run=folder.id, model=against, shown=PhotosShown(sha, "set", split, len(own), len(own), n_sources),
        made="2026-01-01", parts=dict.fromkeys(parts, row), whole=row, average=(0.7, 0.9), before={},
        figures=compared_marks([(each.source, each.before, each.after) for each in own]), left_out=(),
        curve=Curve((), 0.0), confusion=Confusion((), ()), marks=tuple(own), undecided=undecided or {},
    )  # fmt: skip
    write_detector_scores(folder.scores, scores)
    return scores


def test_no_worse_inspects_and_back_restores():
    judged(trained("first"), marks(figures(0.7), figures(0.8)))
    decision = activate("first")
    assert decision.active
    assert decision.said.startswith("first is the detector that inspects now: it is better than builtin: counts exact ")
    assert "80.0 % against 70.0 %" in decision.said
    chosen = detectors.active()
    assert (chosen.name, chosen.run_id) == ("first", "first")
    assert activate("first").said == "first is the detector that inspects already."
    assert detectors.back() == detectors.BUILTIN


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (figures(0.5), "it is worse than builtin: counts exact 50.0 % against 70.0 %"),
        (figures(0.9, escape=0.1), "it is worse than builtin: wrong steps passed 10.0 % against 0.0 %"),
    ],
)
def test_worse_is_refused_with_figures_and_forced(after: dict[str, float], words: str):
    judged(trained("first"), marks(figures(0.7), after))
    decision = activate("first")
    assert not decision.active
    assert words in decision.said
    assert detectors.active() == detectors.BUILTIN
    forced = activate("first", force=True)
    assert forced.active
    assert "because you insist" in forced.said


def test_a_little_worse_by_luck_inspects():
    own = marks(figures(0.7), figures(0.7))
    own[3] = PhotoMark("3-0", "s3", figures(0.7), figures(0.2), figures(0.2))
    judged(trained("first"), own)
    decision = activate("first")
    assert decision.active
    assert decision.differences["exact"].difference < 0


def test_copies_of_a_photo_prove_nothing():
    judged(trained("first"), marks(figures(0.7), figures(0.9), n=4, copies=10))
    decision = activate("first")
    assert not decision.active
    assert "4 independent test photos are too few" in decision.said


def test_it_is_held_against_the_one_that_inspects_now():
    judged(trained("first"), marks(figures(0.5), figures(0.8)))
    judged(trained("second"), marks(figures(0.5), figures(0.6)))
    activate("first")
    decision = activate("second")
    assert not decision.active
    assert "it is worse than first: counts exact 60.0 % against 80.0 %" in decision.said
    judged(trained("third"), marks(figures(0.5), figures(0.9)), sha="others")
    assert "first inspects now, and was not shown the same photos" in activate("third").said


def test_parts_that_the_other_does_not_know_leave_nothing_to_be_worse_at():
    judged(trained("first"), marks({}, figures(0.2)), parts=("gear",))
    decision = activate("first")
    assert decision.active
    assert "builtin knows none of its parts" in decision.said


def test_what_would_leave_everything_undecided_is_refused():
    judged(trained("first"), marks({}, figures(0.2)), undecided={"screw": "3 photos show screw"})
    decision = activate("first")
    assert not decision.active
    assert "it would leave everything undecided: 3 photos show screw" in decision.said


def test_photos_that_thresholds_were_chosen_on_prove_nothing():
    judged(trained("first"), marks(figures(0.7), figures(0.9)), split="val")
    assert "only measured on val photos" in activate("first").said


def test_what_cannot_be_activated(home: Path):
    with pytest.raises(RepairError, match="there is no run 'nothing'"):
        activate("nothing")
    folder = trained("first")
    assert "it has not been tested yet; evaluate it first: runs evaluate first" in activate("first").said
    folder.scores.write_text("{")
    with pytest.raises(RepairError, match="is not JSON"):
        activate("first")
    (folder.model / "config.json").unlink()
    with pytest.raises(RepairError, match="has made no model yet"):
        activate("first")
    trained("words", Recipe("sop", Workload("SmolLM2", "lora"), 1.0, 1e-4))
    with pytest.raises(RepairError, match="words trains no detector"):
        activate("words")


def test_scores_are_kept_and_told(tmp_path: Path):
    folder = trained("first")
    scores = judged(folder, marks(figures(0.7), figures(0.8)), undecided={"screw": "why"})
    assert read_detector_scores(folder.scores) == scores
    assert is_of_detector(folder.scores)
    assert not is_of_detector(tmp_path / "none.json")
    text = said(scores)
    assert text.startswith("first counts 90.0 % of parts exactly on 21 photos with 1 part;")
    assert "better than builtin" in text
    assert text.endswith("Still undecided: screw.")
    table = as_table(scores)
    assert "| screw | 21 | 21 | 90.0 % |" in table
    assert "| counts exact | 70.0 % | 80.0 % | +10.0 |" in table
    row = replace(scores.parts["screw"], escape_fewer=0.6, escape_more=0.05)
    chosen = replace(scores, escape=0.1, confidence=0.9, undecided={}, parts={"screw": row})
    assert "With 90 % confidence at most 10.0 % of a part's wrong steps pass" in said(chosen)
    assert said(chosen).endswith("On the photos shown more passed: 60.0 % of those that ask for one fewer screw.")
    assert "confidence at" not in said(replace(chosen, undecided={"screw": "why"})), (
        "what decides nothing promises nothing"
    )
    newer = json.loads(folder.scores.read_text()) | {"version": 99}
    folder.scores.write_text(json.dumps(newer))
    with pytest.raises(RepairError, match="update RepairAI"):
        read_detector_scores(folder.scores)
