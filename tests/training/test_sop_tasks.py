"""Guides -> examples: what each task asks and answers, on guides small enough to read."""

import json
from collections import Counter
from random import Random

import pytest

from repairai.schema import Guide, Line, Step
from repairai.sop.prompts import REQUIREMENTS_SYSTEM, SYSTEM, Passage, passages_of, read_answer
from training.sop.examples import Example
from training.sop.material import Material, material_of, why_not
from training.sop.questions import how_to, job_of, which_tools
from training.sop.split import normalised
from training.sop.tasks import (
    ALL_DONE,
    estimated_tokens,
    examples_of,
    requirements_answer,
)

from .sop_guides import guide, guides


def usable(passage: Passage) -> bool:
    return not why_not(passage)


def materials(found: list[Guide]) -> list[Material]:
    return [material_of(each, "file", usable) for each in found]


def made(found: list[Guide], seed: int = 7, length_tokens: int = 1024) -> list[Example]:
    return [example for each in examples_of(materials(found), seed, length_tokens) for example in each]


def of(task: str, examples: list[Example]) -> list[Example]:
    return [example for example in examples if example.task == task]


@pytest.fixture(scope="module")
def some() -> list[Guide]:
    return guides(30, 4)


@pytest.fixture(scope="module")
def examples(some: list[Guide]) -> list[Example]:
    return made(some)


def shown(example: Example) -> list[str]:
    lines = example.messages[1]["content"].splitlines()
    return [line.split("] ", 1)[1] for line in lines if line.startswith("[")]


def test_the_same_seed_gives_the_same_examples(some: list[Guide], examples: list[Example]):
    assert made(list(reversed(some))) == examples, "in whatever order guides come"
    assert made(some, seed=8) != examples


def test_a_how_to_tells_the_steps_of_its_guide_in_order_word_by_word(some: list[Guide], examples: list[Example]):
    texts = {each.id: [passage.text for passage in passages_of(each)] for each in some}
    told = Counter()
    for example in of("how_to", examples):
        answer = read_answer(example.answer)
        passages = shown(example)
        assert answer.tools == ("spudger", "PH0 screwdriver")
        assert example.messages[0]["content"] == SYSTEM
        lines = [line.text for line in answer.lines]
        own = texts[example.guide_id]
        assert lines == own[own.index(lines[0]) :][: len(lines)], "steps in a row"
        for line in answer.lines:
            assert [passages[number - 1] for number in line.cited] == [line.text], "each cites the passage that says it"
        assert len(example.passages) == len(passages)
        told.update(lines)
    assert set(told) == {text for each in texts.values() for text in each}, "every step is told"


def test_some_how_tos_have_steps_of_another_guide_beside_them(examples: list[Example]):
    how_tos = of("how_to", examples)
    first = [example for example in how_tos if example.passages[0][0] != example.guide_id]
    last = [example for example in how_tos if example.passages[-1][0] != example.guide_id]
    assert 0.1 < len(first) / len(how_tos) < 0.3
    assert 0.1 < len(last) / len(how_tos) < 0.3
    assert all(1 <= sum(name != each.guide_id for name, _ in each.passages) <= 3 for each in first + last)


def test_repeated_steps_and_warnings_stay():
    lines = (Line("Pull the plug out"), Line("It may be hot", "caution"), Line("Mind the cable", "reminder"))
    texts = [lines, (Line("Lift the lid."),), lines, (Line("Close it."),)]
    steps = tuple(Step(number, each) for number, each in enumerate(texts, 1))
    again = Guide("g", "Maker Battery Replacement", "Maker", "CC0-1.0", steps)
    warning = "Pull the plug out. Caution: It may be hot. Remember: Mind the cable."
    answers = [read_answer(each.answer) for seed in range(20) for each in of("how_to", made([again], seed))]
    told = [[line.text for line in answer.lines] for answer in answers]
    assert [warning, "Lift the lid.", warning] in told
    assert any(line.count(warning) == 2 and len(line) == 4 for line in told)


