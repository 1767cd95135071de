"""Deletes runs, at once and for good; what is still needed stays, and it is told by whom."""

from __future__ import annotations

import shutil
from contextlib import suppress

from repairai.errors import RepairError
from repairai.files import set_aside
from repairai.judge import judges
from repairai.runs.folder import read_json, run_folder, run_folders
from repairai.runs.hub_speaking import may_cost
from repairai.runs.launch import wait_until_gone
from repairai.runs.process import is_alive
from repairai.runs.queue import queue_lock
from repairai.runs.set_removal import is_needed
from repairai.runs.state import read_exit
from repairai.sop import agents
from repairai.vision import detectors


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
        if may_cost(folder):
            raise RepairError(
                f"{run_id} has a job of Hugging Face that may still work, and cost",
                f"bring back what it made (runs resume {run_id}), or end it (runs kill {run_id})",
            )
        for other in run_folders():
            if read_json(other.about).get("parent") == run_id and is_needed(other):
                raise RepairError(f"{other.id} evaluates {run_id}", f"wait for it, or stop it: runs stop {other.id}")
        refuse_active(run_id)
        gone = set_aside(folder.path)
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
