"""A sweep queues a run for each combination, and nothing where one of them is wrong."""

from dataclasses import replace

import pytest

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.folder import run_folders
from repairai.runs.queue import unqueue
from repairai.runs.state import read_run
from repairai.runs.sweep import looked_at, sweep, trials


def test_each_combination_is_a_recipe_named_after_what_differs(recipe: Recipe):
    found = trials(recipe, ["learning_rate=1e-4,2e-4", "rank=8,16", "schedule=linear"], "Lamps")
    assert [each.name for each in found][0] == "lamps-learning_rate-1e-4-rank-8-schedule-linear"
    assert [each.name for each in found][3] == "lamps-learning_rate-2e-4-rank-16-schedule-linear"
    assert [(each.recipe.learning_rate, each.recipe.step.rank) for each in found] == [
        (1e-4, 8), (1e-4, 16), (2e-4, 8), (2e-4, 16)]  # fmt: skip
    assert {each.recipe.schedule for each in found} == {"linear"}
    assert trials(recipe, ["max_steps=none,5", "packing=false"], "x")[0].recipe == replace(recipe, packing=False)
    long = trials(recipe, ["step.adapter_precision=fp32", "warmup=0.1", "eval_steps=10"], "a" * 64)
    assert len(long[0].name) <= 64
    assert long[0].name.endswith("-adapter_precision-fp32-warmup-0.1-eval_steps-10")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lernrate=1,2"], "'lernrate' is no setting of a recipe"),
        (["task=sop,judge"], "'task' is no setting"),
        (["forecast.machine=a"], "'forecast.machine' is no setting"),
        (["rank"], "'rank' is nothing to try; write it as learning_rate=1e-4,2e-4"),
        (["rank=8,,16"], "is nothing to try"),
        (["rank=8,8"], "gives a value twice"),
        (["rank=8", "step.rank=16"], "a setting is given twice"),
        (["rank=1,2,3,4,5", "seed=1,2,3,4"], "5 times 4 values are 20 runs, and 16 is the most"),
        (["learning_rate=0.1,fast"], "the recipe with learning_rate=fast is not a Recipe: learning_rate"),
        (["rank=8,100000"], "need rank from 1 to 1024, got 100000"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence_and_starts_nothing(recipe: Recipe, words: list[str], said: str):
    with pytest.raises(RepairError) as told:
        sweep(recipe, words, "lamps")
    assert said in str(told.value)
    assert run_folders() == []


def test_the_runs_of_a_sweep_wait_and_are_found_together(recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("repairai.runs.launch.wake", lambda: False)
    made = sweep(recipe, ["seed=1,2"], "Lamps")
    assert [read_run(each).state for each in made] == ["queued", "queued"]
    assert [read_recipe(each.recipe).seed for each in made] == [1, 2]
    assert {read_run(each).tags for each in made} == {("lamps",)}
    ids = [each.id for each in made]
    assert looked_at(ids, "Lamps") == "python -m repairai runs compare lamps-seed-1 lamps-seed-2"
    assert looked_at([str(n) for n in range(9)], "Lamps") == "python -m repairai runs list --tag lamps --sort loss"
    for each in ids:
        unqueue(each)


def test_nothing_that_costs_or_shows_is_done_many_times(recipe: Recipe):
    with pytest.raises(RepairError, match="paid for by itself"):
        sweep(replace(recipe, where="hf-jobs"), ["rank=8,16"], "lamps")
    with pytest.raises(RepairError, match="pushed to ada/lamps.*push the best"):
        sweep(replace(recipe, push="ada/lamps"), ["rank=8,16"], "lamps")
    assert run_folders() == []
