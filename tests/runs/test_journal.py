"""The writer's side of a run, in this process."""

import errno
import json
import os
import signal
import threading
import time

import pytest
import yaml

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.runs import journal as journal_of_runs
from repairai.runs.checkpoints import best, checkpoints, last_whole, remove_halves
from repairai.runs.events import read_events
from repairai.runs.journal import BEAT_BYTES, RESERVE_BYTES, Asked, Journal
from repairai.runs.metrics import Metric, read_new
from repairai.runs.state import read_run
from tests.runs.conftest import fill


@pytest.fixture
def folder(made):
    return made()


BEARER = "Bearer hf_secretsecretsecretsecret"


class OutOfMemoryError(RuntimeError):
    """Named as torch's own, which is not imported here."""


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__context__ = cause
    return error


def leave(folder, error: BaseException, work=lambda journal: None) -> None:
    """Do some work on a run, and end it by an error."""
    with Journal(folder) as journal:
        work(journal)
        raise error


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Asked("stop"), "stopped", "asked to stop"),
        (Asked("pause"), "paused", "asked to pause"),
        (RepairError("the data are wrong", "mend them"), "failed", "the data are wrong"),
        (MemoryError("4 GiB"), "out_of_memory", "4 GiB"),
        (OutOfMemoryError("CUDA out of memory."), "out_of_memory", "CUDA"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out_of_memory", "memory"),
        (full_disk(), "disk_full", "disk was full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full", "disk was full"),
        (caused(RepairError("it was not written", "free some"), full_disk()), "disk_full", "disk was full"),
        (KeyboardInterrupt(), "stopped", "Ctrl+C"),
        (ValueError("need 2,\n got 3"), "failed", "ValueError: need 2, got 3"),
        (SystemExit(2), "failed", "SystemExit: 2"),
    ],
)  # fmt: skip
def test_each_end_is_told(folder, error, state, said):
    with pytest.raises(type(error)):
        leave(folder, error, lambda journal: journal.phase("training", 7, 20))
    run = read_run(folder)
    assert run.state == state
    assert run.exit
    assert said in run.exit.said
    assert (run.exit.step, run.step, run.total_steps) == (7, 7, 20)
    assert run.exit.mend
    assert run.exit.time == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(
    ("task", "method", "size"), [("detector", "full", "image_px"), ("sop", "lora", "length_tokens")]
)
def test_memory_that_ran_out_is_mended_by_what_the_task_has(folder, task, method, size):
    folder.recipe.write_text(yaml.safe_dump(to_data(Recipe(task, Workload("some/model", method), 1.0, 1e-4))))
    with pytest.raises(MemoryError):
        leave(folder, MemoryError("4 GiB"))
    assert f"halve batch or {size} in a copy of the recipe" in read_run(folder).exit.mend
    folder.recipe.write_text("task: [")
    with pytest.raises(MemoryError):
        leave(folder, MemoryError("4 GiB"))
    assert "halve batch" in read_run(folder).exit.mend


def test_what_leaves_without_a_word_is_not_called_finished(folder):
    with Journal(folder) as journal:
        journal.phase("training", 1)
    assert not folder.exit.exists()
    folder.process.unlink()
    os.utime(folder.about, (0, 0))
    assert read_run(folder).state == "interrupted"


def test_the_first_end_counts(folder):
    with pytest.raises(ValueError, match="later"):
        leave(folder, ValueError("later, in tidying up"), lambda journal: journal.end("finished", step=3))
    assert read_run(folder).state == "finished"


def test_only_known_ends(folder):
    with pytest.raises(ValueError, match="need state to be one of finished"), Journal(folder) as journal:
        journal.end("done")
    assert read_run(folder).state == "failed"


def test_signs_of_life(folder):
    with Journal(folder) as journal:
        journal.phase("loading the model")
        run = read_run(folder)
        assert (run.state, run.phase, run.step) == ("running", "loading the model", None)
        assert folder.reserve.stat().st_size == RESERVE_BYTES
        journal.phase("training", 1, 10)
        journal.phase("training", 2)
        journal.metric(Metric(2, time.time(), loss=0.5))
        journal.phase("saving")
        assert folder.heartbeat.stat().st_size == BEAT_BYTES
        run = read_run(folder)
        assert (run.phase, run.step, run.total_steps) == ("saving", 2, 10)
        assert run.last
        assert run.last.loss == 0.5
        assert 0 <= run.silent_seconds < 5
        journal.end("finished")
    assert [each.text for each in read_events(folder.events, ("phase",))] == ["loading the model", "training", "saving"]
    assert not folder.reserve.exists()


def test_what_is_asked(folder):
    with Journal(folder) as journal:
        journal.check()
        assert (journal.asked(), journal.take("save")) == ("", False)
        folder.control.mkdir()
        for what in ("save", "eval", "pause"):
            (folder.control / what).touch()
        assert [journal.take("save"), journal.take("save"), journal.take("eval")] == [True, False, True]
        assert journal.asked() == "pause"
        (folder.control / "stop").touch()
        assert journal.asked() == "stop"
        assert read_run(folder).asked == "stop"
        with pytest.raises(Asked, match="stop"):
            journal.check()
        journal.end("stopped")
    assert not list(folder.control.iterdir())


