"""A training step of a detector, or one answer of it, on tensors without data.

The model is the real one of transformers, and so is its loss, with all that it holds: only which query gets which box
is decided beforehand, and what else depends on data, see `Decided`.

Counted: weights, a running mean of them (as `training.detector_train` keeps one), gradients, optimizer states, the copy
that PyTorch's AdamW makes for a moment when it steps through all tensors at once, activations as autograd keeps them,
and the copies of autocast. As on CUDA: dropout keeps one byte a number, softmax goes back through a hidden product, and
autocast leaves norms, softmax and losses in fp32. Fused attention keeps its result and a number a row on both devices;
deformable attention is plain PyTorch (`grid_sample`) on both, where a custom kernel from the Hub would keep less.
Not counted: what cuDNN takes for a convolution while it runs (it depends on the algorithm that it picks), and the
padding of attention masks to whole multiples of 8.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import transformers.loss.loss_for_object_detection as loss_detr
import transformers.loss.loss_grounding_dino as loss_grounding_dino
import transformers.loss.loss_rt_detr as loss_rt_detr
from torch import nn
from transformers import AutoConfig, AutoModelForObjectDetection, AutoModelForZeroShotObjectDetection, Sam2Model
from transformers.initialization import no_init_weights

from repairai.hardware.dry_run.language import WORKSPACE
from repairai.hardware.dry_run.networks import DTYPES
from repairai.hardware.dry_run.optimizer import states
from repairai.hardware.dry_run.stand_ins import PHRASES, Decided, Fake, OnCuda, swapped
from repairai.hardware.dry_run.tally import tally
from repairai.hardware.dry_run.trace import Part, again
from repairai.hardware.dry_run.tracer import Tracer
from repairai.hardware.workload import Demand, Workload

TEXT_TOKENS = 2 * PHRASES + 2
"""Of a prompt for an open-vocabulary detector: phrases of a word and a full stop, and the two ends."""
LONG_SIDE = 5 / 3
"""Longer to shorter side of a photo that keeps its shape: Grounding DINO's processor makes 800 x 1333 of most."""
SEGMENTER_PX = 1024
"""Side of SAM 2's input, whatever the photo's."""
CLOSED = ("rt_detr", "rt_detr_v2", "d_fine")
OPEN = ("grounding-dino",)
SEGMENTERS = ("sam2", "sam2_video")
BACKBONES = ("backbone", "text_backbone")
"""What `few_shot` leaves as it is."""


def demand(work: Workload, config: dict[str, Any]) -> Demand:
    """Return what a training step or an answer of a detector takes.

    Args:
        work: `full`, `few_shot` or `inference`. Weights are fp32; with another precision there is autocast.
        config: The model's `config.json`.

    Raises:
        ValueError: The family is not known, or cannot be used in that way.
    """
    step = Step(work, config)
    return tally(
        step.run(), step.parameters, step.trained, 1 if work.method == "inference" else min(work.accumulation, 2)
    )


