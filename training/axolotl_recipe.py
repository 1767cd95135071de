"""Our recipe as axolotl's configuration: what is written into a run's folder before axolotl trains it.

    python -m training.axolotl_recipe training/recipes/sop_llama3-8b_qlora_8gib.yaml
    python -m training.axolotl_recipe training/recipes/sop_*_*gib.yaml --check

The first prints the YAML, the second asks axolotl's own schema, in axolotl's environment, which is made where need be.

Examples are not given to axolotl as conversations but as tokens, made as for the other backends, so that the same
tokens are trained on.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, read_recipe
from training.arguments import SCHEDULES, optimizer_of
from training.in_environment import become, environment, interpreter, is_made, make, settings

PLUGIN = "training.axolotl_plugin.Watched"
ALPHA = 16
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
HEAD = "# Written by RepairAI from recipe.yaml, which is the one to change.\n"


def as_axolotl(
    recipe: Recipe, model: str, run: Path, *, gpu: bool = True, judged: bool = True, resume: Path | None = None
) -> dict[str, Any]:
    """Return axolotl's configuration for a recipe.

    Args:
        recipe: Of the SOP agent.
        model: The folder of its model, or its name on the Hub.
        run: The run's folder: tokens are read from its `axolotl` folder, checkpoints go into `checkpoints`.
        gpu: Whether there is one. Without one, axolotl computes in fp32, on weights that are not quantised.
        judged: Whether there are validation data.
        resume: A checkpoint to go on from.

    Raises:
        RepairError: The recipe says something that axolotl cannot do.
    """
    _refuse(recipe, gpu)
    step = recipe.step
    found: dict[str, Any] = {
        "base_model": model,
        "trust_remote_code": False,
        "plugins": [PLUGIN],
        "datasets": [_tokens(run, "train")],
        "dataset_prepared_path": str(run / "axolotl" / "prepared"),
        "output_dir": str(run / "checkpoints"),
        "sequence_len": step.length_tokens,
        "sample_packing": recipe.packing,
        "eval_sample_packing": False,
        "pad_to_sequence_len": recipe.packing,  # else rows of many lengths would fill the GPU's memory with holes
        "micro_batch_size": step.batch,
        "eval_batch_size": 1,
        "gradient_accumulation_steps": step.accumulation,
        "num_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler": SCHEDULES[recipe.schedule],
        "warmup_ratio": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.clip,
        "optimizer": optimizer_of(recipe, gpu),
        "attn_implementation": step.attention,
        "gradient_checkpointing": step.checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        **_precision(recipe, gpu),
        **_adapters(recipe, gpu),
        "save_steps": recipe.eval_steps,
        "save_total_limit": recipe.keep,
        "logging_steps": 1,
        "include_tokens_per_second": True,
        "seed": recipe.seed,
        "skip_prepare_dataset": not recipe.packing,  # tokens need none, and its processes take a minute to start
        "dataset_num_proc": 1,
        "use_wandb": False,
    }
    if recipe.revision:
        found["revision_of_model"] = recipe.revision
    if recipe.max_steps:
        found["max_steps"] = recipe.max_steps
    if judged:
        found |= _judging(recipe, run)
    if resume:
        found["resume_from_checkpoint"] = str(resume)
    return found


def text_of(config: dict[str, Any]) -> str:
    """Return a configuration as the YAML that axolotl reads."""
    return HEAD + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)


def _refuse(recipe: Recipe, gpu: bool) -> None:
    step = recipe.step
    if recipe.task != "sop" or step.method not in ("full", "lora", "qlora"):
        raise RepairError(
            f"the recipe is for {recipe.task} by {step.method}, and this trains the SOP agent",
            "give one with task: sop, and the method full, lora or qlora",
        )
    if step.layerwise:
        raise RepairError("axolotl does not use gradients layer by layer", "set layerwise: false, or backend: trl")
    if step.method == "qlora" and not gpu:
        raise RepairError("axolotl trains on 4-bit weights on a GPU only", "set method: lora, or backend: unsloth")


def _tokens(run: Path, split: str) -> dict[str, Any]:
    # No type: the file holds input_ids, attention_mask and labels.
    return {"path": str(run / "axolotl" / f"{split}.jsonl"), "ds_type": "json", "split": "train", "type": None}


def _precision(recipe: Recipe, gpu: bool) -> dict[str, Any]:
    precision = recipe.step.precision if gpu else "fp32"
    return {
        "bf16": precision == "bf16",
        "fp16": precision == "fp16",
        "float32": precision == "fp32",
        "tf32": False,
    }


def _adapters(recipe: Recipe, gpu: bool) -> dict[str, Any]:
    step = recipe.step
    if step.method == "full":
        return {}
    where = {"lora_target_linear": True} if step.targets == "all" else {"lora_target_modules": list(ATTENTION)}
    found = {
        "adapter": step.method,
        "load_in_4bit": step.method == "qlora",
        "lora_r": step.rank,
        "lora_alpha": recipe.alpha or ALPHA,
        "lora_dropout": recipe.dropout,
        "peft_use_rslora": recipe.rslora,
        **where,
    }
    if step.method == "qlora":
        found["bnb_config_kwargs"] = {"bnb_4bit_use_double_quant": step.double_quant}
    if not gpu:
        # These are written for GPUs, and on by default.
        found |= dict.fromkeys(("lora_qkv_kernel", "lora_mlp_kernel", "lora_o_kernel"), False)
    return found


def _judging(recipe: Recipe, run: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "test_datasets": [_tokens(run, "val")],
        "eval_steps": recipe.eval_steps,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }
    if recipe.patience:
        found["early_stopping_patience"] = recipe.patience
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE")
    parser.add_argument("--check", action="store_true", help="let axolotl's own schema read it, in its environment")
    chosen = parser.parse_args(arguments)
    try:
        recipes = [read_recipe(path) for path in chosen.recipes]  # all of them, before anything is printed or made
        if not chosen.check:
            for recipe in recipes:
                print(text_of(as_axolotl(recipe, recipe.step.model, Path("RUN"))), end="")
            return 0
        place = environment("axolotl") if is_made("axolotl") else make("axolotl")
    except RepairError as error:
        print(f"training.axolotl_recipe: {error}", file=sys.stderr)
        return 2
    words = [str(interpreter(place)), "-m", "training.axolotl_check", *map(str, chosen.recipes)]
    return become(words, {**os.environ, **settings(place)})


if __name__ == "__main__":
    sys.exit(main())
