"""Requirements as a person types them, forth and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.errors import RepairError
from repairai.schema import Change, Count, Requirement, State
from repairai.sop.requirement_text import read_requirement, write_requirement

LATCH = State("Is the latch open?", "yes", "Is the latch closed?")


@pytest.mark.parametrize(
    ("typed", "requirement"),
    [
        ("4 screw", Count("screw", 4, 4)),
        ("four screws", Count("screw", 4, 4)),
        ("  Four  Screws ", Count("screw", 4, 4)),
        ("exactly 4 screws", Count("screw", 4, 4)),
        ("4x screws", Count("screw", 4, 4)),
        ("twenty-one screws", Count("screw", 21, 21)),
        ("0 screw", Count("screw", 0, 0)),
        ("no screws", Count("screw", 0, 0)),
        ("2-4 screw", Count("screw", 2, 4)),
        ("two to four screws", Count("screw", 2, 4)),
        ("between two and 4 screws", Count("screw", 2, 4)),
        ("at least 2 batteries", Count("battery", 2, None)),
        (">=2 battery", Count("battery", 2, None)),
        ("≥ 2 battery", Count("battery", 2, None)),
        ("2+ battery", Count("battery", 2, None)),
        ("two or more batteries", Count("battery", 2, None)),
        ("at most 3 screw", Count("screw", 0, 3)),
        ("<=3 screw", Count("screw", 0, 3)),
        ("up to 3 screw holes", Count("screw_hole", 0, 3)),
        ("2 battery-connectors", Count("battery_connector", 2, 2)),
        ('2 "Odd Name"', Count("Odd Name", 2, 2)),
        ("removed 4 screw", Change("screw", "removed", 4, 4)),
        ("Added 2+ screws", Change("screw", "added", 2, None)),
        ("Is the latch open? yes / Is the latch closed?", LATCH),
        ("Is the latch open?  YES/Is the latch closed?", LATCH),
        ("Is it loose? no / Is it tight?", State("Is it loose?", "no", "Is it tight?")),
    ],
)
def test_what_can_be_typed(typed: str, requirement: Requirement):
    assert read_requirement(typed) == requirement


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "it does not begin with a number"),
        ("screw", "it does not begin with a number"),
        ("many screws", "it does not begin with a number"),
        ("4", "it does not say which part"),
        ("4 5 screws", "it does not say which part"),
        ("4-2 screw", "4 is more than 2"),
        ("removed no screw", "a change is at least 1"),
        ("Is the latch open?", "a question needs its answer and its opposite"),
        ("Is the latch open? yes", "a question needs its answer and its opposite"),
        ("?", "the question is empty"),
        ("? yes / ?", "the question is empty"),
        ('4 "screw', "its quotes do not close"),
        ("4 screws " * 1000, "it has more than 2000 characters"),
    ],
)
def test_what_cannot_says_why_and_shows_examples(typed: str, why: str):
    with pytest.raises(RepairError) as error:
        read_requirement(typed)
    assert error.value.what.endswith(f"is no requirement: {why}")
    assert '"4 screw"' in str(error.value)
    assert len(str(error.value)) < 300


PARTS = st.text(min_size=1, max_size=20) | st.sampled_from(["screw", "screws", "screw_hole", "no", "x", "2", "or more"])
COUNTS = st.builds(
    lambda part, least, more: Count(part, least, None if more is None else least + more),
    PARTS,
    st.integers(0, 10**6),
    st.none() | st.integers(0, 10**6),
)
CHANGES = st.builds(
    lambda part, direction, least, more: Change(part, direction, least, None if more is None else least + more),
    PARTS,
    st.sampled_from(["removed", "added"]),
    st.integers(1, 10**6),
    st.none() | st.integers(0, 10**6),
)
QUESTIONS = st.text(max_size=30).map(lambda text: text + "?")
STATES = st.builds(State, QUESTIONS, st.sampled_from(["yes", "no"]), QUESTIONS)


@given(COUNTS | CHANGES | STATES)
def test_what_is_written_is_read_as_the_same(requirement: Requirement):
    assert read_requirement(write_requirement(requirement)) == requirement


@given(st.text() | st.from_regex(r'(removed |at least |no |four |\d+)[ -]*(\d*|or more|x|\+) ?[a-z_" ?/]*'))
def test_any_text_is_a_requirement_or_an_error_for_the_person(typed: str):
    try:
        requirement = read_requirement(typed)
    except RepairError:
        return
    assert read_requirement(write_requirement(requirement)) == requirement
