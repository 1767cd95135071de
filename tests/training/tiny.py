"""Tiny language models of real classes, with a tokenizer that is trained on the spot; and examples to train them on."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SIZES = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
PARTS = ("battery", "fan", "display", "speaker", "cover", "camera")
WORDS = [
    f"How do I remove the {part} of a lamp {n}? Remove the {n} screws from the {part}. Lift the {part}. [1]"
    for part in PARTS
    for n in range(1, 9)
]


def save_tiny(folder: Path, family: str = "llama", seed: int = 0) -> Path:
    """A model with random weights, and its tokenizer, as transformers saves them."""
    spelled = Tokenizer(models.BPE(unk_token="<unk>"))
    spelled.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spelled.decoder = decoders.ByteLevel()
    special = ["<unk>", "<|end|>", "<pad>", "<|system|>", "<|user|>", "<|assistant|>"]
    spelled.train_from_iterator(
        WORDS,
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=spelled, eos_token="<|end|>", pad_token="<pad>", unk_token="<unk>"
    )
    tokenizer.chat_template = TEMPLATE
    kinds = {"llama": (LlamaConfig, LlamaForCausalLM), "mistral": (MistralConfig, MistralForCausalLM)}
    config, model = kinds[family]
    torch.manual_seed(seed)
    made = model(
        config(
            vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None, **SIZES,
        )
    )  # fmt: skip
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_data(folder: Path, n: int = 48) -> Path:
    """`train.jsonl` and `val.jsonl` with questions that a tiny model can learn to answer."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line(PARTS[at % len(PARTS)], 1 + at % 8) for at in range(n)]
    (folder / "train.jsonl").write_text("".join(lines))
    (folder / "val.jsonl").write_text("".join(lines[: max(n // 8, 1)]))
    (folder / "exam.jsonl").write_text("".join(lines[: max(n // 8, 1)]))
    (folder / "sources.json").write_text("{}")
    return folder


def line(part: str, n: int) -> str:
    """One example."""
    turns = [
        {"role": "user", "content": f"How do I remove the {part} of a lamp {n}?"},
        {"role": "assistant", "content": f"1. Remove the {n} screws from the {part}. [1]\n2. Lift the {part}. [1]"},
    ]
    return json.dumps({"task": "how_to", "device": f"lamp {n}", "guide_id": f"lamp-{n}", "messages": turns}) + "\n"
