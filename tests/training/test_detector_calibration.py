"""Thresholds are chosen so that the interval holds the truth."""

from dataclasses import replace

import numpy as np

from repairai.schema import Detection
from training.detector.calibration import Looked, choose, matched

ONE_PX = np.array([1.0, 1.0])


def looked(truth: int, scores: list[float]) -> Looked:
    """A photo with `truth` screws in a row and a detection on each of the first places, one a score."""
    boxes = np.array([(40 * i, 0, 40 * i + 30, 30) for i in range(max(truth, len(scores)))], np.float32)
    found = tuple(Detection("screw", s, tuple(map(float, boxes[i]))) for i, s in enumerate(scores))
    return Looked(found, boxes[:truth], ("screw",) * truth, ONE_PX)


def test_scores_that_part_leave_nothing_undecided():
    photos = [looked(3, [0.9, 0.8, 0.85]), looked(2, [0.9, 0.75, 0.2]), looked(0, [0.3])] * 10
    limits = choose(photos, "screw", 100, None)
    assert 0.3 < limits.maybe == limits.sure <= 0.75


def test_scores_that_overlap_leave_a_middle_for_the_doubtful():
    photos = [looked(2, [0.9, 0.5]), looked(1, [0.9, 0.6])] * 10
    limits = choose(photos, "screw", 100, "screw_hole")
    assert limits.maybe <= 0.5
    assert limits.sure > 0.6
    assert limits.empty_place == "screw_hole"


def test_a_low_price_buys_decisions():
    photos = [looked(1, [0.9])] * 95 + [looked(0, [0.9])] * 5
    assert choose(photos, "screw", 100, None).sure > 0.9
    assert choose(photos, "screw", 10, None).sure <= 0.9


def test_each_source_weighs_the_same():
    many = [looked(1, [0.9])] * 300
    few = [replace(looked(0, [0.9]), source="bench"), replace(looked(1, [0.9]), source="bench")]
    assert choose(many, "screw", 10, None).sure <= 0.9
    assert choose(many + few, "screw", 10, None).sure > 0.9


def test_a_part_that_no_photo_holds_is_never_sure():
    limits = choose([looked(2, [0.9, 0.8])], "battery", 10, None)
    assert limits.sure == 1


def test_matching_wants_the_same_place_and_about_the_same_size():
    box = np.array([[0, 0, 30, 30]], np.float32)
    assert matched(box, np.array([[3, 3, 33, 33]], np.float32)) == [True]
    assert matched(box, np.array([[0, 0, 100, 100]], np.float32)) == [False]
    assert matched(box, np.array([[40, 0, 70, 30]], np.float32)) == [False]
    assert matched(box, np.zeros((0, 4), np.float32)) == [False]
