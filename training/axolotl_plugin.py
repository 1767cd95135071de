"""What axolotl takes in so that its training is watched and steered as ours is: for its environment only."""

from __future__ import annotations

from typing import Any, ClassVar

from axolotl.integrations.base import BasePlugin
from transformers import set_seed

from training.watch import Watch


class Watched(BasePlugin):
    """Puts our `Watch` into axolotl's trainer."""

    watch: ClassVar[Watch | None] = None
    """Set before axolotl is started: it makes its plugins itself."""
    trainer: ClassVar[Any] = None
    """axolotl's trainer, once there is one."""

    def pre_lora_load(self, cfg: Any, model: Any) -> None:
        """Let an adapter begin as the recipe's seed says: axolotl itself sets the seed only after it has been made."""
        set_seed(cfg.seed)

    def add_callbacks_pre_trainer(self, cfg: Any, model: Any) -> list[Any]:
        """Return the watch."""
        return [] if Watched.watch is None else [Watched.watch]

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        """Keep the trainer, so that a checkpoint can be saved where a run is left in an evaluation."""
        Watched.trainer = trainer
