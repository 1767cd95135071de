"""What the Runs tab shows of runs as they lie on the disk, and how little a look costs."""

import json
import os
import time
from pathlib import Path

import pytest

from repairai.processes import own
from repairai.runs.folder import RunFolder, new_run, run_folder
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import write_process
from repairai.runs.state import read_run
from repairai.ui.runs_places import IN_EXAM
from repairai.ui.runs_tab import look
from repairai.ui.runs_view import PARTS, buttons, first, view
from repairai.ui.watched import Watched

RECIPE = "task: sop\nstep: {model: Some/Model, method: lora}\nepochs: 1\nlearning_rate: 0.001\n"
SKIP = {"__type__": "update"}


def made(name: str = "lamps") -> RunFolder:
    return new_run(name, "train", ["python", "-m", "training.sop_train", "{run}"], text=RECIPE)


def ended(folder: RunFolder, state: str = "finished", said: str = "trained 9 steps") -> RunFolder:
    data = {"state": state, "reason": "", "said": said, "mend": "", "step": 9, "time": time.time()}
    folder.exit.write_text(json.dumps(data))
    return folder


def working(folder: RunFolder) -> RunFolder:
    write_process(folder, own())
    beat = {"time": time.time(), "phase": "training", "step": 3, "total_steps": 9, "pid": own().pid, "ran": 5.0}
    folder.heartbeat.write_text(json.dumps(beat))
    add_metric(folder.metrics, Metric(3, time.time(), loss=1.5))
    return folder


def shown(run_id: str) -> dict[str, str]:
    return view(Watched(), run_id)


def test_without_runs_it_says_how_to_begin():
    seen = shown("")
    assert set(seen) == set(PARTS)
    assert "There are no runs yet" in seen["runs"]
    assert first(Watched()) == ""


def test_a_run_at_work_is_the_first_that_is_shown():
    working(made("old"))
    ended(made("new"))
    assert first(Watched()) == "old"
    seen = shown("old")
    assert 'data-state="running"' in seen["head"]
    assert "training: from 1.50" in seen["plots"]
    assert seen["buttons"].split() == ["stop", "pause", "save", "look"]
    assert seen["said"] == ""
    assert "training.sop_train" in seen["command"]
    assert seen["recipe"] == RECIPE


def test_one_that_ended_says_why_and_what_can_be_done():
    folder = ended(made(), "failed", "an error ended it: <b>odd</b>")
    seen = shown("lamps")
    assert "&lt;b&gt;odd" in seen["said"]
    assert seen["buttons"].split() == ["resume", "again", "delete"]
    folder.model.mkdir()
    ended(folder)
    assert shown("lamps")["buttons"].split() == ["evaluate", "activate", "again", "delete"]
    assert "was not evaluated yet" in shown("lamps")["scores"]


def test_force_is_offered_only_where_a_stop_is_not_answered():
    folder = working(made())
    folder.control.mkdir()
    asked = folder.control / "stop"
    asked.touch()
    seen = shown("lamps")
    assert seen["buttons"] == ""
    assert "asked to stop" in seen["head"]
    os.utime(asked, (time.time() - 61, time.time() - 61))
    assert shown("lamps")["buttons"] == "kill"


def test_a_run_that_is_gone_is_told_beside_the_others():
    ended(made())
    seen = shown("lamp")
    assert "did you mean &#x27;lamps&#x27;" in seen["head"]
    assert "lamps" in seen["runs"]


def test_an_address_that_somebody_made_up_stays_text():
    ended(made())
    assert not [text for text in shown("<script>alert(1)</script>").values() if "<script" in text]
    assert "there is no run" in shown("../lamps")["head"]


def test_what_is_damaged_is_told():
    folder = ended(made())
    folder.model.mkdir()
    folder.scores.write_text("{")
    folder.recipe.write_bytes(b"\xff\xfe\xff")
    seen = shown("lamps")
    assert "scores.json is not JSON" in seen["scores"]
    assert "is not UTF-8" in seen["recipe"]


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a" * 30)
    ended(made()).log.write_text("the token is hf_" + "a" * 30)
    assert "aaaa" not in shown("lamps")["log"]


def test_a_look_sends_only_what_has_changed():
    folder = working(made())
    watched = Watched()
    whole = look(watched, "lamps", {})
    seen = whole[-1]
    assert set(seen) == set(PARTS)
    again = look(watched, "lamps", seen)
    assert all(each == SKIP for each in again), "nothing has happened, so nothing is sent"
    add_metric(folder.metrics, Metric(4, time.time(), loss=1.25))
    names = [name for name in PARTS if name != "buttons"]
    parts = look(watched, "lamps", seen)[: len(names)]
    changed = [name for name, each in zip(names, parts, strict=True) if each != SKIP]
    assert changed == ["runs", "head", "plots", "figures"]


def test_buttons_follow_the_state():
    folder = working(made())
    watched = Watched()
    before = look(watched, "lamps", {})
    ended(folder)
    folder.process.unlink()
    after = look(watched, "lamps", before[-1])
    names = [each for each in after[len(PARTS) - 1 : -2] if each != SKIP]
    assert len(names) == len(after[len(PARTS) - 1 : -2]), "all of them are set anew"
    assert len(IN_EXAM) == 3


def test_a_waiting_run_can_be_taken_out():
    folder = made()
    folder.queued.write_text(json.dumps({"position": 1, "not_before": time.time() + 9999, "since": time.time()}))
    assert buttons(folder, read_run(folder)) == ["first", "unqueue"]


def test_a_hundred_runs_and_a_long_curve_are_looked_at_quickly():
    for number in range(100):
        ended(made(f"run {number}"))
    folder = working(made())
    lines = [
        json.dumps({"step": step, "time": 1.0 * step, "loss": 2.0, "tokens_per_second": 9.0}) for step in range(100_000)
    ]
    folder.metrics.write_text("\n".join(lines) + "\n")
    watched = Watched()
    seen = look(watched, "lamps", {})[-1]
    taken = []
    for step in range(100_000, 100_005):
        add_metric(folder.metrics, Metric(step, float(step), loss=1.0))
        began = time.perf_counter()
        seen = look(watched, "lamps", seen)[-1]
        taken.append(time.perf_counter() - began)
    assert min(taken) < 0.05


def test_what_is_remembered_of_a_run_is_forgotten_when_it_goes_on():
    folder = ended(made(), "paused")
    watched = Watched()
    assert watched.runs()[0].state == "paused"
    folder.exit.unlink()
    working(folder)
    assert watched.runs()[0].state == "running"
    assert list(watched.series(folder)) == ["loss"]


def test_a_run_that_went_down_is_offered_once():
    folder = working(made())
    data = json.loads(folder.process.read_text())
    folder.process.write_text(json.dumps({**data, "started": 1.0, "boot": 1.0, "boot_id": "gone"}))
    watched = Watched()
    found = watched.interrupted()
    assert found is not None
    assert found.id == "lamps"
    watched.dismiss("lamps")
    assert watched.interrupted() is None
    assert run_folder("lamps").path == Path(folder.path)
