"""Before anything starts: one clear sentence, and nothing is made."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from repairai.errors import RepairError
from repairai.files import home, to_data
from repairai.hardware.memory import estimate
from repairai.hardware.models import built_in
from repairai.hardware.recipe import read_recipe
from repairai.hardware.workload import Workload
from repairai.runs import forecast
from repairai.runs.checks import ready
from repairai.runs.folder import run_folders
from repairai.runs.forecast import counted, disk_forecast
from repairai.runs.launch import evaluate, resume, start, trainer_command

RECIPES = Path(__file__).parents[2] / "training" / "recipes"


def test_a_good_recipe_is_written_out_in_full(recipe, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    short = replace(recipe, data="data", step=replace(recipe.step, model="./model"))
    assert ready(short) == recipe
    assert (
        ready(replace(recipe, step=Workload("HuggingFaceTB/SmolLM2-135M"))).step.model == "HuggingFaceTB/SmolLM2-135M"
    )
    assert ready(replace(recipe, step=Workload("nobody/nothing"))).step.model == "nobody/nothing", "the trainer asks"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "nowhere"}, "there is no folder of data at .*nowhere"),
        ({"data": "model"}, "holds no train.jsonl"),
        ({"data": "data/train.jsonl"}, "there is no folder of data"),
        ({"data": ""}, "names no data, and none were built yet"),
        ({"task": "detector"}, "method is qlora, which trains no detector"),
        ({"task": "judge"}, "there are no states at .*data"),
        ({"step": Workload("model", "inference")}, "trains no SOP agent"),
        ({"step": Workload("./nowhere")}, "no folder of a model at .*nowhere"),
        ({"step": Workload("models/mine/nowhere")}, "no folder of a model"),
        ({"step": Workload("data")}, "holds no config.json"),
        ({"step": Workload("small.gguf")}, "GGUF file.*training.from_gguf"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_made(recipe, change, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    with pytest.raises(RepairError, match=said) as told:
        start(replace(recipe, **change), "try")
    assert str(told.value).count("\n") == 0
    assert not run_folders()


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_empty_data(recipe, content, tmp_path):
    (tmp_path / "data" / "train.jsonl").write_text(content)
    with pytest.raises(RepairError, match=r"train\.jsonl is empty"):
        start(recipe, "try")
    assert not run_folders()


def test_a_name_that_leads_elsewhere(recipe):
    with pytest.raises(RepairError, match="leads elsewhere"):
        start(recipe, "../try")
    assert not run_folders()


def test_the_newest_data_are_taken_where_none_are_named(recipe):
    for name, when in (("old", 1000), ("new", 3000), ("older", 500)):
        folder = home() / "data" / "sop" / name
        folder.mkdir(parents=True)
        (folder / "train.jsonl").write_text("{}\n")
        os.utime(folder / "train.jsonl", (when, when))
    (home() / "data" / "sop" / "half").mkdir()
    assert ready(replace(recipe, data="")).data == str(home() / "data" / "sop" / "new")
    assert ready(replace(recipe, data="older")).data == str(home() / "data" / "sop" / "older"), "as a pull says it"


def test_a_newer_recipe_and_a_misspelt_key(recipe, tmp_path):
    path = tmp_path / "recipe.yaml"
    data = to_data(recipe)
    path.write_text(yaml.safe_dump({**data, "version": 99, "wings": 2}))
    with pytest.raises(RepairError, match="version 99"):
        read_recipe(path)
    path.write_text(yaml.safe_dump({**data, "epoch": 2}))
    with pytest.raises(RepairError, match="did you mean 'epochs'"):
        read_recipe(path)


def test_backends_have_their_own_commands(recipe):
    assert trainer_command(recipe)[1:] == ["-m", "training.sop_train", "{run}"]
    assert trainer_command(replace(recipe, backend="axolotl"))[1:] == [
        "-m",
        "training.in_environment",
        "axolotl",
        "{run}",
    ]


def test_resume_looks_again(made, tmp_path):
    folder = made()
    os.utime(folder.about, (0, 0))
    (tmp_path / "data" / "train.jsonl").unlink()
    with pytest.raises(RepairError, match=r"holds no train\.jsonl"):
        resume(folder.id)
    folder.exit.write_text('{"state": "finished", "time": 1}')
    with pytest.raises(RepairError, match="is finished"):
        resume(folder.id)
    with pytest.raises(RepairError, match="did you mean 'try'"):
        resume("tyr")


def test_an_evaluation_needs_a_model(made):
    folder = made()
    with pytest.raises(RepairError, match="has made no model yet"):
        evaluate(folder.id)
    folder.model.mkdir()
    with pytest.raises(RepairError, match="there is no exam at"):
        evaluate(folder.id, exam="nowhere.jsonl")
    assert len(run_folders()) == 1


# ---- the disk


def test_a_disk_without_room(recipe, monkeypatch):
    large = replace(recipe, step=Workload("meta-llama/Meta-Llama-3-8B", "full", optimizer="adamw"))
    found = disk_forecast(large)
    assert found.checkpoint_gib == pytest.approx(8.03e9 * (2 + 4) / 2**30, rel=0.01)
    assert found.wanted_gib == pytest.approx(3 * found.checkpoint_gib + 8.03e9 * 2 / 2**30, rel=0.01)
    monkeypatch.setattr(forecast, "room", lambda what, folder: type("Room", (), {"free_gib": 130.0}))
    with pytest.raises(RepairError, match=r"wants 149\.\d GiB of disk for 3 checkpoints.*`keep: 1`"):
        start(large, "try")
    monkeypatch.setattr(forecast, "room", lambda what, folder: type("Room", (), {"free_gib": 0.01}))
    with pytest.raises(RepairError, match="and 0.0 GiB are free"):
        start(replace(recipe, step=Workload("nobody/nothing")), "try")
    assert not run_folders()
    monkeypatch.setattr(forecast, "room", lambda what, folder: type("Room", (), {"free_gib": 150.0}))
    assert ready(large)


@pytest.mark.parametrize(
    "name", ["llama3-8b_full_24gib", "llama3.2-1b_lora_4gib", "mistral-7b_qlora_8gib", "qwen2.5-0.5b_qlora_4gib"]
)
def test_weights_are_counted_as_the_dry_run_counts_them(name):
    """Shapes with shared heads, with tied words, with biases; of which it has the answers at hand."""
    work = read_recipe(RECIPES / f"sop_{name}.yaml").step
    (truth,) = estimate([work])
    whole, adapters = counted(work, built_in()[work.model])
    assert whole == pytest.approx(truth.demand.parameters, rel=0.002)
    assert truth.demand.trained == (pytest.approx(whole, rel=0.002) if work.method == "full" else adapters)


def test_a_model_of_another_build_has_no_figures(recipe, tmp_path):
    (tmp_path / "model" / "config.json").write_text('{"model_type": "gpt2", "n_embd": 8, "n_layer": 1}')
    assert disk_forecast(recipe).wanted_gib < 1
