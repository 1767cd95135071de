"""Thresholds let no more wrong steps pass than is tolerated, and with few photos they decide less."""

from dataclasses import replace

import numpy as np
import pytest

from repairai.judge.count import check_count
from repairai.schema import Count, Detection, PartLimits, Sight, Visibility
from training.detector.calibration import LOWEST, Looked
from training.detector.tolerated import (
    CONFIDENCE,
    counts_best_at,
    empty_place_of,
    may_be_wrong,
    photos_needed,
    tolerated,
)

ONE_PX = np.array([1.0, 1.0])
CLEAR = Visibility(0.5, 0.0, 0.5)


def looked(truth: int, scores: list[float], source: str = "") -> Looked:
    """A photo with `truth` screws in a row and a detection on each of the first places, one a score."""
    boxes = np.array([(40 * i, 0, 40 * i + 30, 30) for i in range(max(truth, len(scores)))], np.float32).reshape(-1, 4)
    found = tuple(Detection("screw", s, tuple(map(float, boxes[i]))) for i, s in enumerate(scores))
    return Looked(found, boxes[:truth], ("screw",) * truth, ONE_PX, source)


def sources(photos: list[Looked]) -> list[Looked]:
    """Each photo a source of its own."""
    return [replace(each, source=f"s{at}") for at, each in enumerate(photos)]


def test_how_many_photos_it_takes():
    assert [photos_needed(share) for share in (0.01, 0.05, 0.1, 0.5)] == [230, 45, 22, 4]
    assert [may_be_wrong(n, 0.1) for n in (0, 21, 22, 37, 38, 52, 20_000)] == [-1, -1, 0, 0, 1, 2, 1945]
    for share in (0.01, 0.02, 0.05, 0.1, 0.25):
        assert may_be_wrong(photos_needed(share), share) == 0
        assert may_be_wrong(photos_needed(share) - 1, share) == -1


def test_too_few_photos_leave_a_part_undecided_and_say_so():
    chosen = tolerated(sources([looked(2, [0.9, 0.8])] * 21), "screw", 0.1, "hole")
    assert chosen.limits == PartLimits(1.0, LOWEST, 0.0, "hole")
    assert "21 independent validation photos show screw" in chosen.undecided
    assert chosen.undecided.endswith("with 90 % confidence, it takes 22: label more, or tolerate 11 %")
    assert not tolerated(sources([looked(2, [0.9, 0.8])] * 21), "screw", 0.11).undecided
    assert not tolerated(sources([looked(2, [0.9, 0.8])] * 22), "screw", 0.1).undecided
    none = tolerated(sources([looked(2, [0.9, 0.8])] * 30), "battery", 0.1).undecided
    assert none.startswith("0 independent")
    assert none.endswith("it takes 22: label more")


def test_copies_of_one_source_count_as_one():
    photos = [replace(looked(2, [0.9, 0.8]), source=f"s{at // 3}") for at in range(30)]
    chosen = tolerated(photos, "screw", 0.1)
    assert chosen.photos == 10
    assert chosen.undecided


def test_scores_that_part_leave_nothing_undecided():
    limits = tolerated(sources([looked(3, [0.9, 0.8, 0.7, 0.2])] * 22), "screw", 0.1).limits
    assert limits.sure == limits.maybe == pytest.approx(0.45, abs=0.01)


def test_scores_that_overlap_leave_a_middle_that_holds_every_truth():
    photos = sources([looked(2, [0.9, 0.5]), looked(1, [0.9, 0.6])] * 11)
    limits = tolerated(photos, "screw", 0.1).limits
    assert limits.maybe == 0.5
    assert 0.6 < limits.sure < 0.61


