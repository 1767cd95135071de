"""Runs beside each other."""

import time
from dataclasses import replace

import pytest
import yaml

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Forecast
from repairai.runs.compare import compare
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.journal import Journal
from repairai.runs.metrics import Metric


def ran(name: str, text: str, looks: list[float]) -> RunFolder:
    folder = new_run(name, "train", ["x"], text=text)
    with Journal(folder) as journal:
        for step, loss in enumerate(looks, 1):
            metric = Metric(step, time.time(), loss=2 * loss, tokens_per_second=100.0 * step, memory_gib=float(step))
            journal.metric(metric)
            journal.metric(Metric(step, time.time(), eval_loss=loss))
        journal.end("finished", step=len(looks))
    return folder


def test_curves_ends_and_recipes(recipe):
    other = replace(recipe, learning_rate=1e-4, step=replace(recipe.step, rank=64))
    planned = replace(other, forecast=Forecast("a card", 1.0, 1.0, (1.0, 2.0), None, ()))
    short = to_data(recipe)
    del short["keep"]  # as usual, so no difference
    ran("a", yaml.safe_dump(short), [3.0, 1.0, 2.0])
    ran("b", yaml.safe_dump(to_data(planned)), [2.5, 2.0])
    found = compare(["b", "a"])
    assert found.ids == ("b", "a")
    assert found.differences == (("step.rank", "64", "16"), ("learning_rate", "0.0001", "0.001"))
    assert found.curves["a"]["eval_loss"] == ((1, 3.0), (2, 1.0), (3, 2.0))
    b, a = found.came
    assert (a.loss, a.best_eval_loss, a.best_step, a.tokens_per_second, a.memory_gib) == (4.0, 1.0, 2, 200.0, 3.0)
    assert (b.best_eval_loss, b.run.state) == (2.0, "finished")


def test_a_checkpoint_tells_of_a_look_that_no_curve_shows(recipe):
    folder = ran("a", "{", [3.0])
    path = folder.checkpoints / "checkpoint-7"
    path.mkdir(parents=True)
    (path / "whole").write_text('{"step": 7, "eval_loss": 0.5}')
    new_run("b", "evaluate", ["x"], text="run: a\nlimit: 5\n", parent="a")
    found = compare(["a", "b"])
    assert (found.came[0].best_eval_loss, found.came[0].best_step) == (0.5, 7)
    assert found.came[1].loss is None
    assert found.differences == (("run", "", "a"), ("limit", "", "5")), "a recipe that cannot be read has no keys"


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "a"], ["a"] * 9])
def test_two_different_runs_at_least(ids):
    new_run("a", "train", ["x"], text="")
    with pytest.raises(RepairError, match="runs were given to compare"):
        compare(ids)


def test_an_unknown_run():
    new_run("a", "train", ["x"], text="")
    with pytest.raises(RepairError, match="there is no run 'b'"):
        compare(["a", "b"])
