"""A bound on memory for models of a family that is not known: from the sizes in their configuration."""

from __future__ import annotations

from typing import Any

from repairai.errors import RepairError
from repairai.hardware.workload import Demand, Workload

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
NF4 = 0.5 + 1 / 64 + 4 / 64 / 256
"""Bytes of one weight in 4 bits with double quantisation: QLoRA (Dettmers et al. 2023, section 3)."""
STATE = {"adamw": 2.0, "adamw_8bit": 2.04, "paged_adamw_8bit": 2.04, "adafactor": 1.0, "sgd": 0.0}
"""Optimizer's bytes for each trained number; `adamw`'s times the number's own bytes."""
TILE_BYTES = 2 * 32768 * 4
"""A token, for the piece of scores that a fused loss holds, forward and backward, however few words there are."""
WORKING = 40
"""Tensors as wide as the model that one layer holds while it is at work, fully spelled out: more than any decoder that
the dry run knows takes."""


def bound(work: Workload, config: dict[str, Any], why: str) -> Demand:
    """Return what a decoder of this size takes at most, as if nothing of it were shared or fused.

    Args:
        work: The question.
        config: With `hidden_size`, `num_hidden_layers` and `vocab_size`, by whatever of their common names.
        why: The dry run's own words on why it did not run.

    Raises:
        RepairError: The configuration does not say how large the model is.

    Source:
        Kaplan et al. 2020, "Scaling Laws for Neural Language Models": parameters and operations of a decoder; the
        other terms are those of `docs/planner.md`.
    """
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    assert isinstance(text, dict)
    width = _size(text, "hidden_size", "n_embd", "d_model")
    layers = _size(text, "num_hidden_layers", "n_layer", "num_layers")
    words = _size(text, "vocab_size")
    if not (width and layers and words):
        raise RepairError(
            f"how much memory {work.model} takes cannot be told ({why})",
            "give a model whose config.json says hidden_size, num_hidden_layers and vocab_size",
        )
    inner = _size(text, "intermediate_size", "n_inner", "ffn_dim") or 4 * width
    experts = max(_size(text, "num_local_experts", "num_experts", "n_routed_experts"), 1)
    linear = layers * (4 * width * width + 3 * width * inner * experts)
    whole = linear + 2 * words * width
    tokens = work.batch * work.length_tokens
    size = BYTES["fp32" if work.master_weights else work.precision]
    weights = int(linear * NF4 + 2 * words * width * (4 if work.upcast else size)) if _packed(work) else whole * size
    trained = {"full": whole, "few_shot": whole, "inference": 0}.get(
        work.method, layers * work.rank * (8 * width + 3 * (width + inner) * experts)
    )
    own = size if work.method == "full" else BYTES[work.adapter_precision]
    states = int(trained * STATE[work.optimizer] * (own if work.optimizer == "adamw" else 1))
    kept = layers * (2 * width * tokens * 4 if work.checkpointing else WORKING * width * tokens * size)
    scores = max(16 * words, TILE_BYTES) * tokens
    square = (
        8
        * tokens
        * work.length_tokens
        * _size(text, "num_attention_heads", "n_head")
        * (1 if work.checkpointing else layers)
    )
    terms = {
        "weights": weights,
        "adapters": trained * own if work.method in ("lora", "qlora") else 0,
        "gradients": trained * own,
        "optimizer": states,
        "activations": kept + WORKING * width * tokens * size + square,
        "logits": scores,
    }
    total = sum(terms.values())
    return Demand(
        allocated=total,
        reserved=int(1.25 * total),
        resident=weights + terms["adapters"],
        terms=terms,
        parameters=whole,
        trained=trained,
        flops=8 * whole * tokens,
        traffic=6 * whole * size,
        bound=f"the step of this model could not be run, so this is a bound from its size ({why[:200]})",
    )


def _packed(work: Workload) -> bool:
    return work.method == "qlora"


def _size(config: dict[str, Any], *names: str) -> int:
    for name in names:
        got = config.get(name)
        if type(got) is int and 0 < got < 10**9:
            return got
    return 0
