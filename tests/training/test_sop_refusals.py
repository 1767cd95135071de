"""Questions that the steps shown do not answer: hard, of several kinds, and never such as are answered after all."""

from random import Random

import pytest

from repairai.schema import Guide
from repairai.sop.prompts import REFUSAL, read_answer
from training.sop.examples import Example
from training.sop.material import Material, material_of, why_not
from training.sop.refusals import Refusals, answers_not
from training.sop.split import normalised
from training.sop.tasks import examples_of

from .sop_guides import guide, guides


def materials(found: list[Guide]) -> list[Material]:
    return [material_of(each, "file", lambda passage: not why_not(passage)) for each in found]


def made(found: list[Guide]) -> list[Example]:
    return [example for each in examples_of(materials(found), 7, 1024) for example in each]


@pytest.fixture(scope="module")
def some() -> list[Guide]:
    return guides(30, 4)


@pytest.fixture(scope="module")
def examples(some: list[Guide]) -> list[Example]:
    return made(some)


def refusals(examples: list[Example]) -> list[Example]:
    return [example for example in examples if example.task == "refusal"]


def test_there_are_more_refusals_than_for_every_other_how_to(examples: list[Example]):
    refused = refusals(examples)
    assert 0.5 < len(refused) / sum(example.task == "how_to" for example in examples) < 0.7
    for example in refused:
        assert example.answer == REFUSAL
        assert read_answer(example.answer).refused
        assert example.guide_id not in {name for name, _ in example.passages}


def test_refusals_are_of_every_kind(some: list[Guide], examples: list[Example]):
    by_id = {each.id: each for each in some}
    refused = refusals(examples)
    shown = [(example, [by_id[name] for name, _ in example.passages]) for example in refused]
    bare = [example for example, found in shown if not found]
    same_device = [example for example, found in shown if example.device in {each.device for each in found}]
    same_part = [
        example
        for example, found in shown
        if found
        and example.device not in {each.device for each in found}
        and by_id[example.guide_id].subject in {each.subject for each in found}
    ]
    two = [example for example, found in shown if len({each.id for each in found}) == 2]
    tools = [example for example in refused if "tools" in example.prompt[-1]["content"].rpartition("Question:")[2]]
    shares = [len(each) / len(refused) for each in (bare, same_device, same_part, two, tools)]
    assert all(0.05 < share < 0.5 for share in shares), shares
    assert same_device
    assert "No guide was found." in bare[0].messages[1]["content"]


def test_of_the_same_device_nothing_shown_names_the_part(some: list[Guide], examples: list[Example]):
    by_id = {each.id: each for each in some}
    for example in refusals(examples):
        found = [by_id[name] for name, _ in example.passages]
        if example.device in {each.device for each in found}:
            part = by_id[example.guide_id].subject.lower()
            steps = example.prompt[-1]["content"].rpartition("Question:")[0].lower()
            own = "".join(line for line in steps.splitlines() if example.device.lower() in line)
            assert part not in own


def test_what_answers_after_all_is_never_shown():
    battery = guide("Lamp 5", "battery")
    (own,) = materials([battery])

    def passages(other: Guide):
        return materials([other])[0].stretches[0]

    assert answers_not(own, passages(guide("Lamp 5", "fan")))
    assert answers_not(own, passages(guide("Lamp 6", "battery")))
    assert not answers_not(own, own.stretches[0][:1]), "its own step"
    assert not answers_not(own, passages(guide("Lamp 5", "fan", more=("Lift the battery out.",)))), "it names the part"
    assert not answers_not(own, passages(guide("Lamp 5", "fan", more=("Unplug the cell.",)))), "in another word"
    copy = guide("Lamp 6", "fan", more=(battery.steps[0].text,))
    assert not answers_not(own, passages(copy)), "a copied step"
    assert not answers_not(own, passages(guide("Lamp", "battery"))), "a guide for all lamps"


def test_a_device_of_one_guide_alone_is_refused_without_steps_or_with_those_of_others():
    alone = guide("Only", "fan", 40)
    question = Refusals(materials([alone]), lambda shown: True)
    assert all(question.question(question._materials[0], Random(seed))[1] == () for seed in range(20))
    far = Refusals(materials([alone, guide("Kettle", "lid")]), lambda shown: True)
    own = next(each for each in far._materials if each.guide is alone)
    shown = [far.question(own, Random(seed))[1] for seed in range(40)]
    assert {normalised(each.device) for found in shown for each in found} == {"kettle"}
    assert 0 < sum(not found for found in shown) < 20


def test_steps_that_do_not_fit_are_not_shown():
    found = Refusals(materials(guides(10, 2)), lambda shown: len(shown) <= 2)
    shown = [found.question(material, Random(seed))[1] for material in found._materials for seed in range(5)]
    assert {len(each) for each in shown} == {0, 1, 2}
