"""An answer of a language model on tensors without data: the prompt at once, then word after word.

As `generate()` of transformers does it: the scores of the last position only, a copy of them in fp32, and a cache that
is laid anew, a layer at a time, with each word (`DynamicCache` concatenates, so a layer's old keys and its new ones are
there together for a moment). The prompt, the first word after it and the last one are run; between the two the cache
grows a word at a time, or in `LEAPS` leaps where there are more words, so that what the caching allocator keeps of the
caches before is counted too. No padding, one answer for each example, greedy choice. In 4 bits each matrix is unpacked
for its product, as bitsandbytes does it for many tokens at once; for few it can do without, and takes up to one matrix
less.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
import transformers.masking_utils as masks
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import DynamicCache, PreTrainedModel

from repairai.hardware.dry_run.language import WORKSPACE, Step, estimate, grouped_heads
from repairai.hardware.dry_run.stand_ins import Decided, swapped
from repairai.hardware.dry_run.trace import Part
from repairai.hardware.workload import Demand, Workload

LEAPS = 256
"""Most steps in which the cache is let grow between the first new word and the last."""


def demand(work: Workload, config: dict[str, Any]) -> Demand:
    """Return what an answer of a language model takes.

    Args:
        work: With the method `inference`; `four_bit` says whether weights are stored in 4 bits.
        config: The model's `config.json`.

    Raises:
        ValueError: The method is another.
    """
    return estimate(Answer, work, config)


class Answer(Step):
    """An answer of a language model with so many layers."""

    def __init__(self, work: Workload, settings: Any, layers: int) -> None:
        if work.method != "inference":
            raise ValueError(f"need the method inference, got {work.method!r}")
        super().__init__(work, settings, layers)

    def run(self) -> list[Part]:
        """Return all parts: loading, then the answer, its phases marked `'`."""
        work, tracer = self.work, self.tracer
        with FakeTensorMode(), torch.no_grad():
            model = self._build()
            self._count(model)
            self._load(model)
            tracer.enter("ready", kind="activations")
            tracer.brief(WORKSPACE, "workspace")
            inputs = self._inputs()
            for each in inputs.values():
                tracer.hold(each, "activations")
            self._mark(model)
            cache = DynamicCache(config=self.settings.get_text_config())
            begin = len(tracer.parts)
            with self._decided(), tracer, grouped_heads():
                self._answer(model, inputs, cache, work.new_tokens - 1)
                tracer.enter("over")  # what ends from here on ends with the process
        parts = tracer.parts[:-1]
        for part in parts[begin:]:
            part.phase += "'"
        return parts

    def _decided(self) -> AbstractContextManager[object]:
        return unpadded()

    def _build(self) -> PreTrainedModel:
        model = self._made()
        if self.work.four_bit:
            self._pack(model)
        return model.requires_grad_(False).eval()

    def _mark(self, model: PreTrainedModel) -> None:
        tracer = self.tracer
        layers = model.get_submodule(self.prefix)
        for number, layer in enumerate(layers):
            layer.register_forward_pre_hook(tracer.on_layer(number))
        layers[-1].register_forward_hook(lambda *_: tracer.enter(f"head{tracer.batch}", kind="logits"))

    def _answer(self, model: PreTrainedModel, inputs: dict[str, torch.Tensor], cache: DynamicCache, words: int) -> None:
        """Take in the prompt, and add so many words to the first one that it gives."""
        word = self._forward(model, {**inputs, "use_cache": True}, cache, 0, 1)
        if words:
            word = self._forward(model, self._next(word), cache, 1, words)
        if words > 1:
            self._grow(cache, words - 2)
            self._forward(model, self._next(word), cache, 2, words)

    def _next(self, word: torch.Tensor) -> dict[str, Any]:
        return {"input_ids": word, "use_cache": True}

    def _forward(
        self, model: PreTrainedModel, inputs: dict[str, Any], cache: DynamicCache, batch: int, words: int
    ) -> torch.Tensor:
        """Return the next word; the run stands for its share of so many words."""
        tracer = self.tracer
        tracer.enter(f"begin{batch}", kind="activations")
        tracer.batch = batch
        begin = len(tracer.parts) - 1
        found = model(**inputs, past_key_values=cache, logits_to_keep=1)
        scores = found.logits[:, -1].to(dtype=torch.float32, copy=True)
        word: torch.Tensor = scores.argmax(-1)[:, None]
        del found, scores
        for layer in cache.layers:
            for states in (layer.keys, layer.values):
                tracer.name_kind(states, "cache")
        tracer.enter(f"done{batch}")
        runs = 2 if batch and words > 1 else 1  # the first word and the last, between which they grow evenly
        for part in tracer.parts[begin:]:
            part.flops, part.traffic = part.flops * words // runs, part.traffic * words // runs
        return word

    def _grow(self, cache: DynamicCache, words: int) -> None:
        """Let the cache grow by so many words, as their runs would have it."""
        leaps = min(words, LEAPS)
        for leap in range(leaps):
            more = words * (leap + 1) // leaps - words * leap // leaps
            for number, layer in enumerate(cache.layers):
                self.tracer.enter(f"grow{leap}", number, kind="cache")
                layer.keys = _grown(layer, layer.keys, more)
                layer.values = _grown(layer, layer.values, more)
                if layer.is_sliding:
                    layer.cumulative_length += more
        self.tracer.enter("grown", kind="activations")


@contextlib.contextmanager
def unpadded(number: int = 1) -> Iterator[None]:
    """Answer for data as if no example were padded; then attention needs no mask where the model would look for one.

    Args:
        number: What any number is that the model reads.
    """
    with swapped(masks, "is_tracing", lambda *_: False), Decided(lambda mask: int(mask.numel()), number):
        yield


def _grown(layer: Any, states: torch.Tensor, more: int) -> torch.Tensor:
    """Return keys or values of more words, as the layer keeps them: of a sliding window, only what it still sees."""
    *others, length, width = states.shape
    if not layer.is_sliding:
        return states.new_empty(*others, length + more, width)
    window = layer.sliding_window
    return states.new_empty(*others, min(length + more, window), width)[:, :, -window + 1 :]
