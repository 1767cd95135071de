"""Where in a photo a question is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.judge.region import LEAST_PX, WHOLE, Region, padded, region
from repairai.schema import Detection, PartLimits, Sight
from tests.judge.sights import CLEAR
from training.judge.places import named, place_words

LIMITS = {
    "screw": PartLimits(0.6, 0.3, empty_place="screw_hole"),
    "screw_hole": PartLimits(0.6, 0.3),
    "battery": PartLimits(0.6, 0.3),
    "plugged_connector": PartLimits(0.6, 0.3, empty_place="unplugged_connector"),
    "unplugged_connector": PartLimits(0.6, 0.3),
}
SIDE = 20


def at(label: str, left: float, top: float, score: float = 0.9) -> Detection:
    return Detection(label, score, (left, top, left + SIDE, top + SIDE))


def seen(*found: Detection) -> Sight:
    return Sight(found, LIMITS, CLEAR)


def look(question: str, *found: Detection) -> Region:
    return region(question, seen(*found), 640, 480)


CORNERS = (at("screw", 100, 100), at("screw_hole", 300, 104), at("screw", 98, 300), at("screw", 302, 301))


@pytest.mark.parametrize(
    ("question", "corner"),
    [
        ("Is the top-left screw in place?", 0),
        ("Is the upper right screw missing?", 1),
        ("Is the bottom-left screw in place?", 2),
        ("Is the screw in the lower right corner in place?", 3),
    ],
)
def test_words_of_place_choose_among_several(question: str, corner: int):
    found = look(question, *CORNERS)
    left, top, _, _ = CORNERS[corner].box
    assert found.box == padded((left, top, left + SIDE, top + SIDE), 640, 480)
    assert set(found.labels) == {"screw", "screw_hole"}
    assert found == look(question, *reversed(CORNERS)), "whatever the order of detections"


def test_a_place_that_is_not_seen_is_not_taken_for_another():
    for gone in range(4):
        rest = [each for each in CORNERS if each is not CORNERS[gone]]
        name = ["top-left", "top-right", "bottom-left", "bottom-right"][gone]
        assert look(f"Is the {name} screw in place?", *rest).missing
    only = look("Is the top-left screw in place?", CORNERS[1], CORNERS[3])
    assert only.missing, "two in one column say nothing of left and right"
    assert "cannot be told apart" in only.why


def test_rows_and_columns():
    row = [at("screw", x, 100) for x in (100, 200, 300)]
    boxes = [look(f"Is the {side} screw in place?", *row).box for side in ("left", "middle", "right")]
    assert boxes[0][0] < boxes[2][0]
    assert boxes[0][0] < boxes[1][0] < boxes[2][0]
    assert look("Is the middle screw in place?", *row[:2]).missing, "of two, none is in the middle"
    assert look("Is the middle screw in place?", *CORNERS).missing
    assert look("Is the top screw in place?", *row).missing
    assert look("Is the left screw in place?", *CORNERS).missing, "two of them are"


def test_one_of_several_has_to_be_told():
    two = (at("plugged_connector", 50, 50), at("unplugged_connector", 200, 60))
    found = look("Is the battery connector unplugged?", *two)
    assert found.missing
    assert "2 places may be meant" in found.why
    every = look("Are the connectors unplugged?", *two)
    assert not every.missing
    assert every.box[0] <= 50
    assert every.box[2] >= 220


def test_a_place_that_is_seen_as_two_labels_is_one():
    both = (at("plugged_connector", 50, 50, 0.7), at("unplugged_connector", 54, 52, 0.5))
    assert look("Is the battery connector unplugged?", *both).box == padded((50, 50, 70, 70), 640, 480)


def test_what_the_detector_does_not_know_is_looked_for_in_the_whole_photo():
    assert look("Is the latch open?", *CORNERS) == WHOLE


def test_a_part_that_the_detector_knows_but_does_not_see():
    found = look("Is the battery connector unplugged?", *CORNERS)
    assert found.missing
    assert found.why.startswith("No connector is seen")
    weak = look("Is the battery connector unplugged?", at("plugged_connector", 50, 50, 0.2))
    assert weak.missing, "under maybe, nothing is there"


def test_whether_a_part_is_gone_is_asked_of_the_whole_photo():
    for found in ([], [at("battery", 10, 10)]):
        assert look("Is the battery removed?", *found) == Region(labels=("battery",))
    assert look("Is the battery swollen?", at("battery", 10, 10)).box is not None


def test_a_part_that_is_too_small():
    tiny = Detection("battery", 0.9, (10, 10, 10 + LEAST_PX - 2, 14))
    found = look("Is the battery bent?", tiny)
    assert found.missing
    assert found.reason == "too_small"


BOXES = st.tuples(*[st.floats(0, 600)] * 2, *[st.floats(0.5, 300)] * 2).map(
    lambda each: (each[0], each[1], each[0] + each[2], each[1] + each[3])
)


@given(BOXES, st.integers(1, 900), st.integers(1, 900))
def test_the_padded_box_lies_in_the_photo(box, width: int, height: int):
    left, top, right, bottom = padded(box, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert all(each == int(each) for each in (left, top, right, bottom))
    if box[2] <= width and box[3] <= height:
        assert left <= box[0]
        assert top <= box[1]
        assert right >= box[2]
        assert bottom >= box[3]


@given(st.permutations(CORNERS), st.floats(0.5, 3), st.integers(0, 20))
def test_the_same_place_whatever_order_and_scale(corners, scale: float, moved: int):
    scaled = [Detection(e.label, e.score, tuple(scale * v + moved for v in e.box)) for e in corners]
    found = region("Is the top-left screw in place?", seen(*scaled), 2000, 2000)
    reason = found.reason if found.missing else ""
    assert reason in ("", "too_small")
    if not found.missing:
        assert found.box == padded(tuple(scale * v + moved for v in CORNERS[0].box), 2000, 2000)


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (2, 3), (3, 2), (3, 3)])
def test_a_judge_is_asked_about_the_place_that_it_was_taught_by_that_name(rows: int, columns: int):
    """What names the places of training photos, and what finds them at the bench, mean the same."""
    grid = [at("screw", 60 + 150 * column, 60 + 120 * row) for row in range(rows) for column in range(columns)]
    words = place_words([each.box for each in grid])
    for each, word in zip(grid, words, strict=True):
        found = look(named("Is the screw in place?", word), *grid)
        assert found.box == padded(each.box, 640, 480), word
