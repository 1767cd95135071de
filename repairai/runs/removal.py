"""Deletes runs and built data, at once and for good; what is still needed stays, and it is told by whom."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import disk_error, expanded, home
from repairai.judge import judges
from repairai.runs.folder import STALE_SECONDS, RunFolder, read_json, run_folder, run_folders, runs_folder
from repairai.runs.launch import wait_until_gone
from repairai.runs.process import is_alive
from repairai.runs.queue import queue_lock
from repairai.runs.state import read_exit
from repairai.sop import agents
from repairai.vision import detectors

_GONE = ".deleted-"
_HALF = re.compile(r"\.(?P<name>.+?)\.[0-9a-f]{8}(?P<old>\.old)?")
"""What the builder calls a folder that is not whole yet, and one that is being replaced."""


# ---- runs


def delete_run(run_id: str) -> None:
    """Delete a run with all that it made.

    Raises:
        RepairError: It is at work, or being evaluated, or its model is the one that answers.
    """
    folder = run_folder(run_id)
    if read_exit(folder):
        wait_until_gone(folder)
    with queue_lock():
        if is_alive(folder):
            raise RepairError(f"{run_id} is at work", f"stop it first: runs stop {run_id}")
        for other in run_folders():
            if read_json(other.about).get("parent") == run_id and _is_needed(other):
                raise RepairError(f"{other.id} evaluates {run_id}", f"wait for it, or stop it: runs stop {other.id}")
        refuse_active(run_id)
        gone = _moved(folder.path, runs_folder())
    shutil.rmtree(gone, ignore_errors=True)
    _forget(run_id)


def refuse_active(run_id: str) -> None:
    """Refuse to do without a run whose model is the one that answers, inspects or judges.

    Raises:
        RepairError: It is, with the words that let another one do it.
    """
    for register, what, does, back, other in (
        (agents, "agent", "answer", "back", "use steps"),
        (detectors, "detector", "inspect", "back --detector", "use builtin"),
        (judges, "judge", "judge", "back --judge", "use --judge nobody"),
    ):
        try:
            active, before = register.active(), register.before()
        except RepairError:  # the register is damaged: whoever reads it next is told
            continue
        if active.run_id == run_id:
            has_before = before is not None and before.run_id != run_id and not register.missing(before)
            raise RepairError(
                f"{run_id} is the active {what}, which could then no longer {does}",
                f"let another one {does} first: `python -m repairai models {back if has_before else other}`",
            )


def _forget(run_id: str) -> None:
    """Take a run's model out of the registers, so that no step back leads to it."""
    for register in (agents, detectors, judges):
        with suppress(RepairError):  # damaged: whoever reads it next is told
            register.forget(run_id)


# ---- data


def data_place() -> Path:
    """Return where built data lie, a folder for each build."""
    return home() / "data" / "sop"


def built_data(name: str) -> Path:
    """Return the folder of built data.

    Raises:
        RepairError: There are none of that name; the nearest is told.
    """
    try:
        known = {path.name: path for path in data_place().iterdir() if path.is_dir() and path.name[0] != "."}
    except (FileNotFoundError, NotADirectoryError):
        known = {}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise RepairError(
        f"there are no data named {name!r:.80}" + (f", did you mean {near[0]!r}?" if near else ""),
        "list them with `python -m repairai data list`",
    )


def users(folder: Path) -> tuple[list[str], list[str]]:
    """Return the runs that need built data: those at work or in the queue, and those that could still go on with them.

    Args:
        folder: Of the data.
    """
    needs, could = [], []
    for run in run_folders():
        if _data_of(run) != _real(folder):
            continue
        if _is_needed(run):
            needs.append(run.id)
        elif not run.order.exists() and not _has_finished(run):
            could.append(run.id)
    return sorted(needs), sorted(could)


def delete_data(name: str) -> list[str]:
    """Delete built data; return the ids of runs that can no longer go on without them.

    Raises:
        RepairError: There are none of that name, or a run that is at work or waits needs them.
    """
    folder = built_data(name)
    with queue_lock():
        needs, could = users(folder)
        if needs:
            raise RepairError(
                f"{' and '.join(needs[:3])} {'needs' if len(needs) == 1 else 'need'} the data {name} still",
                f"wait for it, or stop it, or take it out of the queue: runs show {needs[0]}",
            )
        gone = _moved(folder, data_place())
    shutil.rmtree(gone, ignore_errors=True)
    return could


def clear_halves(name: str = "") -> None:
    """Take away what builds left half-written that went down; what was being replaced comes back.

    Args:
        name: Of data whose builder is known to be gone; empty: whatever has lain there for an hour.
    """
    place = data_place()
    with suppress(OSError):
        for path in sorted(place.glob(".*")):
            found = _HALF.fullmatch(path.name)
            if path.name.startswith(_GONE):
                stale = _is_stale(path)
            elif found is None or not path.is_dir():
                continue
            else:
                stale = found["name"] == name if name else _is_stale(path)
            if not stale:
                continue
            whole = place / found["name"] if found and found["old"] else None
            if whole is not None and not whole.exists():
                path.rename(whole)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _is_stale(path: Path) -> bool:
    stat = path.stat()
    return time.time() - max(stat.st_mtime, stat.st_ctime) > STALE_SECONDS


def _data_of(run: RunFolder) -> Path | None:
    """Return the folder of the data that a run needs: its own, or those of the run that it evaluates."""
    about = read_json(run.about)
    parent = about.get("parent")
    if isinstance(parent, str) and parent:
        about = read_json(RunFolder(run.path.parent / parent).about)
    said = about.get("about")
    data = said.get("data") if isinstance(said, dict) else None
    return _real(Path(str(about.get("directory", ""))) / expanded(data)) if isinstance(data, str) and data else None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_needed(run: RunFolder) -> bool:
    return run.queued.exists() or is_alive(run)


def _has_finished(run: RunFolder) -> bool:
    ended = read_exit(run)
    return ended is not None and ended.state == "finished"


def _moved(path: Path, place: Path) -> Path:
    """Give a folder a name that nobody reads: at once, so that no half of it is ever seen.

    Raises:
        RepairError: It cannot be.
    """
    gone = place / f"{_GONE}{uuid.uuid4().hex}"
    try:
        path.rename(gone)
        os.utime(gone)
    except OSError as error:
        raise disk_error(path, error) from None
    return gone
