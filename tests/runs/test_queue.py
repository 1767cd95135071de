"""Runs that wait: in order, at their time, after an error, and after whoever started them went down."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

import psutil
import pytest

from repairai.errors import RepairError
from repairai.processes import lives
from repairai.runs.events import read_events
from repairai.runs.folder import RunFolder, run_folders, runs_folder
from repairai.runs.journal import Journal
from repairai.runs.launch import ask, launch, resume
from repairai.runs.process import read_process
from repairai.runs.queue import go_on, move, put, queue_lock, unqueue, waiting, wake
from repairai.runs.removal import delete_run
from repairai.runs.state import read_run
from repairai.runs.why import why
from tests.runs.conftest import logs, until


def state(folder: RunFolder) -> str:
    return read_run(folder).state


def queued(folder: RunFolder, not_before: datetime | None = None) -> RunFolder:
    with queue_lock():
        put(folder, not_before)
    return folder


def order() -> list[str]:
    return [each.id for each in waiting()]


def started(folder: RunFolder) -> float:
    """When it began: its first event. The kernel's own figure is only good to a second."""
    return read_events(folder.events, ("began",))[0].time


def test_runs_come_in_order_and_after_an_error(made):
    folders = [queued(made("a", steps=3)), queued(made("b", fails_at=1, fails="any")), queued(made("c", steps=3))]
    assert [read_run(each).state for each in folders] == ["queued"] * 3
    assert order() == ["a", "b", "c"]
    assert wake()
    until(lambda: [state(each) for each in folders] == ["finished", "failed", "finished"], logs())
    times = [(started(each), read_run(each).exit.time) for each in folders]
    assert times[0][1] < times[1][0]
    assert times[1][1] < times[2][0], "one at a time"
    dispatcher = runs_folder() / ".dispatcher.json"
    until(lambda: not dispatcher.exists(), "it ends when nothing waits")
    assert not wake()


def test_the_order_can_be_changed(made):
    later = datetime.now().astimezone() + timedelta(hours=1)
    folders = [queued(made(name, steps=2), later) for name in "abcd"]
    move("c", 1)
    assert order() == ["c", "a", "b", "d"]
    move("c", 99)
    assert order() == ["a", "b", "d", "c"]
    unqueue("b")
    assert order() == ["a", "d", "c"]
    run = read_run(folders[1])
    assert (run.state, run.can_resume) == ("stopped", True)
    assert "before it began" in why(folders[1]).said
    for wrong, said in (("b", "does not wait"), ("x", "there is no run 'x'")):
        with pytest.raises(RepairError, match=said):
            move(wrong, 1)
    with pytest.raises(ValueError, match="position from 1"):
        move("a", 0)


def test_a_start_time_is_kept_and_does_not_hold_others_up(made):
    then = datetime.now().astimezone() + timedelta(seconds=2)
    night, now = queued(made("night", steps=2), then), queued(made("now", steps=2))
    assert read_run(night).not_before == pytest.approx(then.timestamp())
    assert "waits until" in why(night).said
    wake()
    until(lambda: state(now) == "finished", logs())
    assert state(night) == "queued"
    until(lambda: state(night) == "finished", logs())
    assert started(night) >= then.timestamp()


def test_a_second_dispatcher_leaves(made):
    first = queued(made("a", steps=60))
    assert wake()
    until(lambda: (runs_folder() / ".dispatcher.json").exists())
    assert not wake()
    queued(made("b", steps=2))
    until(lambda: state(first) == "running")
    assert "waits behind a" in why(RunFolder(runs_folder() / "b")).said
    until(lambda: all(state(each) == "finished" for each in run_folders()), logs())


