"""What a training took, beside what was planned for it: written down, so that the next plan is better."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import TrainerCallback

from repairai.errors import RepairError
from repairai.hardware.card import Card, timed
from repairai.hardware.memory import Device, estimate
from repairai.hardware.past import PastRun, record
from repairai.hardware.probe import probe
from repairai.hardware.speed import step_seconds
from repairai.hardware.workload import Workload
from repairai.runs.journal import Journal

GIB = 2**30
WARM_UP = 3
"""Steps that are not timed: libraries are still getting ready."""
COMPARED_SECONDS = 60.0
"""A shorter training says little of what a step takes."""


class Took(TrainerCallback):
    """Times each step of a training, and reads its peak of memory at the end."""

    def __init__(self) -> None:
        self.device: Device = "cuda" if torch.cuda.is_available() else "cpu"
        self.began = 0.0
        self.seconds: list[float] = []
        self.peaks_gib = (0.0, 0.0)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self.began = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop it."""
        if self.device == "cuda":
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self.began)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read the peak of tensors and of what the process held; on a processor both are the latter."""
        if self.device == "cuda":
            self.peaks_gib = torch.cuda.max_memory_allocated() / GIB, torch.cuda.max_memory_reserved() / GIB
        else:
            self.peaks_gib = peak_held_gib(), peak_held_gib()

    def tell(self, journal: Journal, work: Workload) -> None:
        """Write down what it took beside what was planned, where it was long enough to say something.

        Args:
            journal: Of the run.
            work: See `compare`.
        """
        if sum(self.seconds) >= COMPARED_SECONDS and (compared := self.compare(work)):
            journal.event("took", said(compared))

    def compare(self, work: Workload) -> PastRun | None:
        """Write down what was planned and what it took, and return that; None where there is nothing to compare.

        Args:
            work: A step of what was trained.
        """
        steps = self.seconds[WARM_UP:]
        tensors, held = self.peaks_gib
        if not steps or tensors <= 0:
            return None
        profile = probe()
        name = torch.cuda.get_device_name() if self.device == "cuda" else profile.cpu.name or "this machine's processor"
        card = timed(Card(name, profile.ram_free_gib, here=True, device=self.device))
        try:
            (planned,) = estimate([work])
        except RepairError:  # a model that the planner does not know
            return None
        expected = step_seconds(planned.demand, work.accumulation, work.precision, card.rates) if card.rates else None
        span = planned.held_gib(self.device)
        # A processor's tensors cannot be told from the rest of the process, so there the whole is compared.
        memory = (planned.tensors_gib, tensors) if self.device == "cuda" else (sum(span) / 2, held)
        run = PastRun(
            datetime.now(UTC).isoformat(timespec="seconds"), card.name, replace(work, model=Path(work.model).name),
            *memory, span, held, expected, median(steps),
        )  # fmt: skip
        with suppress(RepairError):  # a full disk: the training is over, and its model is there
            record(run)
        return run


def peak_held_gib() -> float:
    """Return the most that this process ever held, by Linux's own account; 0 on systems that keep none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / GIB for line in lines if line.startswith("VmHWM")), 0.0)


def said(run: PastRun) -> str:
    """Return a comparison in one line."""
    line = f"memory: planned {run.planned_gib:.2f} GiB, took {run.measured_gib:.2f} GiB"
    if run.planned_seconds:
        low, high = run.planned_seconds
        line += f"; a step: planned {low:.2f} to {high:.2f} s, took {run.measured_seconds:.2f} s"
    return line
