"""How photos go into a detector and scores come out, for the RT-DETR family; Grounding DINO has its own."""

from __future__ import annotations

from typing import Any, Protocol

import torch


class Forward(Protocol):
    """Runs a detector on photos as they are loaded."""

    def __call__(self, model: Any, pixels: torch.Tensor, labels: list[dict[str, torch.Tensor]] | None) -> Any:
        """Return what the model gives, with its loss where there are labels; pixels (n, size, size, 3) uint8."""

    def scores(self, outputs: Any) -> torch.Tensor:
        """Return (n, queries, parts) scores in [0, 1]."""


class Plain:
    """Runs RT-DETR, RT-DETRv2 and D-FINE, which take pixels from 0 to 1."""

    def __call__(self, model: Any, pixels: torch.Tensor, labels: list[dict[str, torch.Tensor]] | None) -> Any:
        """Return what the model gives."""
        # The colours of a px stay beside each other in memory, in which convolutions are far faster on a processor.
        return model(pixel_values=pixels.permute(0, 3, 1, 2).float().div_(255), labels=labels)

    def scores(self, outputs: Any) -> torch.Tensor:
        """Return (n, queries, parts) scores."""
        return torch.sigmoid(outputs.logits.float())
