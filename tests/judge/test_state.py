"""Two answers to a finding: what is settled, what stays open, and with which words."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repairai.judge.count import check_count
from repairai.judge.decide import decide
from repairai.judge.region import WHOLE, Region
from repairai.judge.state import Answered, by_person, check_state, unasked, weigh
from repairai.schema import Count, State, StateLimits, Visibility
from tests.judge.sights import FOUR, sight

OPEN = State("Is the latch open?", "yes", "Is the latch closed?")
SHUT = State("Is the latch open?", "no", "Is the latch closed?")
MEASURED = StateLimits(0.9, sources=80)
SEEN = sight()


def said(yes: float, opposite: float, limits: StateLimits = MEASURED) -> Answered:
    return Answered(yes, opposite, limits)


@pytest.mark.parametrize(
    ("requirement", "yes", "opposite", "outcome", "reason"),
    [
        (OPEN, 0.97, 0.02, "PASS", "state_met"),
        (OPEN, 0.03, 0.98, "FAIL", "state_missed"),
        (SHUT, 0.03, 0.98, "PASS", "state_met"),
        (SHUT, 0.97, 0.02, "FAIL", "state_missed"),
        (OPEN, 0.97, 0.2, "UNCERTAIN", "state_unsure"),
        (OPEN, 0.6, 0.4, "UNCERTAIN", "state_unsure"),
        (OPEN, 0.97, 0.97, "UNCERTAIN", "state_contradicted"),
        (OPEN, 0.1, 0.1, "UNCERTAIN", "state_contradicted"),
        (OPEN, 0.5, 0.5, "UNCERTAIN", "state_unsure"),
        (OPEN, 1.0, 0.0, "PASS", "state_met"),
        (OPEN, 0.0, 1.0, "FAIL", "state_missed"),
    ],
)
def test_two_answers(requirement: State, yes: float, opposite: float, outcome: str, reason: str):
    finding = check_state(requirement, SEEN, WHOLE, said(yes, opposite))
    assert (finding.outcome, finding.reason) == (outcome, reason)
    assert finding.probability == pytest.approx((yes + 1 - opposite) / 2, abs=1e-6)
    assert finding.expected == f"{requirement.question} {requirement.expected}"
    assert bool(finding.next_action) == (outcome != "PASS")


def test_what_was_not_measured_is_a_hint_only():
    finding = check_state(OPEN, SEEN, WHOLE, said(1.0, 0.0, StateLimits()))
    assert (finding.outcome, finding.reason) == ("UNCERTAIN", "unmeasured_judge")
    assert "hint" in finding.found
    assert "leans to yes" in finding.found
    assert finding.probability == pytest.approx(1.0)


def test_nobody_to_ask():
    finding = check_state(OPEN, SEEN, WHOLE, None)
    assert (finding.outcome, finding.reason, finding.probability) == ("UNCERTAIN", "state_unknown", None)
    assert "Look for yourself, and say what you see: Is the latch open?" in finding.next_action


def test_a_fault_is_told_and_settles_nothing():
    fault = Answered(fault="the judge at http://127.0.0.1:9 did not answer in 20 seconds; start it.")
    finding = check_state(OPEN, SEEN, WHOLE, fault)
    assert (finding.outcome, finding.reason) == ("UNCERTAIN", "judge_failed")
    assert "The judge at http://127.0.0.1:9 did not answer in 20 seconds; start it." in finding.next_action


@pytest.mark.parametrize("question", ["Is the screw tight?", "Is the battery charged?", "?", "Does the fan work?"])
@pytest.mark.parametrize("answered", [None, said(1.0, 0.0)])
def test_what_no_photo_shows_is_not_asked(question: str, answered: Answered | None):
    finding = check_state(State(question, "yes", "Is it not?"), SEEN, WHOLE, answered)
    assert (finding.outcome, finding.reason) == ("UNCERTAIN", "not_observable")
    assert finding.next_action.count(".") == 1, "one sentence"
    assert unasked(finding.requirement, SEEN, WHOLE) == finding


def test_a_question_that_is_its_own_opposite():
    finding = check_state(State("Is it open?", "yes", "is it  open?"), SEEN, WHOLE, said(1.0, 0.0))
    assert finding.reason == "not_observable"
    assert "the same question once more" in finding.next_action


def test_a_photo_that_shows_nothing():
    for problem in ("too_dark", "too_bright", "too_blurred"):
        dark = sight(Visibility(0.1, 0.0, 0.1, problem))
        finding = check_state(OPEN, dark, WHOLE, said(1.0, 0.0))
        assert (finding.outcome, finding.reason) == ("UNCERTAIN", problem)
        assert check_state(OPEN, dark, WHOLE, None).reason == "state_unknown", "better light would not help"


def test_a_place_that_is_not_in_the_photo():
    gone = Region(None, ("battery",), missing=True, why="No battery is seen: take a photo with it in view.")
    finding = check_state(OPEN, SEEN, gone, said(1.0, 0.0))
    assert (finding.outcome, finding.reason) == ("UNCERTAIN", "place_not_seen")
    assert finding.next_action == gone.why


def test_where_it_looked_is_told():
    box = (1.0, 2.0, 30.0, 40.0)
    assert check_state(OPEN, SEEN, Region(box, ("battery",)), said(0.97, 0.02)).region == box
    assert check_state(OPEN, SEEN, WHOLE, said(0.97, 0.02)).region is None


def test_scale_and_shift_are_those_of_log_odds():
    # 0.9 is log-odds 2.197; times 2 and less 1 they are 3.394: 0.9675.
    weighed = weigh(0.9, 0.1, StateLimits(0.95, scale=2.0, shift=-1.0))
    assert weighed.question == pytest.approx(1 / (1 + math.exp(-(2 * math.log(9) - 1))))
    assert weighed.opposite == pytest.approx(weighed.question)
    assert weighed.answer == "yes"


def test_every_open_end_has_its_own_next_action():
    gone = Region(None, ("battery",), missing=True, why="No battery is seen.")
    found = [
        check_state(OPEN, SEEN, WHOLE, None),
        check_state(OPEN, SEEN, WHOLE, said(1, 0, StateLimits())),
        check_state(OPEN, SEEN, WHOLE, said(0.6, 0.4)),
        check_state(OPEN, SEEN, WHOLE, said(0.9, 0.9)),
        check_state(OPEN, SEEN, WHOLE, Answered(fault="it is down.")),
        check_state(OPEN, SEEN, gone, said(1, 0)),
        check_state(OPEN, sight(Visibility(0, 0, 0, "too_dark")), WHOLE, said(1, 0)),
        check_state(State("Is it tight?", "yes", "Is it loose?"), SEEN, WHOLE, None),
    ]
    assert len({each.reason for each in found}) == len({each.next_action for each in found}) == len(found)


def test_a_person_settles_it_and_what_the_judge_said_stays():
    open_end = check_state(OPEN, SEEN, WHOLE, said(0.6, 0.4))
    yes, no = by_person(open_end, "yes"), by_person(open_end, "no")
    assert (yes.outcome, no.outcome, yes.reason) == ("PASS", "FAIL", "person_said")
    assert yes.probability == open_end.probability
    assert by_person(check_state(SHUT, SEEN, WHOLE, None), "no").outcome == "PASS"
    with pytest.raises(ValueError, match="need a finding of a state"):
        by_person(check_count(FOUR, SEEN), "yes")
    with pytest.raises(ValueError, match="yes or no"):
        by_person(open_end, "maybe")


def test_answers_check_themselves():
    with pytest.raises(ValueError, match="need both answers or a fault"):
        Answered(0.5)
    with pytest.raises(ValueError, match="need probabilities"):
        Answered(0.5, float("nan"))


# ---- what holds of all answers

SHARES = st.floats(0, 1)
SURE = st.floats(0.5, 1)
SCALES = st.floats(0.05, 20)
SHIFTS = st.floats(-10, 10)
EXPECTED = st.sampled_from(["yes", "no"])
ANSWERS = st.builds(
    Answered, SHARES, SHARES, st.builds(StateLimits, SURE, SCALES, SHIFTS), st.sampled_from(["", "it is down."])
)


@given(EXPECTED, st.none() | ANSWERS)
def test_the_same_answers_give_the_same_finding(expected, answered):
    state = State(OPEN.question, expected, OPEN.opposite)
    first, second = (check_state(state, SEEN, WHOLE, answered) for _ in range(2))
    assert first == second


@given(EXPECTED, SHARES, SHARES, SURE, SURE, SCALES, SHIFTS)
def test_asking_for_more_never_settles_more(expected, yes, opposite, low, high, scale, shift):
    low, high = sorted((low, high))
    state = State(OPEN.question, expected, OPEN.opposite)
    easy, strict = (
        check_state(state, SEEN, WHOLE, said(yes, opposite, StateLimits(sure, scale, shift))).outcome
        for sure in (low, high)
    )
    assert strict in (easy, "UNCERTAIN")


@given(EXPECTED, SHARES, SHARES, SURE, SCALES, SHIFTS)
def test_the_question_and_its_opposite_change_places(expected, yes, opposite, sure, scale, shift):
    other = "no" if expected == "yes" else "yes"
    one = check_state(
        State(OPEN.question, expected, OPEN.opposite), SEEN, WHOLE, said(yes, opposite, StateLimits(sure, scale, shift))
    )
    # What was measured of a question holds of its opposite the other way round.
    two = check_state(
        State(OPEN.opposite, other, OPEN.question), SEEN, WHOLE, said(opposite, yes, StateLimits(sure, scale, -shift))
    )
    assert (one.outcome, one.reason) == (two.outcome, two.reason)
    assert one.probability == pytest.approx(1 - two.probability)


@given(EXPECTED, SHARES, SHARES, SCALES, SHIFTS)
def test_nothing_measured_decides_nothing(expected, yes, opposite, scale, shift):
    state = State(OPEN.question, expected, OPEN.opposite)
    finding = check_state(state, SEEN, WHOLE, said(yes, opposite, StateLimits(1.0, scale, shift)))
    assert finding.outcome == "UNCERTAIN"


@given(st.text(max_size=40), EXPECTED, st.booleans())
def test_without_a_reasoner_nothing_passes(question, expected, missing):
    state = State(question + "?", expected, "Is it not?")
    assert check_state(state, SEEN, Region(missing=missing, why="Look."), None).outcome == "UNCERTAIN"


@given(st.integers(0, 3), EXPECTED, st.none() | ANSWERS)
def test_a_state_never_overturns_a_counted_fail(screws: int, expected, answered):
    seen = sight(screw=[0.9] * screws, screw_hole=[0.9] * (4 - screws))
    counted = check_count(Count("screw", 4, 4), seen)
    assert counted.outcome == "FAIL"
    state = check_state(State(OPEN.question, expected, OPEN.opposite), seen, WHOLE, answered)
    assert decide([counted, state]).outcome == decide([state, counted]).outcome == "FAIL"
    assert decide([counted, by_person(state, expected)]).outcome == "FAIL", "nor does a person's answer to another one"


@given(SHARES, SHARES, st.builds(StateLimits, SURE, SCALES, SHIFTS))
def test_both_answers_have_to_agree(yes, opposite, limits):
    weighed = weigh(yes, opposite, limits)
    assume(weighed.answer)
    assert not weighed.split
    both = (weighed.question, weighed.opposite)
    assert min(both) >= 0.5 if weighed.answer == "yes" else max(both) <= 0.5
