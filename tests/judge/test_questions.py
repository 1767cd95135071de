"""What questions of state ask, in many phrasings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.judge.questions import (
    completed,
    key,
    labels_for,
    observable,
    opposite_of,
    position,
    presence,
    several,
)

LABELS = ("screw", "screw_hole", "battery", "plugged_connector", "unplugged_connector", "fan", "back_cover")
CONNECTORS = ("plugged_connector", "unplugged_connector")


@pytest.mark.parametrize(
    ("question", "opposite"),
    [
        ("Is the battery connector unplugged?", "Is the battery connector plugged in?"),
        ("Is the battery connector plugged in?", "Is the battery connector unplugged?"),
        ("Is the connector plugged into the board?", "Is the connector unplugged from the board?"),
        ("Is the latch open?", "Is the latch closed?"),
        ("Is the latch closed?", "Is the latch open?"),
        ("Is the ZIF latch shut?", "Is the ZIF latch open?"),
        ("Are the 2 latches open?", "Are the 2 latches closed?"),
        ("Is the battery disconnected?", "Is the battery connected?"),
        ("Is the battery disconnected from the board?", "Is the battery connected to the board?"),
        ("Is the ribbon cable still connected to the board?", "Is the ribbon cable disconnected from the board?"),
        ("Is the top-left screw in place?", "Is the top-left screw missing?"),
        ("Is the top-left screw missing?", "Is the top-left screw in place?"),
        ("Is the battery fully removed?", "Is the battery in place?"),
        ("Has the battery been removed?", "Is the battery in place?"),
        ("Have the latches been opened?", "Are the latches closed?"),
        ("Is the battery removed from the case?", "Is the battery in place?"),
        ("Is the battery out?", "Is the battery in?"),
        ("Is the lid on?", "Is the lid off?"),
        ("Is the lid off?", "Is the lid on?"),
        ("Is the fan installed?", "Is the fan missing?"),
        ("Is the shield attached?", "Is the shield detached?"),
        ("Is the memory module seated?", "Is the memory module lifted?"),
        ("Is the flap lifted?", "Is the flap seated?"),
        ("Is the slot empty?", "Is the slot filled?"),
        ("Is the ribbon cable folded?", "Is the ribbon cable unfolded?"),
        ("Is the clip locked?", "Is the clip unlocked?"),
        ("Is the bracket fastened?", "Is the bracket unfastened?"),
        ("Is the pin bent?", "Is the pin straight?"),
        ("Is the screen cracked?", "Is the screen intact?"),
        ("Is the gasket visible?", "Is the gasket hidden?"),
        ("Is there a screw in the top left hole?", "Is there no screw in the top left hole?"),
        ("Is there no tape on the battery?", "Is there a tape on the battery?"),
        ("Is there still tape on the battery?", "Is there no tape on the battery?"),
        ("Is the latch not open?", "Is the latch open?"),
        ("Is any screw missing?", "Is every screw in place?"),
        ("Is every latch closed?", "Is any latch open?"),
        ("Are all the screws in place?", "Are any of the screws missing?"),
        ("Are any clips open?", "Are all clips closed?"),
        ("  is the   latch open ? ", "is the latch closed?"),
        # None is known: better none than a wrong one.
        ("Is the lid crooked?", ""),
        ("Is the tape stuck down?", ""),
        ("Is the screw tight?", ""),
        ("Which screw is missing?", ""),
        ("Does the cover lie flush?", ""),
        ("The latch is open?", ""),
        ("Isn't the latch open?", ""),
        ("Is the cable unplugged and the battery out?", ""),
        ("?", ""),
        ("", ""),
    ],
)
def test_the_opposite(question: str, opposite: str):
    assert opposite_of(question) == opposite


@pytest.mark.parametrize(
    ("question", "same"),
    [
        ("Is the top-left screw in place?", "Is the screw in place?"),
        ("Is the lower right screw still in place?", "Is a screw in place?"),
        ("Is the screw on the left in place?", "is the screw in place"),
        ("Is screw 3 in place?", "Is the screw in place?"),
        ("Is the fan in place in the top left corner?", "Is the fan in place?"),
        ("Has the battery been removed?", "Is the battery fully removed?"),
        ("Are the 2 latches open?", "Are the latches open?"),
        ("Is this latch  OPEN ?", "Is the latch open?"),
    ],
)
def test_phrasings_that_ask_the_same(question: str, same: str):
    assert key(question) == key(same) != ""


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("Is the latch open?", "Is the latch closed?"),
        ("Is the latch open?", "Is the latch not open?"),
        ("Is the latch open?", "Are the latches open?"),
        ("Is any screw missing?", "Is the screw missing?"),
        ("Is the battery connector unplugged?", "Is the fan connector unplugged?"),
        ("Is the top cover removed?", "Is the bottom cover removed?"),
        ("Is the screw left?", "Is the screw there?"),
        ("Is the drive belt on the left pulley?", "Is the drive belt on the right pulley?"),
    ],
)
def test_phrasings_that_ask_something_else(question: str, other: str):
    assert key(question) != key(other)


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("Is the top-left screw in place?", (0.0, 0.0)),
        ("Is the upper right screw missing?", (1.0, 0.0)),
        ("Is the left-hand clip open?", (0.0, None)),
        ("Is the bottom screw in place?", (None, 1.0)),
        ("Is the screw on the right in place?", (1.0, None)),
        ("Is the screw in the lower left corner missing?", (0.0, 1.0)),
        ("Is the middle screw in place?", (0.5, 0.5)),
        ("Is the middle left screw in place?", (0.0, 0.5)),
        ("Is the bottom middle clip closed?", (0.5, 1.0)),
        ("Is the middle-left screw in place?", (0.0, 0.5)),
        ("Is the top-middle screw in place?", (0.5, 0.0)),
        ("Is there a screw in the top left hole?", (0.0, 0.0)),
        ("Is the screw in place?", None),
        ("Is the top cover removed?", None),
        ("Is the drive belt on the left pulley?", None),
        ("Is the screw of the left fan missing?", None),
        ("Is the screw to the left of the battery missing?", None),
        ("Is the screw left?", None),
        ("Is the cable right?", None),
        ("Is the bottom-left clip of the back cover open?", (0.0, 1.0)),
    ],
)
def test_the_place(question: str, place):
    assert position(question) == place


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("Is the battery connector unplugged?", CONNECTORS),
        ("Are the fan connectors plugged in?", CONNECTORS),
        ("Is the connector of the battery unplugged?", CONNECTORS),
        ("Is the battery's connector plugged in?", CONNECTORS),
        ("Is the battery fully removed?", ("battery",)),
        ("Have the batteries been removed?", ("battery",)),
        ("Is the top-left screw in place?", ("screw",)),
        ("Is the second screw from the left missing?", ("screw",)),
        ("Is there a screw in the hole?", ("screw",)),
        ("Is the screw hole empty?", ("screw_hole",)),
        ("Is the back cover open?", ("back_cover",)),
        ("Can you see the battery?", ("battery",)),
        ("Does the photo show a screw?", ("screw",)),
        ("Are both fans unplugged?", ("fan",)),
        ("Is the cover open?", ("back_cover",)),
        ("Is the front cover open?", ()),
        ("Is the fan crooked?", ("fan",)),
        ("Is the fan cable connected?", ()),
        ("Is the latch open?", ()),
        ("?", ()),
    ],
)
def test_the_part(question: str, labels: tuple[str, ...]):
    assert labels_for(question, LABELS) == labels


def test_a_label_that_says_more_goes_first():
    labels = ("connector", "battery_connector", "fan_connector")
    assert labels_for("Is the battery connector unplugged?", labels) == ("battery_connector",)
    assert labels_for("Is the camera connector unplugged?", labels) == ("connector",)
    assert labels_for("Is the connector unplugged?", labels) == labels


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("Is the screw tight?", "tight"),
        ("Are the lug nuts torqued?", "tight"),
        ("Is the screw loose?", "tight"),
        ("Is the battery charged?", "charge"),
        ("Is the battery charge low?", "charge"),
        ("Is the motor running hot?", "warm"),
        ("Is the heat sink hot?", "warm"),
        ("Has the engine cooled down?", "warm"),
        ("Is the fan working?", "works"),
        ("Does the phone work?", "works"),
        ("Is the line live?", "current"),
        ("Did the latch click?", "heard"),
        ("Did you wait ten minutes?", "person"),
        ("Have you discharged the capacitor?", "charge"),
        ("How many screws are missing?", "yes or no"),
        ("Which latch is open?", "yes or no"),
        ("Are there four screws?", "counted"),
        ("?", "empty"),
        ("Is the?", "empty"),
        ("", "empty"),
    ],
)
def test_what_no_photo_shows(question: str, why: str):
    assert why in observable(question)


@pytest.mark.parametrize(
    "question",
    [
        "Is the battery connector unplugged?",
        "Is the latch open?",
        "Is the light on?",
        "Is there a screw in the top left hole?",
        "Is the charging port clean?",
        "Is the ribbon cable seated?",
        "Is the hot air vent covered?",
        "Is the phone charging cable unplugged?",
        "Is the loose screw removed?",
        "Is the sound card seated?",
        "Can you see the battery?",
        "Ist der Stecker gezogen?",
        "バッテリーは外れていますか?",
    ],
)
def test_what_a_photo_may_show(question: str):
    # The words of the part are not those of its state: a charging port, a hot air vent.
    assert observable(question) == ""


def test_whether_a_part_is_there_at_all():
    there = ["Is the battery removed?", "Is the lid on?", "Is there tape on it?", "Is any screw missing?"]
    there += ["Is the battery in the case?", "Is the back cover off the phone?", "Is the fan lying on the mat?"]
    how = ["Is the latch open?", "Is the connector unplugged?", "Is the screw on the left bent?", "Is the lid crooked?"]
    assert [presence(each) for each in there] == [True] * 7
    assert [presence(each) for each in how] == [False] * 4


def test_one_of_a_kind_or_all_of_it():
    every = ["Are the screws in place?", "Is any screw missing?", "Is every clip open?"]
    assert [several(each) for each in [*every, "Is the screw in place?"]] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("Is the latch open?", "Is the latch open? yes / Is the latch closed?"),
        (" Is the latch open?  NO ", "Is the latch open? no / Is the latch closed?"),
        ("Is the lid crooked?", "Is the lid crooked?"),
        ("4 screw", "4 screw"),
        ("Is the latch open? yes / Is it shut?", "Is the latch open? yes / Is it shut?"),
        ("?", "?"),
    ],
)
def test_a_question_without_its_opposite(typed: str, whole: str):
    assert completed(typed) == whole


WORDS = st.lists(
    st.sampled_from(
        [
            "is",
            "the",
            "a",
            "screw",
            "battery",
            "connector",
            "left",
            "top",
            "in",
            "place",
            "open",
            "been",
            "not",
            "there",
            "3",
            "?",
        ]
    )
).map(" ".join)


@given(WORDS | st.text(max_size=60))
def test_any_words_at_all_are_read(question: str):
    for read in (key, position, observable, opposite_of, presence, several, completed):
        assert read(question) == read(question)
    assert set(labels_for(question, LABELS)) <= set(LABELS)
    assert key(key(question)) == key(question) or "been" in question or "left" in question or "top" in question
    opposite = opposite_of(question)
    assert opposite == "" or opposite.endswith("?")
