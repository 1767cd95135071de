"""A training on Hugging Face Jobs: priced, sent, followed, stopped, brought back. Its job really runs, here."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.recipe import Job, Recipe, read_recipe, saved
from repairai.hardware.workload import Workload
from repairai.hub import jobs
from repairai.named_sets import STATE_SETS
from repairai.runs import launch
from repairai.runs.folder import RunFolder
from repairai.runs.hub_sent import cost, sent_files
from repairai.runs.hub_speaking import read_speaking, write_speaking
from repairai.runs.metrics import read_new
from repairai.runs.removal import delete_run
from repairai.runs.state import read_run
from repairai.ui.runs_view import buttons
from tests.hub_server.jobs import Play
from tests.hub_server.server import HubServer
from tests.hub_server.store import Job as StoredJob
from tests.runs.states import write_states
from tests.training.tiny import save_tiny, write_data

ENDED = ("finished", "stopped", "paused", "failed", "interrupted")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    step = Workload(
        "ada/tiny", "lora", batch=4, accumulation=1, length_tokens=96, checkpointing=False,
        optimizer="adamw", precision="fp32", adapter_precision="fp32", rank=8,
    )  # fmt: skip
    data = write_data(tmp_path / "data", 96)
    asking = Job("t4-small", timeout_hours=0.5)
    return Recipe(
        "sop", step, 4.0, 1e-2, data=str(data), eval_steps=6, patience=0, max_steps=12, where="hf-jobs", job=asking
    )


@pytest.fixture
def signed_in(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ada"))
    hub.jobs = "run"
    return hub


def until(folder: RunFolder, states: tuple[str, ...], seconds: float = 120.0) -> str:
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        state = read_run(folder).state
        if state in states:
            return state
        time.sleep(0.1)
    raise AssertionError(f"it is {read_run(folder)}: {folder.log.read_text()[-3000:]}")


def first_job(hub: HubServer) -> StoredJob:
    last = time.monotonic() + 60
    while not hub.store.jobs and time.monotonic() < last:
        time.sleep(0.1)
    (job,) = hub.store.jobs.values()
    return job


def events(folder: RunFolder, kind: str) -> list[str]:
    lines = map(json.loads, folder.events.read_text().splitlines())
    return [line["text"] for line in lines if line["kind"] == kind]


def test_a_recipe_says_it_only_where_it_is_not_usual(tmp_path: Path, recipe: Recipe):
    assert read_recipe(tmp_path / "r.yaml") == recipe if saved(tmp_path / "r.yaml", recipe) else None
    usual = saved(tmp_path / "usual.yaml", replace(recipe, where="here", job=None))
    assert "where" not in usual
    assert "push" not in usual
    with pytest.raises(ValueError, match="timeout_hours from 0.1 to 168, got 0"):
        Job(timeout_hours=0)


def test_what_it_costs_is_asked(hub: HubServer, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(RepairError, match="nobody is logged in"):
        cost(Job())
    hub.add_organisation("works", ada="write")
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ada", write=False))
    with pytest.raises(RepairError, match="may read but not write"):
        cost(Job())
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ada"))
    said = cost(Job("l4x1", timeout_hours=2)).said
    assert "1 x L4, 24 GB" in said
    assert "costs 0.80 dollars an hour" in said
    assert "ada pays 1.60 dollars at most" in said
    assert cost(Job("l4x1", owner="works")).owner == "works"
    with pytest.raises(RepairError, match="ada does not belong to bob"):
        cost(Job(owner="bob"))
    with pytest.raises(RepairError, match="no machine 'abacus'.*take one of cpu-basic"):
        cost(Job("abacus"))


def test_only_what_it_needs_is_sent(tmp_path: Path, recipe: Recipe, home: Path):
    folder = RunFolder(home / "runs" / "run")
    folder.path.mkdir(parents=True)
    for name in (".env", "notes.txt", "model.pt"):
        (tmp_path / "data" / name).write_text("secret")
    sent = dict(sent_files(recipe, folder))
    assert {path for path in sent if path.startswith("data/")} == {
        f"data/{name}" for name in ("train.jsonl", "val.jsonl", "exam.jsonl", "sources.json")
    }
    assert "repairai/builtin/detector/model.safetensors" in sent
    assert not [path for path in sent if path.startswith((".", "tests", "runs")) or "__pycache__" in path]
    there = read_recipe(sent["recipe.yaml"])
    assert (there.where, there.data, there.job) == ("here", "data", None)
    assert "torch==" in sent["requirements.txt"].read_text()
    with pytest.raises(RepairError, match="a folder of this machine"):
        sent_files(replace(recipe, step=replace(recipe.step, model=str(tmp_path))), folder)


@pytest.mark.slow
def test_it_trains_there_and_comes_back(signed_in: HubServer, tmp_path: Path, recipe: Recipe):
    signed_in.add_folder("model", "ada/tiny", save_tiny(tmp_path / "m"))
    path = tmp_path / "far.yaml"
    saved(path, recipe)
    command = [sys.executable, "-m", "repairai", "train", str(path), "--name", "far"]
    unasked = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert unasked.returncode == 2
    assert "ada pays 0.20 dollars at most" in unasked.stderr
    assert "nobody is there to say yes to the price; add --yes" in unasked.stderr
    done = subprocess.run([*command, "--yes"], capture_output=True, text=True, check=False)
    folder = RunFolder(launch.runs_folder() / "far")
    assert done.returncode == 0, done.stdout + done.stderr + folder.log.read_text()
    run = read_run(folder)
    assert (run.state, run.step) == ("finished", 12)
    assert (folder.model / "adapter_model.safetensors").is_file()
    figures = read_new(folder.metrics, 0)[0]
    assert [each.step for each in figures if each.loss is not None] == [*range(1, 13)]
    assert [each.step for each in figures if each.eval_loss is not None] == [0, 6, 12]
    assert events(folder, "data")  # what the trainer itself said
    assert "0.40 dollars an hour" in events(folder, "job")[0]
    assert signed_in.repo("dataset", "ada/repairai-job-far") is None
    (job,) = signed_in.store.jobs.values()
    assert (job.stage, job.spec["flavor"], job.spec["timeoutSeconds"]) == ("COMPLETED", "t4-small", 1800)
    assert not signed_in.leaks()


@pytest.mark.slow
def test_it_stops_with_a_checkpoint_and_goes_on_in_another_job(signed_in: HubServer, tmp_path: Path, recipe: Recipe):
    signed_in.add_folder("model", "ada/tiny", save_tiny(tmp_path / "m"))
    folder = launch.start(replace(recipe, max_steps=4000, epochs=1000, eval_steps=20), "long")
    until(folder, ("running",))
    last = time.monotonic() + 120
    while (read_run(folder).step or 0) < 5 and time.monotonic() < last:
        time.sleep(0.1)
    process = launch.read_process(folder.process)
    assert process is not None
    launch._end_all(process)  # the laptop is closed: the job goes on
    assert until(folder, ENDED) == "interrupted"
    assert [job.over for job in signed_in.store.jobs.values()] == [False]
    speaking = read_speaking(folder)
    assert speaking is not None
    write_speaking(folder, replace(speaking, heard=0))  # as where it ended before it could note how far it had heard
    launch.resume("long")
    until(folder, ("running",))
    assert launch.ask("long", "stop").asked == "stop"
    assert until(folder, ENDED) == "stopped"
    assert any("listens again" in text for text in events(folder, "job"))
    said = events(folder, "data")
    assert said
    assert len(said) == len(set(said))
    assert read_run(folder).checkpoint_step
    assert signed_in.repo("dataset", "ada/repairai-job-long") is None
    steps = [each.step for each in read_new(folder.metrics, 0)[0] if each.loss is not None]
    assert steps == sorted(set(steps))


def test_a_job_that_says_nothing_is_a_run_that_failed(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play(("no such image",), "ERROR", "Job failed with exit code: 1")
    folder = launch.start(recipe, "lost")
    assert until(folder, ENDED) == "failed"
    run = read_run(folder)
    assert run.exit is not None
    assert "Job failed with exit code: 1" in run.exit.said
    assert "no such image" in folder.log.read_text()


def test_one_that_waits_for_a_machine_is_cancelled(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play((), None)
    folder = launch.start(recipe, "waits")
    job = first_job(signed_in)
    job.become("SCHEDULING")
    launch.ask("waits", "stop")
    assert until(folder, ENDED) == "stopped"
    assert job.stage == "CANCELED"


def test_no_credit_is_one_sentence(hub: HubServer, monkeypatch: pytest.MonkeyPatch, recipe: Recipe):
    monkeypatch.setenv("HF_TOKEN", hub.add_user("poor", credit=0.0))
    folder = launch.start(recipe, "poor")
    assert until(folder, ENDED) == "failed"
    run = read_run(folder)
    assert run.exit is not None
    assert "credit" in run.exit.said
    assert not hub.store.jobs
    assert hub.repo("dataset", "poor/repairai-job-poor") is None
    delete_run("poor")


def test_those_here_do_not_wait_for_one_there(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play((), None)
    folder = launch.start(recipe, "there")
    job = first_job(signed_in)
    assert read_run(folder).state == "running"
    assert launch.alive_runs() == []
    launch.ask("there", "stop")  # then it looks often
    job.become("CANCELED")
    assert until(folder, ENDED) == "stopped"


def heard_of(folder: RunFolder) -> None:
    """Wait until a run's folder tells the id of its job."""
    last = time.monotonic() + 60
    while time.monotonic() < last:
        speaking = read_speaking(folder)
        if speaking and speaking.id:
            return
        time.sleep(0.1)
    raise AssertionError("its job's id was never written down")


