"""TRL's trainer as it trains a judge that sees: only answers are scored, and the largest photo is tried first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, TrainerCallback

from repairai.hardware.recipe import Recipe
from repairai.judge.photo_prompt import PhotoPrompt
from training.judge.vlm_model import adapters
from training.judge.vlm_rows import IGNORED, PhotoBatches, by_room
from training.sop.trainer import SopTrainer, keep_unpacked, set_precision, sft_arguments


class VisionLanguageTrainer(SopTrainer):
    """Trains a vision-language model on rows of `training.judge.vlm_rows`."""

    prompt: PhotoPrompt
    right: list[bool]

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean loss of the answers, and count the tokens that went through.

        Scores are made for answers alone: of all places of a photo they would be the largest tensors by far.
        """
        inputs = dict(inputs)
        labels = inputs.pop("labels")[:, 1:]
        if self.model.training:
            self.state.num_input_tokens_seen += int(inputs["attention_mask"].sum())
        whole = model.get_base_model() if hasattr(model, "get_base_model") else model
        trained = labels != IGNORED
        with self.precision():
            found = whole.base_model(**inputs, use_cache=False)
            scores = whole.get_output_embeddings()(found.last_hidden_state[:, :-1][trained]).float()
        if most := getattr(whole.config.get_text_config(), "final_logit_softcapping", None):
            scores = most * torch.tanh(scores / most)
        if not self.model.training:
            self.right += self._answered_right(scores, labels[trained])
        loss = torch.nn.functional.cross_entropy(scores, labels[trained], reduction="sum")
        loss = loss / (trained.sum() if num_items_in_batch is None else num_items_in_batch)
        return (loss, {"loss": loss}) if return_outputs else loss

    def _answered_right(self, scores: torch.Tensor, meant: torch.Tensor) -> list[bool]:
        """Return for each answer whether yes and no are told apart as they should be; see `VisionLanguage.ask`.

        Args:
            scores: (n, vocabulary) of the word that comes next.
            meant: (n,) the token that should.
        """
        ids = torch.tensor(sorted(self.prompt.answer_ids), device=scores.device)
        yes = torch.tensor([self.prompt.answer_ids[int(each)] == "yes" for each in ids], device=scores.device)
        says_yes = scores[:, ids].softmax(-1)[:, yes].sum(-1) > 0.5
        return (says_yes == torch.isin(meant, ids[yes])).tolist()

    def evaluation_loop(self, *words: Any, metric_key_prefix: str = "eval", **named: Any) -> Any:
        """Return what transformers' loop finds, with the share of questions that were answered right."""
        self.right = []
        found = super().evaluation_loop(*words, metric_key_prefix=metric_key_prefix, **named)
        found.metrics[f"{metric_key_prefix}_right"] = sum(self.right) / max(len(self.right), 1)
        return found

    def _longest(self, dataset: Any, n: int) -> dict[str, Any]:
        order = by_room(dataset, self.prompt)[-n:]
        return self.data_collator([dataset[at] for at in order])


def make_trainer(
    recipe: Recipe, model: Any, prompt: PhotoPrompt, data: tuple[Dataset, Dataset | None], out: Path,
    callbacks: Sequence[TrainerCallback],
) -> VisionLanguageTrainer:  # fmt: skip
    """Return the trainer of a recipe.

    Args:
        recipe: With the batch and accumulation that are used.
        model: From `training.judge.vlm_model.load_for_training`.
        prompt: Likewise.
        data: Rows to train on, and to judge with; None where there are none of those.
        out: Folder for checkpoints.
        callbacks: That watch it.
    """
    train, judged = data
    keep_unpacked(model)
    if recipe.patience and judged is not None:
        callbacks = [*callbacks, EarlyStoppingCallback(recipe.patience)]
    trainer = VisionLanguageTrainer(
        model=model,
        args=sft_arguments(recipe, out, judging=judged is not None, completion_only_loss=True),
        train_dataset=train,
        eval_dataset=judged,
        processing_class=prompt.tokenizer,
        data_collator=PhotoBatches(prompt, recipe.step.length_tokens),
        peft_config=adapters(recipe),
        callbacks=list(callbacks),
    )
    trainer.layerwise, trainer.prompt, trainer.right = recipe.step.layerwise, prompt, []
    set_precision(trainer, recipe)
    return trainer
