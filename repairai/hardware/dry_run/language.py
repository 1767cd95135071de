"""A training step of a language model on tensors without data.

The model is the real one of transformers, built from its configuration alone.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.initialization import no_init_weights

from repairai.hardware.dry_run import networks
from repairai.hardware.dry_run.networks import DTYPES, Adapted, Linear4Bit
from repairai.hardware.dry_run.optimizer import states
from repairai.hardware.dry_run.tally import tally
from repairai.hardware.dry_run.trace import EDGES, Irregular, Part, again, layers_needed, unroll
from repairai.hardware.dry_run.tracer import Tracer
from repairai.hardware.workload import Demand, Workload

WORKSPACE = 8_519_680
"""Bytes that cuBLAS takes through the allocator before the first product: 8.125 MiB (`CUBLAS_WORKSPACE_CONFIG`'s
default of `:4096:2:16:8`, PyTorch's `getChosenWorkspaceSize`); on Hopper 32 MiB."""


def demand(work: Workload, config: dict[str, Any]) -> Demand:
    """Return what a training step of a language model takes.

    Args:
        work: With a method of training.
        config: The model's `config.json`.
    """
    return estimate(Step, work, config)


def estimate(kind: type[Step], work: Workload, config: dict[str, Any]) -> Demand:
    """Return what a run of this kind takes, with as few layers run as tell about all."""
    layers, period = _layers(settings_for(config, work))
    batches = 1 if work.method == "inference" else min(work.accumulation, 2)
    for edge in EDGES if work.checkpointing else EDGES[1:]:
        ran = layers_needed(layers, period, edge)
        step = kind(work, settings_for(config, work), ran)
        with contextlib.suppress(Irregular):
            parts = unroll(step.run(), ran, layers, period, edge)
            more = layers - ran
            totals = [own + more * each for own, each in zip(step.totals, step.of_layer, strict=True)]
            return tally(parts, totals[0], totals[1], batches)
    step = kind(work, settings_for(config, work), layers)
    parts = step.run()
    return tally(parts, *step.totals, batches)


def settings_for(config: dict[str, Any], work: Workload) -> Any:
    """Return a model's settings as a training step needs them."""
    settings = AutoConfig.for_model(**config)
    # None leaves it to transformers, which takes the fused one where the family has it.
    settings._attn_implementation = "eager" if work.attention == "eager" else None
    settings.use_cache = False
    return settings


def _layers(settings: Any) -> tuple[int, int]:
    """Return how many layers the decoder has, and after how many their kinds come again."""
    text = settings.get_text_config()
    kinds = getattr(text, "layer_types", None) or [""]
    n = len(kinds)
    period = next(p for p in range(1, n + 1) if all(kinds[i] == kinds[i % p] for i in range(n)))
    return text.num_hidden_layers, period


class Step:
    """A training step of a language model with so many layers, first without and then with optimizer states."""

    def __init__(self, work: Workload, settings: Any, layers: int) -> None:
        text = settings.get_text_config()
        text.num_hidden_layers = layers
        if getattr(text, "layer_types", None):
            text.layer_types = text.layer_types[:layers]
        self.work, self.settings, self.layers = work, settings, layers
        self.tracer = Tracer(half_softmax=work.precision == "fp16" and not work.upcast)
        self.totals = self.of_layer = (0, 0)
        self.prefix = ""
        self._kept: list[torch.Tensor] = []

    def run(self) -> list[Part]:
        """Return all parts: loading, a step, the optimizer's states, and the step again, its phases marked `'`."""
        work, tracer = self.work, self.tracer
        with FakeTensorMode():
            model = self._build()
            self._count(model)
            self._load(model)
            tracer.enter("ready")
            tracer.brief(WORKSPACE, "workspace")
            inputs = self._inputs()
            for each in inputs.values():
                tracer.hold(each, "activations")
            self._mark(model)
            begin = len(tracer.parts)
            with self._decided(), tracer, grouped_heads():
                for batch in range(min(work.accumulation, 2)):
                    self._pass(model, inputs, batch)
                end = len(tracer.parts)
                self._states(model)
                after = len(tracer.parts)
                self._drop_gradients(model)
                tracer.enter("over")  # what ends from here on ends with the process
        parts = tracer.parts[:-1]
        step = [*parts[begin:end], *parts[after:]]
        return [*parts[:end], *parts[end:], *again(step, "'")]

    # ---- the model

    def _create(self) -> PreTrainedModel:
        """Return the model as transformers makes it."""
        return AutoModelForCausalLM.from_config(self.settings)

    def _inputs(self) -> dict[str, torch.Tensor]:
        """Return what the model is given."""
        return {"input_ids": torch.zeros(self.work.batch, self.work.length_tokens, dtype=torch.long)}

    def _decided(self) -> AbstractContextManager[object]:
        """Return what answers for data where the model asks for it; language models do not."""
        return contextlib.nullcontext()

    def _made(self) -> PreTrainedModel:
        work = self.work
        dtype = torch.float32 if work.master_weights else DTYPES[work.precision]
        torch.set_default_dtype(dtype)
        try:
            with no_init_weights():
                model = self._create()
        finally:
            torch.set_default_dtype(torch.float32)
        model.tie_weights()
        self.prefix = _prefix(model, self.layers)
        return model

    def _build(self) -> PreTrainedModel:
        work = self.work
        model = self._made()
        if work.method in ("lora", "qlora"):
            self._adapt(model)
        model.train()
        if work.checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            if work.method != "full":
                model.enable_input_require_grads()
        return model

    def _pack(self, model: PreTrainedModel) -> None:
        """Store all linear layers but the head in 4 bits."""
        for name in networks.linear_names(model):
            linear = model.get_submodule(name)
            networks.replace(model, name, Linear4Bit(linear, self.work.double_quant, DTYPES[self.work.precision]))

    def _adapt(self, model: PreTrainedModel) -> None:
        work = self.work
        model.requires_grad_(False)
        if work.method == "qlora":
            self._pack(model)
            if work.upcast:
                _upcast(model)
        for name in networks.adapted_names(model, self.prefix, work.targets):
            base = model.get_submodule(name)
            adapted = Adapted(base, work.rank, DTYPES[work.adapter_precision], work.autocast)
            networks.replace(model, name, adapted)

    def _count(self, model: PreTrainedModel) -> None:
        """Count numbers, in 4 bits as in 16."""
        for name, parameter in model.named_parameters():
            parent = model.get_submodule(name.rpartition(".")[0])
            packed = isinstance(parent, Linear4Bit) and name.endswith(".weight")
            n = parent.shape.numel() if packed else parameter.numel()
            trained = n if parameter.requires_grad else 0
            base = 0 if _adapter(name) else n
            self.totals = self.totals[0] + base, self.totals[1] + trained
            if self._layer(name) == self.layers // 2:
                self.of_layer = self.of_layer[0] + base, self.of_layer[1] + trained

    def _layer(self, name: str) -> int | None:
        """Return the number of the layer that a parameter is in."""
        found = re.match(re.escape(self.prefix) + r"\.(\d+)\.", name)
        return int(found[1]) if found else None

    def _load(self, model: PreTrainedModel) -> None:
        """Note the weights in the order in which they reach the card, with what that takes for a moment."""
        half: list[tuple[int, torch.Tensor, int | None]] = []
        for name, parameter in model.named_parameters():
            layer = self._layer(name)
            self.tracer.enter("load", layer)
            parent = model.get_submodule(name.rpartition(".")[0])
            kind = "adapters" if _adapter(name) else "weights"
            if isinstance(parent, Linear4Bit) and name.endswith(".weight"):
                whole = self.tracer.brief(parent.unpacked_bytes, "weights")
                self.tracer.hold(parameter, "weights")
                for buffer in parent.buffers():
                    self.tracer.hold(buffer, "quantisation")
                self.tracer.end(whole)
            elif self.work.upcast and kind == "weights" and parameter.dtype == torch.float32:
                half.append((self.tracer.brief(parameter.nbytes // 2, "weights"), parameter, layer))
            else:
                self.tracer.hold(parameter, kind)
        for short, parameter, layer in half:
            self.tracer.enter("upcast", layer)
            self.tracer.hold(parameter, "weights")
            self.tracer.end(short)
        self.tracer.enter("load")
        for buffer in model.buffers():
            self.tracer.hold(buffer, "weights")

    # ---- the step

    def _mark(self, model: PreTrainedModel) -> None:
        """Let the tracer know which layer is at work, and which tensors are gradients."""
        tracer, last = self.tracer, self.layers - 1
        for number, layer in enumerate(model.get_submodule(self.prefix)):
            layer.register_forward_pre_hook(tracer.on_layer(number))
            layer.register_forward_hook(tracer.on_layer_left(number, last=number == last))
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self._gradient)

    def _gradient(self, parameter: torch.Tensor) -> None:
        assert parameter.grad is not None
        self.tracer.name_kind(parameter.grad, "gradients")
        if self.work.layerwise:
            parameter.grad = None

    def _pass(self, model: PreTrainedModel, inputs: dict[str, torch.Tensor], batch: int) -> None:
        """Go forward and backward once."""
        work, tracer = self.work, self.tracer
        tracer.enter(f"begin{batch}", kind="activations")
        tracer.batch, tracer.backward = batch, False
        dtype = DTYPES[work.precision]
        casts = work.autocast and dtype != torch.float32
        kept = None
        with torch.autocast("cpu", dtype=dtype) if casts else contextlib.nullcontext():
            if work.loss == "fused":
                hidden = model.base_model(**inputs).last_hidden_state
                loss = networks.fused_loss(hidden, model.get_output_embeddings().weight)
                del hidden
            else:
                found = model(**inputs, labels=inputs["input_ids"])
                loss = found.loss
                kept = found if work.loss == "full_kept" else None
                del found
        tracer.backward = True
        loss.backward()
        tracer.enter(f"done{batch}")
        del loss, kept

    def _states(self, model: PreTrainedModel) -> None:
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                self.tracer.enter("states", self._layer(name))
                for state in states(parameter, self.work.optimizer):
                    self.tracer.name_kind(state, "optimizer")
                    self._kept.append(state)

    def _drop_gradients(self, model: PreTrainedModel) -> None:
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                self.tracer.enter("drop", self._layer(name))
                parameter.grad = None


def _adapter(name: str) -> bool:
    return name.endswith((".down.weight", ".up.weight"))


def _prefix(model: nn.Module, layers: int) -> str:
    """Return the name of the list of a decoder's layers: of those with that many, the one with most numbers."""
    lists = {
        name: sum(p.numel() for p in module.parameters())
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == layers and name.endswith("layers")
    }
    return str(max(lists, key=lambda name: lists[name]))


def _upcast(model: nn.Module) -> None:
    """Turn what is not quantised into fp32, as PEFT's `prepare_model_for_kbit_training` does."""
    done: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.dtype in (torch.float16, torch.bfloat16):
                if id(parameter) not in done:
                    done[id(parameter)] = nn.Parameter(torch.empty(parameter.shape), requires_grad=False)
                module._parameters[name] = done[id(parameter)]


@contextlib.contextmanager
def grouped_heads() -> Iterator[None]:
    """Repeat keys and values for queries that share them: the CPU's fused attention knows no groups."""
    own = F.scaled_dot_product_attention

    def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        groups = query.size(-3) // key.size(-3)
        if groups > 1:
            key, value = (each.repeat_interleave(groups, dim=-3) for each in (key, value))
            kwargs.pop("enable_gqa", None)
        return own(query, key, value, *args, **kwargs)

    F.scaled_dot_product_attention = attention
    try:
        yield
    finally:
        F.scaled_dot_product_attention = own
