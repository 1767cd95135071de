"""Each end in one sentence, with its mend. What only a kernel can do is written down as it would stand there."""

import json
import os
import re
import time
from pathlib import Path

import psutil
import pytest

from repairai.processes import Process, own
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Journal
from repairai.runs.metrics import Metric
from repairai.runs.process import write_process
from repairai.runs.why import last_words, why


@pytest.fixture
def folder(made):
    """A run that was at step 120 of 300 with a checkpoint of step 80, when its process went."""
    folder = made()
    with Journal(folder) as journal:
        journal.phase("training", 120, 300)
        journal.metric(Metric(120, time.time(), loss=1.0, memory_gib=7.25))
    gone(folder)
    save(folder, 80)
    return folder


def save(folder: RunFolder, step: int) -> None:
    path = folder.checkpoints / f"checkpoint-{step}"
    path.mkdir(parents=True, exist_ok=True)
    (path / "whole").write_text(json.dumps({"step": step}))


def gone(folder: RunFolder, **other: object) -> None:
    me = own()
    write_process(folder, Process(**{**vars(me), "pid": 2**22 + 1, "oom_kills": 3, **other}))


def ended(folder: RunFolder, **end: object) -> None:
    folder.exit.write_text(json.dumps({"time": time.time(), "step": 120, "reason": "", "said": "", "mend": "", **end}))


def test_the_machine_was_restarted(folder):
    gone(folder, boot_id="the one before")
    found = why(folder)
    assert found.said.startswith("It ended when the machine was restarted at ")
    assert found.said.endswith("; 40 steps since the last checkpoint are lost.")
    assert found.mend == "Resume it: `python -m repairai runs resume try`."
    gone(folder, boot_id="", boot=psutil.boot_time() - 5000)
    assert "machine was restarted" in why(folder).said


@pytest.mark.parametrize(
    ("code", "kills", "said", "mend"),
    [
        (-9, 4, "The kernel ended it at .* because the machine's memory ran out", "halve batch"),
        (-9, 3, "Something outside ended it at .* .SIGKILL", "Resume it"),
        (137, 4, "memory ran out", "halve batch"),
        (-11, 3, "It crashed at .*SIGSEGV", "doctor"),
        (-15, 3, "Something outside ended it .*SIGTERM", "Resume it"),
        (-40, 3, "signal 40", "Resume it"),
        (3, 3, "Its process was gone without a word at", "Resume it"),
    ],
)
def test_what_the_one_who_started_it_has_seen(folder, code, kills, said, mend):
    add_event(folder.events, "gone", "", code=code, oom_kills=kills)
    found = why(folder)
    assert re.search(said, found.said), found
    assert "40 steps since the last checkpoint are lost" in found.said
    assert mend in found.mend


def test_ended_by_force(folder):
    add_event(folder.events, "killed", "it was ended by force")
    add_event(folder.events, "gone", "", code=-9, oom_kills=9)
    assert "It was ended by force at" in why(folder).said


def test_what_an_earlier_process_did_does_not_count(folder):
    add_event(folder.events, "gone", "", code=-9, oom_kills=9)
    add_event(folder.events, "began", "", pid=2**22 + 1)
    assert "gone without a word" in why(folder).said


def test_its_last_words_are_told(folder):
    folder.log.write_text("loading\nTraceback (most recent call last):\n  File x\n    y\nKeyError: 'a'\n\n")
    assert "its log ends with \"KeyError: 'a'\"" in why(folder).said
    assert last_words(Path("nowhere")) == ""


def test_it_was_never_started(made):
    folder = made()
    os.utime(folder.about, (0, 0))
    assert "never started" in why(folder).said


@pytest.mark.parametrize(
    ("end", "said", "mend"),
    [
        ({"state": "finished", "said": "trained 300 steps early"}, "Trained 300 steps early.", "runs evaluate try"),
        ({"state": "finished"}, "It finished at step 120 of 300.", "runs evaluate try"),
        ({"state": "stopped", "step": 80}, "It was stopped at", "runs resume try"),
        ({"state": "stopped", "step": 80}, "nothing is lost: there is a checkpoint of step 80", ""),
        ({"state": "paused", "step": 81}, "; 1 step since the last checkpoint are lost", "runs resume try"),
        ({"state": "out_of_memory", "said": "memory ran out"}, "It held 7.2 GiB at most", "Halve batch"),
        ({"state": "out_of_memory", "mend": "plan again"}, "Memory ran out", "Plan again."),
        ({"state": "disk_full"}, "The disk was full at step 120", "Free some space. Resume it"),
        ({"state": "failed", "said": "the data are wrong", "mend": "mend them"}, "The data are wrong.", "Mend them."),
        ({"state": "failed"}, "An error ended it", "runs log try"),
    ],
)
def test_what_it_said_itself(folder, end, said, mend):
    ended(folder, **end)
    found = why(folder)
    assert said in found.said
    assert mend in found.mend
    assert "\n" not in str(found)


def test_a_run_that_works_has_not_ended(folder):
    write_process(folder, own())
    folder.heartbeat.write_text(json.dumps({"time": 1, "pid": os.getpid(), "phase": "evaluating", "step": 3}))
    assert why(folder).said == "It has not ended: it is at evaluating at step 120."
    folder.control.mkdir()
    (folder.control / "pause").touch()
    assert "asked to pause" in why(folder).said
    assert "runs kill try" in why(folder).mend


@pytest.mark.parametrize("name", ["about", "events", "heartbeat", "log", "exit", "metrics"])
def test_it_is_told_of_damaged_folders_too(folder, name):
    getattr(folder, name).write_bytes(b"\xff{")
    found = why(folder)
    assert found.said
    assert found.mend
    assert ("run.json cannot be read" in found.said) == (name == "about")
