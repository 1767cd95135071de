"""What an optimizer keeps on the card for each tensor that it trains."""

from __future__ import annotations

import torch

SMALL_STATE = 4096
"""Tensors of fewer numbers keep 32-bit optimizer states in bitsandbytes."""
STATE_BLOCK = 256
"""Numbers of an 8-bit state that share one scale."""


def states(parameter: torch.Tensor, optimizer: str) -> list[torch.Tensor]:
    """Return what an optimizer keeps for one tensor on the card."""
    n = parameter.numel()
    if optimizer == "adamw":
        return [torch.empty_like(parameter) for _ in range(2)] + [torch.empty(())]  # and the number of its step
    if optimizer == "adamw_8bit":
        if n < SMALL_STATE:
            return [torch.empty(n) for _ in range(2)]
        scales = [torch.empty(-(-n // STATE_BLOCK)) for _ in range(2)]
        return [torch.empty(n, dtype=torch.uint8) for _ in range(2)] + scales
    if optimizer == "adafactor" and parameter.dim() > 1:
        return [torch.empty(parameter.shape[:-1]), torch.empty(parameter.shape[:-2] + parameter.shape[-1:])]
    if optimizer == "adafactor":
        return [torch.empty(parameter.shape)]
    return []
