"""Thresholds let no more wrong steps pass than is tolerated, and with few photos they decide less."""

from dataclasses import replace

import numpy as np
import pytest

from repairai.judge.count import check_count
from repairai.schema import Count, Detection, PartLimits, Sight, Visibility
from training.detector.calibration import LOWEST, Looked
from training.detector.tolerated import (
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
    assert [photos_needed(share) for share in (0.01, 0.05, 0.1, 0.5)] == [99, 19, 9, 1]
    assert [may_be_wrong(n, 0.05) for n in (18, 19, 38, 39, 99)] == [-1, 0, 0, 1, 4]
    for share in (0.01, 0.02, 0.05, 0.1, 0.25):
        assert may_be_wrong(photos_needed(share), share) == 0
        assert may_be_wrong(photos_needed(share) - 1, share) == -1


def test_too_few_photos_leave_a_part_undecided_and_say_so():
    chosen = tolerated(sources([looked(2, [0.9, 0.8])] * 18), "screw", 0.05, "hole")
    assert chosen.limits == PartLimits(1.0, LOWEST, 0.0, "hole")
    assert "18 independent validation photos show screw" in chosen.undecided
    assert chosen.undecided.endswith("it takes 19: label more, or tolerate 6 %")
    assert not tolerated(sources([looked(2, [0.9, 0.8])] * 18), "screw", 0.06).undecided
    assert not tolerated(sources([looked(2, [0.9, 0.8])] * 19), "screw", 0.05).undecided
    assert tolerated(sources([looked(2, [0.9, 0.8])] * 30), "battery", 0.05).undecided.startswith("0 independent")


def test_copies_of_one_source_count_as_one():
    photos = [replace(looked(2, [0.9, 0.8]), source=f"s{at // 3}") for at in range(30)]
    chosen = tolerated(photos, "screw", 0.05)
    assert chosen.photos == 10
    assert chosen.undecided


def test_scores_that_part_leave_nothing_undecided():
    limits = tolerated(sources([looked(3, [0.9, 0.8, 0.7, 0.2])] * 20), "screw", 0.05).limits
    assert limits.sure == limits.maybe == pytest.approx(0.45, abs=0.01)


def test_scores_that_overlap_leave_a_middle_that_holds_every_truth():
    photos = sources([looked(2, [0.9, 0.5]), looked(1, [0.9, 0.6])] * 10)
    limits = tolerated(photos, "screw", 0.05).limits
    assert limits.maybe == 0.5
    assert 0.6 < limits.sure < 0.61


def test_more_photos_or_more_tolerance_decide_more():
    odd = [looked(1, [0.9, 0.85])]
    few = tolerated(sources([looked(1, [0.9, 0.3])] * 25 + odd), "screw", 0.05).limits
    many = tolerated(sources([looked(1, [0.9, 0.3])] * 50 + odd), "screw", 0.05).limits
    wider = tolerated(sources([looked(1, [0.9, 0.3])] * 25 + odd), "screw", 0.1).limits
    assert few.sure > 0.85
    assert many.sure < 0.85
    assert wider.sure < 0.85


def test_photos_without_the_part_raise_what_is_sure():
    shown = [looked(1, [0.9])] * 30
    assert tolerated(sources(shown), "screw", 0.05).limits.sure < 0.8
    assert tolerated(sources([*shown, looked(0, [0.8])]), "screw", 0.05).limits.sure > 0.8


def test_parts_that_are_not_seen_at_all_are_said():
    photos = sources([looked(2, [0.9, 0.8])] * 20 + [looked(2, [0.9])] * 4)
    chosen = tolerated(photos, "screw", 0.05)
    assert chosen.limits.sure == 1.0
    assert "on 4 of 24 independent validation photos a screw is not seen at all" in chosen.undecided
    assert chosen.undecided.endswith("or tolerate 20 %")
    assert not tolerated(photos, "screw", 0.2).undecided


@pytest.mark.parametrize("share", [0, -0.1, 0.6])
def test_a_share_that_cannot_be_tolerated(share: float):
    with pytest.raises(ValueError, match="need escape above 0"):
        tolerated([looked(1, [0.9])], "screw", share)


@pytest.mark.parametrize(("n_photos", "escape"), [(19, 0.05), (39, 0.05), (12, 0.1)])
def test_on_new_photos_no_more_wrong_steps_pass_than_tolerated(n_photos: int, escape: float):
    """A noisy detector, calibrated anew 150 times and asked about 20 new photos each, in both ways to be wrong."""
    rng = np.random.default_rng(7)

    def photo() -> Looked:
        n, ghosts = int(rng.integers(1, 5)), int(rng.integers(0, 3))
        scores = np.concatenate([rng.beta(6, 2, n), rng.beta(2, 5, ghosts)]).clip(LOWEST, 1).round(4)
        return looked(n, sorted(scores.tolist(), reverse=True))

    pool = [photo() for _ in range(1000)]
    passed, false_calls = {1: [], -1: []}, []
    for _ in range(150):
        drawn = [pool[at] for at in rng.permutation(len(pool))[: n_photos + 20]]
        limits = {"screw": tolerated(sources(drawn[:n_photos]), "screw", escape).limits}
        for new in drawn[n_photos:]:
            sight, n = Sight(new.detections, limits, CLEAR), len(new.labels)
            for off in passed:
                outcome = check_count(Count("screw", n + off, n + off), sight, "mat").outcome
                passed[off].append(outcome == "PASS")
            false_calls.append(check_count(Count("screw", n, n), sight, "mat").outcome == "FAIL")
    assert max(np.mean(each) for each in passed.values()) <= escape
    assert np.mean(false_calls) <= 2 * escape * 1.05


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
