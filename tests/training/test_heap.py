"""What is freed: given back to the system, or kept for the next step."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only glibc has to be told")

RESIDENT = """
import sys
import torch
from training.heap import give_back, keep
def resident_mib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) / 1024
"""
HOLES = """
blocks = [torch.ones(2**18) for _ in range(300)]
pin = torch.ones(2**18)
del blocks
before = resident_mib()
give_back()
print(before - resident_mib())
"""
"""300 MiB that are free below something in use, where a heap may not shrink by itself."""
STEP = """
if "keep" in sys.argv:
    keep()
before = resident_mib()
blocks = [torch.ones(2**20) for _ in range(30)]
del blocks
print(resident_mib() - before)
"""
"""A first step that asks for 120 MiB and frees them."""


def said(script: str, *how: str, **environment: str) -> float:
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return float(subprocess.check_output([sys.executable, "-c", RESIDENT + script, *how], text=True, env=quiet))


def test_memory_that_is_free_below_what_is_in_use_goes_back():
    assert said(HOLES, MALLOC_MMAP_THRESHOLD_=str(2**25)) > 250


def test_what_a_step_has_freed_is_kept_for_the_next():
    assert said(STEP) < 20
    assert said(STEP, "keep") > 100
