"""A language model to train on, or one that was trained: from a folder or the Hub, with its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hardware.workload import Precision
from training.from_hub import fetched
from training.sop.tokens import give_template, load_tokenizer

WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
"""Files of a model on the Hub that are fetched: no weights but safetensors, which hold no program."""
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
ALPHA = 16
"""Over the root of rank 16 it makes a scale of 4."""


def find_model(name: str, revision: str | None = None) -> Path:
    """Return the folder of a model's weights, configuration and tokenizer; a name on the Hub is fetched.

    Raises:
        RepairError: There is no such model, it may not be read, or it has no safetensors.
    """
    folder = expanded(name)
    if not folder.is_dir():
        folder = fetched(name, WANTED, revision=revision)
    if not (folder / "config.json").is_file():
        raise RepairError(f"{folder} holds no config.json", "give the folder of a model as transformers saves it")
    if not any(folder.glob("*.safetensors")):
        raise RepairError(
            f"{name} has no weights in safetensors, and others are not read as they may hold programs",
            "give a model that has them",
        )
    return folder


def load_base(
    name: str, revision: str | None = None, precision: Precision = "bf16", four_bit: bool = False,
    double_quant: bool = True, attention: str = "sdpa",
) -> tuple[PreTrainedModel, Any]:  # fmt: skip
    """Return a language model and its tokenizer, on the GPU where there is one.

    Args:
        name: A folder, or a name on the Hub.
        revision: On the Hub; None takes the newest.
        precision: Of its weights, or, in 4 bits, of what is computed with them.
        four_bit: Its layers are quantised to NF4 as they are loaded.
        double_quant: So are the scales of their blocks.
        attention: As transformers names it.

    Raises:
        RepairError: There is no such model, or it is not one that writes text.
    """
    folder = find_model(name, revision)
    tokenizer = load_tokenizer(str(folder))
    give_template(tokenizer)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    where = {"device_map": {"": torch.cuda.current_device()}} if torch.cuda.is_available() else {}
    if four_bit:
        where["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=double_quant,
            bnb_4bit_compute_dtype=DTYPES[precision],
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=DTYPES[precision], attn_implementation=attention, trust_remote_code=False,
            use_safetensors=True, **where,
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RepairError(f"{name} cannot be loaded as a language model: {reason}", "give another model") from None
    model.config.use_cache = False
    return model, tokenizer


def load_trained(folder: Path, precision: Precision = "bf16", four_bit: bool = False) -> tuple[Any, Any]:
    """Return the model that a run has made, its adapter on its base where it has one, and its tokenizer.

    Args:
        folder: Of the run.
        precision: Of the weights.
        four_bit: The base is loaded in 4 bits, as it was trained with.

    Raises:
        RepairError: The run has made none yet, or its base is gone.
    """
    made = folder / "model"
    if not (made / "adapter_config.json").is_file():
        if not (made / "config.json").is_file():
            raise RepairError(f"{folder.name} has made no model yet", "let it train to its end first")
        return load_base(str(made), precision=precision)
    recipe = read_recipe(folder / "recipe.yaml")
    base, _ = load_base(
        recipe.step.model, recipe.revision, precision, four_bit, recipe.step.double_quant, recipe.step.attention
    )
    return PeftModel.from_pretrained(base, made), load_tokenizer(str(made))


def adapters(recipe: Recipe) -> LoraConfig | None:
    """Return the adapters that a recipe trains; None where it trains the whole model."""
    step = recipe.step
    if step.method == "full":
        return None
    attention = ["q_proj", "k_proj", "v_proj", "o_proj"]
    return LoraConfig(
        r=step.rank,
        lora_alpha=recipe.alpha or ALPHA,
        use_rslora=recipe.rslora,
        lora_dropout=recipe.dropout,
        target_modules="all-linear" if step.targets == "all" else attention,
        task_type="CAUSAL_LM",
    )
