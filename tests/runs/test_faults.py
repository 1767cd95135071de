"""What may happen to a run: after each fault its state is honest, and it can go on. Real processes, really killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from repairai.runs import forecast
from repairai.runs.checkpoints import checkpoints, last_whole
from repairai.runs.folder import RunFolder
from repairai.runs.launch import ask, kill, launch, resume
from repairai.runs.metrics import last_metrics, read_new
from repairai.runs.process import read_process
from repairai.runs.state import read_run
from repairai.runs.why import why
from tests.runs.conftest import fill, logs, until

LONG = {"steps": 2000}


def state(folder: RunFolder) -> str:
    return read_run(folder).state


def at_step(folder: RunFolder, step: int) -> bool:
    run = read_run(folder)
    assert run.state in ("starting", "running"), (run, logs())
    return (run.step or 0) >= step


def steps(folder: RunFolder) -> list[int]:
    return [metric.step for metric in read_new(folder.metrics, 0)[0]]


def end(folder: RunFolder) -> None:
    """SIGKILL, as a power cut does it."""
    process = read_process(folder.process)
    assert process
    psutil.Process(process.pid).kill()
    until(lambda: state(folder) not in ("starting", "running"), "it is seen that the process is gone")


def test_a_run_starts_works_and_finishes(made):
    folder = made(steps=8)
    launch(folder)
    assert state(folder) in ("starting", "running")
    until(lambda: state(folder) == "finished", logs())
    run = read_run(folder)
    assert (run.step, run.total_steps, run.checkpoint_step, run.can_resume) == (8, 8, 8, False)
    assert run.seconds > 0.1
    assert steps(folder) == list(range(1, 9))
    assert not folder.reserve.exists()
    assert "Trained 8 steps" in why(folder).said


def test_whoever_starts_a_run_may_die(made):
    folder = made(steps=60)
    code = f"import sys; from pathlib import Path; from repairai.runs.folder import RunFolder; \
from repairai.runs.launch import launch; launch(RunFolder(Path({str(folder.path)!r}))); sys.stdin.read()"
    app = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    until(lambda: folder.process.exists() and at_step(folder, 3))
    app.kill()
    app.wait()
    assert app.stdin
    app.stdin.close()
    process = read_process(folder.process)
    assert process
    assert os.getsid(process.pid) == process.pid
    assert os.getpgid(process.pid) == process.pid
    until(lambda: state(folder) == "finished", logs())
    assert steps(folder) == list(range(1, 61))


def test_a_killed_trainer_goes_on_from_its_last_whole_checkpoint(made):
    folder = made(**LONG)
    launch(folder)
    until(lambda: at_step(folder, 6))
    end(folder)
    run = read_run(folder)
    assert (run.state, run.can_resume, run.exit) == ("interrupted", True, None)
    saved = last_whole(folder)
    assert saved
    assert run.step
    assert run.step >= 6
    until(lambda: "SIGKILL" in why(folder).said, "the end is noted by whoever started it")
    said = why(folder)
    if run.step > saved.step:
        assert "since the last checkpoint" in said.said
    assert "runs resume try" in said.mend
    # What a machine leaves that goes down in the middle of a checkpoint:
    half = folder.checkpoints / "checkpoint-900"
    half.mkdir()
    (half / "weights").write_bytes(b"w")
    assert last_whole(folder) == saved
    assert [each.whole for each in checkpoints(folder)][-1] is False
    resume(folder.id)
    assert not half.exists()
    until(lambda: at_step(folder, saved.step + 6))
    ask(folder.id, "stop")
    until(lambda: state(folder) == "stopped")
    made_steps = steps(folder)
    assert made_steps == list(range(1, len(made_steps) + 1)), "no step is there twice, none is left out"


def test_a_trainer_that_dies_before_it_began_says_so(made):
    folder = made(nonsense=1)
    launch(folder)
    until(lambda: state(folder) == "interrupted", logs())
    said = why(folder).said
    assert "before it began" in said
    assert "unrecognized arguments: --nonsense" in said


def test_two_watchers_see_the_same(made):
    folder = made(steps=40)
    code = f"""
import time
from pathlib import Path
from repairai.runs.folder import RunFolder
from repairai.runs.metrics import Curve
from repairai.runs.state import read_run
folder = RunFolder(Path({str(folder.path)!r}))
curve, seen = Curve(folder.metrics), []
print("ready", flush=True)
while not folder.process.exists():
    time.sleep(0.01)
