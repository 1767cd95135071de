"""Deletes sets of data, photos or states, at once and for good; one that a run at work or in the queue needs stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import expanded, set_aside
from repairai.named_sets import NamedSets, alone
from repairai.runs.folder import RunFolder, read_json, run_folders
from repairai.runs.process import is_alive
from repairai.runs.queue import queue_lock
from repairai.runs.state import read_exit


def delete_set(kind: NamedSets, name: str) -> list[str]:
    """Delete a set; return the ids of runs that can no longer go on without it.

    Raises:
        RepairError: There is none of that name, or a run that is at work or waits needs it, or it is being changed.
    """
    folder = kind.known(name)
    with queue_lock():
        needs, could = users(folder)
        if needs:
            raise RepairError(
                f"{' and '.join(needs[:3])} {'needs' if len(needs) == 1 else 'need'} the {kind.called} {name} still",
                f"wait for it, or stop it, or take it out of the queue: runs show {needs[0]}",
            )
        with alone(folder):
            pass  # whoever is writing ends first
        gone = set_aside(folder)
    shutil.rmtree(gone, ignore_errors=True)
    return could


def users(folder: Path) -> tuple[list[str], list[str]]:
    """Return the runs that need a set: those at work or in the queue, and those that could still go on with it.

    Args:
        folder: Of the set.
    """
    needs, could = [], []
    for run in run_folders():
        if _data_of(run) != _real(folder):
            continue
        if is_needed(run):
            needs.append(run.id)
        elif could_go_on(run):
            could.append(run.id)
    return sorted(needs), sorted(could)


def is_needed(run: RunFolder) -> bool:
    """Tell whether a run waits or is at work, so that what it needs has to stay."""
    return run.queued.exists() or is_alive(run)


def could_go_on(run: RunFolder) -> bool:
    """Tell whether a run that neither waits nor is at work could still be gone on with."""
    ended = read_exit(run)
    return not run.order.exists() and not (ended is not None and ended.state == "finished")


def what_made(run: RunFolder) -> tuple[dict[str, Any], Path]:
    """Return what a run is made with, by its recipe, or the run that it evaluates; and what its paths relate to."""
    about = read_json(run.about)
    parent = about.get("parent")
    if isinstance(parent, str) and parent:
        about = read_json(RunFolder(run.path.parent / parent).about)
    said = about.get("about")
    return said if isinstance(said, dict) else {}, Path(str(about.get("directory") or ""))


def _data_of(run: RunFolder) -> Path | None:
    """Return the folder of the data that a run needs."""
    said, directory = what_made(run)
    data = said.get("data")
    return _real(directory / expanded(data)) if isinstance(data, str) and data else None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
