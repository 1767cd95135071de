"""Apple silicon, whose GPU shares the machine's memory."""

from __future__ import annotations

import re

from repairai.hardware.profile import Gpu

BF16_FROM = 14
"""macOS. Source: Transformers 5.10 documentation, Apple Silicon: bf16 requires macOS 14.0 or later."""
REMARK = (
    "it shares the machine's memory, training runs through Metal (MPS), bitsandbytes 0.50 has 4-bit weights there "
    "but no 8-bit optimizers, and what fits is computed for CUDA"
)
"""Source: bitsandbytes 0.50.2, table of accelerators, macOS 14+, Metal."""


def gpu(chip: str, macos: str, ram_gib: float, ram_free_gib: float) -> Gpu:
    """Return the GPU of Apple silicon.

    Args:
        chip: "Apple M2 Pro"; may be empty.
        macos: The system's version: "15.1".
        ram_gib: The machine's memory.
        ram_free_gib: What of it programs could still get.
    """
    major = re.match(r"\d{1,4}", macos)
    return Gpu(
        maker="apple",
        name=chip or "Apple silicon",
        total_gib=ram_gib,
        free_gib=ram_free_gib,
        bf16=major is not None and int(major[0]) >= BF16_FROM,
        remark=REMARK,
    )