def test_what_comes_next_is_the_passage_behind(examples: list[Example]):
    asked = of("next_step", examples)
    ends = 0
    for example in asked:
        question = example.messages[1]["content"].rsplit("Question: ", 1)[1]
        number = int(question.split("[", 1)[1].split("]", 1)[0])
        (line,) = read_answer(example.answer).lines
        if line.text == ALL_DONE:
            ends += 1
            assert (number, line.cited) == (len(example.passages), (number,))
        else:
            assert line.text == shown(example)[number]
            assert line.cited == (number + 1,)
    assert 0.03 < ends / len(asked) < 0.35


def test_tools_are_told_as_the_guide_has_them(examples: list[Example]):
    asked = of("tools", examples)
    assert len(asked) == 120, "one for each guide"
    assert {example.answer for example in asked} == {"Tools: spudger, PH0 screwdriver"}
    assert all("tool" in example.messages[1]["content"].rsplit("Question: ", 1)[1].lower() for example in asked)


def test_requirements_are_json_that_the_judge_reads(examples: list[Example]):
    asked = of("requirements", examples)
    assert asked
    for example in asked:
        assert example.messages[0]["content"] == REQUIREMENTS_SYSTEM
        (action,) = json.loads(example.answer)
        assert list(action) == ["action", "part", "count", "size"]
        assert (action["action"], action["part"]) == ("remove", "screw")
        assert str(action["count"]) in example.messages[1]["content"]
    assert requirements_answer("Have a look at the photo.") == ""
    assert requirements_answer("Remove the screws.") == '[{"action":"remove","part":"screw","count":null,"size":null}]'


def test_a_guide_alone_is_refused_without_steps():
    found = made([guide("Only", "fan", 40)], length_tokens=256)
    assert all(not example.passages for example in of("refusal", found))
    assert of("refusal", found)


def test_examples_fit_the_length_by_estimate():
    long = [guide(f"Maker {number}", "fan", 6, ("Turn it over slowly. " * 45,)) for number in range(10)]
    for length in (256, 512, 1024):
        for example in made(long, length_tokens=length):
            assert example.task == "requirements" or estimated_tokens(example.messages) <= length
    assert any("Turn it over" in each.answer for each in of("how_to", made(long, length_tokens=1024)))
    assert not any("Turn it over" in each.answer for each in of("how_to", made(long, length_tokens=256)))


def test_steps_that_say_nothing_or_too_much_are_left_out_and_part_what_is_around_them():
    for text, why in (
        ("See the photo.", "no words"),
        ("Insert wisdom here.", "no words"),
        ("Part 2.", "no words"),
        ("...", "no words"),
        ("word " * 201, "more than 200 words"),
        ("Look at [3] again.", "looks like a citation"),
        ("Remove part 2.", ""),
        ("Test mouse.", ""),
    ):
        assert why_not(Passage("g", "t", "d", 1, text)) == why
    lines = ["Remove the lid.", "See the photo.", "Remove the fan.", "Remove the battery."]
    steps = tuple(Step(number, (Line(text),)) for number, text in enumerate(lines, 1))
    material = material_of(Guide("g", "Lid", "Maker", "CC0-1.0", steps), "file", usable)
    assert [[passage.step for passage in stretch] for stretch in material.stretches] == [[1], [3, 4]]
    found = [example for each in examples_of([material], 1, 1024) for example in each]
    assert not any({("g", 1), ("g", 3)} <= set(example.passages) for example in found)


def test_a_guide_that_says_nothing_makes_no_example():
    empty = Guide("g", "Lid", "Maker", "CC0-1.0", (Step(1, (Line("See the photo."),)),))
    assert made([empty]) == []


def test_steps_that_were_told_already_are_not_told_again():
    copied = ("Unplug it first, and wait.", "Turn it on its back.", "Take off the four feet of rubber.")
    some = [guide("Maker 1", part, 0, copied) for part in ("fan", "battery", "display", "hinge", "motor")]
    found = made(some)
    told = Counter(line.text for each in of("how_to", found) for line in read_answer(each.answer).lines)
    assert set(told) == set(copied)
    assert sum(told.values()) < 12, "of fifteen"
    asked = [each.messages[1]["content"] for each in of("requirements", found)]
    assert len(asked) == len(set(asked))


def test_where_an_example_comes_from_goes_with_it(examples: list[Example]):
    source = examples[0].source
    assert source.url.startswith("https://example.org/maker-")
    assert (source.licence, source.author, source.origin) == ("CC-BY-NC-SA-3.0", "Ann", "file")