def test_killing_it_cancels_the_job(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play((), None)
    folder = launch.start(recipe, "killed")
    job = first_job(signed_in)
    launch.ask("killed", "stop")
    launch.kill("killed")  # also where its process has not yet heard that the job was begun
    assert job.stage == "CANCELED"
    assert until(folder, ENDED) in ("interrupted", "stopped")
    assert jobs.look(jobs.Job(job.id, "ada", "")).has_ended
    assert signed_in.repo("dataset", "ada/repairai-job-killed") is None


def unheard(hub: HubServer, recipe: Recipe, name: str) -> RunFolder:
    """Return a run whose process ended when its job was begun, and before it heard of it."""
    folder = launch.start(recipe, name)
    heard_of(folder)
    process = launch.read_process(folder.process)
    assert process is not None
    launch._end_all(process)
    speaking = read_speaking(folder)
    assert speaking is not None
    write_speaking(folder, replace(speaking, id="", address=""))
    assert until(folder, ENDED) == "interrupted"
    assert [job.over for job in hub.store.jobs.values()] == [False]
    return folder


def test_a_job_that_nobody_listens_to_is_kept_in_mind_until_it_is_ended(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play((), None)
    folder = unheard(signed_in, recipe, "lone")
    assert buttons(folder, read_run(folder))[-1] == "kill"
    with pytest.raises(RepairError, match="lone has a job of Hugging Face that may still work, and cost"):
        delete_run("lone")
    launch.kill("lone")
    assert first_job(signed_in).stage == "CANCELED"
    assert signed_in.repo("dataset", "ada/repairai-job-lone") is None
    assert buttons(folder, read_run(folder))[-1] == "delete"
    with pytest.raises(RepairError, match="lone is not at work"):
        launch.kill("lone")
    delete_run("lone")
    assert not folder.path.exists()


def test_a_job_that_was_begun_unheard_is_not_begun_twice(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play((), None)
    folder = unheard(signed_in, recipe, "once")
    launch.resume("once")
    heard_of(folder)
    assert any("listens again" in text for text in events(folder, "job"))
    job = first_job(signed_in)  # it is the only one
    launch.ask("once", "stop")
    job.become("ERROR", "out of luck")
    assert until(folder, ENDED) == "stopped"
    launch.wait_until_gone(folder)
    with pytest.raises(RepairError, match="once is not at work"):
        launch.kill("once")


def test_what_an_ended_job_made_is_not_thrown_away(signed_in: HubServer, recipe: Recipe):
    signed_in.jobs = "play"
    signed_in.next_job = Play((), None)
    unheard(signed_in, recipe, "done")
    first_job(signed_in).become("COMPLETED")
    with pytest.raises(RepairError, match="the job of done has ended; bring back what it made: runs resume done"):
        launch.kill("done")
    assert signed_in.repo("dataset", "ada/repairai-job-done")


def test_a_judges_states_go_along_with_their_photos(home: Path):
    folder = write_states(STATE_SETS.folder("bench"))
    (folder / ".env").write_text("HF_TOKEN=hf_never")
    asked = Recipe("judge", Workload("maker/seer", "qlora"), 1.0, 1e-4, data=str(folder), where="hf-jobs")
    run = RunFolder(home / "runs" / "seer")
    run.path.mkdir(parents=True)
    sent = dict(sent_files(asked, run))
    assert {name for name in sent if name.startswith("data/")} == {
        "data/examples.jsonl", *(f"data/photos/{at}.jpg" for at in range(4)),
    }  # fmt: skip
    there = read_recipe(sent["recipe.yaml"])
    assert (there.task, there.data, there.where) == ("judge", "data", "here")
    own = replace(asked, step=replace(asked.step, model=str(home / "models" / "seer")))
    with pytest.raises(RepairError, match="is a folder of this machine, which a job cannot read"):
        sent_files(own, run)
