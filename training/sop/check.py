"""After a training: the model is read back from disk, scores words as the trained one did, answers, and stops.

What a trainer holds in memory is not what people will ask. A damaged adapter, one that was never saved, or a template
without an end token shows only here.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hardware.workload import Precision
from training.sop.examples import Example, read_examples
from training.sop.generate import Reply, replies
from training.sop.model import load_trained
from training.sop.tokens import IGNORED, Tokens, tokens

TRIED = 4
"""Examples that are tried."""
MOST_OFF: dict[Precision, float] = {"fp32": 1e-3, "bf16": 0.05, "fp16": 0.02}
"""Mean difference, in nats, up to which two models score the words of an answer alike: more than what rounding makes of
it, less than what a training does."""


@dataclass(frozen=True)
class Seen:
    """How the trained model, still in memory, scores the words of some expected answers.

    Args:
        scores: Logarithm of each word's probability, (tokens,) for each example.
    """

    scores: tuple[torch.Tensor, ...]


def look(model: Any, tokenizer: Any, recipe: Recipe) -> Seen:
    """Return how a model scores the words of the first examples of a recipe's data.

    Args:
        model: That was trained, in memory.
        tokenizer: Its own.
        recipe: It names the data.
    """
    was_training = model.training
    model.eval()
    found = tuple(word_scores(model, each) for each in _tried(recipe, tokenizer))
    model.train(was_training)
    return Seen(found)


def after_training(folder: Path, seen: Seen | None = None) -> list[str]:
    """Return what was found when a run's model was read back and tried, a sentence each; what is wrong begins with "!".

    Args:
        folder: Of the run, with its recipe and its model.
        seen: What `look` returned of the model in memory; None to leave that out.
    """
    recipe = read_recipe(folder / "recipe.yaml")
    precision = recipe.step.precision
    try:
        model, tokenizer = load_trained(folder, precision, recipe.step.method == "qlora")
    except RepairError as error:
        return [f"! The model cannot be read back: {error}"]
    except (MemoryError, torch.OutOfMemoryError):
        return ["The model was not tried: there is no memory to read it back beside the training."]
    model.eval()
    examples = _tried(recipe, tokenizer)
    said = ["The model was read back from disk."]
    if seen is not None:
        off = difference(seen, Seen(tuple(word_scores(model, each) for each in examples)))
        said.append(_same(off, MOST_OFF[precision]))
    prompts = [each.input_ids[: each.labels.count(IGNORED)] for each in examples]
    limits = [len(each.input_ids) - len(prompt) + 64 for each, prompt in zip(examples, prompts, strict=True)]
    said += answered(replies(model, tokenizer, prompts, limits))
    del model
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return said


def word_scores(model: Any, example: Tokens) -> torch.Tensor:
    """Return the logarithm of the probability of each word of an expected answer: (tokens,) fp32, on the processor."""
    places = [place - 1 for place, label in enumerate(example.labels) if label != IGNORED and place]
    where = model.device
    wanted = torch.tensor([example.labels[place + 1] for place in places], device=where)
    with torch.inference_mode():
        out = model(
            input_ids=torch.tensor([example.input_ids], device=where), use_cache=False,
            logits_to_keep=torch.tensor(places, device=where),
        )  # fmt: skip
        found = out.logits[0].float().log_softmax(-1).gather(1, wanted[:, None])[:, 0]
    return found.cpu()


def difference(one: Seen, other: Seen) -> float:
    """Return how far two models score the same words apart: mean over all words, in nats."""
    pairs = zip(one.scores, other.scores, strict=True)
    return float(torch.cat([(first - second).abs() for first, second in pairs]).mean())


def _same(off: float, most: float) -> str:
    if off <= most:
        return f"It scores words as the trained one did, to {off:.4f} nats."
    return f"! It scores words {off:.3f} nats apart from the trained one, and {most:g} is what rounding may do."


def answered(written: Sequence[Reply]) -> list[str]:
    """Return whether a model answers, and whether it stops."""
    empty = sum(not reply.text for reply in written)
    ended = sum(reply.ended for reply in written)
    n = len(written)
    said = [f"! It says nothing to {empty} of {n} questions." if empty else f"It answers all of {n} questions."]
    if ended == n:
        return [*said, f"It stops at its end token in all of {n} answers."]
    how = "! It never stops" if not ended else f"It does not always stop ({ended} of {n} answers)"
    return [*said, f"{how} at its end token: it may need longer training, or answers of the data are cut."]


def _tried(recipe: Recipe, tokenizer: Any) -> list[Tokens]:
    """Return the first examples that were held back, else the first that were trained on, as tokens."""
    data = expanded(recipe.data)
    held_back = data / "val.jsonl"
    path = held_back if held_back.is_file() and held_back.stat().st_size else data / "train.jsonl"
    examples: list[Example] = read_examples(path, TRIED)
    return [tokens(each, tokenizer, recipe.step.length_tokens) for each in examples]
