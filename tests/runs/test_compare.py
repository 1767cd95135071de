"""Runs beside each other."""

import time
from dataclasses import replace

import pytest
import yaml

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Forecast, Recipe
from repairai.hardware.workload import Workload
from repairai.runs.compare import compare
from repairai.runs.compare import figures as came_figures
from repairai.runs.detector_scores import write_detector_scores
from repairai.runs.folder import RunFolder, new_run, run_folder
from repairai.runs.journal import Journal
from repairai.runs.metrics import Metric
from tests.runs.test_detector_gate import figures, judged, marks, trained


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


def test_detectors_are_compared_by_what_they_count(recipe):
    for name, exact in (("a", 0.5), ("b", 0.75)):
        folder = trained(name)
        judged(folder, marks(figures(0.5), figures(exact)))
        with Journal(folder) as journal:
            for step, counted in ((1, exact), (2, 0.25)):
                journal.metric(Metric(step, time.time(), loss=1.0, memory_gib=1.0))
                journal.metric(Metric(step, time.time(), eval_loss=2.0, exact=counted, ap=counted / 2))
    ran("agent", yaml.safe_dump(to_data(recipe)), [3.0])
    found = compare(["a", "b"])
    rows = dict(row[:1] + (row[1:],) for row in came_figures(found.came))
    assert rows["most parts counted exactly on validation photos"] == ("50.0%", "75.0%")
    assert rows["highest average precision on them"] == ("0.250", "0.375")
    assert rows["all parts counted exactly on test photos"] == ("90.0%", "90.0%")
    assert "wrong steps passed on test photos" in rows
    assert not any("token" in name for name in rows), "a detector reads none"
    mixed = dict(row[:1] + (row[1:],) for row in came_figures(compare(["agent", "b"]).came))
    assert mixed["tokens/s"] == ("100", "")
    assert mixed["all parts counted exactly on test photos"] == ("", "90.0%")


def test_keys_of_another_task_are_left_out(recipe):
    ran("agent", yaml.safe_dump(to_data(recipe)), [3.0])
    eyes = Recipe("detector", Workload("builtin", "full", image_px=320), 1.0, 1e-4)
    trained("eyes", eyes)
    trained("others", replace(eyes, step=replace(eyes.step, image_px=640, rank=64), packing=not eyes.packing))
    assert compare(["eyes", "others"]).differences == (("step.image_px", "320", "640"),)
    mixed = {key: values for key, *values in compare(["agent", "eyes"]).differences}
    assert mixed["step.rank"] == ["16", ""]
    assert mixed["step.image_px"] == ["", "320"]
    assert not {"backend", "alpha", "step.targets"} & {key for key, (_, eyes) in mixed.items() if eyes}


def test_tests_on_other_photos_are_told_apart():
    for name, sha in (("a", "1"), ("b", "2")):
        folder = trained(name)
        scores = judged(folder, marks(figures(0.5), figures(0.75)))
        write_detector_scores(folder.scores, replace(scores, shown=replace(scores.shown, sha=sha)))
    names = [row[0] for row in came_figures(compare(["a", "b"]).came)]
    assert "verdicts decided on test photos, which are not the same" in names
    (run_folder("b").scores).write_text('{"kind": "detector"}')
    assert "verdicts decided on test photos" in [row[0] for row in came_figures(compare(["a", "b"]).came)]


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "a"], ["a"] * 9])
def test_two_different_runs_at_least(ids):
    new_run("a", "train", ["x"], text="")
    with pytest.raises(RepairError, match="runs were given to compare"):
        compare(ids)


def test_an_unknown_run():
    new_run("a", "train", ["x"], text="")
    with pytest.raises(RepairError, match="there is no run 'b'"):
        compare(["a", "b"])
