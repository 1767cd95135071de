"""An example as the tokens a model is trained on: through the tokenizer's own chat template, the answer alone labelled.

What a model is asked later is tokenised as its prompt alone, so training has to show it just these tokens, and then the
answer with the token that ends a turn. `repairai.sop.chat_template` writes the text, here as at the bench.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, cast

from transformers import AutoTokenizer

from repairai import files
from repairai.errors import RepairError
from repairai.sop.chat_template import end_of_turn, render, template_of
from repairai.sop.prompts import Message
from training.from_hub import fetched
from training.sop.examples import Example, Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is not trained on: what torch's cross entropy leaves out."""
_TOKENIZER_FILES = ["tokenizer*", "*.model", "*.jinja", "vocab*", "merges.txt", "*token*.json", "config.json"]
_LEAST_TOKENS = 8
_LEAST_ANSWER = 8
"""An answer gets at least one part in so many of the length, if it is as long as that."""


@dataclass(frozen=True)
class Tokens:
    """An example, ready for training.

    Args:
        input_ids: The prompt, the answer and the end token.
        labels: As many; `IGNORED` on the prompt, the token itself on the answer and its end.
        cut: Whether the end of the answer is missing; then no end token is trained.
        prompt_cut: Whether the middle of the prompt is missing.
    """

    input_ids: list[int]
    labels: list[int]
    cut: bool
    prompt_cut: bool = False


def tokens(example: Example, tokenizer: PreTrainedTokenizerBase, length_tokens: int) -> Tokens:
    """Return an example as tokens, at most `length_tokens` of them.

    The prompt is tokenised as it is when the agent is asked, and the whole begins with just these tokens. The end token
    of the turn is trained and is the last one: what a template puts behind it is left out, and where a template ends a
    turn with no special token, the tokenizer's own end token is put there.

    When it is too long, the end of the answer is cut, and its end token with it: a model must not learn to stop there.
    Where the prompt leaves it less than an eighth of the length, the middle of the prompt gives way: an answer is never
    lost. A passage that is cited but not seen would teach a model to invent, so no more of the prompt goes than that.

    Args:
        example: The example.
        tokenizer: The model's.
        length_tokens: At least 8.

    Raises:
        RepairError: The template cannot hold these turns, or nothing could end a turn.
    """
    if length_tokens < _LEAST_TOKENS:
        raise ValueError(f"need length_tokens from {_LEAST_TOKENS}, got {length_tokens}")
    prompt, answer = _prompt_and_answer(example.messages, tokenizer)
    room = max(length_tokens - len(prompt), length_tokens // _LEAST_ANSWER)
    kept = answer if len(answer) <= room else answer[:-1][:room]
    shown = _without_middle(prompt, length_tokens - len(kept))
    labels = [IGNORED] * len(shown) + kept
    return Tokens(shown + kept, labels, len(kept) < len(answer), len(shown) < len(prompt))


def preview(example: Example, tokenizer: PreTrainedTokenizerBase, length_tokens: int = 1_000_000) -> list[Span]:
    """Return an example as the model sees it, special tokens included, with what is trained on told apart.

    Args:
        example: The example.
        tokenizer: The model's.
        length_tokens: See `tokens`.
    """
    found = tokens(example, tokenizer, length_tokens)
    pairs = zip(found.input_ids, found.labels, strict=True)
    runs = [(trained, [token for token, _ in run]) for trained, run in groupby(pairs, lambda pair: pair[1] != IGNORED)]
    return [Span(str(tokenizer.decode(ids, clean_up_tokenization_spaces=False)), trained) for trained, ids in runs]


def give_template(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Give a tokenizer that has no chat template ours, and return whether it was given.

    A trained tokenizer is saved with it, so that any program asks the agent in the words that it was trained on.
    """
    if tokenizer.chat_template:
        return False
    tokenizer.chat_template = template_of(tokenizer)
    return True


def load_tokenizer(model: str) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a model; of one on the Hub, no weights are fetched.

    Args:
        model: A name on the Hub, or a folder.

    Raises:
        RepairError: There is none of this name, it is gated, or it cannot be fetched.
    """
    folder = files.expanded(model)
    if not folder.is_dir():
        folder = fetched(model, _TOKENIZER_FILES)
    try:
        return cast("PreTrainedTokenizerBase", AutoTokenizer.from_pretrained(folder, trust_remote_code=False))
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RepairError(f"{model} holds no tokenizer that can be read: {reason}", "give a whole model") from None


# ---- text


def _prompt_and_answer(messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the tokens of the prompt, and those of the answer with its end token."""
    before = render(tokenizer, messages[:-1], add_generation_prompt=True)
    whole = render(tokenizer, messages, add_generation_prompt=False)
    end = end_of_turn(tokenizer)
    said = _said(before, whole, messages[-1]["content"].strip())
    ends = bool(end) and end in said
    text = said[: said.rindex(end)] + end if ends else said.rstrip()
    prompt, together = _ids(before, tokenizer), _ids(before + text, tokenizer)
    # A tokenizer may join the prompt's last sign with the answer's first; then the answer is tokenised by itself.
    answer = together[len(prompt) :] if together[: len(prompt)] == prompt else _ids(text, tokenizer)
    return prompt, answer if ends else [*answer, _eos(tokenizer)]


def _said(before: str, whole: str, answer: str) -> str:
    """Return what the template writes behind the prompt."""
    if whole.startswith(before):
        return whole[len(before) :]
    start = whole.rfind(answer)  # it opens a turn that is to be answered otherwise than one that was
    if start < 0:
        raise RepairError("the chat template changes the words of the answer", "choose another model")
    return whole[start:]


def _eos(tokenizer: PreTrainedTokenizerBase) -> int:
    if tokenizer.eos_token_id is None:
        raise RepairError(
            f"the tokenizer {tokenizer.name_or_path} has no end token: a model trained with it would never stop",
            "choose an instruct model, or set eos_token in its tokenizer_config.json",
        )
    return cast(int, tokenizer.eos_token_id)


def _ids(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    # The template has written the special tokens itself, the one at the beginning included.
    return cast("list[int]", tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) if text else []


def _without_middle(prompt: list[int], length: int) -> list[int]:
    """Return a prompt of at most so many tokens: who speaks stands at its beginning, what is asked at its end."""
    if len(prompt) <= length:
        return prompt
    start = length // 3
    return prompt[:start] + prompt[len(prompt) - (length - start) :]
