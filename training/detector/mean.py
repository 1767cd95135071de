"""The running mean of a detector's weights, which counts better than the last weights do."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

FILE = "mean.pt"


class RunningMean(TrainerCallback):
    """Keeps the running mean of the weights, and saves it with each checkpoint.

    In the first steps it forgets sooner, or it would hold on to weights that had learned nothing.

    Args:
        model: Whose weights change.
        decay: Of the mean; 0 takes the weights as they are.

    Source:
        The warm-up of the decay, (1 + n) / (10 + n), is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.source = model
        self.model = copy.deepcopy(model).requires_grad_(False).eval() if decay else model

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Follow the model to its device, which the Trainer has chosen by now."""
        self.model.to(next(self.source.parameters()).device)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take in the weights of this step."""
        if not self.decay:
            return
        forgets = 1 - min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        with torch.no_grad():
            pairs = list(zip(_tensors(self.model), _tensors(self.source), strict=True))
            mean = [own for own, new in pairs if own.is_floating_point()]
            torch._foreach_lerp_(mean, [new.detach() for own, new in pairs if own.is_floating_point()], forgets)
            for own, new in pairs:
                if not own.is_floating_point():
                    own.copy_(new)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the mean beside the checkpoint."""
        if self.decay:
            path = Path(args.output_dir) / f"checkpoint-{state.global_step}" / FILE
            torch.save([tensor.cpu() for tensor in _tensors(self.model)], path)

    def load(self, checkpoint: Path) -> None:
        """Take up the mean of a checkpoint; without a decay the Trainer has loaded the weights themselves."""
        if self.decay:
            with torch.no_grad():
                saved = torch.load(checkpoint / FILE, weights_only=True, map_location="cpu")
                for own, kept in zip(_tensors(self.model), saved, strict=True):
                    own.copy_(kept)


def _tensors(model: torch.nn.Module) -> list[torch.Tensor]:
    """Return weights and buffers, each once, however often it is shared."""
    return [*model.parameters(), *model.buffers()]
