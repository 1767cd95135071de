"""What is to run on a card: the question that the planner answers, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

Method = Literal["full", "lora", "qlora", "few_shot", "linear_probe", "inference"]
"""`few_shot` trains a detector with its backbone frozen, `linear_probe` a linear layer alone, on what a frozen backbone
sees; `inference` trains nothing."""
Precision = Literal["fp32", "bf16", "fp16"]
Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd"]
Attention = Literal["sdpa", "eager"]
Loss = Literal["fused", "full", "full_kept"]
Targets = Literal["all", "attention"]

MOST_TOKENS, MOST_BATCH, MOST_RANK, MOST_PX, MOST_BOXES = 1_048_576, 4096, 1024, 4096, 1000
MOST_PIXELS = 1024 * MOST_PX**2 // 16
"""Of a batch: far more than any card holds, few enough that it can be worked out."""


@dataclass(frozen=True)
class Workload:
    """One training step, or one answer, of one model.

    Args:
        model: Its name on the Hub, or a folder that holds its `config.json`.
        method: What is trained, and how.
        batch: Examples that go through at once.
        accumulation: Batches of which one optimizer step is made.
        length_tokens: Of one example, for models of text; with packing the length of a pack.
        new_tokens: That an answer has, for inference with models of text.
        image_px: Side of the square input, for detectors.
        boxes: On one photo, for detectors.
        checkpointing: Activations are computed again in the backward pass instead of being kept.
        attention: Fused (`sdpa`, with the mask that packed or padded examples need) or spelled out (`eager`).
        optimizer: `adamw` keeps two numbers in the weights' precision for each that is trained; the 8-bit ones one
            byte each; paged ones let them move to the computer's memory.
        loss: `fused` never holds the scores of all words at once, `full` does, and with `full_kept` the caller keeps
            them until the step is over, as loops written by hand do.
        rank: Of the adapters, for `lora` and `qlora`.
        targets: Which matrices get adapters: `all` linear ones of each layer, or those of `attention`.
        precision: Of weights and activations.
        adapter_precision: Of the adapters' weights.
        master_weights: For `full`: weights, gradients and optimizer in fp32, computed with in `precision`.
        double_quant: For `qlora`: the scales of the 4-bit blocks are quantised as well.
        upcast: For `qlora`: what is not quantised is kept in fp32, as older recipes have it.
        autocast: Products are computed in `precision` whatever their inputs are, as the Trainer does it.
        layerwise: For `full`: each gradient is used and dropped as soon as it is there, so that they are never all
            there at once; then there is no accumulation.
        four_bit: For `inference` with models of text: the weights are stored in 4 bits, as for `qlora`.
    """

    model: str
    method: Method = "qlora"
    batch: int = 1
    accumulation: int = 1
    length_tokens: int = 1024
    new_tokens: int = 256
    image_px: int = 640
    boxes: int = 20
    checkpointing: bool = True
    attention: Attention = "sdpa"
    optimizer: Optimizer = "adamw_8bit"
    loss: Loss = "fused"
    rank: int = 16
    targets: Targets = "all"
    precision: Precision = "bf16"
    adapter_precision: Precision = "bf16"
    master_weights: bool = False
    double_quant: bool = True
    upcast: bool = False
    autocast: bool = True
    layerwise: bool = False
    four_bit: bool = False

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ValueError("need the name of a model, got none")
        for name, choices in _CHOICES.items():
            got = getattr(self, name)
            if got not in get_args(choices):
                raise ValueError(f"need {name} to be one of {', '.join(get_args(choices))}, got {got!r}")
        for name, most in MOST.items():
            got = getattr(self, name)
            if not 1 <= got <= most:
                raise ValueError(f"need {name} from 1 to {most}, got {got}")
        if self.batch * self.length_tokens > MOST_TOKENS:
            raise ValueError(f"need at most {MOST_TOKENS} tokens in a batch, got {self.batch * self.length_tokens}")
        if self.batch * self.image_px**2 > MOST_PIXELS:
            raise ValueError(f"need at most {MOST_PIXELS} pixels in a batch, got {self.batch * self.image_px**2}")
        if self.layerwise and self.accumulation > 1:
            raise ValueError(f"need accumulation 1 where layerwise is set, got {self.accumulation}")


_CHOICES: dict[str, object] = {
    "method": Method, "attention": Attention, "optimizer": Optimizer, "loss": Loss, "targets": Targets,
    "precision": Precision, "adapter_precision": Precision,
}  # fmt: skip
MOST = {
    "batch": MOST_BATCH, "accumulation": MOST_BATCH, "length_tokens": MOST_TOKENS, "new_tokens": MOST_TOKENS,
    "image_px": MOST_PX, "boxes": MOST_BOXES, "rank": MOST_RANK,
}  # fmt: skip
"""To what a number of a workload goes; each begins at 1."""
FIELDS = tuple(field.name for field in fields(Workload))


@dataclass(frozen=True)
class Demand:
    """What a workload asks of a card, all in bytes and operations, as the dry run found it.

    Args:
        allocated: Most bytes in tensors at once.
        reserved: Most bytes that the caching allocator holds.
        resident: Bytes in tensors before the first step.
        terms: Bytes by kind of tensor at the peak.
        parameters: Of the model.
        trained: Of those, how many are trained.
        flops: Floating-point operations of one batch, forward and backward (or of one answer).
        traffic: Bytes read and written by them.
        bound: How the figures came about where the model's family is not known: a bound, no count. Empty else.
    """

    allocated: int
    reserved: int
    resident: int
    terms: dict[str, int]
    parameters: int
    trained: int
    flops: int
    traffic: int
    bound: str = ""