class Step:
    """A training step of a detector, first without and then with optimizer states; or one answer."""

    def __init__(self, work: Workload, config: dict[str, Any]) -> None:
        self.work, self.family, self.config = work, config.get("model_type", ""), config
        known = (*CLOSED, *OPEN, *SEGMENTERS)
        if self.family not in known:
            raise ValueError(f"need a detector of one of the families {', '.join(known)}, got {self.family!r}")
        methods = ("inference",) if self.family in SEGMENTERS else ("full", "few_shot", "inference")
        if work.method not in methods:
            raise ValueError(f"need {self.family} with the method {' or '.join(methods)}, got {work.method!r}")
        self.trains = work.method != "inference"
        self.tracer = Tracer()
        self.parameters = self.trained = 0
        self.settings: Any = None
        self._kept: list[torch.Tensor] = []
        self._asked = 0

    def run(self, data: bool = False) -> list[Part]:
        """Return all parts, those that count for operations marked `'`.

        Args:
            data: Tensors are real, and nothing is decided beforehand: to check that both come to the same.
        """
        tracer = self.tracer
        with contextlib.nullcontext() if data else Fake():
            model = self._build(data)
            inputs = self._inputs()
            self._load(model)
            tracer.enter("ready", kind="activations")
            tracer.brief(WORKSPACE, "workspace")
            for each in [*inputs.values(), *(each for label in inputs.get("labels", ()) for each in label.values())]:
                if isinstance(each, torch.Tensor):
                    tracer.hold(each, "activations")
            _forget(model)
            try:
                with contextlib.nullcontext() if data else self._decided(), tracer, OnCuda(self._casts()):
                    return self._train(model, inputs) if self.trains else self._answer(model, inputs)
            finally:
                _forget(model)

    # ---- the model

    def _build(self, data: bool) -> nn.Module:
        with contextlib.nullcontext() if data else no_init_weights():
            if self.family in SEGMENTERS:
                self.settings = AutoConfig.for_model(**{**self.config, "model_type": "sam2"})
                model = Sam2Model(self.settings)
            else:
                self.settings = AutoConfig.for_model(**self.config)
                kind = AutoModelForObjectDetection if self.family in CLOSED else AutoModelForZeroShotObjectDetection
                model = kind.from_config(self.settings, attn_implementation=self._attention())
        model.tie_weights()
        model.train(self.trains)
        for name, parameter in model.named_parameters():
            if not self.trains or (self.work.method == "few_shot" and name.split(".")[1] in BACKBONES):
                parameter.requires_grad_(False)
            n = parameter.numel()
            self.parameters += n
            self.trained += n if parameter.requires_grad else 0
            if data:  # layers that begin with zeros would all say the same
                nn.init.normal_(parameter, std=0.02)
        return model

    def _attention(self) -> str | None:
        return "eager" if self.work.attention == "eager" else None

    def _inputs(self) -> dict[str, Any]:
        work = self.work
        n, px = work.batch, work.image_px
        if self.family in SEGMENTERS:
            boxes = torch.rand(n, work.boxes, 4) * SEGMENTER_PX
            return {"pixel_values": torch.rand(n, 3, SEGMENTER_PX, SEGMENTER_PX), "input_boxes": boxes}
        inputs: dict[str, Any] = {}
        if self.family in CLOSED:
            inputs["pixel_values"] = torch.rand(n, 3, px, px)
        else:
            long = round(px * LONG_SIDE)
            inputs["pixel_values"] = torch.rand(n, 3, px, long)
            inputs["pixel_mask"] = torch.ones(n, px, long, dtype=torch.long)
            words = [101, *[2000, 1012] * PHRASES, 102]  # the ends are BERT's [CLS] and [SEP], 1012 is its full stop
            inputs["input_ids"] = torch.tensor([words] * n)
            inputs["attention_mask"] = torch.ones(n, TEXT_TOKENS, dtype=torch.long)
            inputs["token_type_ids"] = torch.zeros(n, TEXT_TOKENS, dtype=torch.long)
        if self.trains:
            inputs["labels"] = [
                {
                    "class_labels": torch.zeros(work.boxes, dtype=torch.long),
                    "boxes": torch.rand(work.boxes, 4) * 0.3 + 0.1,
                }
                for _ in range(n)
            ]
        return inputs

    def _load(self, model: nn.Module) -> None:
        for each in [*model.parameters(), *model.buffers()]:
            self.tracer.hold(each, "weights")
        if self.trains:
            for each in [*model.parameters(), *model.buffers()]:
                self.tracer.brief(each.untyped_storage().nbytes(), "running mean")

    # ---- the step

    def _casts(self) -> bool:
        return self.work.precision != "fp32"

    def _autocast(self) -> Any:
        return torch.autocast("cpu", dtype=DTYPES[self.work.precision]) if self._casts() else contextlib.nullcontext()

    def _answer(self, model: nn.Module, inputs: dict[str, Any]) -> list[Part]:
        self.tracer.enter("answer'")
        options = {"multimask_output": False} if self.family in SEGMENTERS else {}
        with torch.no_grad(), self._autocast():
            found = model(**inputs, **options)
        parts = list(self.tracer.parts)
        self.tracer.enter("over")
        del found
        return parts

    def _train(self, model: nn.Module, inputs: dict[str, Any]) -> list[Part]:
        tracer = self.tracer
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self._gradient)
        begin = len(tracer.parts)
        for batch in range(min(self.work.accumulation, 2)):
            tracer.enter(f"forward{batch}")
            with self._autocast():
                found = model(**inputs)
                loss = found.loss
                del found
            tracer.enter(f"backward{batch}")
            loss.backward()
            del loss
        end = len(tracer.parts)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in trained:
            tracer.enter("states")
            for state in states(parameter, self.work.optimizer):
                tracer.name_kind(state, "optimizer")
                self._kept.append(state)
        after = len(tracer.parts)
        self._step(trained)
        tracer.enter("over")  # what ends from here on ends with the process
        parts = tracer.parts[:-1]
        return [*parts, *again(_ended([*parts[begin:end], *parts[after:]]), "'")]

    def _gradient(self, parameter: torch.Tensor) -> None:
        assert parameter.grad is not None
        self.tracer.name_kind(parameter.grad, "gradients")

    def _step(self, trained: list[nn.Parameter]) -> None:
        """Step through all tensors at once, and forget the gradients.

        Source:
            torch/optim/adam.py, `_multi_tensor_adam`: `exp_avg_sq_sqrt = torch._foreach_sqrt(...)`.
        """
        self.tracer.enter("step")
        if self.work.optimizer == "adamw":
            roots = [self.tracer.brief(parameter.nbytes, "optimizer") for parameter in trained]
            for root in roots:
                self.tracer.end(root)
        for parameter in trained:
            parameter.grad = None

    # ---- what depends on data

    @contextlib.contextmanager
    def _decided(self) -> Iterator[None]:
        """Run on tensors without data: the first queries get the boxes, and all else is as `Decided` says."""
        modules = (loss_rt_detr, loss_detr, loss_grounding_dino)
        with contextlib.ExitStack() as stack:
            for module in modules:
                stack.enter_context(swapped(module, "linear_sum_assignment", _first))
            # D-FINE's loss moves itself to the device that it is on, which tensors without data do not take.
            stack.enter_context(swapped(nn.Module, "to", lambda module, *_: module))
            stack.enter_context(Decided(self._true, equal=self._own_teacher))
            yield

    def _true(self, mask: torch.Tensor) -> int:
        """Return how many entries of a mask are true."""
        n = int(mask.numel())
        if mask.dtype != torch.bool:  # the half of the denoising queries that have a box to find
            return n // 2
        if self.family in OPEN:  # of the places for words, those that have one
            return n // int(mask.shape[-1]) * TEXT_TOKENS
        return n

    def _own_teacher(self) -> bool:
        """Return whether the decoder layer that D-FINE's loss asks about is the one that the others learn from.

        It asks about all but the last, and with denoising queries about all of them once more.
        """
        self._asked += 1
        denoises = bool(self.settings.num_denoising > 0)
        return denoises and self._asked % (2 * int(self.settings.decoder_layers) - 1) == 0


def _first(cost: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return an assignment of as many queries to boxes as there are of the fewer: the first to the first."""
    n = min(cost.shape)
    return torch.arange(n), torch.arange(n)


def _forget(model: nn.Module) -> None:
    """Empty what the model's classes remember of other sizes: tensors without data must not meet others."""
    for kind in {kind for module in model.modules() for kind in type(module).__mro__}:
        for member in vars(kind).values():
            for cell in getattr(getattr(member, "__func__", member), "__closure__", None) or ():
                if hasattr(cell.cell_contents, "cache_clear"):
                    cell.cell_contents.cache_clear()


def _ended(parts: list[Part]) -> list[Part]:
    """Return the parts without the tensors that outlive them: those are there already the next time."""
    over = {name for part in parts for name, nbytes, _ in part.events if nbytes < 0}
    return [
        Part(part.phase, part.layer, [event for event in part.events if event[0] in over], part.flops, part.traffic)
        for part in parts
    ]
