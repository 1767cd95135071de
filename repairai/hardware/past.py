"""How good the planner has been here: what past runs were expected to take, and what they took."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from repairai.files import home, to_data, write_whole
from repairai.hardware.kept import parsed
from repairai.hardware.workload import Workload

NEWEST = 200
"""Runs that are kept and counted."""
ENOUGH = 3
"""Runs on a device from which its corrections are believed."""
FARTHEST = 2.0
"""A correction goes no farther than this, nor under its inverse: beyond, something else is wrong."""


@dataclass(frozen=True)
class PastRun:
    """What one run was expected to take, and took.

    Args:
        at: When it ended, as ISO 8601.
        device: On what it ran.
        work: Its step.
        planned_gib: Peak of tensors that was expected; on a processor the middle of what was expected to be held.
        measured_gib: Peak of tensors that was measured; on a processor what was held.
        planned_held_gib: At least and at most what was expected to be held.
        measured_held_gib: What was held.
        planned_seconds: For one optimizer step, at least and at most; None where it was not known.
        measured_seconds: For one optimizer step, the median.
    """

    at: str
    device: str
    work: Workload
    planned_gib: float
    measured_gib: float
    planned_held_gib: tuple[float, float]
    measured_held_gib: float
    planned_seconds: tuple[float, float] | None
    measured_seconds: float

    def __post_init__(self) -> None:
        for name in ("planned_gib", "measured_gib", "measured_held_gib", "measured_seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"need {name} over 0, got {getattr(self, name)}")

    @property
    def error(self) -> float:
        """Return how much more was planned than measured, as a share of what was measured."""
        return self.planned_gib / self.measured_gib - 1


@dataclass(frozen=True)
class Correction:
    """What past runs on a device say about the next.

    Args:
        runs: How many there are.
        memory: What planned tensors are multiplied by.
        seconds: What planned times are multiplied by.
    """

    runs: int
    memory: float = 1.0
    seconds: float = 1.0


def record(run: PastRun) -> None:
    """Keep what a run took.

    Raises:
        RepairError: It cannot be written.
    """
    lines = [json.dumps(to_data(each)) for each in [*past_runs(), run][-NEWEST:]]
    write_whole(_path(), ("\n".join(lines) + "\n").encode())


def past_runs(device: str | None = None) -> list[PastRun]:
    """Return past runs, oldest first, of one device or of all; lines that cannot be read are left out."""
    try:
        lines = _path().read_bytes().splitlines()
    except OSError:
        return []
    # A line that was cut short by a full disk is left out: the others still count.
    found = [run for line in lines if (run := parsed(line, PastRun)) is not None]
    return [run for run in found if device in (None, run.device)]


def correction(device: str) -> Correction:
    """Return what past runs on a device say about the next: nothing, while there are fewer than `ENOUGH`."""
    runs = past_runs(device)
    if len(runs) < ENOUGH:
        return Correction(len(runs))
    timed = [run.measured_seconds / (sum(run.planned_seconds) / 2) for run in runs if run.planned_seconds]
    return Correction(
        len(runs),
        _within(median(run.measured_gib / run.planned_gib for run in runs)),
        _within(median(timed)) if len(timed) >= ENOUGH else 1.0,
    )


def _within(factor: float) -> float:
    return min(max(factor, 1 / FARTHEST), FARTHEST)


def _path() -> Path:
    return home() / "planner" / "runs.jsonl"
