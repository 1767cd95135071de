"""How a run's process is started, on each system."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repairai import processes
from repairai.errors import RepairError
from repairai.processes import SOURCES, options
from repairai.runs.detached import launch
from repairai.runs.folder import new_run
from repairai.runs.state import read_run
from tests.runs.conftest import until


class Started:
    """Stands in for a process, and keeps how it was to be started."""

    def __init__(self, command, **how):
        Started.command, Started.how = command, how
        self.pid = os.getpid()

    def wait(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("platform", "own"), [("win32", {"creationflags": 0x208}), ("linux", {"start_new_session": True})]
)
def test_it_hangs_on_nothing(made, monkeypatch, platform: str, own: dict[str, object]):
    folder = made()
    monkeypatch.setattr(processes.sys, "platform", platform)
    monkeypatch.setattr(processes.subprocess, "Popen", Started)
    launch(folder)
    monkeypatch.undo()
    assert Started.command[0] == sys.executable
    assert Started.command[2] == str(folder.path)
    assert Started.how["stdin"] == subprocess.DEVNULL
    assert Path(Started.how["stdout"].name) == folder.log, "a file, never a pipe"
    assert Started.how["stderr"] == subprocess.STDOUT
    assert own.items() <= Started.how.items()
    assert len({"creationflags", "start_new_session"} & Started.how.keys()) == 1
    assert json.loads(folder.process.read_text())["pid"] == os.getpid()


def test_the_flags_are_those_of_windows():
    assert options("win32") == {
        "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200)
        | getattr(subprocess, "DETACHED_PROCESS", 0x8)
    }
    assert options("darwin") == options("linux") == {"start_new_session": True}


def test_it_starts_where_it_was_ordered_and_finds_our_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPAIRAI_HOME", "my home")
    told = "print(json.dumps([os.getcwd(), os.environ['REPAIRAI_HOME'], os.environ.get('PYTHONPATH', '')]))"
    code = f"import json, os; {told}; import training"
    folder = new_run("try", "train", [sys.executable, "-c", code], text="")
    launch(folder)
    until(lambda: folder.log.read_text().endswith("\n"))
    place, home, path = json.loads(folder.log.read_text())
    assert Path(place) == tmp_path
    assert home == str(tmp_path / "my home")
    assert str(SOURCES) in path
    assert "Error" not in folder.log.read_text()
    until(lambda: read_run(folder).state == "interrupted")


def test_a_program_that_is_not_there(made):
    folder = made()
    folder.about.write_text(json.dumps({"command": ["/nowhere/python", "{run}"]}))
    with pytest.raises(RepairError, match="python could not be started: No such file"):
        launch(folder)
    run = read_run(folder)
    assert (run.state, run.exit.reason) == ("failed", "not started")
    assert not folder.queued.exists()
