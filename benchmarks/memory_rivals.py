"""What three memory estimators from the package index say about the training runs on standard input.

    python3 -m venv rivals && rivals/bin/pip install fitcheck-llm==0.3.1 ftuneai==0.4.1 canifinetune==0.4.1
    rivals/bin/python benchmarks/memory_rivals.py < ../shared/data/vram_measurements.json

Run it with the python of that environment: none of the three is in ours, and nothing of ours is imported here. Nothing
is fetched; each tool gets the shape of the model, the exact number of its parameters and every setting it has a name
for: method, attention, batch, tokens, rank and targets of LoRA, checkpointing, AdamW, fp16, and a T4.

Standard output is JSON: for each tool a list with one entry a row, `{"allocated_mib", "reserved_mib", "process_mib",
"seconds", "reason"}` (MiB = 2**20 bytes). The three figures are null with a reason where a tool cannot say; a single
one is null where a tool does not mean that quantity. What each means, in its own words or by its own parts:

- **fitcheck-llm** `total_mib` is the process: weights, adapters, optimizer, gradients and activations ("tensors", here
  `allocated_mib`) and an overhead, which is the CUDA context and the caching allocator's over-reserve. Without the
  context it is `reserved_mib`. Its constants were fitted to runs of its author on one T4, these rows among them.
- **ftuneai** `total_gb` (GiB) is what nvidia-smi shows, the process: its parts and 20 % of them for context,
  fragmentation and workspaces. The parts are `allocated_mib`. It does not tell the context apart, so its whole total
  stands for `reserved_mib` too. Its only word on attention is FlashAttention-2 (activations halved), which no T4 runs;
  left off for sdpa too, where it says too little either way. Fitted to A100 and V100.
- **canifinetune** `total_estimated_gb` (GiB) is "process torch peak reserved" and a safety margin of 5 % of the card;
  without the margin it is `reserved_mib`, as its own reports compare it; without also the 8 % of the card for context,
  fragmentation and workspaces it is `allocated_mib`. It does not name the process. Fitted to an RTX 4080.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from canifinetune.estimator import EstimateRequest
from canifinetune.estimator import estimate as estimate_canifinetune
from fitcheck import ModelConfig, get_gpu
from fitcheck import TrainingConfig as FitcheckConfig
from fitcheck import estimate as estimate_fitcheck
from fitcheck.overhead_db import get_overhead_profile
from ftuneai import FineTuneMethod, LoRATarget, ModelSpec, OptimizerType, Quantization
from ftuneai import TrainingConfig as FtuneConfig
from ftuneai.core.memory import MemoryEstimator

MIB_IN_GIB = 1024
T4_MIB = 14_912
"""The memory of the card of these runs. Source: `total_mib` in fitcheck's archive of them, and its table of cards."""
BIASED = {"llama": False, "mistral": False, "qwen2": True}
"""Whether the projections to query, key and value have a bias, by `model_type`."""
QUANTIZED = {"lora-fp16": False, "qlora-nf4": True}
WITH_SDPA = {"eager": False, "sdpa": True}
TARGETS = {"q,k,v,o": ["q_proj", "k_proj", "v_proj", "o_proj"]}

Json = Mapping[str, Any]
Figures = dict[str, float | None]


def main() -> None:
    """Read the rows, ask every tool about each, print the answers."""
    given = json.load(sys.stdin)
    tools = {"fitcheck-llm": ask_fitcheck, "ftuneai": ask_ftuneai, "canifinetune": ask_canifinetune}
    answers = {name: [answer(ask, given["shapes"], row) for row in given["rows"]] for name, ask in tools.items()}
    json.dump(answers, sys.stdout, indent=1)
    print()


def answer(ask: Callable[[Json, Json], Figures], shapes: Json, row: Json) -> dict[str, float | str | None]:
    """Return one entry: the figures in MiB or the reason why there are none, and the seconds it took."""
    figures: Figures = {"allocated_mib": None, "reserved_mib": None, "process_mib": None}
    reason = None
    began = time.perf_counter()
    try:
        figures |= ask(choose(shapes, row["model"], "model"), row)
    except ValueError as error:
        reason = str(error)
    seconds = time.perf_counter() - began
    rounded = {name: None if mib is None else round(mib, 2) for name, mib in figures.items()}
    return {**rounded, "seconds": round(seconds, 6), "reason": reason}


