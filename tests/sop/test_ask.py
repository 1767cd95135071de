from collections.abc import Iterator, Sequence

import pytest

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.sop.agents import STEPS
from repairai.sop.ask import StepsWriter, answer, ask, open_writer
from repairai.sop.library import Library
from repairai.sop.prompts import REFUSAL, Passage
from repairai.sop.reply import Cited, Reply
from repairai.sop.search import Search
from repairai.sop.streams import Limit, read_lines

QUESTION = "How do I replace the battery of my robot vacuum?"
GUIDE = "sample-robot-vacuum-battery"


class Said:
    """Says what it is told, in small pieces; `closed` when nobody listens any more."""

    name = "parrot"
    length_tokens = 0

    def __init__(self, *texts: str, fault: RepairError | None = None) -> None:
        self.texts = list(texts)
        self.fault = fault
        self.closed = False
        self.given: list[Sequence[Passage]] = []

    def answer(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        self.given.append(passages)
        text = self.texts[min(len(self.given), len(self.texts)) - 1]
        try:
            for start in range(0, len(text), 7):
                yield text[start : start + 7]
            if self.fault:
                raise self.fault
        finally:
            self.closed = True


class Endless(Said):
    """Never stops."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.n_said = 0

    def answer(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        try:
            while True:
                self.n_said += 1
                yield self.text.format(n=self.n_said)
        finally:
            self.closed = True


@pytest.fixture
def search() -> Search:
    return Search(Library())


def test_without_a_model_the_steps_themselves_answer(search: Search):
    reply = answer(QUESTION, search, StepsWriter())
    assert reply.made_from_steps
    assert not reply.refused
    assert all(each.supported and not each.why for each in reply.sentences)
    assert [each.cited[0].step for each in reply.sentences if each.cited][0] == 1
    assert reply.left_out == ()
    assert reply.warnings == ()
    assert [source.guide_id for source in reply.sources] == [GUIDE]
    assert reply.sources[0].steps == (1, 2, 3, 4, 5, 6)
    assert reply.sources[0].licence
    to_data(reply)


def test_it_comes_part_by_part(search: Search):
    parts = list(ask(QUESTION, search, Said("1. Remove the battery door. [3]\n2. Lift the battery by its tab. [4]")))
    kinds = [part.kind for part in parts]
    assert kinds[0] == "found"
    assert kinds[-1] == "done"
    assert kinds.count("line") == 2
    assert kinds.index("writing") < kinds.index("line")
    lines = [part.sentences for part in parts if part.kind == "line"]
    assert lines[0][0].cited == (Cited(GUIDE, 3),)


def test_what_no_step_says_is_marked(search: Search):
    wrong = "1. Remove the three 8 mm Phillips screws from the battery door. [3]"
    reply = answer(QUESTION, search, Said(f"{wrong}\n2. Remove the battery door. [3]\n3. Drink tea."))
    assert [each.supported for each in reply.sentences] == [False, True, False]
    assert "three" in reply.sentences[0].why
    assert not reply.refused


def test_what_an_answer_passes_over_is_told(search: Search):
    reply = answer(QUESTION, search, Said("1. Remove the battery door. [3]\n2. Lift the battery by its tab. [4]"))
    assert [each.step for each in reply.left_out] == [1, 2, 5, 6]
    assert any("brushes in your hand" in each.text for each in reply.warnings)
    assert any("swollen" in each.text and each.cited.step == 4 for each in reply.warnings)


def test_another_order_is_told(search: Search):
    reply = answer(QUESTION, search, Said("1. Lift the battery by its tab. [4]\n2. Remove the battery door. [3]"))
    assert "does not keep the order" in reply.notes[0]


def test_an_unknown_device_is_refused_whoever_writes(search: Search):
    writer = Said("1. Remove the battery. [1]")
    reply = answer("iPhone 99 battery", search, writer)
    assert reply.refused
    assert reply.sentences[0].text == REFUSAL
    assert reply.near[0].guide_id == "sample-phone-battery"
    assert writer.given == [], "nobody was asked"


def test_a_refusal_although_there_are_steps_shows_them(search: Search):
    reply = answer(QUESTION, search, Said(REFUSAL))
    assert reply.refused
    assert [each.step for each in reply.unanswered] == [1, 2, 3, 4, 5, 6]
    assert reply.sources
    assert reply.notes == ()


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        " \n \n",
        "blorp fnord [3] [99]",
        "\x00\x1b[2J",
        "{" * 300,
        "[1][2][3]",
        "<think>hm",
        "1.\n2.\n3.",
        "<b>x</b>",
    ],
)
def test_rubbish_never_raises(search: Search, rubbish: str):
    reply = answer(QUESTION, search, Said(rubbish))
    assert reply.refused
    assert reply.unanswered


def test_passages_that_are_not_there_are_not_named(search: Search):
    reply = answer(QUESTION, search, Said("1. Remove the battery door. [42]\n2. Fly to the moon. [0, 77]"))
    assert reply.sentences[0].cited == (Cited(GUIDE, 3),)
    assert "it named another step, but step 3 says it" in reply.sentences[0].why
    assert reply.sentences[1].cited == ()
    assert not reply.sentences[1].supported


@pytest.mark.parametrize(
    ("text", "why"), [("1. Remove the battery door. [3]\n", "it repeated itself"), ("more {n} ", "come to an end"),
                      ("<think>hmm {n}", "come to an end"), ("line {n}\n", "come to an end")]
)  # fmt: skip
def test_a_writer_that_never_stops_is_stopped(search: Search, text: str, why: str):
    writer = Endless(text)
    reply = answer(QUESTION, search, writer)
    assert writer.closed
    assert any(why in note for note in reply.notes)


def test_a_writer_that_fails_in_the_middle_is_finished_by_the_steps(search: Search):
    fault = RepairError("the memory is full", "buy more")
    reply = answer(QUESTION, search, Said("1. Remove the battery door. [3]\n2. Li", fault=fault))
    assert reply.made_from_steps
    assert "parrot could not answer" in reply.notes[0]
    assert "the memory is full" in reply.notes[0]
    assert [each.cited[0].step for each in reply.sentences if each.cited][0] == 1


def test_thoughts_are_left_out(search: Search):
    reply = answer(
        QUESTION, search, Said("<think>Let me see: the moon?\nYes.</think>\n\n1. Remove the battery door. [3]")
    )
    assert [each.text for each in reply.sentences] == ["Remove the battery door."]


def test_each_window_is_answered_and_tools_stand_there_once(search: Search):
    writer = StepsWriter()
    writer.length_tokens = 256
    reply = answer("How do I replace the battery of my iPhone 6?", search, writer)
    tools = [each.text for each in reply.sentences if each.kind == "tool"]
    assert len(tools) == len(set(tools)) == 5
    assert {each.cited[0].step for each in reply.sentences if each.cited} == set(range(1, 9))
    items = [each.item for each in reply.sentences]
    assert items == sorted(items)
    assert len(set(items)) == 9, "the tools and eight steps"


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("How many screws hold the battery door of the robot vacuum?", "two 8 mm Phillips screws"),
        ("Which way do I turn the blender coupling?", "turn it clockwise to loosen"),
        ("what do I do if an adhesive strip tears?", "warm the back of the phone"),
        ("What is the next step after removing the heat sink screws of the laptop?", "Install the new fan"),
        ("what does step 4 of the laptop fan say?", "Peel away the tape"),
    ],
)
def test_one_thing_asked_is_answered_briefly(search: Search, question: str, holds: str):
    reply = answer(question, search, StepsWriter())
    text = " ".join(each.text for each in reply.sentences)
    assert holds in text
    assert len(reply.sentences) <= 5
    assert reply.left_out == ()


def test_tools_asked_are_tools_answered(search: Search):
    reply = answer("Which tools do I need to replace the fan of a laptop?", search, StepsWriter())
    assert {each.kind for each in reply.sentences} == {"tool"}
    assert not reply.refused
    assert reply.unanswered == ()


def test_the_steps_are_opened_without_a_model():
    assert isinstance(open_writer(STEPS), StepsWriter)


def test_a_part_of_a_line_is_shown_as_it_grows():
    assert list(read_lines(["a", "b\n\nc", "\r\n"], Limit(100))) == [
        ("a", False),
        ("ab", True),
        ("c", False),
        ("c", True),
    ]


def test_reply_is_plain_data(search: Search):
    data = to_data(answer("iPhone 99 battery", search, StepsWriter()))
    assert data["refused"] is True
    assert data["near"][0]["guide_id"] == "sample-phone-battery"
    assert isinstance(Reply("q", "w", True), Reply)
