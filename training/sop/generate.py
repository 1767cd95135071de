"""Answers of a language model to many prompts, several at once and greedy; and the loss of what it should answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList


@dataclass(frozen=True)
class Reply:
    """What a model wrote.

    Args:
        text: Without special tokens.
        tokens: How many it wrote, its end token not counted.
        ended: Whether it ended by its end token, within what it was allowed.
    """

    text: str
    tokens: int
    ended: bool


class _Limits(StoppingCriteria):
    """Ends each answer of a batch at a limit of its own, and asks with each word whether to go on."""

    def __init__(self, prompt: int, limits: torch.Tensor, check: Callable[[], None]) -> None:
        self.ends = limits + prompt
        self.check = check

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        self.check()
        return self.ends <= input_ids.shape[1]


def _go_on() -> None:
    """Ask for nothing."""


def replies(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], limits: Sequence[int],
    check: Callable[[], None] = _go_on,
) -> list[Reply]:  # fmt: skip
    """Return the answers to prompts that go through at once, always the likeliest word.

    Args:
        model: That writes text; in evaluation mode.
        tokenizer: Its own.
        prompts: Token ids of each.
        limits: Longest answer to each, in tokens.
        check: Called with each word; what it raises ends all of it.
    """
    stops = end_tokens(model, tokenizer)
    # One token of fill at least: on a processor torch's attention is twice as slow without a mask as with one, when
    # heads share keys (measured: SmolLM2, 450 tokens, torch 2.13), and without fill transformers gives it none.
    longest = max(map(len, prompts)) + (model.device.type == "cpu")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(stops)
    ids = torch.full((len(prompts), longest), pad)
    seen = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        seen[row, longest - len(prompt) :] = 1
    where = model.device
    ends = torch.tensor(limits, device=where)
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(where),
            attention_mask=seen.to(where),
            max_new_tokens=max(limits),
            do_sample=False,
            num_beams=1,
            use_cache=True,
            eos_token_id=sorted(stops),
            pad_token_id=pad,
            stopping_criteria=StoppingCriteriaList([_Limits(longest, ends, check)]),
            temperature=None, top_p=None, top_k=None, repetition_penalty=None,
        )  # fmt: skip
    rows = out[:, longest:].tolist()
    return [_reply(row[:limit], stops, tokenizer) for row, limit in zip(rows, limits, strict=True)]


def end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Return the tokens that end an answer: those that the model was made with, and the tokenizer's own."""
    named = model.generation_config.eos_token_id
    found = {named} if isinstance(named, int) else set(named or ())
    return found | ({tokenizer.eos_token_id} if tokenizer.eos_token_id is not None else set())


def _reply(row: list[int], stops: set[int], tokenizer: Any) -> Reply:
    at = next((place for place, token in enumerate(row) if token in stops), None)
    kept = row if at is None else row[:at]
    text = tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Reply(text.strip(), len(kept), at is not None)


def answer_loss(model: Any, input_ids: Sequence[int], labels: Sequence[int]) -> tuple[float, int]:
    """Return the loss of an expected answer, summed over its tokens in nats, and how many they are.

    Only the words of the answer are scored, none of the prompt.

    Args:
        model: That writes text; in evaluation mode.
        input_ids: The prompt and the answer.
        labels: As many; -100 where a token is no part of the answer.
    """
    places = [place - 1 for place, label in enumerate(labels) if label >= 0 and place]
    if not places:
        return 0.0, 0
    where = model.device
    wanted = torch.tensor([labels[place + 1] for place in places], device=where)
    with torch.inference_mode():
        out = model(
            input_ids=torch.tensor([input_ids], device=where), use_cache=False,
            logits_to_keep=torch.tensor(places, device=where),
        )  # fmt: skip
        loss = torch.nn.functional.cross_entropy(out.logits[0].float(), wanted, reduction="sum")
    return float(loss), len(places)
