"""Findings to a verdict, and a judge that did not run."""

from hypothesis import given
from hypothesis import strategies as st

from repairai.judge.decide import all_of, decide
from repairai.judge.region import WHOLE
from repairai.judge.state import check_state
from repairai.schema import State
from tests.judge.sights import sight

OUTCOMES = st.lists(st.sampled_from(["PASS", "FAIL", "UNCERTAIN"]))


def test_nothing_required_is_no_pass():
    assert decide([]).outcome == "UNCERTAIN"


def test_a_judge_that_did_not_run_never_passes():
    finding = check_state(State("Is the latch open?", "yes", "Is the latch closed?"), sight(), WHOLE, None)
    assert decide([finding]).outcome == "UNCERTAIN"
    assert "Is the latch open?" in finding.next_action


@given(OUTCOMES)
def test_kleene(outcomes):
    expected = "FAIL" if "FAIL" in outcomes else "UNCERTAIN" if "UNCERTAIN" in outcomes or not outcomes else "PASS"
    assert all_of(outcomes) == expected


@given(OUTCOMES, OUTCOMES)
def test_order_and_grouping_do_not_matter(first, second):
    assert all_of(first + second) == all_of(second + first)
    if first and second:
        assert all_of([all_of(first), all_of(second)]) == all_of(first + second)
