"""Before a judge's training starts: its states, their photos and the model are looked at, and nothing is made."""

import hashlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.memory import estimate
from repairai.hardware.models import built_in
from repairai.hardware.recipe import Recipe, read_recipe, saved
from repairai.hardware.ways import candidates
from repairai.hardware.workload import Workload
from repairai.judge.state_set import StateExample, write_examples
from repairai.named_sets import STATE_SETS
from repairai.runs.again import changes
from repairai.runs.checks import ready
from repairai.runs.events import add_event
from repairai.runs.folder import new_run
from repairai.runs.forecast import counted, disk_forecast
from repairai.runs.launch import trainer_command
from tests.runs.states import ASKED, OPPOSITE, write_states

STEP = Workload("builtin", "linear_probe", batch=32, precision="fp32", optimizer="adamw", checkpointing=False)
RECIPE = Recipe("judge", STEP, 100.0, 1e-2)
PALIGEMMA = "google/paligemma-3b-pt-224"


def test_a_good_recipe_is_written_out_in_full(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_states(tmp_path / "mine")
    assert ready(replace(RECIPE, data="mine")).data == str(tmp_path / "mine")
    with pytest.raises(RepairError, match="names no states, and none were built yet; build some with"):
        ready(RECIPE)
    for name, when in (("old", 1000), ("bench", 3000)):
        write_states(STATE_SETS.folder(name))
        os.utime(STATE_SETS.folder(name) / "examples.jsonl", (when, when))
    for data in ("bench", ""):
        assert ready(replace(RECIPE, data=data)).data == str(STATE_SETS.folder("bench")), (
            "the newest where none is named"
        )
    assert ready(replace(RECIPE, data="bench")).step.model == "builtin"
    seeing = replace(RECIPE, data="bench", step=Workload(PALIGEMMA, "qlora"))
    assert ready(seeing).step.model == PALIGEMMA
    for each in (RECIPE, seeing):
        assert trainer_command(each) == [sys.executable, "-m", "training.judge_train", "{run}"]


def _folder(name: str, config: dict[str, object]) -> None:
    Path(name).mkdir()
    (Path(name) / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "nowhere"}, "no states at .*nowhere"),
        ({"data": "other"}, "no state in other is for training"),
        ({"data": "yes"}, "all 4 states for training in yes are answered yes"),
        ({"data": "gone"}, "4 photos of gone are not there, photos/0.jpg among them"),
        ({"method": "few_shot"}, "method is few_shot, which trains no judge"),
        ({"method": "lora"}, "the built-in backbone is not trained by lora"),
        ({"model": "./nowhere"}, "no folder of a model at .*nowhere"),
        ({"model": "mine"}, "holds no config.json"),
        ({"model": "judge"}, "holds a judge that is trained already"),
        ({"model": "words", "method": "lora"}, "holds gpt2, which reads no photos"),
        ({"backend": "unsloth"}, "unsloth trains no judges"),
        ({"gpus": 2}, "wants 2 GPUs"),
    ],
)
def test_what_is_wrong_is_told(change, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_states(tmp_path / "mine")
    write_states(tmp_path / "other", split="val")
    write_states(tmp_path / "yes", answers=("yes",))
    write_states(tmp_path / "gone", there=False)
    _folder("judge", {"model_type": "repairai_state_classifier", "architectures": ["StateClassifier"]})
    _folder("words", {"model_type": "gpt2", "n_embd": 8, "n_layer": 1})
    step = replace(STEP, **{key: value for key, value in change.items() if key in ("model", "method")})
    rest = {key: value for key, value in change.items() if key not in ("model", "method")}
    with pytest.raises(RepairError, match=said) as told:
        ready(replace(RECIPE, step=step, **{"data": "mine", **rest}))
    assert str(told.value).count("\n") == 0


def test_a_set_that_is_damaged_is_told_by_its_line(tmp_path):
    folder = write_states(tmp_path / "mine")
    (folder / "examples.jsonl").write_text('{"photo": 3}\n')
    with pytest.raises(RepairError, match=r"examples\.jsonl, line 1"):
        ready(replace(RECIPE, data=str(folder)))


def test_the_disk_is_foreseen(tmp_path):
    found = disk_forecast(RECIPE)
    assert found.model_gib == pytest.approx(0.0065, abs=0.001), "the backbone is 6 MB"
    assert found.wanted_gib < 0.02
    assert disk_forecast(replace(RECIPE, step=replace(STEP, model="nobody/nothing"))).checkpoint_gib is None
    adapters = disk_forecast(replace(RECIPE, step=Workload(PALIGEMMA, "qlora")))
    assert adapters.model_gib is not None
    assert 0.05 < adapters.model_gib < 0.2


def test_the_weights_of_what_reads_photos_are_counted_as_the_dry_run_counts_them():
    work = Workload("HuggingFaceTB/SmolVLM-500M-Instruct", "lora", rank=8)
    (truth,) = estimate([work])
    whole, adapters = counted(work, built_in()[work.model])
    assert whole == pytest.approx(truth.demand.parameters, rel=0.03)
    assert adapters == pytest.approx(truth.demand.trained, rel=0.03)


def test_a_recipe_opens_with_words_that_are_true(tmp_path):
    text = saved(tmp_path / "mine.yaml", RECIPE)
    assert "python -m repairai states build" in text.splitlines()[0]
    assert "python -m repairai train mine.yaml" in text.splitlines()[1]
    assert read_recipe(tmp_path / "mine.yaml") == RECIPE


def test_the_planner_says_that_a_linear_layer_needs_no_plan():
    with pytest.raises(RepairError, match="trains one linear layer, which runs on any processor and needs no plan"):
        candidates("judge", "builtin")
    with pytest.raises(RepairError, match="it needs no graphics card"):
        estimate([Workload(PALIGEMMA, "linear_probe")])


def test_states_of_both_phrasings_are_read(tmp_path):
    folder = write_states(tmp_path / "mine")
    own = StateExample("photos/0.jpg", ASKED, OPPOSITE, "yes", "s", "train")
    write_examples(folder, [own, replace(own, question=OPPOSITE, opposite=ASKED, answer="no")])
    assert ready(replace(RECIPE, data=str(folder))).data == str(folder)


def test_a_push_that_nobody_could_use_is_refused_before_the_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_states(tmp_path / "mine")
    _folder("seer", {"model_type": "paligemma", "vision_config": {}, "text_config": {}})
    own = replace(RECIPE, data="mine", step=Workload("seer", "lora"), push="me/seer")
    with pytest.raises(
        RepairError, match=r"an adapter on .*seer, which only this machine has, is of no use on the Hub"
    ):
        ready(own)


def test_states_that_were_changed_since_are_told(tmp_path):
    folder = write_states(tmp_path / "mine")
    run = new_run("first", "train", ["python"], text="")
    sha = hashlib.sha256((folder / "examples.jsonl").read_bytes()).hexdigest()
    for side in ("train", "val"):
        add_event(run.events, "data", f"{side}: 4 examples", sha256=sha)
    same = replace(RECIPE, data=str(folder))
    assert not [each for each in changes(run, same) if "examples" in each]
    (folder / "examples.jsonl").write_text("")
    assert "examples.jsonl of its data was written anew" in changes(run, same)
