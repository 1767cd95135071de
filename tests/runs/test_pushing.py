"""A recipe that says `push`: refused before hours of training where it cannot be, and else done behind it."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, saved
from repairai.hardware.workload import Workload
from repairai.hub import pushes
from repairai.runs import launch
from repairai.runs.checks import ready
from repairai.runs.events import read_events
from repairai.runs.folder import RunFolder
from repairai.runs.pushing import push_trained
from repairai.runs.state import read_run
from tests.hub_server.server import HubServer
from tests.training.tiny import save_tiny, write_data


@pytest.fixture
def recipe(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ada"))
    hub.add_folder("model", "ada/tiny", save_tiny(tmp_path / "m"))
    step = Workload(
        "ada/tiny", "lora", batch=4, accumulation=1, length_tokens=96, checkpointing=False,
        optimizer="adamw", precision="fp32", adapter_precision="fp32", rank=8,
    )  # fmt: skip
    data = write_data(tmp_path / "data", 48)
    return Recipe("sop", step, 1.0, 1e-2, data=str(data), eval_steps=6, max_steps=3, push="ada/mine")


def test_it_is_refused_before_it_is_trained(
    hub: HubServer, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert ready(recipe).push == "ada/mine"
    here = replace(recipe, step=replace(recipe.step, model=str(tmp_path / "m")))
    for wrong, said in (
        (here, "only this machine has, is of no use on the Hub"),
        (replace(recipe, push="bob/mine"), "bob"),
        (replace(recipe, push="no name"), "no name"),
        (replace(recipe, backend="axolotl"), "models push RUN ada/mine"),
    ):
        with pytest.raises(RepairError, match=said):
            launch.start(wrong, "wrong")
    monkeypatch.setenv("HF_TOKEN", hub.add_user("eve", write=False))
    with pytest.raises(RepairError, match="eve"):
        ready(replace(recipe, push="eve/mine"))
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(RepairError, match="logged in"):
        ready(recipe)
    assert not launch.runs_folder().exists() or not list(launch.runs_folder().glob("[!.]*"))


@pytest.mark.slow
def test_it_goes_where_a_person_says_when_it_is_trained(hub: HubServer, recipe: Recipe, tmp_path: Path):
    path = tmp_path / "mine.yaml"
    saved(path, replace(recipe, push=""))
    command = [sys.executable, "-m", "repairai", "train", str(path), "--name", "mine", "--push", "ada/mine"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = RunFolder(launch.runs_folder() / "mine")
    last = time.monotonic() + 180
    while time.monotonic() < last and not (found := pushes.pushes()):
        time.sleep(0.2)
    while time.monotonic() < last and (push := pushes.push_of(found[0].id)).at_work:
        time.sleep(0.2)
    assert push.state == "done", (push, folder.log.read_text()[-2000:])
    assert read_run(folder).state == "finished"
    assert "ada/mine" in read_events(folder.events, ("push",))[0].text
    repo = hub.repo("model", "ada/mine")
    assert repo is not None
    assert repo.private
    assert "adapter_model.safetensors" in repo.files("main")
    assert "base_model: ada/tiny" in hub.read("model", "ada/mine", "README.md").decode()
    assert not hub.leaks()


def test_what_goes_wrong_then_is_told_and_ends_nothing(home: Path, hub: HubServer):
    folder = RunFolder(home / "runs" / "mine")
    folder.path.mkdir(parents=True)
    step = Workload("ada/tiny", "lora")
    saved(folder.recipe, Recipe("sop", step, 1.0, 1e-2, push="ada/mine"))
    push_trained(folder)
    (event,) = read_events(folder.events, ("push",))
    assert event.text.startswith("the model stays here: ")
    assert hub.repo("model", "ada/mine") is None
