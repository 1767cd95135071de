"""Starts, steers and resumes runs: whatever a person does with one, on the page or the command line."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

import psutil
import yaml

from repairai.errors import RepairError
from repairai.files import disk_error, to_data
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.processes import Process
from repairai.runs.checkpoints import checkpoints, remove_halves
from repairai.runs.checks import ready
from repairai.runs.detached import launch
from repairai.runs.events import add_event
from repairai.runs.folder import Kind, RunFolder, new_run, read_json, run_folder, runs_folder
from repairai.runs.hub_speaking import may_cost
from repairai.runs.order import Order
from repairai.runs.process import is_alive, read_process
from repairai.runs.queue import alive_runs, is_elsewhere, put, queue_lock, waiting, wake
from repairai.runs.state import Run, asked_of, read_exit, read_run
from repairai.runs.words import in_words

__all__ = [
    "ask", "evaluate", "kill", "launch", "resume", "start", "trainer_command", "usual_limit", "wait_until_gone",
]  # fmt: skip

Word = Literal["stop", "pause", "save", "eval"]
KILL_SECONDS = 10.0
LEAVE_SECONDS, LEAVE_POLL_SECONDS = 30.0, 0.05
LEAVERS_SECONDS = 5.0


def start(
    recipe: Recipe, name: str, not_before: datetime | None = None, queue: bool = True, wait: bool = False
) -> RunFolder:
    """Start a training, or put it into the queue where another run is at work.

    Args:
        recipe: What to train. Where it names no data, those that were built last are taken.
        name: Of the run, from which its id is made.
        not_before: When it may start; None for as soon as it can.
        queue: Let it wait where another run is at work; else that is refused.
        wait: Put it at the end of the queue in any case.

    Raises:
        RepairError: Something that it needs is not there; or another run is at work, and it is not to wait.
    """
    recipe = ready(recipe)
    text = yaml.safe_dump(to_data(recipe), sort_keys=False, allow_unicode=True, width=120)
    return _begin_new(name, "train", trainer_command(recipe), text, "", not_before, queue, wait)


def evaluate(
    run_id: str, limit: int | None = Order.limit, exam: str = "", not_before: datetime | None = None,
    queue: bool = True, escape: float | None = None,
) -> RunFolder:  # fmt: skip
    """Start an evaluation of a trained model, or put it into the queue; return its own run's folder.

    Args:
        run_id: Of the training.
        limit: Questions at most; None for all.
        exam: File with the questions; empty for the person's own exam, else for that of the training's data.
        not_before: When it may start; None for as soon as it can.
        queue: Let it wait where another run is at work; else that is refused.
        escape: For a detector or a judge, the share of wrong steps that may pass; None takes what is usual.

    Raises:
        RepairError: There is no such training, or it has no model yet.
    """
    folder = run_folder(run_id)
    run = read_run(folder)
    if run.kind != "train":
        raise RepairError(f"{run_id} is an evaluation itself", f"evaluate the training: runs evaluate {run.parent}")
    if not folder.model.is_dir():
        raise RepairError(f"{run_id} has made no model yet: it is {in_words(run.state)}", "let it train to its end")
    if exam and not Path(exam).is_file():
        raise RepairError(f"there is no exam at {exam}", "check the name")
    task = read_recipe(folder.recipe).task
    if escape is not None and task == "sop":
        raise RepairError(f"{run_id} trains no detector and no judge, which alone let steps pass", "leave out --escape")
    order = Order(run_id, str(Path(exam).absolute()) if exam else "", limit, escape=escape)
    text = yaml.safe_dump(to_data(order), sort_keys=False, allow_unicode=True)
    command = [sys.executable, "-m", f"training.{task}_eval", "{run}"]
    name = f"{run_id[:58]}-eval"
    return _begin_new(name, "evaluate", command, text, run_id, not_before, queue, wait=False)


def usual_limit(run_id: str) -> int | None:
    """Return how many questions a run's evaluation asks at most where nothing is said; of photos all are shown.

    Raises:
        RepairError: There is no such run, or its recipe cannot be read.
    """
    recipe = run_folder(run_id).recipe
    return None if recipe.is_file() and read_recipe(recipe).task != "sop" else Order.limit


def trainer_command(recipe: Recipe) -> list[str]:
    """Return the words that train a recipe, with "{run}" for the run's folder."""
    if recipe.where == "hf-jobs":
        return [sys.executable, "-m", "repairai.runs.hub_job", "{run}"]
    if recipe.task != "sop":
        return [sys.executable, "-m", f"training.{recipe.task}_train", "{run}"]
    if recipe.backend == "trl":
        return [sys.executable, "-m", "training.sop_train", "{run}"]
    return [sys.executable, "-m", "training.in_environment", recipe.backend, "{run}"]


def resume(run_id: str, not_before: datetime | None = None, queue: bool = True) -> RunFolder:
    """Let a run go on from its last whole checkpoint, or from its beginning where there is none.

    Args:
        run_id: The run.
        not_before: When it may start; None for as soon as it can.
        queue: Let it wait where another run is at work; else that is refused.

    Raises:
        RepairError: It is finished or at work, or something that it needs is no longer there.
    """
    folder = run_folder(run_id)
    run = read_run(folder)
    if run.state == "finished":
        raise RepairError(f"{run_id} is finished", "start a new run from its recipe to train it further")
    if run.state == "queued":
        raise RepairError(f"{run_id} waits in the queue already", "see `python -m repairai runs queue`")
    if not run.can_resume:
        raise RepairError(f"{run_id} is at work already: it is {run.state}", "let it work, or stop it first")
    wait_until_gone(folder)
    if run.kind == "train":
        _check_again(folder)
    _wait_for_leavers()
    with queue_lock():
        remove_halves(folder)
        return _begin(folder, not_before, queue, wait=False)


