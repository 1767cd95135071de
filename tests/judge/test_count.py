"""Judge A: the count rule, the proof of absence, and what must hold for any detections at all."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.judge.count import check_count
from repairai.schema import Count, Detection, PartLimits, Sight, Visibility
from tests.judge.sights import CLEAR, FOUR, LIMITS, sight


@pytest.mark.parametrize(
    ("requirement", "seen", "outcome", "reason"),
    [
        # The brief's own example: three screws found, four required.
        (FOUR, sight(screw=[0.9] * 3, screw_hole=[0.9]), "FAIL", "count_short"),
        (FOUR, sight(screw=[0.9] * 4), "PASS", "count_met"),
        (FOUR, sight(screw=[0.9] * 5), "FAIL", "count_over"),
        (FOUR, sight(screw=[0.9] * 3 + [0.4], screw_hole=[0.9]), "UNCERTAIN", "count_ambiguous"),
        (FOUR, sight(screw=[0.9] * 4 + [0.4]), "UNCERTAIN", "count_ambiguous"),
        (FOUR, sight(screw=[0.9] * 3 + [0.1], screw_hole=[0.9]), "FAIL", "count_short"),
        # A missing screw has to be proven by its empty hole: it may be out of the frame or behind a hand.
        (FOUR, sight(screw=[0.9] * 3), "UNCERTAIN", "place_not_seen"),
        (FOUR, sight(screw=[0.9] * 3, screw_hole=[0.4]), "UNCERTAIN", "place_not_seen"),
        (FOUR, sight(), "UNCERTAIN", "place_not_seen"),
        (FOUR, sight(screw_hole=[0.9] * 4), "FAIL", "count_short"),
        # And so has a missing hole, by the screw that fills it.
        (Count("screw_hole", 2, 2), sight(screw_hole=[0.9]), "UNCERTAIN", "place_not_seen"),
        (Count("screw_hole", 2, 2), sight(screw_hole=[0.9], screw=[0.9]), "FAIL", "count_short"),
        (Count("screw_hole", 0, 0), sight(screw=[0.9]), "PASS", "count_met"),
        (Count("screw_hole", 0, 0), sight(), "UNCERTAIN", "place_not_seen"),
        (Count("screw", 0, 0), sight(screw_hole=[0.9]), "PASS", "count_met"),
        (Count("screw", 0, 0), sight(), "UNCERTAIN", "place_not_seen"),
        (Count("screw", 0, 3), sight(), "UNCERTAIN", "place_not_seen"),
        (Count("screw", 0, 3), sight(screw_hole=[0.9]), "PASS", "count_met"),
        (Count("screw", 0, 0), sight(screw=[0.9], screw_hole=[0.9]), "FAIL", "count_over"),
        (Count("battery", 0, 0), sight(screw=[0.9]), "UNCERTAIN", "place_not_seen"),
        (Count("battery", 1, None), sight(battery=[0.9] * 2), "PASS", "count_met"),
        (Count("battery", 1, None), sight(battery=[0.5]), "UNCERTAIN", "count_ambiguous"),
        (Count("battery", 1, None), sight(), "FAIL", "count_short"),
        (Count("screw", 0, 2), sight(screw=[0.9] * 2), "PASS", "count_met"),
        (Count("screw", 2, 4), sight(screw=[0.9] * 2 + [0.5] * 2), "PASS", "count_met"),
        (Count("fan", 1, 1), sight(screw=[0.9]), "UNCERTAIN", "unknown_part"),
        (FOUR, sight(Visibility(0.02, 0, 0.8, "too_dark"), screw=[0.9] * 4), "UNCERTAIN", "too_dark"),
        (FOUR, sight(Visibility(0.8, 0, 0.1, "too_blurred"), screw=[0.9] * 5), "UNCERTAIN", "too_blurred"),
    ],
)
def test_the_rule(requirement, seen, outcome, reason):
    finding = check_count(requirement, seen)
    assert (finding.outcome, finding.reason) == (outcome, reason)
    assert bool(finding.next_action) == (outcome != "PASS")


@pytest.mark.parametrize("seen", [[], [0.9], [1.0] * 4])
@pytest.mark.parametrize("view", ["device", "mat"])
@pytest.mark.parametrize("wanted", [Count("screw", 4, 4), Count("screw", 0, 0), Count("screw", 1, None)])
def test_nothing_is_decided_of_a_part_that_was_not_measured(wanted: Count, view, seen: list[float]):
    detections = tuple(Detection("screw", score, (40.0 * at, 0, 40.0 * at + 30, 30)) for at, score in enumerate(seen))
    finding = check_count(wanted, Sight(detections, {"screw": PartLimits(1.0, 0.05)}, CLEAR), view)
    assert (finding.outcome, finding.reason) == ("UNCERTAIN", "unmeasured_part")


def test_on_the_mat_nothing_hides_a_missing_screw():
    finding = check_count(FOUR, sight(screw=[0.9] * 3), "mat")
    assert (finding.outcome, finding.reason, finding.interval) == ("FAIL", "count_short", (3, 3))


def test_a_part_too_small_to_be_sure_of_is_in_doubt():
    tiny = Detection("screw", 0.95, (200.0, 200.0, 206.0, 206.0), small=True)
    seen = Sight((*sight(screw=[0.9] * 3).detections, tiny), LIMITS, CLEAR)
    finding = check_count(FOUR, seen)
    assert (finding.outcome, finding.reason, finding.interval) == ("UNCERTAIN", "too_small", (3, 4))
    assert "closer" in finding.next_action


def test_the_finding_says_what_would_flip_it():
    doubt = check_count(FOUR, sight(screw=[0.9] * 3 + [0.55], screw_hole=[0.9]))
    assert "scored 0.55; it counts from 0.60" in doubt.flips
    assert "under 0.60" in check_count(FOUR, sight(screw=[0.9] * 3 + [0.7])).flips
    assert check_count(FOUR, sight(screw=[0.9], screw_hole=[0.9] * 3)).flips == "3 more would make it a PASS."


# ---- what must hold for any detections


SCORES = st.floats(0, 1)
BOXES = st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 90), st.integers(1, 90)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
DETECTIONS = st.lists(st.builds(Detection, st.sampled_from(sorted(LIMITS)), SCORES, BOXES), max_size=12)
COUNTS = st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)).map(
    lambda b: Count("screw", b[0], None if b[1] is None else b[0] + b[1])
)


@given(DETECTIONS, COUNTS, st.randoms())
def test_the_order_of_detections_does_not_matter(found, requirement, order: random.Random):
    mixed = list(found)
    order.shuffle(mixed)
    assert check_count(requirement, Sight(tuple(found), LIMITS, CLEAR)) == check_count(
        requirement, Sight(tuple(mixed), LIMITS, CLEAR)
    )


@given(DETECTIONS, st.integers(0, 6))
def test_one_more_sure_screw_never_takes_a_pass_from_at_least(found, at_least):
    requirement, more = Count("screw", at_least, None), Detection("screw", 0.99, (950.0, 950.0, 990.0, 990.0))
    first = check_count(requirement, Sight(tuple(found), LIMITS, CLEAR)).outcome
    second = check_count(requirement, Sight((*found, more), LIMITS, CLEAR)).outcome
    assert second == "PASS" or first != "PASS"


@given(DETECTIONS, COUNTS, st.floats(0, 0.4), st.floats(0, 0.3))
def test_a_wider_middle_never_decides_more(found, requirement, up, down):
    wide = dict(LIMITS)
    wide["screw"] = PartLimits(0.6 + up, 0.3 - down, empty_place="screw_hole")
    narrow = check_count(requirement, Sight(tuple(found), LIMITS, CLEAR)).outcome
    wider = check_count(requirement, Sight(tuple(found), wide, CLEAR)).outcome
    assert wider in (narrow, "UNCERTAIN") or narrow == "UNCERTAIN"
    if narrow == "UNCERTAIN" and wider == "PASS":
        # Only a proof of absence can have come within reach, never a sharper count.
        assert requirement.at_most == 0 or requirement.at_least == 0


@given(DETECTIONS, COUNTS)
def test_a_photo_that_shows_nothing_never_passes(found, requirement):
    for problem in ("too_dark", "too_bright", "too_blurred"):
        blind = Sight(tuple(found), LIMITS, Visibility(0.5, 0, 0.5, problem))
        assert check_count(requirement, blind).outcome == "UNCERTAIN"
