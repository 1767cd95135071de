"""What stands in for data, and for CUDA, while a model runs on tensors without data on the CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

PHRASES = 7
"""In a prompt for an open-vocabulary detector."""
aten = torch.ops.aten


class Fake(FakeTensorMode):
    """Tensors without data; a copy of one belongs where the original does."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Fake:
        return self


class Decided(TorchDispatchMode):
    """Answers what tensors without data cannot: every condition holds.

    Args:
        true: How many entries of a mask are true.
        number: What any number is that the program reads.
        equal: Whether the two tensors that are compared next are equal.
    """

    def __init__(
        self, true: Callable[[torch.Tensor], int], number: int = 1, equal: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__()
        self.true, self.number, self.equal = true, number, equal

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        try:
            return func(*args, **(kwargs or {}))
        except (DataDependentOutputException, DynamicOutputShapeException):
            given = args[0]
        if func is aten._local_scalar_dense.default:
            return True if given.dtype == torch.bool else self.number
        if func is aten.equal.default:
            return self.equal()
        if func is aten.nonzero.default:
            return given.new_empty((self.true(given), given.dim()), dtype=torch.long)
        if func is aten.masked_select.default:
            return given.new_empty(self.true(args[1]))
        if func is aten._unique2.default:
            return given.new_empty(PHRASES + 1), given.new_empty(0), given.new_empty(0)
        if func is aten.index.Tensor:
            (mask,) = args[1]
            return given.new_empty((self.true(mask), *given.shape[mask.dim() :]))
        raise NotImplementedError(f"nothing says what {func} finds")


FP32 = {
    "exp", "log", "pow", "__pow__", "__rpow__", "rsqrt", "reciprocal", "layer_norm", "group_norm", "l1_loss",
    "smooth_l1_loss", "mse_loss", "cdist", "kl_div", "binary_cross_entropy_with_logits", "cosine_similarity",
    "nll_loss", "logsumexp", "softplus", "interpolate",
}  # fmt: skip
"""Operations that CUDA's autocast does in fp32 and the CPU's does not, of those in these models."""
FP32_RESULT = {"softmax", "log_softmax", "sum", "cumsum", "prod"}
"""Operations whose result it wants in fp32.

Source: aten/src/ATen/autocast_mode.h, `AT_FORALL_FP32` and `AT_FORALL_FP32_SET_OPT_DTYPE`.
"""


class OnCuda(TorchFunctionMode):
    """Takes operations as CUDA does where the CPU keeps other tensors.

    Args:
        casts: Whether there is autocast.
    """

    def __init__(self, casts: bool) -> None:
        super().__init__()
        self.casts = casts

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.dropout:
            return _dropout(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if self.casts and name in FP32:
            args, kwargs = tree_map(_widened, (args, kwargs))
        if self.casts and name in FP32_RESULT and kwargs.get("dtype") is None and _half(args[0]):
            kwargs = {**kwargs, "dtype": torch.float32}
        return func(*args, **kwargs)


def _dropout(x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    return torch.native_dropout(x, p, True)[0] if training and p else x


def _half(each: Any) -> bool:
    return isinstance(each, torch.Tensor) and each.dtype in (torch.float16, torch.bfloat16)


def _widened(each: Any) -> Any:
    return each.float() if _half(each) else each


@contextlib.contextmanager
def swapped(owner: Any, name: str, new: Any) -> Iterator[None]:
    """Let a name stand for something else for a while."""
    own = getattr(owner, name)
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, own)
