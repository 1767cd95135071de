"""How long a training takes here: from what its steps compute and move, and what the machine was seen to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

from repairai.errors import RepairError
from repairai.files import from_data, home, to_data, write_whole
from repairai.hardware.kept import recalled
from repairai.hardware.workload import Demand

OVERHEAD = 1.5
"""What a step takes at most beside its products and its memory traffic, one after the other: Python, small kernels and
the wait for data. An allowance; runs on this machine correct it."""
MEASURE_SECONDS = 120


@dataclass(frozen=True)
class Rates:
    """What a device was measured to do.

    Args:
        device: Its name.
        flops: Floating-point operations a second in matrix products, by precision.
        bandwidth: Bytes a second, read and written, of a copy within its memory.
    """

    device: str
    flops: dict[str, float]
    bandwidth: float

    def __post_init__(self) -> None:
        if not self.bandwidth > 0 or not all(self.flops.get(name, 0) > 0 for name in ("fp32", "bf16", "fp16")):
            raise ValueError(f"need rates over 0, got {self.flops} and {self.bandwidth}")


def step_seconds(demand: Demand, accumulation: int, precision: str, rates: Rates) -> tuple[float, float]:
    """Return how long one optimizer step takes, at least and at most.

    At least as long as its products or its memory traffic by themselves, whichever takes longer; at most both, one
    after the other, and `OVERHEAD`.

    Source:
        The roofline model (Williams, Waterman and Patterson 2009), with the device's rates as measured.
    """
    products = demand.flops * accumulation / rates.flops[precision]
    moves = demand.traffic * accumulation / rates.bandwidth
    return max(products, moves), OVERHEAD * (products + moves)


def measured_rates(device: str, name: str) -> Rates:
    """Return what a device of this machine does, measured once and then kept.

    Args:
        device: `cpu`, or `cuda` for the first GPU.
        name: Its own name, so that another card is measured anew.

    Raises:
        RepairError: The device cannot be used.
    """
    own = re.sub("[^a-z0-9]+", "-", f"{device} {name}".lower())
    path = home() / "planner" / "rates" / f"{own}-torch-{version('torch')}.json"
    rates = recalled(path, Rates)
    if rates is None:
        rates = _measure(device)
        with suppress(RepairError):  # a full disk: it is measured again next time
            write_whole(path, json.dumps(to_data(rates)).encode())
    return rates


def _measure(device: str) -> Rates:
    command = [sys.executable, "-m", "repairai.hardware.stopwatch", device]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=MEASURE_SECONDS, check=False, env={**os.environ}
        )
    except subprocess.TimeoutExpired:
        raise RepairError(
            f"measuring {device} took over {MEASURE_SECONDS} s", "try again when the machine is less busy"
        ) from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RepairError(f"{device} cannot be measured: {why}", "run `python -m repairai doctor`")
    return from_data(json.loads(done.stdout), Rates, "the measurement")