def test_more_photos_or_more_tolerance_decide_more():
    odd = [looked(1, [0.9, 0.85])]
    few = tolerated(sources([looked(1, [0.9, 0.3])] * 25 + odd), "screw", 0.1).limits
    many = tolerated(sources([looked(1, [0.9, 0.3])] * 50 + odd), "screw", 0.1).limits
    wider = tolerated(sources([looked(1, [0.9, 0.3])] * 25 + odd), "screw", 0.2).limits
    assert few.sure > 0.85
    assert many.sure < 0.85
    assert wider.sure < 0.85


def test_photos_without_the_part_raise_what_is_sure():
    shown = [looked(1, [0.9])] * 30
    assert tolerated(sources(shown), "screw", 0.1).limits.sure < 0.8
    assert tolerated(sources([*shown, looked(0, [0.8])]), "screw", 0.1).limits.sure > 0.8


def test_parts_that_are_not_seen_at_all_are_said():
    photos = sources([looked(2, [0.9, 0.8])] * 20 + [looked(2, [0.9])] * 4)
    chosen = tolerated(photos, "screw", 0.1)
    assert chosen.limits.sure == 1.0
    assert "on 4 of 24 independent validation photos a screw is not seen at all" in chosen.undecided
    assert chosen.undecided.endswith("or tolerate 31 %")
    assert not tolerated(photos, "screw", 0.31).undecided
    assert tolerated(photos, "screw", 0.3).undecided


@pytest.mark.parametrize("share", [0, -0.1, 0.6])
def test_a_share_that_cannot_be_tolerated(share: float):
    with pytest.raises(ValueError, match="need escape above 0"):
        tolerated([looked(1, [0.9])], "screw", share)


# ---- the promise, by drawing validation photos again and again


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch):
    """Without the least size of a part, which makes no step pass and takes most of the time."""
    monkeypatch.setattr("training.detector.tolerated.smallest", lambda *_: 0.0)


def noisy(rng: np.random.Generator, shown: bool = True) -> Looked:
    """A photo of a detector that errs: some of its ghosts score higher than some of the screws."""
    n, ghosts = int(rng.integers(1, 5)) if shown else 0, int(rng.integers(0, 3))
    scores = np.concatenate([rng.beta(6, 2, n), rng.beta(2, 5, ghosts)]).clip(LOWEST, 1).round(4)
    return looked(n, sorted(scores.tolist(), reverse=True))


def at_ends(photos: list[Looked]) -> np.ndarray:
    """(photos, 2) the scores above which `sure`, and up to which `maybe` has to lie."""
    rows = []
    for each in photos:
        scores, n = [d.score for d in each.detections], len(each.labels)
        rows.append((scores[n] if len(scores) > n else 0.0, 1.0 if not n else scores[n - 1] if len(scores) >= n else 0))
    return np.array(rows)


def passed(ends: np.ndarray, limits: PartLimits) -> tuple[float, float]:
    """The shares of all photos on which some step that asks for more, or for fewer, than there are may pass."""
    return float(np.mean(ends[:, 0] >= limits.sure)), float(np.mean(ends[:, 1] < limits.maybe))


def kept(draws: list[tuple[float, float]], escape: float) -> tuple[float, float, float]:
    """The shares of draws that keep to what is tolerated: for more, for fewer, and where half asks for either."""
    found = np.array(draws)
    return (*np.mean(found <= escape, axis=0).tolist(), float(np.mean(found.mean(axis=1) <= escape)))


@pytest.mark.parametrize(("n_photos", "escape"), [(22, 0.1), (38, 0.1), (9, 0.25), (45, 0.05)])
def test_the_tolerated_share_is_kept_in_at_least_the_stated_share_of_draws(n_photos: int, escape: float, quick: None):
    """Each number of photos is the least that may have so many wrong ones, so that little is given away."""
    rng = np.random.default_rng(7)
    pool = [noisy(rng) for _ in range(4000)]
    ends = at_ends(pool)
    draws = []
    for _ in range(400):
        drawn = [pool[at] for at in rng.choice(len(pool), n_photos, replace=False)]
        chosen = tolerated(sources(drawn), "screw", escape)
        assert not chosen.undecided
        draws.append(passed(ends, chosen.limits))
    luck = 2 * (CONFIDENCE * (1 - CONFIDENCE) / len(draws)) ** 0.5
    assert min(kept(draws, escape)) >= CONFIDENCE - luck


