"""Deletes sets of data, photos or states, at once and for good; one that a run at work or in the queue needs stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

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
        elif not run.order.exists() and not _has_finished(run):
            could.append(run.id)
    return sorted(needs), sorted(could)


def is_needed(run: RunFolder) -> bool:
    """Tell whether a run waits or is at work, so that what it needs has to stay."""
    return run.queued.exists() or is_alive(run)


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


def _has_finished(run: RunFolder) -> bool:
    ended = read_exit(run)
    return ended is not None and ended.state == "finished"
