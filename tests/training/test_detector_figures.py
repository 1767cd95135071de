"""Figures of counts on photos made by hand, where every one of them can be worked out."""

import numpy as np
import pytest

from repairai.judge.count import check_count
from repairai.schema import Count, Detection, PartLimits, Visibility
from repairai.vision.photo_set import LabelledBox, LabelledPhoto
from training.detector.figures import OUTCOMES, by_part, counted, curve, figures_of, outcomes, whole, worst
from training.detector.looks import Look, Seen
from training.detector.precision import average_precision, boxed, confusion

LIMITS = {"screw": PartLimits(0.6, 0.3), "nut": PartLimits(0.6, 0.3)}
PARTS = ("screw", "nut")


def place(at: int) -> tuple[float, float, float, float]:
    """A box of its own for each number."""
    return (40.0 * at, 0.0, 40.0 * at + 30, 30.0)


def seen(name: str, there: list[str], found: list[tuple[str, float, int]], problem: str | None = None) -> Seen:
    """A photo with parts in a row, and detections of a part with a score at one of the places."""
    boxes = tuple(LabelledBox(part, place(at)) for at, part in enumerate(there))
    detections = tuple(Detection(part, score, place(at)) for part, score, at in found)
    photo = LabelledPhoto(f"{name}.jpg", 400, 100, boxes, "test", name)
    return Seen(photo, Look(photo.name, detections, (1.0, 1.0), Visibility(0.5, 0.0, 0.5, problem)))


RIGHT = seen("right", ["screw", "screw", "nut"], [("screw", 0.9, 0), ("screw", 0.8, 1), ("nut", 0.9, 2)])
SHORT = seen("short", ["screw", "screw"], [("screw", 0.9, 0)])
DOUBT = seen("doubt", ["screw"], [("screw", 0.9, 0), ("screw", 0.4, 3)])
MIXED = seen("mixed", ["nut"], [("screw", 0.9, 0)])
DARK = seen("dark", ["screw"], [("screw", 0.9, 0)], "too_dark")
ALL = [RIGHT, SHORT, DOUBT, MIXED, DARK]


def test_verdicts_are_the_judges():
    found = counted(ALL, PARTS, LIMITS)
    for row, each in enumerate(ALL):
        for column, part in enumerate(PARTS):
            for off in (-1, 0, 1):
                wanted = each.count(part) + off
                if wanted >= 0:
                    outcome = check_count(Count(part, wanted, wanted), each.sight(LIMITS), "mat").outcome
                    assert OUTCOMES[int(outcomes(found, off)[row, column])] == outcome


def test_figures_of_a_part():
    screws = by_part(counted(ALL, PARTS, LIMITS))["screw"]
    assert (screws.photos, screws.shown, screws.boxes) == (5, 4, 6)
    assert screws.exact == pytest.approx(3 / 5), "right, doubt and dark"
    # One fewer is asked of four photos, one more of five; one screw where there are two passes, and so does the one
    # that is no nut.
    assert screws.escape == pytest.approx(2 / 9)
    assert (screws.escape_fewer, screws.escape_more) == (pytest.approx(1 / 4), pytest.approx(1 / 5))
    assert screws.false_call == pytest.approx(2 / 5)
    # Of the doubtful photo one fewer fails and the rest is open, of the dark one all is.
    assert screws.decided == pytest.approx((3 + 3 + 1 + 2) / 14)


def test_whole_requirements_fail_where_one_part_does():
    row = whole(counted([RIGHT, SHORT, MIXED], PARTS, LIMITS))
    assert row.exact == pytest.approx(1 / 3)
    assert row.false_call == pytest.approx(2 / 3)
    assert row.escape == pytest.approx(1 / 10), "one screw and no nut, where there are two"
    assert row.decided == 1.0
    assert whole(counted([DOUBT], ("screw",), LIMITS)).decided == pytest.approx(1 / 3)


