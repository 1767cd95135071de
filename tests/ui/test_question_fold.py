"""A question of state is added with its wanted answer and its opposite."""

from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.judge import judges
from repairai.judge.limits import limits_path, write_limits
from repairai.schema import State, StateLimits
from repairai.sop.requirement_text import read_requirement
from repairai.ui.photo_check import read_requirements
from repairai.ui.question_fold import add_offered, add_question, as_question, offer, parted, proposed, state_of
from repairai.ui.step_choice import chosen
from repairai.ui.workbench import Workbench


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


BATTERY = State("Is the battery connector unplugged?", "yes", "Is the battery connector plugged in?")
LINE = "Is the battery connector unplugged? yes / Is the battery connector plugged in?"


def test_what_a_step_may_be_asked_is_offered(home: Path):
    assert parted([BATTERY]) == ([], [BATTERY])
    shown = offer([BATTERY], "no plugged_connector")
    assert shown.visible
    assert shown.choices == [(BATTERY.question, LINE)]
    assert not offer([BATTERY], f"4 screw\n{LINE}").visible
    assert add_offered("4 screw", LINE)[0] == f"4 screw\n{LINE}"
    assert not isinstance(add_offered(LINE, LINE)[0], str)
    assert not isinstance(add_offered("4 screw", None)[0], str)


def test_what_the_judge_in_use_can_settle_is_asked_at_once(home: Path):
    address = "http://127.0.0.1:9"
    judges.use(judges.Judge("near", "server", address))
    assert parted([BATTERY]) == ([], [BATTERY])
    write_limits(limits_path(address), {BATTERY.question: StateLimits(0.8), BATTERY.opposite: StateLimits(0.8)})
    assert parted([BATTERY]) == ([BATTERY], [])
    *_, wanted, more = chosen(Workbench(), ("sample-e-reader-battery", 3), "device")
    assert LINE in wanted.splitlines()
    assert not more.visible


def test_a_damaged_register_takes_no_step_away(home: Path):
    judges.register_path().parent.mkdir(parents=True)
    judges.register_path().write_text("{")
    *_, wanted, more = chosen(Workbench(), ("sample-e-reader-battery", 3), "device")
    assert wanted
    assert LINE not in wanted
    assert more.visible
