"""transformers' Trainer as RepairAI trains detectors: photos drawn by shares, the mean judged, the worst step first."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from repairai.hardware.recipe import Detecting, Recipe
from training import heap
from training.arguments import arguments
from training.detector.forward import Forward, Plain
from training.detector.judged import Judge
from training.detector.mean import RunningMean
from training.detector.model import groups, still, suit_processor
from training.detector.photos import Drawn, Photos, chances, collate
from training.out_of_memory import let_go

BESIDE = 0.5
"""Weight of AP beside exact counts, which move in jumps on few photos and stand still while boxes still get better."""
MOST_LOADERS = 8


class DetectorTrainer(Trainer):
    """Trains a detector on `Photos`; see `make_trainer`."""

    recipe: Recipe
    forward: Forward
    judge: Judge | None = None
    mean: RunningMean
    stay: Sequence[torch.nn.Module] = ()
    shares: Sequence[float] = ()
    loss_is_scaled_for_ga = True

    # ---- one step

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of a batch, weighed by its share of the boxes of the whole optimizer step.

        A detector's losses are means over the boxes, so that batches with many boxes count for more, and a step of
        several batches learns what one batch of all their photos would.
        """
        for layer in self.stay:
            layer.eval()
        outputs = self.forward(model, inputs["pixel_values"], inputs["labels"])
        loss = outputs.loss
        if num_items_in_batch is not None:
            own = max(sum(len(each["class_labels"]) for each in inputs["labels"]), 1)
            loss = loss * (own / max(int(num_items_in_batch), 1))
        return (loss, outputs) if return_outputs else loss

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: Any) -> int:
        """Return the boxes of an optimizer step; a batch without any counts as one."""
        boxes = [sum(len(each["class_labels"]) for each in batch["labels"]) for batch in batch_samples]
        return sum(boxes) or len(batch_samples)

    def _get_train_sampler(self, train_dataset: Any = None) -> Drawn:
        return Drawn(self.shares, len(self.train_dataset), self.recipe.seed)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return the optimizer with its groups of weights."""
        if self.optimizer is None:
            self.optimizer = self._optimizer()
        return self.optimizer

    def _optimizer(self, rate: float | None = None) -> torch.optim.Optimizer:
        made, settings = self.get_optimizer_cls_and_kwargs(self.args, self.model)
        settings = {name: value for name, value in settings.items() if name != "lr"}
        own = groups(self.model, self.recipe)
        if rate is not None:
            own = [{**each, "lr": rate} for each in own]
        # Adafactor finds a rate of its own where it is given none.
        fixed = {"relative_step": False, "scale_parameter": False} if self.args.optim == "adafactor" else {}
        return made(own, lr=self.args.learning_rate, **{**settings, **fixed})

    # ---- checkpoints

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Take up a checkpoint's weights, all of them.

        Models of these families are saved with other names than they have in memory, which transformers 5.23's Trainer
        does not know: it would leave every weight whose name changed as it was, and not say so.
        """
        saved = type(self.model).from_pretrained(resume_from_checkpoint, dtype=torch.float32, use_safetensors=True)
        self.model.load_state_dict(saved.state_dict())

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(str(self.state.best_model_checkpoint))

    # ---- what it is worth

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Return what the running mean of the weights is worth, as `eval_` figures."""
        assert self.judge is not None
        judged = self.judge(self.mean.model, self._tell)
        exact, ap = judged.exact, judged.ap
        by_exact = detecting(self.recipe).judged == "exact"
        worth = exact + BESIDE * ap if by_exact else ap
        found = {"loss": judged.loss, "ap": ap, "ap50": judged.ap50, "exact": exact, "worth": worth}
        figures = {f"{metric_key_prefix}_{name}": value for name, value in found.items()}
        self.log(dict(figures))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures

    def _tell(self) -> None:
        self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)

    # ---- the worst step

    def try_worst(self) -> float:
        """Take the step that needs most memory, with a learning rate of nothing, and return its seconds.

        A full batch of the photo with the most boxes goes through forward and back, and the optimizer makes its state;
        then all of it is dropped, and weights, running figures and random numbers are as they were. Then a batch is
        looked at as in an evaluation.

        Raises:
            torch.OutOfMemoryError: It does not fit.
        """
        photos: Photos = self.train_dataset
        most = sorted(range(len(photos)), key=lambda at: -len(photos.boxes[at]))
        batch, rng = self.args.per_device_train_batch_size, np.random.default_rng(0)
        worst = [photos.whole(most[0], rng) for _ in range(batch)]
        inputs = self._prepare_inputs(collate(worst))
        buffers = {name: value.clone() for name, value in self.model.named_buffers()}
        self.model.train()
        began = time.perf_counter()
        with torch.random.fork_rng():
            optimizer = self._optimizer(rate=0.0)
            with self.compute_loss_context_manager():
                loss = self.compute_loss(self.model, inputs)
            loss.backward()
            optimizer.step()
        seconds = time.perf_counter() - began
        del loss, optimizer
        self.model.zero_grad(set_to_none=True)
        with torch.no_grad():
            for name, value in self.model.named_buffers():
                value.copy_(buffers[name])
        self._look_once()
        self.model.train()
        let_go()
        return seconds

    def _look_once(self) -> None:
        if self.judge is not None:
            self.mean.model.to(self.args.device).eval()
            batch = self._prepare_inputs(collate(self.judge.items()[: self.judge.batch]))
            with torch.no_grad():
                self.forward(self.mean.model, batch["pixel_values"], batch["labels"])


def detecting(recipe: Recipe) -> Detecting:
    """Return what a recipe says of detectors, or what is usual."""
    return recipe.detecting or Detecting()


def make_trainer(
    recipe: Recipe, model: Any, photos: Photos, judge: Judge | None, forward: Forward, processor: Any, out: Path,
    callbacks: Sequence[TrainerCallback],
) -> DetectorTrainer:  # fmt: skip
    """Return the trainer of a recipe.

    Args:
        recipe: With the batch and accumulation that are used.
        model: What of it is trained wants a gradient.
        photos: To train on.
        judge: Of the validation photos; None where there are none.
        forward: How the model takes photos.
        processor: What is saved beside the weights, so that others can load them.
        out: Folder for checkpoints.
        callbacks: That watch it.
    """
    if not torch.cuda.is_available():
        heap.keep()
        if isinstance(forward, Plain):
            suit_processor(model, recipe.step.image_px)
    mean = RunningMean(model, detecting(recipe).ema)
    own: list[TrainerCallback] = [mean, *callbacks]  # the mean is saved before a checkpoint is marked as whole
    if recipe.patience and judge is not None:
        own.append(EarlyStoppingCallback(recipe.patience))
    trainer = DetectorTrainer(
        model=model,
        args=_arguments(recipe, out, judging=judge is not None),
        train_dataset=photos,
        eval_dataset=None if judge is None else judge.photos,
        data_collator=collate,
        processing_class=processor,
        callbacks=own,
    )
    trainer.recipe, trainer.forward, trainer.judge, trainer.mean = recipe, forward, judge, mean
    trainer.stay, trainer.shares = still(model, recipe), chances(photos.chosen, detecting(recipe).shares)
    return trainer


def loaders() -> int:
    """Return how many processes load photos while the model computes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if os.name == "nt":
        return 0  # a process that is not forked imports torch anew, and shares no photos
    return max(1, min(MOST_LOADERS, cores - 1))


def _arguments(recipe: Recipe, out: Path, judging: bool) -> TrainingArguments:
    n_loaders = loaders()
    return TrainingArguments(
        **arguments(recipe, out, "eval_worth" if judging else "", torch.cuda.is_available()),
        greater_is_better=True,
        max_grad_norm=recipe.clip,
        bf16=recipe.step.precision == "bf16",
        dataloader_num_workers=n_loaders,
        dataloader_persistent_workers=n_loaders > 0,
        dataloader_prefetch_factor=4 if n_loaders else None,
    )
