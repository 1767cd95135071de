"""The SOP agent's training on tiny models: it learns, leaves and goes on, and says honestly how it ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from repairai.errors import RepairError
from repairai.files import home
from repairai.hardware.recipe import Recipe, saved
from repairai.hardware.workload import Workload
from repairai.runs.checkpoints import checkpoints, last_whole
from repairai.runs.folder import RunFolder, new_run, run_folder
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import read_new
from repairai.runs.state import read_run
from tests.training.tiny import save_tiny, write_data
from training import sop_train
from training.given import training_run
from training.sop.trainer import SopTrainer
from training.sop_train import COMMAND, main, on_several, train

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    step = Workload(
        str(save_tiny(tmp_path / "m")), "lora", batch=4, accumulation=1, length_tokens=96, checkpointing=False,
        optimizer="adamw", precision="fp32", adapter_precision="fp32", rank=8,
    )  # fmt: skip
    data = write_data(tmp_path / "data", 96)
    return Recipe("sop", step, 4.0, 1e-2, data=str(data), eval_steps=6, patience=0, max_steps=12, dropout=0.1)


def run_of(recipe: Recipe, name: str = "run") -> RunFolder:
    path = home() / f"{name}.yaml"
    return new_run(name, "train", COMMAND, text=saved(path, recipe))


def trained(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        train(folder, journal)


def losses(folder: RunFolder) -> dict[int, float]:
    return {line.step: line.loss for line in read_new(folder.metrics, 0)[0] if line.loss is not None}


def events(folder: RunFolder, kind: str) -> list[dict]:
    lines = map(json.loads, folder.events.read_text().splitlines())
    return [line for line in lines if line["kind"] == kind]


def ask_at(monkeypatch: pytest.MonkeyPatch, folder: RunFolder, step: int, what: str) -> None:
    """What a person asks while a step is computed."""
    real = SopTrainer.training_step

    def training_step(self, *words, **named):
        if self.state.global_step == step - 1:
            folder.control.mkdir(exist_ok=True)
            (folder.control / what).touch()
        return real(self, *words, **named)

    monkeypatch.setattr(SopTrainer, "training_step", training_step)


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_it_learns(tmp_path: Path, recipe: Recipe, method: str, family: str):
    precision = "bf16" if method == "qlora" else "fp32"
    model = save_tiny(tmp_path / "other", family)
    rate = 3e-3 if method == "full" else 1e-2
    step = replace(recipe.step, model=str(model), method=method, precision=precision, checkpointing=method == "lora")
    folder = run_of(replace(recipe, step=step, learning_rate=rate, max_steps=18))
    trained(folder)
    run = read_run(folder)
    assert run.state == "finished"
    seen = [line.eval_loss for line in read_new(folder.metrics, 0)[0] if line.eval_loss is not None]
    assert seen[-1] < seen[0] - 0.3
    assert (folder.model / "sources.json").is_file()
    assert not list(folder.model.glob("*.bin"))
    assert events(folder, "check")


@pytest.mark.parametrize("packing", [True, False])
def test_what_is_left_and_gone_on_with_is_as_if_nothing_had_happened(recipe: Recipe, monkeypatch, packing: bool):
    recipe = replace(recipe, packing=packing, max_steps=30)  # over more than one epoch
    whole, parted = run_of(recipe, "whole"), run_of(recipe, "parted")
    trained(whole)
    with monkeypatch.context() as during:
        ask_at(during, parted, 27 if not packing else 15, "pause")
        with pytest.raises(Asked):
            trained(parted)
    run = read_run(parted)
    assert (run.state, run.can_resume, run.checkpoint_step) == ("paused", True, 27 if not packing else 15)
    trained(parted)
    assert read_run(parted).state == "finished"
    assert losses(parted) == pytest.approx(losses(whole), abs=1e-6)
    assert sorted(losses(parted)) == list(range(1, 31))
    one, other = ({p.name: p.read_bytes() for p in folder.model.glob("*.safetensors")} for folder in (whole, parted))
    assert one == other


def test_without_anything_to_judge_with_it_trains_all_the_same(recipe: Recipe):
    (Path(recipe.data) / "val.jsonl").unlink()
    folder = run_of(replace(recipe, patience=3))
    trained(folder)
    assert read_run(folder).state == "finished"
    assert [each.step for each in checkpoints(folder)] == [6, 12]


def test_a_checkpoint_is_made_when_it_is_asked_for(recipe: Recipe, monkeypatch):
    folder = run_of(replace(recipe, keep=5))
    ask_at(monkeypatch, folder, 4, "save")
    trained(folder)
    assert [each.step for each in checkpoints(folder)] == [4, 6, 12]


def test_it_leaves_in_the_middle_of_an_evaluation(recipe: Recipe, monkeypatch):
    folder = run_of(recipe)
    real = SopTrainer.prediction_step

    def prediction_step(self, *words, **named):
        if self.state.global_step == 6:
            folder.control.mkdir(exist_ok=True)
            (folder.control / "stop").touch()
        return real(self, *words, **named)

    monkeypatch.setattr(SopTrainer, "prediction_step", prediction_step)
    with pytest.raises(Asked):
        trained(folder)
    run = read_run(folder)
    assert (run.state, run.checkpoint_step) == ("stopped", 6)


def test_memory_that_runs_out_halves_the_batch_and_nothing_else(recipe: Recipe, monkeypatch):
    whole, short = run_of(replace(recipe, dropout=0.0), "whole"), run_of(replace(recipe, dropout=0.0), "short")
    trained(whole)
    real = SopTrainer.training_step

    def training_step(self, model, inputs, *words, **named):
        if self.state.global_step >= 8 and len(inputs["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory, as it would say")
        return real(self, model, inputs, *words, **named)

    monkeypatch.setattr(SopTrainer, "training_step", training_step)
    trained(short)
    assert [(each["batch"], each["accumulation"]) for each in events(short, "halved")] == [(2, 2), (1, 4)]
    assert events(short, "resumed")[-1]["step"] == 8
    assert losses(short) == pytest.approx(losses(whole), abs=1e-4)


def test_one_example_that_does_not_fit_is_said_before_the_first_step(recipe: Recipe, monkeypatch):
    folder = run_of(recipe)

    def try_worst(self):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(SopTrainer, "try_worst", try_worst)
    with pytest.raises(MemoryError, match="set length_tokens to 48"):
        trained(folder)
    run = read_run(folder)
    assert run.state == "out_of_memory"
    assert not losses(folder)


def test_a_loss_that_is_no_number_ends_it(recipe: Recipe, monkeypatch):
    folder = run_of(recipe)
    real = SopTrainer.compute_loss

    def compute_loss(self, *words, **named):
        loss = real(self, *words, **named)
        return loss * float("nan") if self.state.global_step == 8 and self.model.training else loss

    monkeypatch.setattr(SopTrainer, "compute_loss", compute_loss)
    with pytest.raises(RepairError, match="loss of step 9 is no number; halve learning_rate"):
        trained(folder)
    assert read_run(folder).state == "failed"
    assert [each.step for each in checkpoints(folder)] == [6]


def test_it_ends_early_where_it_gets_no_better(recipe: Recipe):
    folder = run_of(replace(recipe, learning_rate=1e-7, eval_steps=2, patience=2, max_steps=60, keep=3))
    trained(folder)
    run = read_run(folder)
    assert run.state == "finished"
    assert "no longer got better" in run.exit.said
    assert run.step < 60


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": ""}, "names no data"),
        ({"data": "/nowhere"}, "does not exist"),
        ({"task": "judge"}, "this trains the SOP agent"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(recipe: Recipe, change: dict, said: str):
    folder = run_of(replace(recipe, **change))
    with pytest.raises(RepairError, match=said):
        trained(folder)


def test_a_model_that_is_not_there_is_refused(recipe: Recipe, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name, said in (
        ("no/such-model", "is not on this machine, and HF_HUB_OFFLINE is set"),
        ("a b", "neither a"),
    ):
        folder = run_of(replace(recipe, step=replace(recipe.step, model=name)))
        with pytest.raises(RepairError, match=said):
            trained(folder)
    (tmp_path / "m" / "model.safetensors").rename(tmp_path / "m" / "model.bin")
    with pytest.raises(RepairError, match="no weights in safetensors"):
        trained(run_of(recipe))


def test_from_a_terminal_killed_and_gone_on_with(recipe: Recipe, tmp_path: Path):
    path = tmp_path / "typed.yaml"
    saved(path, replace(recipe, max_steps=400, eval_steps=10))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    typed = subprocess.Popen([sys.executable, "-m", "training.sop_train", str(path)], cwd=ROOT, env=environment)
    folder = _waited(lambda: run_folder("typed") if (tmp_path / "home/runs/typed").is_dir() else None)
    _waited(lambda: last_whole(folder))
    assert read_run(folder).state == "running"
    typed.send_signal(signal.SIGKILL)
    typed.wait()
    run = read_run(folder)
    assert run.state == "interrupted"
    assert run.can_resume
    again = subprocess.Popen([sys.executable, "-m", "training.sop_train", str(folder.path)], cwd=ROOT, env=environment)
    _waited(lambda: events(folder, "resumed"))
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 1
    assert read_run(folder).state == "stopped"
    steps = [line.step for line in read_new(folder.metrics, 0)[0] if line.loss is not None]
    assert steps == list(range(1, len(steps) + 1)), "no step stands twice in the curve"


def test_the_command_says_how_it_ended(recipe: Recipe, tmp_path: Path, capsys):
    assert main([str(tmp_path / "none.yaml")]) == 2
    assert "does not exist" in capsys.readouterr().err
    path = tmp_path / "short.yaml"
    saved(path, replace(recipe, max_steps=2))
    assert main([str(path), "--name", "my run"]) == 0
    assert "the model is in" in capsys.readouterr().out
    assert run_folder("my-run").model.is_dir()


def test_several_gpus_are_left_to_accelerate(recipe: Recipe, tmp_path: Path, monkeypatch):
    command = on_several(2, tmp_path / "run")
    assert command[1:3] == ["-m", "accelerate.commands.launch"]
    path = tmp_path / "two.yaml"
    saved(path, replace(recipe, gpus=2, max_steps=4, eval_steps=2, dropout=0.0))
    folder = training_run(path, "", sop_train.COMMAND, lambda recipe: None)
    # accelerate starts one process on a machine without GPUs; torch's own launcher starts two that share their steps.
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", free_port()]
    words += ["-m", "training.sop_train", str(folder.path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "REPAIRAI_HOME": str(tmp_path / "home")}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert read_run(folder).state == "finished"
    assert len(losses(folder)) == 4


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _waited(look, seconds: float = 180.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")
