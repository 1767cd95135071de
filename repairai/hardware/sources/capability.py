"""What an NVIDIA GPU's compute capability tells."""

from __future__ import annotations

BF16_FROM = (8, 0)
"""Source: CUDA C++ Programming Guide, table of arithmetic instructions: bfloat16 from compute capability 8.0 on."""


def computes_bf16(capability: tuple[int, int] | None) -> bool:
    """Return whether a GPU is known to compute in bfloat16; `capability` is None where the driver does not say."""
    return capability is not None and capability >= BF16_FROM


def remark(total_gib: float, capability: tuple[int, int] | None, *, is_cut: bool) -> str:
    """Return the one sentence on what is unusual about a GPU; empty if nothing is.

    Args:
        total_gib: 0 where the driver does not say.
        capability: None where the driver does not say.
        is_cut: Whether it is in MIG mode.
    """
    said = []
    if is_cut:
        said.append("MIG is on, and a program uses one slice")
    if not total_gib:
        said.append("the driver does not say how much memory it has")
    if capability is not None and capability < BF16_FROM:
        said.append("it does not compute in bfloat16, so training uses float16 or float32")
    return "; ".join(said)