while True:
    run = read_run(folder)
    curve.poll()
    assert "cannot be read" not in run.phase, run
    if not seen or seen[-1] != run.state:
        seen.append(run.state)
    if run.state not in ("starting", "running"):
        break
curve.poll()
print(seen[-2:], curve.last.step, len(curve.series("loss")), curve.broken)
"""
    watchers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [watcher.stdout.readline() for watcher in watchers] == ["ready\n"] * 2
    launch(folder)  # once both look: on a busy machine it could be over before
    said = [watcher.communicate(timeout=60)[0].strip() for watcher in watchers]
    assert said == ["['running', 'finished'] 40 30 0"] * 2, logs()


def test_words_do_not_block(made):
    folder = made(steps=2, says=2 * 2**20)
    launch(folder)
    until(lambda: state(folder) == "finished", logs())
    assert folder.log.stat().st_size >= 2 * 2**20


def test_a_full_disk_is_told_and_the_run_goes_on(made, small_disk, monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    monkeypatch.setattr(forecast, "BESIDE_GIB", 0.0)
    folder = made(steps=40, bytes=20_000)
    filler = small_disk / "holiday.mp4"
    launch(folder)
    until(lambda: at_step(folder, 6))
    fill(filler)
    until(lambda: state(folder) == "disk_full", logs())
    run = read_run(folder)
    assert run.can_resume
    assert run.checkpoint_step
    assert run.exit
    assert "disk was full" in run.exit.said
    assert "Free some space" in why(folder).mend
    assert not folder.reserve.exists()
    filler.unlink()
    resume(folder.id)
    until(lambda: state(folder) == "finished", logs())
    made_steps = steps(folder)
    assert made_steps == list(range(1, 41))


def test_stop_while_the_model_is_loaded(made):
    folder = made(loading=60)
    launch(folder)
    until(lambda: read_run(folder).phase == "loading the model")
    assert ask(folder.id, "stop").asked == "stop"
    until(lambda: state(folder) == "stopped", logs())
    assert read_run(folder).asked == ""
    assert "loading the model" in why(folder).said


def test_pause_and_resume(made):
    folder = made(steps=120)
    launch(folder)
    until(lambda: at_step(folder, 5))
    ask(folder.id, "pause")
    until(lambda: state(folder) == "paused", logs())
    run = read_run(folder)
    assert run.checkpoint_step == run.step, "a pause makes a checkpoint"
    assert "nothing is lost" in why(folder).said
    worked = run.seconds
    resume(folder.id)
    until(lambda: state(folder) == "finished", logs())
    assert steps(folder) == list(range(1, 121))
    assert read_run(folder).seconds > worked


def test_save_and_look_now(made):
    folder = made(**LONG, every=1000)
    launch(folder)
    until(lambda: at_step(folder, 2))
    ask(folder.id, "save")
    until(lambda: last_whole(folder) is not None)
    ask(folder.id, "eval")
    until(lambda: any(metric.eval_loss for metric in last_metrics(folder.metrics)))
    until(lambda: not list(folder.control.iterdir()))
    assert state(folder) == "running"
    end(folder)


def test_sigterm_makes_it_stop_by_itself(made):
    folder = made(**LONG)
    launch(folder)
    until(lambda: at_step(folder, 2))
    process = read_process(folder.process)
    assert process
    os.kill(process.pid, signal.SIGTERM)
    until(lambda: state(folder) == "stopped", logs())
    run = read_run(folder)
    assert run.checkpoint_step == run.step


def test_kill_needs_stop_first_and_ends_all(made):
    folder = made(loading=60)
    launch(folder)
    until(lambda: read_run(folder).phase == "loading the model")
    process = read_process(folder.process)
    assert process
    os.kill(process.pid, signal.SIGSTOP)  # it hangs
    with pytest.raises(Exception, match="was not asked to stop yet"):
        kill(folder.id)
    ask(folder.id, "stop")
    assert kill(folder.id).state == "interrupted"
    assert "ended by force" in why(folder).said
    assert read_run(folder).asked == ""


def test_a_process_that_does_not_leave_can_be_ended(made):
    """It has said how it ended, and hangs in tidying up."""
    folder = made(loading=60)
    launch(folder)
    until(lambda: read_run(folder).phase == "loading the model")
    process = read_process(folder.process)
    assert process
    os.kill(process.pid, signal.SIGSTOP)
    folder.exit.write_text(json.dumps({"state": "finished", "step": 3, "time": time.time()}))
    assert kill(folder.id).state == "finished"
    assert not psutil.pid_exists(process.pid) or psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_is_not_worked_on_twice(made):
    folder = made(**LONG)
    launch(folder)
    until(lambda: at_step(folder, 1))
    with pytest.raises(Exception, match="is running already"):
        launch(folder)
    with pytest.raises(Exception, match="is at work already"):
        resume(folder.id)
    other = subprocess.run(
        [*read_run(folder).command, "--lock-seconds", "0.3"], capture_output=True, text=True, check=False
    )
    assert other.returncode == 2
    assert "another process is at work" in other.stderr
    assert state(folder) == "running", "the second one has not touched its end"
    end(folder)


def test_an_error_is_told_in_its_own_words(made):
    folder = made(fails_at=3, fails="any")
    launch(folder)
    until(lambda: state(folder) == "failed", logs())
    assert "ValueError: a fault of the trainer" in why(folder).said
    assert "runs log try" in why(folder).mend
    until(lambda: "Traceback" in folder.log.read_text())


@pytest.mark.parametrize(("how", "ends"), [("memory", "out_of_memory"), ("refused", "failed"), ("dies", "interrupted")])
def test_other_ends(made, how, ends):
    folder = made(fails_at=2, fails=how)
    launch(folder)
    until(lambda: state(folder) == ends, logs())
    assert read_run(folder).can_resume
    assert why(folder).mend


def test_a_token_never_lands_in_the_folder(made, monkeypatch):
    token = "hf_abcdefghijklmnopqrstuvwxyz012345"
    monkeypatch.setenv("HF_TOKEN", token)
    folder = made(fails_at=2, fails="token")
    launch(folder)
    until(lambda: state(folder) == "failed", logs())
    until(lambda: "Traceback" in folder.log.read_text())
    assert "the Hub refused [hidden]" in folder.log.read_text()
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if token.encode() in path.read_bytes()]


def test_a_clock_that_is_set_back_ends_nothing(made):
    """The kernel tells when a process began by the clock of now: set back an hour, all of it moves."""
    folder = made(**LONG)
    launch(folder)
    until(lambda: at_step(folder, 2))
    data = json.loads(folder.process.read_text())
    folder.process.write_text(json.dumps({**data, "started": data["started"] + 3600, "boot": data["boot"] + 3600}))
    assert state(folder) == "running"
    future = time.time() + 3600
    os.utime(folder.heartbeat, (future, future))
    assert read_run(folder).silent_seconds < 30
    end(folder)


def test_a_number_that_comes_again_is_another_process(made):
    folder = made()
    launch(folder)
    until(lambda: state(folder) == "finished")
    folder.exit.unlink()
    data = json.loads(folder.process.read_text())
    folder.process.write_text(json.dumps({**data, "pid": os.getpid(), "started": data["started"] - 500}))
    assert psutil.pid_exists(os.getpid())
    assert state(folder) == "interrupted"
    assert read_run(folder).can_resume


def test_started_in_a_terminal_it_shows_up_too(made, tmp_path):
    folder = made(steps=4)
    terminal = subprocess.run([*read_run(folder).command], cwd=tmp_path, capture_output=True, check=False)
    assert terminal.returncode == 0
    assert state(folder) == "finished"


def test_a_stale_wish_does_not_stop_the_next_process(made, tmp_path):
    """It was asked to stop and then killed; typed into a terminal again it is to work."""
    folder = made(loading=60, steps=3)
    launch(folder)
    until(lambda: read_run(folder).phase == "loading the model")
    end(folder)
    folder.control.mkdir(exist_ok=True)
    (folder.control / "stop").touch()
    command = [word.replace("60", "0") if word == "60" else word for word in read_run(folder).command]
    assert subprocess.run(command, check=False).returncode == 0
    assert state(folder) == "finished"


def test_small_disk_has_no_room_for_a_run(made, small_disk, monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    fill(small_disk / "holiday.mp4")
    with pytest.raises(Exception, match="disk is full"):
        made()
    assert not [path for path in Path(small_disk).rglob("*") if path.is_dir() and path.name != "runs"]
