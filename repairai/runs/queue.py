"""Runs that wait for their turn, and the process that starts one after the other: `python -m repairai.runs.queue`."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.processes import SOURCES, lives, own, spawned
from repairai.runs.detached import end_unstarted, launch
from repairai.runs.folder import RunFolder, read_json, run_folder, run_folders, runs_folder
from repairai.runs.process import is_alive, read_process
from repairai.runs.state import read_exit

POLL_SECONDS = 0.5
LOCK_SECONDS = 30.0
DISPATCHER_SECONDS = 2.0
"""That a dispatcher waits for the one before it to be gone."""
LAST = 1e9
"""Place of a run whose own cannot be read."""
COMMAND = [sys.executable, "-m", "repairai.runs.queue"]


@dataclass(frozen=True)
class Waiting:
    """A run in the queue.

    Args:
        id: The run.
        position: Runs with a lower one come first.
        not_before: When it may start, seconds since 1970; None for as soon as it is its turn.
        since: When it was put there.
        held_by: Id of the run that was paused after that, so that nothing else takes its place; empty for none.
    """

    id: str
    position: float
    not_before: float | None
    since: float
    held_by: str = ""

    @property
    def is_due(self) -> bool:
        """Whether it may start now."""
        return not self.held_by and (self.not_before is None or self.not_before <= time.time())


def queue_lock() -> FileLock:
    """Return the lock under which the queue is changed and runs are started.

    Raises:
        RepairError: The folder of runs cannot be made.
    """
    try:
        runs_folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RepairError(
            f"{runs_folder()} cannot be made: {error.strerror}", "set REPAIRAI_HOME to a folder"
        ) from None
    return FileLock(runs_folder() / ".queue.lock", timeout=LOCK_SECONDS)


def waiting() -> list[Waiting]:
    """Return the runs in the queue, first come first."""
    folders = [folder for folder in run_folders() if folder.queued.exists() and not is_alive(folder)]
    paused = _paused() if folders else []
    return sorted((_read(folder, paused) for folder in folders), key=lambda each: (each.position, each.since, each.id))


def alive_runs() -> list[str]:
    """Return the ids of the runs on which a process works, but for those that only follow a job on another machine."""
    return [folder.id for folder in run_folders() if is_alive(folder) and not is_elsewhere(folder)]


def is_elsewhere(folder: RunFolder) -> bool:
    """Return whether a run is trained on another machine: then it takes nothing of this one."""
    about = read_json(folder.about).get("about")
    return isinstance(about, dict) and about.get("where") == "hf-jobs"


def put(folder: RunFolder, not_before: datetime | None = None) -> None:
    """Put a run at the end of the queue; whoever calls this holds `queue_lock`, and calls `wake` afterwards.

    Raises:
        RepairError: The disk is full.
    """
    last = max((each.position for each in waiting()), default=0.0)
    _write(Waiting(folder.id, last + 1, not_before.timestamp() if not_before else None, time.time()))


def move(run_id: str, position: int) -> None:
    """Give a waiting run another place.

    Args:
        run_id: The run.
        position: Its place from 1; one behind the last is the last.

    Raises:
        RepairError: It does not wait.
    """
    if position < 1:
        raise ValueError(f"need a position from 1, got {position}")
    with queue_lock():
        order = waiting()
        moved = _among(order, run_id)
        order.remove(moved)
        order.insert(position - 1, moved)
        for place, each in enumerate(order, 1):
            _write(Waiting(each.id, place, each.not_before, each.since))


def unqueue(run_id: str) -> None:
    """Take a run out of the queue. One that never ran has then been stopped, any other is as it was before.

    Raises:
        RepairError: It does not wait.
    """
    with queue_lock():
        folder = run_folder(_among(waiting(), run_id).id)
        folder.queued.unlink(missing_ok=True)
        if not folder.exit.exists() and not folder.process.exists():
            said = "it was taken out of the queue before it began"
            end_unstarted(
                folder, "stopped", "unqueued", said, f"start it with `python -m repairai runs resume {run_id}`"
            )


def go_on() -> list[str]:
    """Let runs start that wait because another was paused; return their ids."""
    with queue_lock():
        held = [each for each in waiting() if each.held_by]
        for each in held:
            _write(Waiting(each.id, each.position, each.not_before, time.time()))
    wake()
    return [each.id for each in held]


def wake() -> bool:
    """Start the dispatcher where runs wait and there is none; return whether it was started."""
    if not any(folder.queued.exists() for folder in run_folders()) or _dispatcher_lives():
        return False
    with (runs_folder() / ".dispatcher.log").open("ab") as log:
        spawned(COMMAND, log, SOURCES)
    return True


def _among(order: list[Waiting], run_id: str) -> Waiting:
    found = next((each for each in order if each.id == run_id), None)
    if found is None:
        run_folder(run_id)  # which says so where there is none of that name
        raise RepairError(f"{run_id} does not wait in the queue", "see `python -m repairai runs queue`")
    return found


def _read(folder: RunFolder, paused: list[tuple[float, str]]) -> Waiting:
    """Return a run's place; one that cannot be read is the last."""
    data = read_json(folder.queued)
    place, not_before, since = (_number(data.get(name)) for name in ("position", "not_before", "since"))
    if since is None:
        with suppress(OSError):
            since = folder.queued.stat().st_mtime
    since = since or 0.0
    held_by = next((run_id for when, run_id in paused if when > since and run_id != folder.id), "")
    return Waiting(folder.id, LAST if place is None else place, not_before, since, held_by)


