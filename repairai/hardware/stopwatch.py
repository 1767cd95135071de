"""Measures what a device computes and moves in a second, in a process of its own.

    python -m repairai.hardware.stopwatch cpu|cuda

Writes `{"device": ..., "flops": {precision: ...}, "bandwidth": ...}`.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable

import torch

SIDE = {"cpu": 1024, "cuda": 8192}
"""Of the square matrices: large enough that the device is busy, small enough for a slow one."""
COPY_BYTES = {"cpu": 2**28, "cuda": 2**30}
SECONDS = 0.6
"""For which each thing is repeated, after one try that is not counted."""
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def rate(run: Callable[[], object], device: str) -> float:
    """Return how often a second something can be done: the best of several rounds."""

    def timed(times: int) -> float:
        start = time.perf_counter()
        for _ in range(times):
            run()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    timed(1)
    times = max(int(SECONDS / 3 / max(timed(1), 1e-6)), 1)
    return times / min(timed(times) for _ in range(3))


def main() -> None:
    """Measure the device that is named, and print."""
    device = sys.argv[1]
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    side = SIDE[device]
    flops = {}
    for precision, dtype in PRECISIONS.items():
        if precision == "fp16" and device == "cpu":
            continue  # nobody trains in it there
        first, second = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        flops[precision] = 2 * side**3 * rate(lambda a=first, b=second: a @ b, device)  # type: ignore[misc]
    flops.setdefault("fp16", flops["bf16"])
    source = torch.ones(COPY_BYTES[device] // 4, device=device)
    target = torch.empty_like(source)
    bandwidth = 2 * COPY_BYTES[device] * rate(lambda: target.copy_(source), device)
    sys.stdout.write(json.dumps({"device": name, "flops": flops, "bandwidth": bandwidth}) + "\n")


if __name__ == "__main__":
    main()
