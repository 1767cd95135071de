"""What one answer is worth, by tables; and that real expected answers are worth 1, those of other questions little."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

from repairai.sop.prompts import REFUSAL, Passage, answer_text, conversation
from repairai.sop.sources.myfixit import read_myfixit
from training.sop.answer_words import stems
from training.sop.examples import Example
from training.sop.material import material_of, why_not
from training.sop.scores import mark, recalled, warnings_in
from training.sop.tasks import examples_of

STEPS = (
    "Unplug the kettle. Caution: never open it while it is plugged in.",
    "Remove the three 4 mm Phillips screws from the base.",
    "Lift the base off the kettle.",
    "Disconnect the two white cables from the heating element.",
)
TOOLS = ("PH1 screwdriver", "spudger")
PASSAGES = tuple(Passage("kettle", "Kettle", "Kettle", number, text, TOOLS) for number, text in enumerate(STEPS, 1))
ASKED = tuple(conversation("How do I replace the heating element?", PASSAGES))


def example(task: str, answer: str, asked=ASKED) -> Example:
    return Example(task, "Kettle", "kettle", (*asked, {"role": "assistant", "content": answer}))


ALL = answer_text([(text, number) for number, text in enumerate(STEPS, 1)], TOOLS)
HOW_TO = example("how_to", ALL)


def lines(*said: str, tools: str = "Tools: PH1 screwdriver, spudger") -> str:
    return "\n".join([tools, *said])


FIRST, SECOND, THIRD, FOURTH = (f"{number}. {text} [{number}]" for number, text in enumerate(STEPS, 1))


def test_the_expected_answer_is_worth_one():
    marked = mark(HOW_TO, ALL, ended=True)
    assert marked.score == 1.0
    assert set(marked.figures) == {
        "answered", "tools_exact", "tools_f1", "steps_recalled", "lines_needed", "order_kept", "counts_exact",
        "sizes_exact", "cited_right", "warnings_kept", "ended",
    }  # fmt: skip
    assert set(marked.figures.values()) == {1.0}


@pytest.mark.parametrize("said", ["", "   \n", REFUSAL, "Tools:", "1.", "[1]", "\x00", "```", "Take it to a shop."])
def test_an_answer_that_says_nothing_is_worth_nothing(said: str):
    marked = mark(HOW_TO, said, ended=False)
    assert marked.score == 0.0
    assert set(marked.figures) == set(mark(HOW_TO, ALL, ended=True).figures)


@pytest.mark.parametrize(
    ("said", "figure", "value"),
    [
        pytest.param(lines(FIRST, SECOND, FOURTH), "steps_recalled", 0.75, id="a step is missing"),
        pytest.param(lines(FIRST, SECOND, THIRD, FOURTH, FOURTH), "steps_recalled", 1.0, id="said twice: recalled"),
        pytest.param(lines(FIRST, SECOND, THIRD, FOURTH, FOURTH), "lines_needed", 0.8, id="said twice: not needed"),
        pytest.param(lines("1. " + " ".join(STEPS) + " [1]"), "steps_recalled", 0.25, id="a line counts for one step"),
        pytest.param(lines(SECOND, FIRST, THIRD, FOURTH), "order_kept", 2 / 3, id="two swapped"),
        pytest.param(lines(FOURTH, THIRD, SECOND, FIRST), "order_kept", 0.0, id="turned round"),
        pytest.param(lines(SECOND, THIRD, FOURTH, FIRST), "order_kept", 2 / 3, id="the first comes last"),
        pytest.param(lines(SECOND, FOURTH), "order_kept", 1.0, id="two of four, in order"),
        pytest.param(lines(SECOND), "order_kept", 0.0, id="one step has no order"),
        pytest.param(ALL.replace("three", "four"), "counts_exact", 0.0, id="a wrong count"),
        pytest.param(ALL.replace("three", "3"), "counts_exact", 1.0, id="a count in digits"),
        pytest.param(ALL.replace("the base off", "the two screws off"), "counts_exact", 0.0, id="a count too many"),
        pytest.param(ALL.replace("three ", ""), "counts_exact", 0.0, id="a count lost"),
        pytest.param(ALL.replace("4 mm", "6 mm"), "sizes_exact", 0.0, id="a wrong size"),
        pytest.param(ALL.replace("4 mm", "4mm"), "sizes_exact", 1.0, id="a size without a space"),
        pytest.param(ALL.replace("[2]", "[4]"), "cited_right", 0.75, id="the wrong step cited"),
        pytest.param(ALL.replace("[2]", ""), "cited_right", 0.75, id="none cited"),
        pytest.param(ALL.replace("[2]", "[9]"), "cited_right", 0.75, id="a step cited that is not there"),
        pytest.param(ALL.replace("[2]", "[1, 2, 3, 4]"), "cited_right", 0.75, id="all cited"),
        pytest.param(ALL.replace("Caution: never open it while it is", ""), "warnings_kept", 0.0, id="no warning"),
        pytest.param(ALL.replace("never open", "open"), "warnings_kept", 0.0, id="a warning turned round"),
        pytest.param(ALL.replace("never open", "do not open"), "warnings_kept", 1.0, id="a warning in other words"),
        pytest.param(ALL.replace("PH1", "PH2"), "tools_exact", 0.0, id="another tool"),
        pytest.param(ALL.replace("PH1", "PH2"), "tools_f1", 0.5, id="one of two tools"),
        pytest.param(ALL.replace("PH1 screwdriver, spudger", "Spudger, ph1 screwdriver."), "tools_f1", 1.0, id="same"),
        pytest.param(ALL.replace("Tools: PH1 screwdriver, spudger\n", ""), "tools_f1", 0.0, id="no tools"),
        pytest.param(REFUSAL, "answered", 0.0, id="refused where a guide is there"),
    ],
)  # fmt: skip
def test_each_figure_sees_its_own_fault(said: str, figure: str, value: float):
    marked = mark(HOW_TO, said, ended=True)
    assert marked.figures[figure] == pytest.approx(value)
    assert (marked.score < 1) == (any(each < 1 for each in marked.figures.values()))


def test_drivers_are_told_apart_and_numbers_are_not():
    assert stems("Phillips #00") != stems("Phillips #000")
    assert stems("the four 3.0 mm screws") == stems("4 3 mm screw")
    assert stems("Don't remove its notes") != stems("Remove the notes")
    assert stems("removing batteries, unplugged cables") == stems("removed battery unplugging cable")


def test_the_same_step_twice_needs_two_lines():
    steps = ["Remove the cover.", "Turn it round.", "Remove the cover."]
    assert recalled(steps, steps) == [0, 1, 2]
    assert recalled(steps, steps[:2]) == [0, 1, None]


def test_a_warning_is_a_sentence():
    assert warnings_in(["Lift it. Caution: it is hot. Go on.", "Danger! High voltage. Do not touch it."]) == [
        "Caution: it is hot.", "Danger: High voltage.", "Do not touch it."
    ]  # fmt: skip
    assert warnings_in(["Warning."]) == []


@pytest.mark.parametrize(
    ("task", "expected", "said", "score"),
    [
        ("refusal", REFUSAL, REFUSAL, 1.0),
        ("refusal", REFUSAL, "Sorry, there is no guide about a toaster here.", 1.0),
        ("refusal", REFUSAL, f"1. {STEPS[0]} [1]", 0.0),
        ("refusal", REFUSAL, f"{REFUSAL}\n1. {STEPS[0]} [1]", 0.0),
        ("refusal", REFUSAL, "", 0.0),
        ("next_step", f"1. {STEPS[2]} [3]", f"1. {STEPS[2]} [3]", 1.0),
        ("next_step", f"1. {STEPS[2]} [3]", "Lift off the kettle's base. [3]", 1.0),
        ("next_step", f"1. {STEPS[2]} [3]", f"1. {STEPS[0]} [1]", 0.25),
        ("next_step", f"1. {STEPS[2]} [3]", REFUSAL, 0.0),
        ("next_step", "1. That was the last step. [4]", "1. That was the last step. [4]", 1.0),
        ("tools", "Tools: spudger, PH1 screwdriver", "Tools: PH1 screwdriver, spudger", 1.0),
        ("tools", "Tools: spudger, PH1 screwdriver", "Tools: spudger", 1 / 3),
        ("tools", "Tools: spudger", "Tools: spudger\n1. Lift the base. [1]", 0.5),
        ("tools", "Tools: spudger", "You need a spudger.", 0.0),
        ("chat", "It is warm today", "warm today", 1.0),
        ("chat", "It is warm today", "cold tomorrow", 0.0),
    ],
)
def test_each_task_has_a_score_of_its_own(task: str, expected: str, said: str, score: float):
    assert mark(example(task, expected), said, ended=True).score == pytest.approx(score)


SCREWS = '[{"action":"remove","part":"screw","count":3,"size":"4 mm"},{"action":"open","part":"base","count":null,"size":null}]'  # noqa: E501


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        (SCREWS, (1, 1, 1, 1)),
        (f"```json\n{SCREWS}\n```", (1, 1, 1, 1)),
        (json.dumps({"actions": json.loads(SCREWS)}), (1, 1, 1, 1)),
        (json.dumps(json.loads(SCREWS)[::-1]), (1, 1, 1, 1)),
        (json.dumps(json.loads(SCREWS)[:1]), (1, 2 / 3, 0, 1)),
        (SCREWS.replace("3", "4"), (1, 0.5, 0, 0)),
        (SCREWS + " Done.", (0, 0, 0, 0)),
        (SCREWS[:-1], (0, 0, 0, 0)),
        ("[]", (1, 0, 0, 0)),
        ("[3]", (0, 0, 0, 0)),
        ("null", (0, 0, 0, 0)),
        ("{" * 100_000, (0, 0, 0, 0)),
        ("Remove the three screws.", (0, 0, 0, 0)),
    ],
)
def test_requirements_are_held_against_the_actions(said: str, figures: tuple[float, ...]):
    found = mark(example("requirements", SCREWS), said, ended=True).figures
    names = ("json_valid", "actions_f1", "actions_exact", "counts_exact")
    assert tuple(found[name] for name in names) == pytest.approx(figures)


def test_real_answers_are_worth_one_and_those_of_others_little(shared: Path):
    guides = [
        read_myfixit(json.loads(line), path.name)
        for path in sorted((shared / "myfixit").glob("*.json"))
        for line in path.read_text().splitlines()[:25]
    ]
    materials = [material_of(guide, "myfixit", lambda passage: not why_not(passage)) for guide in guides]
    by_task: dict[str, list[Example]] = defaultdict(list)
    for examples in examples_of(materials, 7, 1024):
        for each in examples:
            assert mark(each, each.answer, ended=True).score == 1.0, each.answer
            by_task[each.task].append(each)
    others = {
        task: fmean(mark(one, other.answer, ended=True).score for one, other in zip(own, own[7:], strict=False))
        for task, own in by_task.items()
    }
    assert min(map(len, by_task.values())) > 20
    # All refusals are the same, and any list is JSON.
    assert others.pop("refusal") == 1.0
    assert others["how_to"] < 0.2
    assert others["next_step"] < 0.4
    assert others["tools"] < 0.3
    assert others["requirements"] < 0.5
    refused = [mark(each, REFUSAL, ended=True).score for task in others for each in by_task[task]]
    assert max(refused) == 0.0
