"""The plain steps take the same exam: their question is read from the prompt, and they score what they score."""

from repairai.sop.prompts import REFUSAL, Passage, conversation
from training.sop.examples import Example
from training.sop.material import material_of, why_not
from training.sop.plain_steps import read_prompt, steps_answer
from training.sop.scores import mark
from training.sop.tasks import examples_of

from .sop_guides import guides

MATERIALS = [material_of(each, "file", lambda passage: not why_not(passage)) for each in guides(12, 3)]
EXAMPLES = [example for found in examples_of(MATERIALS, 7, 1024) for example in found]


def score(example: Example) -> float:
    return mark(example, steps_answer(example), ended=True).score


def test_a_prompt_is_read_as_it_was_written():
    shown = (
        Passage(
            "a", "Fan (Left) Replacement", "Lamp (2020)", 3, "Lift the fan. Caution: It is hot.", ("spudger", "T5")
        ),
        Passage(
            "a", "Fan (Left) Replacement", "Lamp (2020)", 4, "Question: does it hold? Then go on.", ("spudger", "T5")
        ),
        Passage("b", "Kettle Lid", "Kettle", 1, "# Turn it over."),
    )
    asked = {"role": "assistant", "content": "x"}
    question, found = read_prompt(Example("how_to", "Lamp", "a", (*conversation("How do I do it?", shown), asked)))
    assert question == "How do I do it?"
    assert [(each.text, each.tools) for each in found] == [(each.text, each.tools) for each in shown]
    assert [each.title for each in found] == [f"{each.title} ({each.device})" for each in shown]
    assert found[0].guide_id == found[1].guide_id != found[2].guide_id


def test_all_of_what_training_makes_is_read_with_its_passages():
    for example in EXAMPLES:
        if example.task != "requirements":
            question, found = read_prompt(example)
            assert question
            assert len(found) == len(example.passages)


def test_they_copy_well_and_cannot_tell_whose_steps_they_are():
    alone = [each for each in EXAMPLES if each.task == "how_to" and len({name for name, _ in each.passages}) == 1]
    beside = [each for each in EXAMPLES if each.task == "how_to" and len({name for name, _ in each.passages}) == 2]
    assert all(score(each) == 1.0 for each in alone)
    assert all(score(each) < 1.0 for each in beside)
    for example in EXAMPLES:
        if example.task == "refusal":
            assert score(example) == (0.0 if example.passages else 1.0)
        if example.task == "requirements":
            assert steps_answer(example) == REFUSAL
            assert score(example) == 0.0
    tools = [each for each in EXAMPLES if each.task == "tools"]
    assert all(score(each) == 1.0 for each in tools if "hich tools" in each.prompt[-1]["content"])
