"""A tiny language model whose words come from guides, so that data built from them fit it; and its recipe."""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from repairai.hardware.recipe import Recipe, saved
from repairai.hardware.workload import Workload
from tests.training.tiny import SIZES, TEMPLATE

LENGTH_TOKENS = 512


def save_tiny_agent(folder: Path, words: Iterable[str]) -> Path:
    """Write a model with random weights, and a tokenizer that is trained on the words, as transformers saves them."""
    spelled = Tokenizer(models.BPE())
    spelled.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spelled.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<pad>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    spelled.train_from_iterator(
        words, trainers.BpeTrainer(vocab_size=2000, special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=spelled, eos_token="<|end|>", pad_token="<pad>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    sizes = {**SIZES, "max_position_embeddings": 4096}
    config = LlamaConfig(
        vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None, **sizes,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_recipe(path: Path, model: Path, **changes: object) -> Path:
    """Write a recipe that trains such a model as it is, quickly."""
    step = Workload(
        str(model), "full", batch=2, accumulation=1, length_tokens=LENGTH_TOKENS, checkpointing=False,
        optimizer="adamw", precision="fp32", adapter_precision="fp32",
    )  # fmt: skip
    usual = {"epochs": 1.0, "learning_rate": 3e-3, "eval_steps": 10, "patience": 0, "max_steps": 60}
    saved(path, Recipe("sop", step, **{**usual, **changes}))
    return path
