"""A vision-language model to train on states: its language side learns, the part that sees stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import AutoModelForImageTextToText, BitsAndBytesConfig

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.judge.photo_prompt import PALIGEMMA, PATCHED, PhotoPrompt, Reading
from repairai.judge.vision_language import load_prompt
from training.sop.model import ALPHA, DTYPES, find_model

TOWERS = ("vision_tower", "vision_model", "visual")
"""What the families call the part that sees."""
_ATTENTION = "q_proj|k_proj|v_proj|o_proj"
_LAYERS = r".*\b(language_model|text_model)\.layers\.\d+\..*\b"


def load_for_training(recipe: Recipe) -> tuple[Any, PhotoPrompt]:
    """Return the model of a recipe with its tower frozen, and what makes photos and questions into its tokens.

    Raises:
        RepairError: There is no such model, or it cannot be asked.
    """
    step = recipe.step
    folder = find_model(step.model, recipe.revision)
    prompt = prompt_for(recipe, folder)
    whole = step.method == "full" and step.master_weights  # weights in fp32, computed with in less
    named: dict[str, Any] = {"device_map": {"": torch.cuda.current_device()}} if torch.cuda.is_available() else {}
    if step.method == "qlora":
        named["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=step.double_quant,
            bnb_4bit_compute_dtype=DTYPES[step.precision],
        )
    try:
        model = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=DTYPES["fp32" if whole else step.precision], attn_implementation=step.attention,
            trust_remote_code=False, use_safetensors=True, **named,
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RepairError(f"{step.model} cannot be loaded: {reason}", "give another model") from None
    model.config.use_cache = False
    for name, weight in model.named_parameters():
        if set(TOWERS) & set(name.split(".")):
            weight.requires_grad_(False)
    return model, prompt


def prompt_for(recipe: Recipe, folder: Path) -> PhotoPrompt:
    """Return what makes photos and questions into the tokens of a recipe's model, photos as large as the recipe says.

    Args:
        recipe: Of a judge.
        folder: Of the model.

    Raises:
        RepairError: It cannot be asked, or its files are damaged.
    """
    try:
        prompt = load_prompt(recipe.step.model, folder, folder)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RepairError(f"{recipe.step.model} cannot be loaded: {reason}", "give another model") from None
    prompt.reading = Reading(photo_first=prompt.family in PALIGEMMA)
    images, side = prompt.image_processor, recipe.step.image_px
    if prompt.family in PATCHED:
        images.size = {**dict(images.size), "longest_edge": max(side**2, int(images.size["shortest_edge"]))}
    elif prompt.family not in PALIGEMMA:  # which sees photos at the one size it was made for
        images.size = {"longest_edge": side}
    if prompt.tokenizer.pad_token is None:
        prompt.tokenizer.pad_token = prompt.tokenizer.eos_token
    return prompt


def adapters(recipe: Recipe) -> LoraConfig | None:
    """Return the adapters that a recipe trains, on the language side alone; None where it trains all of that side."""
    step = recipe.step
    if step.method == "full":
        return None
    matrices = _ATTENTION if step.targets == "attention" else f"{_ATTENTION}|gate_proj|up_proj|down_proj"
    return LoraConfig(
        r=step.rank,
        lora_alpha=recipe.alpha or ALPHA,
        use_rslora=recipe.rslora,
        lora_dropout=recipe.dropout,
        target_modules=rf"{_LAYERS}({matrices})",
        task_type="CAUSAL_LM",
    )
