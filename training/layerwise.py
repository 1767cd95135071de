"""Full fine-tuning in little memory: each gradient is used and dropped as soon as the backward pass has made it.

Source: Lv et al. 2023, "Full Parameter Fine-tuning for Large Language Models with Limited Resources" (the idea of
fusing the update with the backward pass); PyTorch's `register_post_accumulate_grad_hook`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer


class Layerwise(Optimizer):
    """An optimizer whose steps are made within the backward pass, weight by weight.

    No two gradients need be there at once, so there is nothing to accumulate and no norm over all to clip by.

    Args:
        weights: That are trained.
        make: Makes the optimizer of one weight.
        learning_rate: Of all; schedules set it as with any optimizer.
    """

    def __init__(
        self, weights: Iterable[torch.nn.Parameter], make: Callable[[list[torch.nn.Parameter]], Optimizer],
        learning_rate: float,
    ) -> None:  # fmt: skip
        trained = [weight for weight in weights if weight.requires_grad]
        super().__init__(trained, {"lr": learning_rate})
        self._own = {weight: make([weight]) for weight in trained}
        self._hooks = [weight.register_post_accumulate_grad_hook(self._use) for weight in trained]

    def _use(self, weight: torch.Tensor) -> None:
        own = self._own[weight]  # type: ignore[index]
        own.param_groups[0]["lr"] = self.param_groups[0]["lr"]
        own.step()
        weight.grad = None

    def step(self, closure: Any = None) -> None:
        """Do nothing: all steps are made by now."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Do nothing: no gradient is there any more."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every weight's optimizer, in their order."""
        return {
            "param_groups": super().state_dict()["param_groups"],
            "own": [o.state_dict() for o in self._own.values()],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        for own, state in zip(self._own.values(), state_dict["own"], strict=True):
            own.load_state_dict(state)
        self.param_groups[0]["lr"] = state_dict["param_groups"][0]["lr"]

    def close(self) -> None:
        """Take the hooks off the weights."""
        for hook in self._hooks:
            hook.remove()