def test_all_are_killed_at_once(made):
    """Trainer, dispatcher and whoever ordered both, as a power cut does it."""
    running, waits = made("a", steps=2000), made("b", steps=3)
    code = f"""
import sys
from pathlib import Path
from repairai.runs.folder import RunFolder
from repairai.runs.queue import put, queue_lock, wake
with queue_lock():
    for path in {[str(running.path), str(waits.path)]!r}:
        put(RunFolder(Path(path)))
wake()
sys.stdin.read()
"""
    app = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    until(lambda: running.process.exists() and (read_run(running).step or 0) > 5, logs())
    dispatcher, trainer = (read_process(path) for path in (runs_folder() / ".dispatcher.json", running.process))
    assert dispatcher
    assert trainer
    for pid in (dispatcher.pid, app.pid, trainer.pid):
        os.kill(pid, signal.SIGKILL)
    app.communicate()
    until(lambda: state(running) == "interrupted")
    assert state(waits) == "queued"
    assert read_run(running).can_resume
    time.sleep(1)
    assert state(waits) == "queued", "nobody is there to start it"
    assert wake()  # as every command and the page do
    until(lambda: state(waits) == "finished", logs())


def test_killed_between_starting_a_run_and_noting_it(made):
    """The run is at work, and still looks as if it waited: it is not started a second time."""
    folder = made("a", steps=2000)
    launch(folder)
    until(lambda: state(folder) == "running")
    queued(folder)
    assert state(folder) == "running"
    assert order() == []
    wake()
    until(lambda: not folder.queued.exists())
    assert state(folder) == "running"
    assert len([each for each in psutil.process_iter() if str(folder.path) in _words(each)]) == 1


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_what_cannot_be_started_fails_and_the_next_goes_on(made):
    broken, good = made("broken"), made("good", steps=2)
    broken.about.write_text(broken.about.read_text().replace("stand_in.py", "is_not_there.py"))
    nothing = made("nothing")
    nothing.about.write_text("{")
    for folder in (broken, nothing, good):
        queued(folder)
    wake()
    until(lambda: state(good) == "finished", logs())
    assert state(broken) == "interrupted"
    assert "is_not_there.py" in why(broken).said
    assert state(nothing) == "failed"
    assert "does not say how it is started" in why(nothing).said


def test_a_damaged_place_is_the_last(made):
    broken, good = queued(made("broken", steps=2)), queued(made("good", steps=2))
    broken.queued.write_bytes(b'{"posi')
    assert order() == ["good", "broken"]
    assert read_run(broken).phase == "queued.json cannot be read"
    assert state(broken) == "queued"
    assert state(good) == "queued"


def test_a_pause_holds_the_queue(made):
    """Whoever pauses a run wants the machine: the next run is not to take it."""
    running = made("a", steps=2000)
    launch(running)
    waits = queued(made("b", steps=2))
    wake()
    until(lambda: state(running) == "running" and (read_run(running).step or 0) > 1)
    ask("a", "pause")
    until(lambda: state(running) == "paused")
    until(lambda: read_process(running.process) and not lives(read_process(running.process)))
    time.sleep(1.2)  # two looks of the dispatcher
    assert state(waits) == "queued"
    assert "a was paused" in why(waits).said
    assert go_on() == ["b"]
    until(lambda: state(waits) == "finished", logs())
    assert state(running) == "paused"


def test_resume_waits_for_its_turn(made):
    first, second = made("a", steps=2000), made("b", steps=2000)
    launch(first)
    until(lambda: (read_run(first).step or 0) > 1)
    ask("a", "stop")
    until(lambda: state(first) == "stopped")
    launch(second)
    resume("a")
    assert state(first) == "queued"
    for act in (lambda: resume("a"), lambda: ask("a", "stop")):
        with pytest.raises(RepairError, match="waits"):
            act()
    unqueue("a")
    with pytest.raises(RepairError, match="b is at work"):
        resume("a", queue=False)
    assert state(first) == "stopped", "it is again what it was"
    with pytest.raises(RepairError, match="at work"):
        delete_run("b")
    delete_run("a")
    assert [each.id for each in run_folders()] == ["b"]


def test_a_journal_takes_its_run_out_of_the_queue(made):
    folder = queued(made("a"))
    with Journal(folder) as journal:
        assert not folder.queued.exists()
        assert read_process(folder.process).pid == os.getpid()
        journal.end("finished")
