"""How well the reader finds what MyFixit steps ask, held against facts that were written down by hand.

How to annotate is told in `rules` of requirements_gold.json, so that another person would write the same. The texts
stay where they lie; only their ids, a hash of their words and the facts are kept here. Of each batch the facts were
written before the reader saw it; see benchmarks/requirements.py for the figures and for what is still wrong.
"""

import json
from pathlib import Path

import pytest

from benchmarks.requirements import Answer, answer_all, hash_of, read_gold, score
from repairai.schema import Action

GOLD = read_gold()["steps"]
FLOORS = {
    "develop": (0.98, 0.96),
    "held_out_1": (0.95, 0.92),
    "held_out_2": (0.98, 0.96),
    "held_out_3": (0.98, 0.93),
    "held_out_4": (0.98, 0.90),
    "held_out_5": (0.94, 0.93),
    "held_out_6": (0.94, 0.90),
}
"""A little under what is reached now, in precision and recall; see `first_sight` for what new texts must expect."""


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    folder = Path(__file__).parents[3] / "shared" / "data" / "myfixit"
    if not folder.is_dir():
        pytest.skip("needs MyFixit in ../shared/data, which is not part of the repository")
    return answer_all(folder)


@pytest.mark.parametrize("half", FLOORS)
def test_no_worse_than_measured(answers: list[Answer], half: str):
    found = score(answer for answer in answers if answer.half == half)
    precision, recall = FLOORS[half]
    assert found.precision >= precision
    assert found.recall >= recall


def test_every_annotated_step_is_read(answers: list[Answer]):
    assert len(answers) == len(GOLD)


def test_texts_are_the_ones_that_were_annotated(shared: Path):
    texts: dict[tuple[str, int], set[str]] = {}
    for file in {step["file"] for step in GOLD}:
        for line in (shared / "myfixit" / file).read_text().splitlines():
            for step in json.loads(line)["Steps"]:
                texts.setdefault((file, step["StepId"]), set()).add(hash_of(step["Text_raw"]))
    drifted = [step["step_id"] for step in GOLD if step["sha256"] not in texts.get((step["file"], step["step_id"]), ())]
    assert not drifted, "these steps no longer say what they said when they were annotated"


def test_each_half_is_large_and_holds_steps_that_ask_nothing():
    assert {step["half"] for step in GOLD} == set(FLOORS)
    for half in FLOORS:
        steps = [step for step in GOLD if step["half"] == half]
        assert len(steps) >= 100
        assert sum(not step["facts"] for step in steps) >= 15


def test_facts_are_well_formed():
    for step in GOLD:
        for action, part, count in step["facts"]:
            assert action in Action.__args__
            assert part == part.lower()
            assert " " not in part
            assert count is None or count >= 1
