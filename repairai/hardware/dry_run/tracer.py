"""Writes down which tensors begin and end while a program runs on tensors without data."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from repairai.hardware.dry_run.allocator import Event
from repairai.hardware.dry_run.trace import Part

aten = torch.ops.aten


class Tracer(TorchDispatchMode):
    """Notes every storage that an operation makes, and where it ends.

    Args:
        half_softmax: Whether softmax goes back from fp32 to fp16 within its own kernel, see `_hidden`.

    Source:
        Storages are followed by their finalizers, so a tensor's end is where Python and autograd let it go, as on a
        GPU.
    """

    def __init__(self, half_softmax: bool = False) -> None:
        super().__init__()
        self.parts: list[Part] = [Part("load", None)]
        self.half_softmax = half_softmax
        self._names: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._where: dict[int, tuple[Part, int]] = {}
        self._made = 0
        self._kind = "activations"
        self.batch = 0
        self.backward = False

    def enter(self, phase: str, layer: int | None = None, kind: str = "") -> None:
        """Go on to another part; tensors that begin from now on are of this kind, if one is given."""
        self._kind = kind or self._kind
        last = self.parts[-1]
        if (last.phase, last.layer) != (phase, layer):
            self.parts.append(Part(phase, layer))

    def on_layer(self, layer: int) -> Callable[..., None]:
        """Return what a layer calls before its forward pass, unless it is run again within the backward pass."""

        def entered(*_: Any) -> None:
            if not self.backward:
                self.enter(f"forward{self.batch}", layer, "activations")

        return entered

    def on_layer_left(self, layer: int, last: bool) -> Callable[..., None]:
        """Return what a layer calls after its forward pass; with its output's gradient its backward pass begins."""

        def back(_: torch.Tensor) -> None:
            self.enter(f"backward{self.batch}", layer, "activations")

        def left(_: Any, __: Any, output: Any) -> None:
            if self.backward:
                return
            (output if isinstance(output, torch.Tensor) else output[0]).register_hook(back)
            if last:
                self.enter(f"head{self.batch}", kind="logits")

        return left

    def hold(self, tensor: torch.Tensor, kind: str) -> None:
        """Note a tensor that no operation made: a weight, an optimizer's state."""
        storage = tensor.untyped_storage()
        if storage in self._names:
            return
        name = self._begin(storage.nbytes(), kind)
        self._names[storage] = name
        weakref.finalize(storage, self._end, name).atexit = False

    def name_kind(self, tensor: torch.Tensor, kind: str) -> None:
        """Give a tensor that is there already another kind."""
        name = self._names.get(tensor.untyped_storage())
        if name is not None:
            part, at = self._where[name]
            part.events[at] = (name, part.events[at][1], kind)

    def brief(self, nbytes: int, kind: str) -> int:
        """Note memory that is no tensor of ours, and return its name for `end`."""
        return self._begin(nbytes, kind)

    def end(self, name: int) -> None:
        """Note that such memory is free again."""
        self._end(name)

    def _begin(self, nbytes: int, kind: str) -> int:
        self._made += 1
        self._where[self._made] = self.parts[-1], len(self.parts[-1].events)
        self.parts[-1].events.append((self._made, nbytes, kind))
        return self._made

    def _end(self, name: int) -> None:
        ended: Event = (name, -1, "")
        self.parts[-1].events.append(ended)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        hidden = self._hidden(func, args)
        found = func(*args, **kwargs)
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        made = [leaf for leaf in tree_leaves(found) if isinstance(leaf, torch.Tensor)]
        fresh = False
        for tensor in made:
            storage = tensor.untyped_storage()
            if storage not in self._names:
                fresh = True
                self.hold(tensor, self._kind)
        if hidden:
            self._end(hidden)
        part = self.parts[-1]
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            part.flops += int(count(*args, **kwargs, out_val=found))
        if fresh or func._schema.is_mutable:
            part.traffic += sum(tensor.nbytes for tensor in given) + sum(tensor.nbytes for tensor in made)
        return found

    def _hidden(self, func: Any, args: Any) -> int:
        """Note what a CUDA kernel takes beside its results, and return its name; 0 where it takes nothing.

        Source:
            aten/src/ATen/native/cuda/SoftMax.cu, `softmax_backward_cuda_out`: `tmp = grad * output`. On the CPU the
            step back from fp32 to fp16 is an operation of its own, so there half of it is already counted.
        """
        if func is not aten._softmax_backward_data.default:
            return 0
        nbytes = args[0].untyped_storage().nbytes()
        return self._begin(nbytes // 2 if self.half_softmax else nbytes, self._kind)
