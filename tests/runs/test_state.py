"""How a run stands: from folders in every condition, damaged ones among them."""

import json
import os
import time

import psutil
import pytest

from repairai.processes import Process, boot_id, lives, own
from repairai.runs.folder import RunFolder, runs_folder
from repairai.runs.journal import Journal
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import write_process
from repairai.runs.state import all_runs, read_run
from tests.runs.conftest import until


@pytest.fixture
def folder(made):
    return made()


def beat(folder: RunFolder, **data: object) -> None:
    folder.heartbeat.write_text(json.dumps({"time": time.time(), "phase": "training", "pid": os.getpid(), **data}))


def test_a_new_run_starts_and_one_that_never_did_was_interrupted(folder):
    assert read_run(folder).state == "starting"
    os.utime(folder.about, (0, 0))
    run = read_run(folder)
    assert (run.state, run.can_resume, run.step, run.seconds) == ("interrupted", True, None, 0.0)


def test_a_run_that_works(folder):
    write_process(folder, own())
    assert read_run(folder).state == "starting", "no sign of life of this process yet"
    beat(folder, pid=1, step=99)
    assert read_run(folder).state == "starting", "it is of the process before"
    beat(folder, step=3, total_steps=10, ran=61.0)
    run = read_run(folder)
    assert (run.state, run.phase, run.step, run.total_steps, run.seconds) == ("running", "training", 3, 10, 61.0)
    assert run.started == pytest.approx(psutil.Process().create_time(), abs=2)
    assert run.ended is None
    assert (run.task, run.method, run.backend) == ("sop", "qlora", "trl")


def test_what_it_said_of_its_end_counts_also_while_its_process_leaves(folder):
    write_process(folder, own())
    beat(folder, step=9)
    folder.exit.write_text(json.dumps({"state": "finished", "step": 10, "time": 5.0}))
    run = read_run(folder)
    assert (run.state, run.step, run.ended, run.can_resume) == ("finished", 10, 5.0, False)


@pytest.mark.parametrize("name", ["exit", "about", "process", "heartbeat", "queued", "metrics", "events", "recipe"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\0" * 100, b'{"state": "done", "pid": "x"}', b"\xff\xfe"])
def test_damaged_files_stop_nothing(folder, name: str, content: bytes):
    with Journal(folder) as journal:
        journal.phase("training", 4, 10)
        journal.metric(Metric(4, time.time(), loss=1.0))
        journal.end("paused", step=4)
    process = Process(2**22 + 1, 1.0, 1.0, own().host)
    write_process(folder, process)
    getattr(folder, name).write_bytes(content)
    run = read_run(folder)
    wanted = {"exit": "interrupted", "queued": "queued"}.get(name, "paused")
    assert run.state == wanted
    if name in ("exit", "process", "queued"):
        assert run.phase == f"{getattr(folder, name).name} cannot be read"
    if name == "exit":
        assert run.exit is None
        assert run.can_resume
    assert run.step == 4
    assert [each.id for each in all_runs()] == [folder.id]


def test_an_empty_folder_is_a_run_that_tells_little():
    (runs_folder() / "empty").mkdir(parents=True)
    (runs_folder() / ".hidden").mkdir()
    (runs_folder() / "file").write_text("")
    (run,) = all_runs()
    assert (run.id, run.kind, run.phase, run.command) == ("empty", "train", "run.json cannot be read", ())


def test_newest_first(made):
    for name, created in (("a", 1.0), ("b", 3.0), ("c", 2.0)):
        folder = made(name)
        folder.about.write_text(json.dumps({**json.loads(folder.about.read_text()), "created": created}))
    assert [run.id for run in all_runs()] == ["b", "c", "a"]


def test_the_newest_figures_are_each_of_the_newest_line_that_has_them(folder):
    for metric in (Metric(9, 1.0, loss=2.0, memory_gib=1.0), Metric(10, 2.0, loss=1.0), Metric(10, 3.0, eval_loss=0.5)):
        add_metric(folder.metrics, metric)
    assert read_run(folder).last == Metric(10, 3.0, loss=1.0, eval_loss=0.5, memory_gib=1.0)


# ---- alive


def test_a_number_that_comes_again(folder):
    me = own()
    assert lives(me)
    for other in (
        Process(me.pid, me.started - 100, me.boot, me.host, me.boot_id),
        Process(me.pid, me.started, me.boot, me.host, "another start of the machine"),
        Process(2**22 + 1, me.started, me.boot, me.host),
        Process(-1, 0.0, 0.0, me.host),
        Process(2**70, 0.0, 0.0, me.host),
    ):
        assert not lives(other), other


def test_a_clock_that_was_set(folder):
    me = own()
    for shift in (-3600, 3600, 86400 * 365):
        assert lives(Process(me.pid, me.started + shift, me.boot + shift, me.host, boot_id()))


def test_a_dead_child_that_nobody_has_buried(folder):
    child = os.fork() if hasattr(os, "fork") else 0
    if child == 0:
        os._exit(0)
    until(lambda: psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    born = psutil.Process(child).create_time()
    assert not lives(Process(child, born, psutil.boot_time(), own().host))
    os.waitpid(child, 0)


def test_a_run_of_another_machine_shows_its_life_by_its_heart(folder):
    write_process(folder, Process(os.getpid(), 1.0, 1.0, "elsewhere"))
    beat(folder, pid=os.getpid())
    assert read_run(folder).state == "running"
    os.utime(folder.heartbeat, (time.time() - 600,) * 2)
    assert read_run(folder).state == "interrupted"


def test_silence_is_told_and_never_negative(folder):
    write_process(folder, own())
    beat(folder, time=time.time() - 120)
    assert 115 < read_run(folder).silent_seconds < 130
    beat(folder, time=time.time() + 3600)
    assert read_run(folder).silent_seconds == 0


# ---- time to go


def timed(folder: RunFolder, gaps: list[float], total: int, start: float | None = None) -> float | None:
    """The time to go of a run whose steps took these times, of which the last was made just now."""
    write_process(folder, own())
    folder.metrics.unlink(missing_ok=True)
    now = time.time() + 1e4 if start is None else start
    for step, gap in enumerate(gaps, 1):
        now += gap
        add_metric(folder.metrics, Metric(step, now, loss=1.0))
    beat(folder, step=len(gaps), total_steps=total)
    return read_run(folder).eta_seconds


def test_the_time_to_go_counts_looks_and_saving(folder):
    assert timed(folder, [1.0], 100) is None
    assert timed(folder, [2.0] * 20, 120) == pytest.approx(200, rel=0.01)
    # Every tenth step is followed by ten seconds of looking and saving.
    assert timed(folder, [11.0 if step % 10 == 0 else 1.0 for step in range(60)], 160) == pytest.approx(200, rel=0.15)
    assert timed(folder, [2.0] * 20, 20) == 0


def test_a_clock_that_is_set_or_a_machine_that_sleeps_does_not_spoil_it(folder):
    gaps = [2.0] * 40
    for jump in (-3600, 8 * 3600):
        assert timed(folder, [*gaps[:20], jump, *gaps[20:]], 141) == pytest.approx(200, rel=0.05)


def test_a_pause_before_this_process_began_does_not_count(folder):
    began = own().started
    assert timed(folder, [2.0] * 10 + [400.0] + [2.0] * 10, 121, start=began - 100) == pytest.approx(200, rel=0.05)