def wait_until_gone(folder: RunFolder) -> None:
    """Wait for a process that has said how it ended, and needs a moment to let go of what it holds.

    Raises:
        RepairError: It is there for far too long.
    """
    last = time.monotonic() + LEAVE_SECONDS
    while is_alive(folder):
        if time.monotonic() > last:
            raise RepairError(
                f"the process of {folder.id} has ended its work and is still there",
                f"try again soon, or end it with `python -m repairai runs kill {folder.id}`",
            )
        time.sleep(LEAVE_POLL_SECONDS)


def _wait_for_leavers() -> None:
    """Wait for processes that have said how they ended: they are not worth a place in the queue."""
    last = time.monotonic() + LEAVERS_SECONDS
    while time.monotonic() < last and any(read_exit(RunFolder(runs_folder() / each)) for each in alive_runs()):
        time.sleep(LEAVE_POLL_SECONDS)


def _check_again(folder: RunFolder) -> None:
    """Refuse to go on where what the recipe names is gone, or the disk has no room for the rest."""
    base = Path(str(read_json(folder.about).get("directory", "")) or ".")
    there = sum(each.gib for each in checkpoints(folder))
    recipe = read_recipe(folder.recipe)
    if recipe.data:
        ready(recipe, base, there)


def _begin_new(
    name: str, kind: Kind, command: Sequence[str], text: str, parent: str, not_before: datetime | None, queue: bool,
    wait: bool,
) -> RunFolder:  # fmt: skip
    _wait_for_leavers()
    with queue_lock():
        if not queue:
            _refuse_while_busy()
        folder = new_run(name, kind, command, text=text, parent=parent)
        return _begin(folder, not_before, queue, wait)


def _begin(folder: RunFolder, not_before: datetime | None, queue: bool, wait: bool) -> RunFolder:
    """Start a run, or put it into the queue; whoever calls this holds `queue_lock`."""
    if not queue and not is_elsewhere(folder):
        _refuse_while_busy()
    busy = not is_elsewhere(folder) and (alive_runs() or any(each.is_due for each in waiting()))
    if wait or not_before or (queue and busy):
        put(folder, not_before)
        wake()
    else:
        launch(folder)
    return folder


def _refuse_while_busy() -> None:
    if busy := alive_runs():
        raise RepairError(f"{busy[0]} is at work", "wait for it, stop it, or put this one into the queue")


# ---- steering


def ask(run_id: str, what: Word) -> Run:
    """Ask a run for something, which it does at its next step; return how it stands.

    Args:
        run_id: The run.
        what: "stop" and "pause" make a checkpoint and leave; "save" makes one, "eval" looks at the validation data.

    Raises:
        RepairError: It is not at work.
    """
    folder = run_folder(run_id)
    run = read_run(folder)
    if run.state == "queued":
        raise RepairError(f"{run_id} has not begun: it waits", f"take it out with `runs queue --unqueue {run_id}`")
    if run.state not in ("starting", "running"):
        raise RepairError(f"{run_id} is not at work: it is {in_words(run.state)}", f"see `runs show {run_id}`")
    if what in ("save", "eval") and run.kind != "train":
        raise RepairError(f"{run_id} is an evaluation, which has nothing to {what}", "wait for it, or stop it")
    try:
        folder.control.mkdir(exist_ok=True)
        (folder.control / what).touch()
    except OSError as error:
        raise disk_error(folder.control / what, error) from None
    add_event(folder.events, "asked", f"it was asked to {what}")
    return read_run(folder)


def kill(run_id: str) -> Run:
    """End a run at once, with all its processes: for one that does not stop, or does not leave, by itself.

    What it did since its last checkpoint is lost. The job of one that is trained elsewhere is ended too, also where
    nobody here listens to it any more.

    Raises:
        RepairError: It is not at work, or it was not asked to stop before; or its job was not ended.
    """
    folder = run_folder(run_id)
    process = read_process(folder.process)
    if process is None or not is_alive(folder):
        if not may_cost(folder):
            raise RepairError(f"{run_id} is not at work", f"see `runs show {run_id}`")
        _end_job(folder)
        add_event(folder.events, "killed", "its job was ended by force")
        return read_run(folder)
    if not asked_of(folder) and not read_exit(folder):
        raise RepairError(
            f"{run_id} was not asked to stop yet, which keeps what it has learned", f"do that first: runs stop {run_id}"
        )
    add_event(folder.events, "killed", "it was ended by force")
    _end_all(process)
    for path in folder.control.glob("*"):
        path.unlink(missing_ok=True)
    if is_elsewhere(folder):
        try:
            _end_job(folder)
        except RepairError as error:
            raise RepairError(f"{run_id} was ended here; {error.what}", error.next_step) from None
    return read_run(folder)


def _end_job(folder: RunFolder) -> None:
    from repairai.runs.hub_ending import end  # with the Hub's client, which most runs never need

    end(folder)


def _end_all(process: Process) -> None:
    """End a process, those that it started, and its group where nobody else is in that."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        if process.group > 1 and os.name == "posix" and os.getpgid(process.pid) == process.group:
            os.killpg(process.group, signal.SIGKILL)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return
    except (psutil.AccessDenied, PermissionError):
        raise RepairError(f"process {process.pid} is not yours to end", "ask whoever started it") from None
    for each in family:
        with suppress(psutil.Error):
            each.kill()
    psutil.wait_procs(family, KILL_SECONDS)
