"""What transformers' Trainer is told by a recipe, whatever it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from repairai.hardware.recipe import Recipe, Schedule
from repairai.hardware.workload import Optimizer

SCHEDULES: dict[Schedule, str] = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
OPTIMIZERS: dict[Optimizer, str] = {
    "adamw": "adamw_torch_fused", "adamw_8bit": "adamw_8bit", "paged_adamw_8bit": "paged_adamw_8bit",
    "adafactor": "adafactor", "sgd": "sgd",
}  # fmt: skip
NOT_SHARED = ("training_args.bin", "README.md")
"""What the trainer leaves beside a model: a pickle that nothing reads, and a card without content."""


def optimizer_of(recipe: Recipe, gpu: bool) -> str:
    """Return what transformers calls a recipe's optimizer; bitsandbytes has no 8-bit one for processors."""
    eight_bits = recipe.step.optimizer in ("adamw_8bit", "paged_adamw_8bit")
    return OPTIMIZERS["adamw" if eight_bits and not gpu else recipe.step.optimizer]


def arguments(recipe: Recipe, out: Path, best_by: str, gpu: bool) -> dict[str, Any]:
    """Return the arguments that all trainings share: their length, rate, checkpoints and looks; nothing is reported.

    Args:
        recipe: With the batch and accumulation that are used.
        out: Folder for checkpoints.
        best_by: The figure by which the best checkpoint is told; empty where there is nothing to judge with.
        gpu: Whether there is one.
    """
    judging: dict[str, Any] = {
        "eval_strategy": "steps", "eval_steps": recipe.eval_steps, "load_best_model_at_end": True,
        "metric_for_best_model": best_by,
    }  # fmt: skip
    return {
        "output_dir": str(out),
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.max_steps or -1,
        "per_device_train_batch_size": recipe.step.batch,
        "gradient_accumulation_steps": recipe.step.accumulation,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": SCHEDULES[recipe.schedule],
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "optim": optimizer_of(recipe, gpu),
        "use_cpu": not gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": recipe.eval_steps,
        "save_total_limit": recipe.keep,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "remove_unused_columns": False,
        "dataloader_pin_memory": gpu,
        "disable_tqdm": True,
        "report_to": "none",
        **(judging if best_by else {}),
    }