# ---- questions


def titled(title: str, device: str, subject: str = "") -> Guide:
    return Guide("g", title, device, "CC0-1.0", (Step(1, (Line("Do it."),)),), subject=subject)


def all_questions(each: Guide) -> set[str]:
    return {how_to(each, Random(seed)) for seed in range(200)} | {which_tools(each, Random(seed)) for seed in range(50)}


@pytest.mark.parametrize(
    ("title", "device", "subject", "verb", "part", "named"),
    [
        ("Keurig B60 Pump Replacement", "Keurig B60", "Pump", "replace", "pump", "Keurig B60"),
        ("Mercedes W123 Brake Caliper, Front Replacement", "Mercedes W123", "", "replace", "front brake caliper", "Mercedes W123"),  # noqa: E501
        ("2002 Dodge Ram 1500 Headlight Replacement", "2002 Dodge Ram", "Headlight", "replace", "headlight", "2002 Dodge Ram 1500"),  # noqa: E501
        ("Disassembling Mercedes W123 Kick Panel", "Mercedes W123", "Kick Panel", "take apart", "kick panel", "Mercedes W123"),  # noqa: E501
        ("HP Deskjet 3000 Carriage Motor Replacement", "HP Deskjet 3000 Repair", "", "replace", "carriage motor", "HP Deskjet 3000"),  # noqa: E501
        ("Samsung 27E HDMI Port Replacement", "Samsung 27E", "HDMI Port", "replace", "HDMI port", "Samsung 27E"),
        ("Waring Pro Lights Replacement", "Waring Pro", "Lights", "replace", "lights", "Waring Pro"),
        ("Saitek Cyborg V3 Disassembly", "Saitek Cyborg V3", "", "take apart", "", "Saitek Cyborg V3"),
    ],
)  # fmt: skip
def test_a_plain_title_is_understood(title: str, device: str, subject: str, verb: str, part: str, named: str):
    job = job_of(titled(title, device, subject))
    assert job is not None
    assert (job.verb, job.part, job.device) == (verb, part, named)


@pytest.mark.parametrize(
    ("title", "device", "subject"),
    [
        ("FAKIR 1800 ECO", "Vacuum Cleaner", "Fakir 1800 Eco Triac - Thyristor"),
        ("Dyson DC39 Origin Replacement", "Dyson DC39 Origin", ""),
        ("How to Patch Jeans", "Jeans", ""),
        ("Key Replacement Replacement", "CyberPowerPC", "Key Replacement"),
        ("2002 Dodge Ram 1500 Headlight Replacement", "2002 Dodge Ram", ""),
        ("Replacement", "", ""),
        ("Battery Replacement", "", "Battery"),
    ],
)
def test_a_title_that_is_not_plain_is_asked_for_as_it_is(title: str, device: str, subject: str):
    each = titled(title, device, subject)
    assert job_of(each) is None
    for question in all_questions(each):
        assert "  " not in question
        assert "the of" not in question


@pytest.mark.parametrize(
    ("title", "device", "question"),
    [
        ("How to Patch Jeans", "Jeans", "How do I patch Jeans?"),
        ("How do I mend a zip?", "Zip", "How do I mend a zip?"),
        ("Repairing nose pads on eyeglasses", "Eyeglasses", "How do I go about repairing nose pads on eyeglasses?"),
        ("Back Plate Removal", "Martian Victory", 'What are the steps of "Back Plate Removal (Martian Victory)"?'),
        ("How to disassemble for cleaning", "Razer Lycosa", "Razer Lycosa: How do I disassemble for cleaning?"),
        ("Saitek V3 Disassembly", "Saitek V3", "How do I take apart my Saitek V3?"),
        ("LG Watch Battery Replacement", "LG Watch", "How do you replace the battery of an LG Watch?"),
    ],
)
def test_questions_read_well_and_name_their_device(title: str, device: str, question: str):
    asked = all_questions(titled(title, device))
    assert question in asked
    assert all(normalised(device) in normalised(each) for each in asked)


def test_a_guide_is_asked_for_in_many_ways():
    assert len(all_questions(titled("Keurig B60 Pump Replacement", "Keurig B60", "Pump"))) > 15
