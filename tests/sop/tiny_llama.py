"""A Llama of two layers and random weights, with a tokenizer that is trained on the built-in guides."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from repairai.sop.chat_template import DEFAULT_TEMPLATE
from repairai.sop.samples import samples

END = "<end>"
"""Its token 0, so that a model whose words are all as likely says nothing."""


def save_tiny_llama(folder: Path, room: int = 2048, silent: bool = False, seed: int = 0) -> Path:
    """Save one as a whole model and return its folder.

    Args:
        folder: Is made.
        room: Tokens that it reads.
        silent: Whether it ends its answer at once.
        seed: Of its weights.
    """
    tokenizer = tiny_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=room,
        eos_token_id=0,
        bos_token_id=None,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        # Many-sided enough that no single word is said for ever.
        model.lm_head.weight.normal_(0, 1)
        if silent:
            model.model.norm.weight.zero_()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer of 600 tokens."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    texts = [step.text for guide in samples() for step in guide.steps]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    raw.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END, pad_token=END)
    tokenizer.chat_template = DEFAULT_TEMPLATE
    return tokenizer
