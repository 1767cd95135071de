"""A question of state is added with its wanted answer and its opposite."""

import pytest

from repairai.errors import RepairError
from repairai.schema import State
from repairai.sop.requirement_text import read_requirement
from repairai.ui.photo_check import read_requirements
from repairai.ui.question_fold import add_question, as_question, proposed, state_of


def test_a_question_is_added_below_what_is_there():
    wanted, question, opposite, said = add_question("4 screw", "Is the lid open", "no", "Is the lid closed?")
    assert wanted == "4 screw\nIs the lid open? no / Is the lid closed?"
    assert (question, opposite, said) == ("", "", "")
    assert read_requirement(wanted.splitlines()[1]) == State("Is the lid open?", "no", "Is the lid closed?")


def test_its_opposite_is_proposed():
    assert proposed("Is the battery connector unplugged") == "Is the battery connector plugged in?"
    assert proposed("Is it foobar?") == ""
    assert proposed("") == ""
    assert add_question("", "Is the lid open?", "yes", "")[0] == "Is the lid open? yes / Is the lid closed?"


def test_what_no_photo_shows_is_said():
    wanted, *_, said = add_question("", "Is the screw tight?", "yes", "Is the screw loose?")
    assert wanted
    assert "no judge is asked, you look for yourself" in said


@pytest.mark.parametrize(
    ("question", "opposite", "said"),
    [("", "", "no question yet"), ("  ", "x?", "no question yet"), ("Is it foobar?", "", "no opposite yet"),
     ("Is it foobar?", "is it Foobar", "the question itself")],
)  # fmt: skip
def test_what_is_missing_is_said_in_a_sentence(question: str, opposite: str, said: str):
    with pytest.raises(RepairError, match=said):
        state_of(question, "yes", opposite)
    assert said in add_question("4 screw", question, "yes", opposite)[3]


def test_a_question_stands_on_one_line_and_ends_in_its_mark():
    assert as_question(" Is the\n lid  open. ") == "Is the lid open?"
    assert as_question("Is it on?") == "Is it on?"
    assert as_question(None) == ""


def test_a_question_alone_on_a_line_is_completed():
    assert read_requirements("4 screw\nIs the latch open?\n")[1] == State(
        "Is the latch open?", "yes", "Is the latch closed?"
    )
