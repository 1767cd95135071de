"""A language model to train on, or one that was trained: from a folder or the Hub, with its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedModel

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hardware.workload import Precision

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
        folder = Path(_fetched(name, revision))
    if not (folder / "config.json").is_file():
        raise RepairError(f"{folder} holds no config.json", "give the folder of a model as transformers saves it")
    if not any(folder.glob("*.safetensors")):
        raise RepairError(
            f"{name} has no weights in safetensors, and others are not read as they may hold programs",
            "give a model that has them",
        )
    return folder


def _fetched(name: str, revision: str | None) -> str:
    try:
        return snapshot_download(name, revision=revision, allow_patterns=WANTED)
    except HFValidationError:
        raise RepairError(f"{name!r} is neither a folder nor a name on the Hub", "check it") from None
    except GatedRepoError:
        raise RepairError(
            f"{name} is given only to those who asked for it on the Hub",
            f"ask for it at huggingface.co/{name}, then log in with `hf auth login`",
        ) from None
    except RevisionNotFoundError:
        raise RepairError(f"{name} has no revision {revision} on the Hub", "leave it out, or check it") from None
    except RepositoryNotFoundError:
        raise RepairError(
            f"there is no model {name} on the Hub, or it may not be seen without a login",
            "check the name; if it is private, log in with `hf auth login`",
        ) from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, httpx.HTTPError, ConnectionError, TimeoutError):
        raise RepairError(
            f"{name} is not on this machine, and the Hub cannot be reached", "go online, or give a folder"
        ) from None
    except HfHubHTTPError as error:
        reason = " ".join(str(error).split())[:200]
        raise RepairError(f"the Hub does not give {name}: {reason}", "try again later") from None


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a model's folder, with a token to pad with.

    Raises:
        RepairError: There is none, or it is damaged.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RepairError(f"{folder} holds no tokenizer that can be read: {reason}", "give the whole model") from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


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
    tokenizer = load_tokenizer(folder)
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
    return PeftModel.from_pretrained(base, made), load_tokenizer(made)


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