def ask_fitcheck(shape: Json, row: Json) -> Figures:
    """Return what fitcheck-llm says; its "flash" kernel is sdpa, which is what it was fitted to under that name."""
    quantization = "nf4" if choose(QUANTIZED, row["method"], "method") else "none"
    with_sdpa = choose(WITH_SDPA, row["attention"], "attention")
    model = ModelConfig(
        name=row["model"],
        num_params=count_parameters(shape),
        hidden_size=shape["hidden_size"],
        num_layers=shape["num_hidden_layers"],
        num_attention_heads=shape["num_attention_heads"],
        num_kv_heads=shape["num_key_value_heads"],
        intermediate_size=shape["intermediate_size"],
        vocab_size=shape["vocab_size"],
        head_dim=head_dim(shape),
        tie_word_embeddings=shape["tie_word_embeddings"],
    )
    training = FitcheckConfig(
        precision="fp16",
        quantization=quantization,
        optimizer="adamw",
        optimizer_dtype="fp32",
        batch_size=row["batch"],
        seq_len=row["sequence_length"],
        lora_rank=row["lora_rank"],
        lora_targets=choose(TARGETS, row["targets"], "targets"),
        grad_checkpoint=row["gradient_checkpointing"],
        flash_attn=with_sdpa,
    )
    said = estimate_fitcheck(model, training, get_gpu("t4"))
    context_mib = get_overhead_profile("t4", with_sdpa, quantization).base_context_mib
    return {
        "allocated_mib": said.total_mib - said.overhead_mib,
        "reserved_mib": said.total_mib - context_mib,
        "process_mib": said.total_mib,
    }


def ask_ftuneai(shape: Json, row: Json) -> Figures:
    """Return what ftuneai says; it rounds to 0.001 GiB and has no term for the logits."""
    quantized = choose(QUANTIZED, row["method"], "method")
    choose(TARGETS, row["targets"], "targets")
    choose(WITH_SDPA, row["attention"], "attention")
    model = ModelSpec(
        name=row["model"],
        parameters=count_parameters(shape),
        hidden_size=shape["hidden_size"],
        num_layers=shape["num_hidden_layers"],
        num_attention_heads=shape["num_attention_heads"],
        num_kv_heads=shape["num_key_value_heads"],
        intermediate_size=shape["intermediate_size"],
        vocab_size=shape["vocab_size"],
        max_seq_length=row["sequence_length"],
        default_dtype="float16",
    )
    training = FtuneConfig(
        model=row["model"],
        method=FineTuneMethod.QLORA if quantized else FineTuneMethod.LORA,
        quantization=Quantization.INT4 if quantized else Quantization.NONE,
        batch_size=row["batch"],
        seq_length=row["sequence_length"],
        gradient_checkpointing=row["gradient_checkpointing"],
        optimizer=OptimizerType.ADAMW,
        lora_rank=row["lora_rank"],
        lora_target=LoRATarget.ATTENTION_ALL,
        flash_attention=False,
    )
    said = MemoryEstimator(model, training).estimate()
    process_mib = said.total_gb * MIB_IN_GIB
    return {
        "allocated_mib": process_mib - said.overhead_gb * MIB_IN_GIB,
        "reserved_mib": process_mib,
        "process_mib": process_mib,
    }


def ask_canifinetune(shape: Json, row: Json) -> Figures:
    """Return what canifinetune says; its scope "attention" is q, k, v and o."""
    choose(TARGETS, row["targets"], "targets")
    choose(WITH_SDPA, row["attention"], "attention")
    model = {key: shape[key] for key in shape if key not in ("model_type", "head_dim")}
    request = EstimateRequest(
        model_id=row["model"],
        override={**model, "family": shape["model_type"], "total_params": count_parameters(shape)},
        use_network=False,
        method="qlora" if choose(QUANTIZED, row["method"], "method") else "lora",
        quantization="nf4",
        base_dtype="fp16",
        optimizer="adamw_torch",
        micro_batch_size=row["batch"],
        seq_len=row["sequence_length"],
        lora_rank=row["lora_rank"],
        lora_target_scope="attention",
        gradient_checkpointing=row["gradient_checkpointing"],
        attention_implementation=row["attention"],
        gpu_vram_gb=T4_MIB / MIB_IN_GIB,
    )
    said = estimate_canifinetune(request).memory
    reserved_gib = said.total_estimated_gb - said.safety_margin_gb
    return {
        "allocated_mib": (reserved_gib - said.cuda_overhead_gb) * MIB_IN_GIB,
        "reserved_mib": reserved_gib * MIB_IN_GIB,
    }


def count_parameters(shape: Json) -> int:
    """Return how many parameters the model has, which the tools would read from the Hub.

    Raises:
        ValueError: The architecture is not one whose weights are known here.
    """
    biased = choose(BIASED, shape["model_type"], "model_type")
    hidden = shape["hidden_size"]
    queries = shape["num_attention_heads"] * head_dim(shape)
    keys = shape["num_key_value_heads"] * head_dim(shape)
    attention = 2 * hidden * (queries + keys) + biased * (queries + 2 * keys)
    layer = attention + 3 * hidden * shape["intermediate_size"] + 2 * hidden
    embeddings = shape["vocab_size"] * hidden * (1 if shape["tie_word_embeddings"] else 2)
    return embeddings + shape["num_hidden_layers"] * layer + hidden


def head_dim(shape: Json) -> int:
    """Return the width of one attention head."""
    return shape.get("head_dim") or shape["hidden_size"] // shape["num_attention_heads"]


def choose(table: Mapping[str, Any], key: str, what: str) -> Any:
    """Return the entry of a table.

    Raises:
        ValueError: There is no such entry.
    """
    if key not in table:
        raise ValueError(f"{what}: wanted one of {', '.join(table)}, got {key}")
    return table[key]


if __name__ == "__main__":
    main()