def _write(place: Waiting) -> None:
    data = {"position": place.position, "not_before": place.not_before, "since": place.since}
    write_whole(RunFolder(runs_folder() / place.id).queued, json.dumps(data).encode())


def _paused() -> list[tuple[float, str]]:
    """Return when which runs were paused: whoever did that wants the machine for something else."""
    found = []
    for folder in run_folders():
        if not folder.queued.exists() and (ended := read_exit(folder)) and ended.state == "paused":
            found.append((ended.time, folder.id))
    return sorted(found, reverse=True)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# ---- the dispatcher


def _dispatcher_file() -> Path:
    return runs_folder() / ".dispatcher.json"


def _dispatcher_lives() -> bool:
    process = read_process(_dispatcher_file())
    return process is not None and lives(process)


def dispatch() -> None:
    """Start runs as their turn comes, one at a time, until none waits."""
    queue_lock()  # makes the folder
    lock = FileLock(runs_folder() / ".dispatcher.lock", timeout=DISPATCHER_SECONDS)
    try:
        lock.acquire()
    except Timeout:  # there is another
        return
    write_whole(_dispatcher_file(), json.dumps(asdict(own())).encode())
    while _start_next():
        time.sleep(POLL_SECONDS)


def _start_next() -> bool:
    """Start the run whose turn it is, if any; return whether any is left, which decides whether the dispatcher stays.

    That is decided under the lock under which runs are put into the queue: none can come in between.
    """
    with queue_lock():
        for folder in run_folders():
            if folder.queued.exists() and is_alive(folder):  # whoever started it went down before it was noted
                folder.queued.unlink(missing_ok=True)
        order = waiting()
        if not order:
            _dispatcher_file().unlink(missing_ok=True)
            return False
        due = next((each for each in order if each.is_due), None)
        if due and not alive_runs():
            _launch(RunFolder(runs_folder() / due.id))
        return True


def _launch(folder: RunFolder) -> None:
    try:
        launch(folder)
    except RepairError as error:
        with suppress(RepairError):  # the disk is full: it is tried again
            if folder.queued.exists():
                end_unstarted(folder, "failed", "not started", error.what, error.next_step)


if __name__ == "__main__":
    dispatch()
