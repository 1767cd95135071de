"""`runs` and `plan` on the command line where the run is a detector's: its scores, its evaluation, a recipe for it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from repairai.cli import main
from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hardware.workload import Workload
from repairai.named_sets import PHOTO_SETS
from repairai.runs import launch, listing
from repairai.runs.checks import ready
from repairai.runs.detector_scores import read_detector_scores, write_detector_scores
from repairai.runs.folder import new_run, run_folder, runs_folder
from repairai.runs.journal import Journal
from repairai.runs.state import read_run
from repairai.runs.why import why
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, write_photo_set
from tests.runs.test_detector_gate import figures, judged, marks, trained


@pytest.fixture
def photos() -> Path:
    """A set with one photo to train on."""
    folder = PHOTO_SETS.folder("bench")
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "a.jpg").write_bytes(b"")
    box = LabelledBox("screw", (0.0, 0.0, 9.0, 9.0))
    write_photo_set(PhotoSet(folder, ("screw",), (LabelledPhoto("a.jpg", 9, 9, (box,), "train", "a"),)))
    return folder


def test_a_detectors_scores_are_shown_in_words_and_as_a_table(capsys: pytest.CaptureFixture[str]):
    folder = trained("mine")
    scores = judged(folder, marks(figures(0.5), figures(0.75)))
    assert main(["runs", "show", "mine"]) == 0
    told = capsys.readouterr().out
    assert "test        mine counts 90.0 % of parts exactly on 21 photos with 1 part" in told
    assert "| screw | 21 | 21 | 90.0 % |" in told
    assert "exam" not in told
    assert "left out" not in told
    assert main(["runs", "show", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"]["kind"] == "detector"
    write_detector_scores(folder.scores, replace(scores, shown=replace(scores.shown, learned=4, of=25)))
    assert main(["runs", "show", "mine"]) == 0
    told = capsys.readouterr().out
    assert "4 photos of 25 for test were left out, because the training saw them before the set was split anew" in told
    folder.scores.write_text('{"kind": "detector"}')
    assert main(["runs", "show", "mine"]) == 0
    assert "exam        scores.json is not a DetectorScores" in capsys.readouterr().out


def test_what_an_evaluation_found_begins_with_the_runs_own_name():
    trained("mine")
    folder = new_run("mine-eval", "evaluate", ["python"], text="run: mine\n", parent="mine")
    with Journal(folder) as journal:
        journal.end("finished", "finished", "mine counts 90.0 % of parts exactly.")
    assert why(folder).said == "mine counts 90.0 % of parts exactly."


def test_scores_of_an_older_form_are_read():
    """Before photos were left out nothing was said of them."""
    folder = trained("mine")
    judged(folder, marks(figures(0.5), figures(0.75)))
    data = json.loads(folder.scores.read_text())
    del data["shown"]["learned"]
    folder.scores.write_text(json.dumps(data))
    assert read_detector_scores(folder.scores).shown.learned == 0


def test_detectors_are_sorted_by_what_they_count_exactly():
    folder = trained("mine")
    judged(folder, marks(figures(0.5), figures(0.75)))
    assert listing.score_of(read_run(folder)) == 0.9


def test_a_detector_is_evaluated_by_its_own_script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    trained("mine")
    monkeypatch.setattr(launch, "launch", lambda folder: None)
    assert main(["runs", "evaluate", "mine", "--escape", "7%", "--detach", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert (run["id"], run["kind"], run["parent"]) == ("mine-eval", "evaluate", "mine")
    assert run["command"][1:3] == ["-m", "training.detector_eval"]
    order = yaml.safe_load((runs_folder() / "mine-eval" / "order.yaml").read_text())
    assert (order["escape"], order["limit"], order["on"]) == (0.07, None, "test")
    folder = launch.evaluate("mine", 9)
    order = yaml.safe_load(folder.order.read_text())
    assert (order["escape"], order["limit"]) == (None, 9)


@pytest.mark.parametrize("share", ["7", "0", "x", "-0.1", "nan", "90%"])
def test_a_share_that_is_none_is_refused(share: str, capsys: pytest.CaptureFixture[str]):
    trained("mine")
    assert main(["runs", "evaluate", "mine", f"--escape={share}"]) == 2
    assert "is no share from 0.0001 to 0.5; 0.01 is 1 %" in capsys.readouterr().err
    assert not (runs_folder() / "mine-eval").exists()


def test_an_agent_lets_no_steps_pass(capsys: pytest.CaptureFixture[str]):
    recipe = Recipe("sop", Workload("someone/model", "lora"), 1.0, 1e-4)
    new_run("words", "train", ["python"], text=json.dumps(to_data(recipe))).model.mkdir()
    assert main(["runs", "evaluate", "words", "--escape", "0.05"]) == 2
    assert "words trains no detector" in capsys.readouterr().err
    assert launch.usual_limit("words") == 200
    assert launch.usual_limit(trained("mine").id) is None
    with pytest.raises(RepairError, match="there is no run"):
        launch.usual_limit("none")


def test_a_planned_recipe_is_one_that_train_takes(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "x.yaml"
    words = ["plan", "--task", "detector", "--model", "PekingU/rtdetr_v2_r18vd", "--vram-gib", "8", "--save", str(path)]
    assert main(words) == 0
    recipe = read_recipe(path)
    assert (recipe.task, recipe.step.method) == ("detector", "full")
    assert ready(recipe).data == str(photos)
    monkeypatch.setattr(launch, "launch", lambda folder: None)
    assert main(["train", str(path), "--detach"]) == 0
    kept = read_recipe(run_folder("x").recipe)
    assert (kept.data, kept.step) == (str(photos), recipe.step)
    assert "training.detector_train" in json.loads(run_folder("x").about.read_text())["command"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"step": Workload("builtin", "full", image_px=100)}, "no multiple of 32; take 96"),
        ({"step": Workload("builtin", "full", image_px=8)}, "no multiple of 32; take 32"),
        ({"gpus": 2}, "detectors are trained on one"),
    ],
)
def test_what_no_trainer_takes_makes_no_run(photos: Path, change: dict, said: str):
    step = Workload("builtin", "full", image_px=320)
    with pytest.raises(RepairError, match=said):
        ready(replace(Recipe("detector", step, 1.0, 1e-4), **change))