def test_sigterm_asks_for_a_stop(folder):
    before = signal.getsignal(signal.SIGTERM)
    with Journal(folder) as journal:
        os.kill(os.getpid(), signal.SIGTERM)
        assert journal.asked() == "stop"
        assert read_run(folder).asked == "stop"
        journal.end("stopped")
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which this system does not have")
def test_sigterm_to_a_forked_worker_ends_the_worker_alone(folder):
    with Journal(folder) as journal:
        ready, told = os.pipe()
        worker = os.fork()
        if worker == 0:  # as a worker that loads data
            os.write(told, b"1")
            time.sleep(60)
            os._exit(0)
        os.read(ready, 1)
        os.kill(worker, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGTERM
        assert journal.asked() == ""
        journal.end("finished")


def test_a_journal_in_another_thread_takes_no_signals(folder):
    found = []

    def work() -> None:
        with Journal(folder) as journal:
            found.append(signal.getsignal(signal.SIGTERM))
            journal.end("finished")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


def test_a_run_has_one_process(folder, monkeypatch):
    monkeypatch.setattr(journal_of_runs, "LOCK_SECONDS", 0.2)
    with Journal(folder) as journal, pytest.raises(RepairError, match="another process is at work"):
        Journal(folder).__enter__()
    assert journal
    assert not folder.exit.exists()


def test_half_written_lines_are_mended_and_time_adds_up(folder):
    folder.metrics.write_bytes(b'{"step": 1, "time": 1}\n{"st')
    folder.events.write_bytes(b'{"time": 1, "kind": "a", "text": "b"}\n{"time"')
    folder.heartbeat.write_text(json.dumps({"ran": 100.0}))
    folder.exit.write_text("{}")
    with Journal(folder) as journal:
        assert not folder.exit.exists()
        journal.metric(Metric(2, 2.0))
    assert [metric.step for metric in read_new(folder.metrics, 0)[0]] == [1, 2]
    assert [each.kind for each in read_events(folder.events)] == ["a", "began"]
    assert read_run(folder).seconds >= 100


def test_a_full_disk_still_takes_the_end(made, small_disk, monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    folder = made()

    def work(journal: Journal) -> None:
        journal.phase("training", 5, 10)
        fill(small_disk / "filler")
        for step in range(6, 300):  # does not raise
            journal.metric(Metric(step, 1.0, loss=1.0))
            journal.event("note", "x" * 100)
            journal.phase("training", step)

    with pytest.raises(OSError, match="No space"):
        leave(folder, full_disk(), work)
    run = read_run(folder)
    assert (run.state, run.step) == ("disk_full", 299)
    assert not folder.reserve.exists()
    steps = [metric.step for metric in read_new(folder.metrics, 0)[0]]
    assert steps == list(range(6, 6 + len(steps))), "only whole lines"


def test_secrets_stay_out(folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecretsecret")
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    error = ValueError("hf_othersothersothersothers and hf_secretsecretsecretsecret")
    with pytest.raises(ValueError, match="hf_secret"):
        leave(folder, error, lambda journal: journal.event("note", "0123456789abcdef is false", header=BEARER))
    whole = b"".join(path.read_bytes() for path in folder.path.rglob("*") if path.is_file())
    for secret in (b"hf_secret", b"hf_others", b"0123456789abcdef"):
        assert secret not in whole
    assert b"[hidden] is false" in whole


# ---- checkpoints


def checkpoint(folder, step: int, mark: str | None) -> None:
    path = folder.checkpoints / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "weights").write_bytes(b"w" * 2**20)
    if mark is not None:
        (path / "whole").write_text(mark)


def test_checkpoints(folder):
    assert checkpoints(folder) == []
    assert last_whole(folder) is None
    checkpoint(folder, 100, '{"step": 100, "eval_loss": 0.5}')
    checkpoint(folder, 20, '{"step": 20, "eval_loss": 0.4}')
    checkpoint(folder, 110, '{"step": 110, "eval_loss": null}')
    checkpoint(folder, 120, None)
    checkpoint(folder, 130, '{"st')
    (folder.checkpoints / "tmp-checkpoint-140").mkdir()
    (folder.checkpoints / "checkpoint-150").write_text("a file")
    found = checkpoints(folder)
    assert [(each.step, each.whole, each.best) for each in found] == [
        (20, True, True), (100, True, False), (110, True, False), (120, False, False), (130, False, False),
    ]  # fmt: skip
    assert found[0].gib == pytest.approx(1 / 1024, rel=0.01)
    assert last_whole(folder).step == 110
    assert best(folder).step == 20
    assert read_run(folder).checkpoint_step == 110
    assert remove_halves(folder) == ["checkpoint-120", "checkpoint-130"]
    assert [each.step for each in checkpoints(folder)] == [20, 100, 110]
