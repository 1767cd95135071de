"""What a photo must show: one row for each action in each view."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.schema import Action, Change, Count, PartAction, Requirement, State
from repairai.sop.actions import read_actions
from repairai.sop.requirement_text import read_requirement, write_requirement
from repairai.sop.requirements import questions_for, requirements_for, step_as_data

VIEWS = ("device", "mat", "before_after")


def written(text: str, view: str) -> list[str]:
    return [write_requirement(found) for found in requirements_for(read_actions(text), view)]


@pytest.mark.parametrize(
    ("text", "device", "mat", "before_after"),
    [
        ("Remove the four screws.", ["0 screw", "4+ screw_hole"], ["4 screw"], ["removed 4 screw"]),
        ("Remove the screws.", ["0 screw"], ["1+ screw"], ["removed 1+ screw"]),
        ("Remove two 3 mm and three 5 mm screws.", ["0 screw", "5+ screw_hole"], ["5 screw"], ["removed 5 screw"]),
        ("Remove two long screws and the short screws.", ["0 screw", "2+ screw_hole"], ["2+ screw"],
         ["removed 2+ screw"]),
        ("Remove three to five screws.", ["0 screw", "3+ screw_hole"], ["3-5 screw"], ["removed 3-5 screw"]),
        ("Remove at least two screws.", ["2+ screw_hole"], ["2+ screw"], ["removed 2+ screw"]),
        ("Remove up to two bolts.", ["0 bolt"], ["at most 2 bolt"], ["removed 1-2 bolt"]),
        ("Remove the back cover and the fan.", ["0 back_cover", "0 fan"], ["1 back_cover", "1 fan"],
         ["removed 1 back_cover", "removed 1 fan"]),
        ("Install four screws.", ["4 screw"], ["0 screw"], ["added 4 screw"]),
        ("Install the screws.", ["1+ screw"], ["0 screw"], ["added 1+ screw"]),
        ("Remove the battery. Insert the new battery.", ["1 battery"], [], []),
        ("Disconnect the two fan cables.", ["2+ unplugged_connector", "0 plugged_connector"], [],
         ["added 2 unplugged_connector", "removed 2 plugged_connector"]),
        ("Unplug the battery connector.", ["1+ unplugged_connector", "0 plugged_connector"], [],
         ["added 1 unplugged_connector", "removed 1 plugged_connector"]),
        ("Reconnect both cables.", ["2+ plugged_connector", "0 unplugged_connector"], [],
         ["added 2 plugged_connector", "removed 2 unplugged_connector"]),
        ("Disconnect the battery.", ["Is the battery disconnected? yes / Is the battery connected?"], [],
         ["Is the battery disconnected? yes / Is the battery connected?"]),
        ("Flip up the latch.", ["Is the latch open? yes / Is the latch closed?"], [],
         ["Is the latch open? yes / Is the latch closed?"]),
        ("Close the two clips.", ["Are the 2 clips closed? yes / Are the 2 clips open?"], [],
         ["Are the 2 clips closed? yes / Are the 2 clips open?"]),
        ("Tighten the lug nuts.", [], [], []),  # no photo shows how tight they are
        ("Remove two of the screws.", ["2+ screw_hole"], ["2 screw"], ["removed 2 screw"]),
        ("Install the other two screws.", ["2+ screw"], ["0 screw"], ["added 2 screw"]),
        ("Remove the other two screws.", ["0 screw", "2+ screw_hole"], ["2 screw"], ["removed 2 screw"]),
        ("Loosen the nut and remove it.", ["0 nut"], ["1 nut"], ["removed 1 nut"]),
        ("Do not remove the two screws.", ["2+ screw"], [], []),
        ("Do not remove the screws.", [], [], []),
        ("Do not disconnect the cable.", ["1+ plugged_connector"], [], []),
        ("Remove three bolts. Do not remove the other bolt.", ["1+ bolt"], ["3 bolt"], ["removed 3 bolt"]),
        ("Turn it over.", [], [], []),
    ],
)  # fmt: skip
def test_what_each_view_must_show(text: str, device: list[str], mat: list[str], before_after: list[str]):
    assert [written(text, view) for view in VIEWS] == [device, mat, before_after]


UNPLUGGED = "Is the battery connector unplugged? yes / Is the battery connector plugged in?"
PLUGGED = "Is the battery connector plugged in? yes / Is the battery connector unplugged?"


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("Disconnect the battery connector.", [UNPLUGGED]),
        ("Unplug the battery connector.", [UNPLUGGED]),
        ("Reconnect the battery connector.", [PLUGGED]),
        ("Disconnect the battery connector. Reconnect the battery connector.", [PLUGGED]),
        ("Disconnect the four fan connectors.",
         ["Are the 4 fan connectors unplugged? yes / Are the 4 fan connectors plugged in?"]),
        ("Disconnect the ribbon cable.", ["Is the ribbon cable unplugged? yes / Is the ribbon cable plugged in?"]),
        ("Disconnect the connector.", []),  # whichever it is: the count says as much
        ("Disconnect two of the fan connectors.", []),
        ("Remove the battery.", ["Is the battery removed? yes / Is the battery in place?"]),
        ("Remove the battery. Insert the new battery.", ["Is the battery in place? yes / Is the battery missing?"]),
        ("Remove the four screws.", []),
        ("Remove the two latches.", []),
        ("Open the latch.", []),  # it is required already
        ("Do not disconnect the battery connector.", []),
        ("Turn it over.", []),
    ],
)  # fmt: skip
def test_what_may_be_asked_beside_the_counts(text: str, questions: list[str]):
    actions = read_actions(text)
    assert [write_requirement(each) for each in questions_for(actions, "device")] == questions
    assert questions_for(actions, "mat") == ()
    assert not set(questions_for(actions, "device")) & set(requirements_for(actions, "device"))
    assert [each["text"] for each in step_as_data(text)["questions"]] == questions


def test_an_unknown_view_is_the_callers_mistake():
    with pytest.raises(ValueError, match="need view to be one of device, mat, before_after, got 'side'"):
        requirements_for((), "side")
    with pytest.raises(ValueError, match="need view to be one of"):
        questions_for((), "side")


def test_a_step_as_plain_data():
    data = step_as_data("Remove the two 3 mm screws.")
    assert data["actions"] == [
        {"action": "remove", "part": "screw", "count": 2, "span": [0, 26], "count_max": None, "size": "3 mm",
         "or_more": False, "among": ""}
    ]  # fmt: skip
    assert data["requirements"]["mat"] == [{"text": "2 screw", "part": "screw", "at_least": 2, "at_most": 2}]
    assert step_as_data("Remove the screws.")["actions"][0]["count"] is None


ACTIONS = st.builds(
    lambda action, part, count, more: PartAction(action, part, count, (0, 1), or_more=more and count is not None),
    st.sampled_from(Action.__args__),
    st.sampled_from(["screw", "bolt", "fan_cable", "connector", "latch", "battery"]),
    st.none() | st.integers(0, 9),
    st.booleans(),
)


@given(st.lists(ACTIONS, max_size=8), st.sampled_from(VIEWS))
def test_any_actions_give_requirements_that_can_be_typed(actions: list[PartAction], view: str):
    found = (*requirements_for(actions, view), *questions_for(actions, view))
    assert len(set(found)) == len(found)
    assert [read_requirement(write_requirement(each)) for each in found] == list(found)
    assert view == "before_after" or not [each for each in found if isinstance(each, Change)]


def test_requirements_are_records_of_the_schema():
    found: list[Requirement] = []
    for view in VIEWS:
        found += requirements_for(read_actions("Remove the two screws. Open the latch."), view)
    assert {type(each) for each in found} == {Count, Change, State}
