"""TRL's trainer as RepairAI uses it: our rows in, little wasted on a processor, the worst step tried first."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from bitsandbytes.nn import Linear4bit
from datasets import Dataset
from torch.utils.checkpoint import checkpoint
from transformers import EarlyStoppingCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from repairai.hardware.recipe import Recipe
from training.arguments import arguments
from training.heap import give_back
from training.layerwise import Layerwise
from training.sop.model import DTYPES, adapters
from training.sop.rows import IGNORED, Batches, ByLength

MOST_SCORES = 2**25
"""Scores of words that are there at once on a processor: 128 MiB of them in fp32."""


class SopTrainer(SFTTrainer):
    """Trains a language model on rows of `training.sop.rows`."""

    layerwise = False
    packing = True

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean loss of the trained tokens, and count those that went through.

        On a processor TRL's fused head scores every token of the prompt as well, in many passes in fp32; there only
        the trained tokens are scored, which gives the same loss.
        """
        inputs = dict(inputs)
        n_tokens = int(inputs.pop("n_tokens").sum()) * self.accelerator.num_processes
        if self.model.training:
            self.state.num_input_tokens_seen += n_tokens
        plain = not return_outputs and self.accelerator.num_processes == 1 and self._plain_head()
        if inputs["input_ids"].device.type != "cpu" or not plain:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        whole = model.get_base_model() if hasattr(model, "get_base_model") else model
        labels = inputs["labels"][:, 1:]
        trained = labels != IGNORED
        with self.precision():
            found = whole.base_model(
                input_ids=inputs["input_ids"], position_ids=inputs["position_ids"], use_cache=False
            )
            states = found.last_hidden_state[:, :-1][trained]
            loss = _summed_loss(whole.get_output_embeddings(), states, labels[trained])
        return loss / (trained.sum() if num_items_in_batch is None else num_items_in_batch)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return the loss of a batch that went forward and back; on a processor each step gives its memory back.

        Not each batch: what is given back has to be taken again, a page at a time.
        """
        loss = super().training_step(*args, **kwargs)
        if self.model.device.type == "cpu" and self.accelerator.sync_gradients:
            give_back()
        return loss

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.packing:
            return super()._get_train_sampler(train_dataset)
        lengths = [len(ids) for ids in self.train_dataset["input_ids"]]
        n = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.accelerator.num_processes
        return ByLength(lengths, n, self.args.seed)

    def _plain_head(self) -> bool:
        """Whether words are scored by one product alone, as in most models."""
        config = self.model.config.get_text_config()
        other = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")
        return not any(getattr(config, name, None) for name in other) and not self.aux_loss_enabled

    def precision(self) -> AbstractContextManager[Any]:
        """Return what computes products in the recipe's precision."""
        if not (self.args.bf16 or self.args.fp16):
            return nullcontext()
        kind = self.model.device.type
        return torch.autocast(kind, torch.bfloat16 if self.args.bf16 else torch.float16)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return the optimizer, as the recipe has it."""
        if self.layerwise and self.optimizer is None:
            self.optimizer = self._by_layer(self.args.learning_rate)
        return super().create_optimizer(model) if self.optimizer is None else self.optimizer

    def _by_layer(self, learning_rate: float) -> Layerwise:
        made, settings = self.get_optimizer_cls_and_kwargs(self.args, self.model)
        rate = {**settings, "lr": learning_rate, "weight_decay": self.args.weight_decay}
        return Layerwise(self.model.parameters(), lambda weights: made(weights, **rate), learning_rate)

    def try_worst(self) -> float:
        """Take the step that needs most memory, with a learning rate of nothing, and return its seconds.

        The longest rows go through forward and back, and the optimizer makes its state; then all of it is dropped, and
        weights and random numbers are as they were. Then the longest row is looked at as in an evaluation.

        Raises:
            torch.OutOfMemoryError: It does not fit.
        """
        batch = self._prepare_inputs(self._longest(self.train_dataset, self.args.per_device_train_batch_size))
        if self.args.gradient_checkpointing:
            self.model.gradient_checkpointing_enable(self.args.gradient_checkpointing_kwargs)
        seen = self.state.num_input_tokens_seen
        self.model.train()
        began = time.perf_counter()
        with torch.random.fork_rng():
            optimizer = self._idle_optimizer()
            with self.precision():
                loss = self.compute_loss(self.model, batch)
            loss.backward()
            optimizer.step()
            if isinstance(optimizer, Layerwise):
                optimizer.close()
        del loss, optimizer
        self.model.zero_grad(set_to_none=True)
        seconds = time.perf_counter() - began
        if self.eval_dataset is not None:
            self.model.eval()
            row = self._prepare_inputs(self._longest(self.eval_dataset, self.args.per_device_eval_batch_size))
            with torch.no_grad(), self.precision():
                self.compute_loss(self.model, row)
            self.model.train()
        self.state.num_input_tokens_seen = seen
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        give_back()
        return seconds

    def _idle_optimizer(self) -> torch.optim.Optimizer:
        if self.layerwise:
            return self._by_layer(0.0)
        made, settings = self.get_optimizer_cls_and_kwargs(self.args, self.model)
        # Adafactor finds a rate of its own where it is given none.
        own = {"relative_step": False, "scale_parameter": False} if self.args.optim == "adafactor" else {}
        return made([w for w in self.model.parameters() if w.requires_grad], **{**settings, **own, "lr": 0.0})

    def _longest(self, dataset: Any, n: int) -> dict[str, Any]:
        order = sorted(
            range(len(dataset)),
            key=lambda at: (len(dataset[at]["input_ids"]), sum(label != IGNORED for label in dataset[at]["labels"])),
        )
        return self.data_collator([dataset[at] for at in order[-n:]])


def _summed_loss(head: torch.nn.Module, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the loss of tokens, summed: `states` (n, width), `labels` (n,); in parts, where they are many.

    The scores of a part are dropped, and made again for its gradient: they would be the largest tensors by far.
    """
    most = max(1, MOST_SCORES // head.weight.shape[0])
    if len(labels) <= most:
        return _part_loss(head, states, labels)
    parts = [
        checkpoint(_part_loss, head, states[at : at + most], labels[at : at + most], use_reentrant=False)
        for at in range(0, len(labels), most)
    ]
    return torch.stack(parts).sum()


def _part_loss(head: torch.nn.Module, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(head(states).float(), labels, reduction="sum")


def make_trainer(
    recipe: Recipe, model: Any, tokenizer: Any, data: tuple[Dataset, Dataset | None], out: Path,
    callbacks: Sequence[TrainerCallback],
) -> SopTrainer:  # fmt: skip
    """Return the trainer of a recipe.

    Args:
        recipe: With the batch and accumulation that are used.
        model: From `load_base`; or with its adapters on it.
        tokenizer: Its own.
        data: Rows to train on, and to judge with; None where there are none of those.
        out: Folder for checkpoints.
        callbacks: That watch it.
    """
    train, judged = data
    keep_unpacked(model)
    if recipe.patience and judged is not None:
        callbacks = [*callbacks, EarlyStoppingCallback(recipe.patience)]
    trainer = SopTrainer(
        model=model,
        args=sft_arguments(recipe, out, judging=judged is not None),
        train_dataset=train,
        eval_dataset=judged,
        processing_class=tokenizer,
        data_collator=Batches(tokenizer.pad_token_id),
        peft_config=None if hasattr(model, "peft_config") else adapters(recipe),
        callbacks=list(callbacks),
    )
    trainer.layerwise, trainer.packing = recipe.step.layerwise, recipe.packing
    set_precision(trainer, recipe)
    return trainer


def keep_unpacked(model: Any) -> None:
    """See that layers in 4 bits stay as they are: on some processors they repack their weights in an evaluation.

    They would be trained on afterwards as if they were not.
    """
    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.support_avx512bf16_for_cpu = False


def set_precision(trainer: SopTrainer, recipe: Recipe) -> None:
    """Put the adapters that are trained into the recipe's precision."""
    if recipe.step.method != "full":
        for weight in trainer.model.parameters():
            if weight.requires_grad:
                weight.data = weight.data.to(DTYPES[recipe.step.adapter_precision])


def sft_arguments(recipe: Recipe, out: Path, judging: bool, **more: Any) -> SFTConfig:
    """Return what TRL is told by a recipe of a model that speaks.

    Args:
        recipe: With the batch and accumulation that are used.
        out: Folder for checkpoints.
        judging: Whether there is something to judge with.
        more: What else TRL is told.
    """
    step = recipe.step
    return SFTConfig(
        **arguments(recipe, out, "eval_loss" if judging else "", torch.cuda.is_available()),
        greater_is_better=False,
        per_device_eval_batch_size=1,
        prediction_loss_only=True,
        max_grad_norm=0.0 if step.layerwise else recipe.clip,
        bf16=step.precision == "bf16" and step.autocast,
        fp16=step.precision == "fp16" and step.autocast,
        gradient_checkpointing=step.checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        **more,
    )