def test_photos_with_and_without_the_part_keep_to_it_each_and_together(quick: None):
    rng = np.random.default_rng(8)
    shown, bare = [noisy(rng) for _ in range(2000)], [noisy(rng, shown=False) for _ in range(2000)]
    groups = {"shown": at_ends(shown), "bare": at_ends(bare)}
    for n_bare, names in ((22, ("shown", "bare", "all")), (10, ("shown", "all"))):
        draws: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for _ in range(300):
            drawn = [shown[at] for at in rng.choice(2000, 22)] + [bare[at] for at in rng.choice(2000, n_bare)]
            limits = tolerated(sources(drawn), "screw", 0.1).limits
            found = {name: passed(ends, limits)[0] for name, ends in groups.items()}
            found["all"] = (22 * found["shown"] + n_bare * found["bare"]) / (22 + n_bare)
            for name in names:
                draws[name].append((found[name], 0.0))
        for name in names:
            assert kept(draws[name], 0.1)[0] >= CONFIDENCE - 0.035, name


def test_copies_taken_for_photos_would_break_the_promise(quick: None):
    """Each source three times, as `screws_amv` has it: only sources are draws of their own."""
    rng = np.random.default_rng(9)
    pool = [noisy(rng) for _ in range(2000)]
    ends, draws = at_ends(pool), {"sources": [], "copies": []}
    for _ in range(300):
        drawn = [pool[at] for at in rng.choice(len(pool), 22, replace=False)]
        by_source = [replace(each, source=f"s{at}") for at, each in enumerate(drawn) for _ in range(3)]
        draws["sources"].append(passed(ends, tolerated(by_source, "screw", 0.1).limits))
        draws["copies"].append(passed(ends, tolerated(sources(by_source), "screw", 0.1).limits))
    assert min(kept(draws["sources"], 0.1)) >= CONFIDENCE - 0.035
    assert max(kept(draws["copies"], 0.1)[:2]) < 0.8


def test_verdicts_err_no_more_often_than_the_ends_say():
    """What is promised is of the judge's own verdicts, in both ways to be wrong."""
    rng = np.random.default_rng(10)
    pool = [noisy(rng) for _ in range(400)]
    limits = tolerated(sources(pool[:60]), "screw", 0.1).limits
    over, under = passed(at_ends(pool), limits)
    wrong, false_calls = {1: [], -1: []}, []
    for each in pool:
        sight, n = Sight(each.detections, {"screw": limits}, CLEAR), len(each.labels)
        for off, outcomes in wrong.items():
            outcomes.append(check_count(Count("screw", n + off, n + off), sight, "mat").outcome == "PASS")
        false_calls.append(check_count(Count("screw", n, n), sight, "mat").outcome == "FAIL")
    assert np.mean(wrong[1]) <= over
    assert np.mean(wrong[-1]) <= under
    assert np.mean(false_calls) <= over + under


def test_the_threshold_that_counts_best():
    photos = [looked(2, [0.9, 0.7, 0.4]), looked(1, [0.8, 0.3]), looked(0, [0.35])]
    assert 0.4 < counts_best_at(photos, "screw") <= 0.7
    assert counts_best_at([], "screw") == 0.5


def test_the_name_of_an_empty_place():
    assert empty_place_of("screw", ("screw", "screw_hole")) == "screw_hole"
    assert empty_place_of("screw", ("hole", "screw")) == "hole"
    assert empty_place_of("hole", ("hole", "screw")) is None
    assert empty_place_of("plugged_connector", ("unplugged_connector", "plugged_connector")) == "unplugged_connector"
    assert empty_place_of("battery", ("battery", "empty_battery")) == "empty_battery"