def test_figures_of_a_photo():
    right, short, doubt, _, dark = figures_of(counted(ALL, PARTS, LIMITS))
    assert right == {"exact": 1.0, "escape": 0.0, "false_call": 0.0, "decided": 1.0}
    assert short == {"exact": 0.5, "escape": pytest.approx(1 / 3), "false_call": 0.5, "decided": 1.0}
    assert doubt["decided"] == pytest.approx(3 / 5)
    assert (dark["decided"], dark["exact"]) == (0.0, 1.0)


def test_small_parts_are_in_doubt():
    limits = {"screw": PartLimits(0.6, 0.3, min_side_px=31.0)}
    found = counted([RIGHT], ("screw",), limits)
    assert (found.fewest.item(), found.most.item()) == (0, 2)


def test_of_a_part_that_was_not_measured_nothing_is_decided():
    limits = {**LIMITS, "nut": PartLimits(1.0, 0.05)}
    rows = by_part(counted(ALL, PARTS, limits))
    assert (rows["nut"].decided, rows["nut"].escape, rows["nut"].false_call) == (0.0, 0.0, 0.0)
    assert rows["screw"] == by_part(counted(ALL, PARTS, LIMITS))["screw"]
    assert whole(counted(ALL, PARTS, limits)).escape == 0.0


def test_the_worst_photos_come_first():
    found = worst(ALL, counted(ALL, PARTS, LIMITS), LIMITS, 10)
    assert [(each.photo, each.wrong, each.lost) for each in found] == [("mixed.jpg", 2, 1), ("short.jpg", 1, 1)]
    assert found[0].expected == {"screw": 0, "nut": 1}
    assert found[0].found == {"screw": "1", "nut": "0"}
    assert found[0].outcomes == {"screw": "FAIL", "nut": "FAIL"}
    assert len(worst(ALL, counted(ALL, PARTS, LIMITS), LIMITS, 1)) == 1


def test_risk_falls_as_doubt_widens():
    photos = [SHORT, RIGHT, seen("ghost", ["screw"], [("screw", 0.9, 0), ("screw", 0.55, 5)])] * 3
    drawn = curve(photos, ("screw",), {"screw": 0.5})
    first, last = drawn.points[0], drawn.points[-1]
    assert (first.width, last.width) == (0.0, 1.0)
    assert first.decided == 1.0
    assert last.decided < 0.5
    assert [each.decided for each in drawn.points] == sorted((each.decided for each in drawn.points), reverse=True)
    assert [each.escape for each in drawn.points] == sorted((each.escape for each in drawn.points), reverse=True)
    assert 0 < drawn.area < first.escape
    assert curve([RIGHT], ("screw",), {"screw": 0.5}).area == 0.0


def test_what_is_taken_for_what():
    edges = {"screw": 0.3, "nut": 0.3}
    found = confusion(ALL, PARTS, edges)
    assert found.parts == PARTS
    assert found.found == ((5, 0, 1), (1, 1, 0), (1, 0, 0))
    both = seen("both", ["screw"], [("nut", 0.95, 0), ("screw", 0.9, 0)])
    assert confusion([both], PARTS, edges).found == ((1, 0, 0), (0, 0, 0), (0, 1, 0))


def test_average_precision():
    perfect = [boxed(RIGHT)]
    assert average_precision(perfect, PARTS)["all"]["ap"] == pytest.approx(1.0)
    rows = average_precision([boxed(RIGHT), boxed(SHORT)], PARTS)
    assert set(rows) == {"all", "screw", "nut"}
    assert 0.7 < rows["screw"]["ap50"] < 0.8
    nothing = [((400, 100), np.array([place(0)], np.float32), ("screw",), ())]
    assert average_precision(nothing, PARTS) == {"all": {"ap": 0.0, "ap50": 0.0}, "screw": {"ap": 0.0, "ap50": 0.0}}
    assert average_precision([((400, 100), np.zeros((0, 4), np.float32), (), ())], PARTS) == {}
