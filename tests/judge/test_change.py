"""Judge A for two photos: a change is claimed only where the places bear it out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.judge.change import check_change
from repairai.schema import Change, Detection, Sight, Visibility
from tests.judge.sights import CLEAR, LIMITS, sight

FULL, EMPTY, BLANK = sight(screw=[0.9] * 4), sight(screw_hole=[0.9] * 4), sight()
HALF = sight(screw=[0.9] * 2)
"""Of four screws two are in the frame."""


def mixed(screws: int, holes: int) -> Sight:
    """A photo of so many screws and holes."""
    return sight(screw=[0.9] * screws, screw_hole=[0.9] * holes)


@pytest.mark.parametrize(
    ("before", "after", "outcome", "reason"),
    [
        (FULL, EMPTY, "PASS", "change_met"),
        (FULL, mixed(1, 3), "FAIL", "change_missing"),
        (FULL, FULL, "FAIL", "change_missing"),
        (FULL, sight(screw=[0.4], screw_hole=[0.9] * 3), "UNCERTAIN", "change_ambiguous"),
        # The screws are gone, and so are their places: the second photo looks elsewhere.
        (FULL, BLANK, "UNCERTAIN", "place_not_seen"),
        # The first photo is cut, looks elsewhere, or was taken when all was done.
        (HALF, EMPTY, "UNCERTAIN", "place_not_seen"),
        (BLANK, FULL, "UNCERTAIN", "place_not_seen"),
        (EMPTY, EMPTY, "UNCERTAIN", "place_not_seen"),
        (None, FULL, "UNCERTAIN", "no_photo_before"),
        (sight(Visibility(0.02, 0, 0.8, "too_dark")), BLANK, "UNCERTAIN", "too_dark"),
    ],
)
def test_four_screws_removed(before, after, outcome, reason):
    finding = check_change(Change("screw", "removed", 4, 4), before, after)
    assert (finding.outcome, finding.reason) == (outcome, reason)
    assert bool(finding.next_action) == (outcome != "PASS")


@pytest.mark.parametrize(
    ("before", "after", "outcome", "reason"),
    [
        (EMPTY, FULL, "PASS", "change_met"),
        (EMPTY, mixed(3, 1), "FAIL", "change_missing"),
        (EMPTY, EMPTY, "FAIL", "change_missing"),
        (EMPTY, BLANK, "UNCERTAIN", "place_not_seen"),
        (EMPTY, HALF, "UNCERTAIN", "place_not_seen"),
        (FULL, FULL, "UNCERTAIN", "place_not_seen"),
    ],
)
def test_four_screws_added(before, after, outcome, reason):
    finding = check_change(Change("screw", "added", 4, 4), before, after)
    assert (finding.outcome, finding.reason) == (outcome, reason)


def test_too_many_removed_is_told_as_such_where_their_holes_are_seen():
    two = Change("screw", "removed", 2, 2)
    finding = check_change(two, FULL, mixed(1, 3))
    assert (finding.outcome, finding.reason) == ("FAIL", "change_over")
    assert "1 screw too many gone" in finding.next_action
    assert check_change(two, FULL, BLANK).reason == "place_not_seen"


def test_a_part_without_places_needs_photos_that_match():
    added, removed = Change("battery", "added", 1, 1), Change("battery", "removed", 1, 1)
    without, with_one = sight(screw=[0.9]), sight(screw=[0.9], battery=[0.9])
    assert check_change(added, without, with_one).outcome == "PASS"
    assert check_change(added, with_one, without).outcome == "FAIL"
    assert check_change(added, without, without).outcome == "FAIL"
    assert check_change(removed, with_one, with_one).outcome == "FAIL"
    assert check_change(removed, without, without).reason == "place_not_seen"
    assert check_change(added, without, with_one, same_view=False).reason == "view_differs"


BOXES = st.integers(0, 900).map(lambda x: (float(x), 0.0, x + 30.0, 30.0))
DETECTIONS = st.lists(st.builds(Detection, st.sampled_from(sorted(LIMITS)), st.floats(0, 1), BOXES), max_size=8)
CHANGES = st.builds(
    Change, st.just("screw"), st.sampled_from(["removed", "added"]), st.integers(1, 4), st.none() | st.just(4)
)


@given(CHANGES, DETECTIONS)
def test_a_photo_that_shows_no_place_decides_nothing(requirement, found):
    seen = Sight(tuple(found), LIMITS, CLEAR)
    elsewhere = sight(battery=[0.9])
    for before, after in ((seen, elsewhere), (elsewhere, seen)):
        finding = check_change(requirement, before, after, same_view=False)
        assert finding.outcome == "UNCERTAIN"


@given(CHANGES, DETECTIONS)
def test_the_same_photo_twice_is_no_change(requirement, found):
    seen = Sight(tuple(found), LIMITS, CLEAR)
    assert check_change(requirement, seen, seen).outcome != "PASS"
