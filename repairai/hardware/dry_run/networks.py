"""Language models as they are trained, on tensors without data: in 16 bits or 4, with adapters or without.

The wrappers take their operations in the order of PEFT 0.21 and bitsandbytes 0.50, since that order is what decides
which tensors are there at once; a test holds them to those libraries.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

BLOCK = 64
"""Weights that share one scale in 4 bits."""
NESTED = 256
"""Scales that share one scale of their own, with double quantisation."""
TILE_TOKENS, TILE_WORDS = 4096, 32768
"""Size of the piece of scores that TRL's fused head holds."""
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class _MatMul4Bit(torch.autograd.Function):
    """A product with a 4-bit matrix: the matrix is unpacked for it, forward and backward, and then forgotten."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, packed: torch.Tensor, shape: torch.Size, bias: Any) -> torch.Tensor:
        ctx.shape = shape
        return F.linear(x, torch.empty(shape, dtype=x.dtype), bias)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        (grad,) = grads
        return grad @ torch.empty(ctx.shape, dtype=grad.dtype), None, None, None


class Linear4Bit(nn.Module):
    """A linear layer whose matrix is stored as NF4."""

    def __init__(self, linear: nn.Linear, double_quant: bool, compute: torch.dtype) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.shape, self.bias, self.compute = linear.weight.shape, linear.bias, compute
        n = linear.weight.numel()
        self.unpacked_bytes = n * linear.weight.element_size()
        self.weight = nn.Parameter(torch.empty((n + 1) // 2, 1, dtype=torch.uint8), requires_grad=False)
        scales = -(-n // BLOCK)
        self.register_buffer("absmax", torch.empty(scales, dtype=torch.uint8 if double_quant else torch.float32))
        if double_quant:
            self.register_buffer("absmax2", torch.empty(-(-scales // NESTED)))
            self.register_buffer("code2", torch.empty(256))
        self.register_buffer("code", torch.empty(16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the product, in the input's type."""
        given = x.dtype
        x = x.to(self.compute)
        bias = None if self.bias is None else self.bias.to(self.compute)
        product: torch.Tensor = _MatMul4Bit.apply(x, self.weight, self.shape, bias)
        return product.to(given)


class Adapted(nn.Module):
    """A linear layer with a LoRA beside it."""

    def __init__(self, base: nn.Module, rank: int, dtype: torch.dtype, autocast: bool) -> None:
        super().__init__()
        self.base, self.autocast = base, autocast
        self.down = nn.Linear(base.in_features, rank, bias=False, dtype=dtype)
        self.up = nn.Linear(rank, base.out_features, bias=False, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of both, in the base layer's type."""
        y = self.base(x)
        given = y.dtype
        if isinstance(self.base, Linear4Bit):
            y = y.clone()
            if self.autocast:
                return y + self.up(self.down(x)) * 2.0
            return y + (self.up(self.down(x.to(self.down.weight.dtype))) * 2.0).to(given)
        y = y + self.up(self.down(x.to(self.down.weight.dtype))) * 2.0
        return y.to(given)


def linear_names(model: nn.Module) -> list[str]:
    """Return the names of all linear layers but the head: those that are stored in 4 bits."""
    return [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear) and not name.endswith("lm_head")
    ]


def adapted_names(model: nn.Module, prefix: str, targets: str) -> list[str]:
    """Return the names of the layers that get adapters, of those whose name begins with `prefix`.

    Args:
        model: Linear layers in it may be in 4 bits already.
        prefix: Of the decoder's layers.
        targets: `all` linear ones, or those of `attention`.
    """
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Linear4Bit)
        and name.startswith(prefix + ".")
        and (targets == "all" or name.rpartition(".")[2] in ATTENTION)
    ]


def replace(model: nn.Module, name: str, new: nn.Module) -> None:
    """Put another module in the place of the one with this name."""
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, new)


class _FusedHead(torch.autograd.Function):
    """Scores of the words, a tile at a time, and the loss from them: what TRL 1.16 does instead of whole logits."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        n, words = hidden.shape[0], weight.shape[0]
        compute = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        sums = [torch.empty(n) for _ in range(7)]
        tile = torch.empty(min(n, TILE_TOKENS), TILE_WORDS, dtype=compute)
        for rows in range(0, n, TILE_TOKENS):
            some = hidden[rows : rows + TILE_TOKENS].to(compute)
            for column in range(0, words, TILE_WORDS):
                part = weight[column : column + TILE_WORDS].to(compute)
                torch.mm(some, part.t(), out=tile[: some.shape[0], : part.shape[0]])
        ctx.save_for_backward(hidden, weight, sums[0], sums[1])
        ctx.compute = compute
        return sums[2] - sums[0]

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        hidden, weight, _, _ = ctx.saved_tensors
        n, words = hidden.shape[0], weight.shape[0]
        own, other = (
            torch.zeros(each.shape) if needed else None
            for each, needed in zip((hidden, weight), ctx.needs_input_grad, strict=True)
        )
        tile = torch.empty(min(n, TILE_TOKENS), TILE_WORDS, dtype=ctx.compute)
        for rows in range(0, n, TILE_TOKENS):
            some = hidden[rows : rows + TILE_TOKENS].to(ctx.compute)
            for column in range(0, words, TILE_WORDS):
                part = weight[column : column + TILE_WORDS].to(ctx.compute)
                scores = tile[: some.shape[0], : part.shape[0]]
                torch.mm(some, part.t(), out=scores)
                # On a GPU both products are added to fp32 sums in place; what is written does not matter here.
                if own is not None:
                    torch.mm(scores, part, out=_as(own[rows : rows + TILE_TOKENS], part))
                if other is not None:
                    torch.mm(scores.t(), some, out=_as(other[column : column + TILE_WORDS], some))
        del tile
        return tuple(
            None if grad is None else grad.to(each.dtype)
            for grad, each in zip((own, other), (hidden, weight), strict=True)
        )


def _as(sums: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the memory of fp32 sums as a tensor of another type, of the same shape."""
    return sums.view(like.dtype)[:, : sums.shape[1]]


def fused_loss(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the loss of the last hidden states (batch, length, width) under the head's matrix (words, width)."""
    scored = hidden[:, :-1]
    chosen = scored.reshape(-1, scored.shape[-1]).clone()  # the labelled positions are picked out: here all are
    found: torch.Tensor = _FusedHead.apply(chosen, weight)
    return -found.sum()
