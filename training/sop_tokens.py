"""An example as the tokens a model is trained on: through the tokenizer's own chat template, the answer alone labelled.

What a model is asked later is tokenised as its prompt alone, so training has to show it just these tokens, and then the
answer with the token that ends a turn. Templates differ: some know no system's turn, some add a newline behind the end
token, some end a turn with nothing; what becomes of each is said at `tokens`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, cast

from jinja2 import TemplateError
from transformers import AutoTokenizer

from repairai import files
from repairai.errors import RepairError
from repairai.sop.prompts import Message
from training.from_hub import fetched
from training.sop_examples import Example, Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is not trained on: what torch's cross entropy leaves out."""
PLAIN_TEMPLATE = """\
{{ bos_token or '' }}{% for message in messages %}### {{ message['role'] | capitalize }}:
{{ message['content'] | trim }}{{ (eos_token or '') if message['role'] == 'assistant' else '' }}

{% endfor %}{% if add_generation_prompt %}### Assistant:
{% endif %}"""
"""The chat template for a tokenizer that has none: a heading a turn, and the end token behind each answer."""
TEMPLATE_WORDS = {"enable_thinking": False}
"""Given to every template, in training and when the agent is asked: Qwen 3 and its like are to answer at once."""
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
    of the turn is trained and is the last one; where the template ends a turn with no special token, the tokenizer's
    own end token is put there. A template that takes no system's turn gets its words in front of the first user's turn.
    A tokenizer without a template gets `PLAIN_TEMPLATE`.

    When it is too long, the end of the answer is cut, and its end token with it: a model must not learn to stop there.
    Where the prompt leaves it less than an eighth of the length, the middle of the prompt gives way: an answer is never
    lost. A passage that is cited but not seen would teach a model to invent, so no more of the prompt goes than that.

    Args:
        example: The example.
        tokenizer: The model's.
        length_tokens: At least 8.

    Raises:
        RepairError: The template does not take these turns, or nothing could end a turn.
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
    """Give a tokenizer that has no chat template the plain one, and return whether it was given.

    A trained tokenizer is saved with it, so that the agent is asked in the words that it was trained on.
    """
    if tokenizer.chat_template:
        return False
    tokenizer.chat_template = PLAIN_TEMPLATE
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
    turns = _without_system(messages) if _knows_no_system(messages, tokenizer) else list(messages)
    before, whole = _written(turns[:-1], tokenizer, asked=True), _written(turns, tokenizer)
    said, behind = _split_at_end(before, whole, turns[-1]["content"])
    prompt = _ids(before, tokenizer)
    end, tail = _end_of_turn(behind, tokenizer)
    text = said + (behind if tail else "")
    together = _ids(before + text, tokenizer)
    # A tokenizer may join the prompt's last sign with the answer's first; then the answer is tokenised by itself.
    answer = together[len(prompt) :] if together[: len(prompt)] == prompt else _ids(text, tokenizer)
    return prompt, [*(answer[:-tail] if tail else answer), end]


def _split_at_end(before: str, whole: str, answer: str) -> tuple[str, str]:
    """Return what follows the prompt up to the end of the answer's words, and what the template puts behind them."""
    words = answer.strip()
    start = whole.rfind(words)
    if start < 0:
        raise RepairError("the chat template changes the words of the answer", "choose another model or template")
    behind = whole[start + len(words) :]
    if whole.startswith(before):  # else the template writes a last turn otherwise when an answer follows
        return whole[len(before) : start + len(words)], behind
    return words, behind


def _end_of_turn(behind: str, tokenizer: PreTrainedTokenizerBase) -> tuple[int, int]:
    """Return the token that ends the answer's turn, and how many tokens it and what follows are; 0: none is there."""
    special = set(tokenizer.all_special_ids)
    special |= {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    tail = _ids(behind, tokenizer)
    for place, token in enumerate(tail):
        if token in special:
            return token, len(tail) - place
    if tokenizer.eos_token_id is None:
        raise RepairError(
            f"the tokenizer {tokenizer.name_or_path} has no end token: a model trained with it would never stop",
            "choose an instruct model, or set eos_token in its tokenizer_config.json",
        )
    return cast(int, tokenizer.eos_token_id), 0


def _knows_no_system(messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether the template refuses or leaves out the system's turn that these messages begin with."""
    if messages[0]["role"] != "system":
        return False
    try:
        text = _render(messages[:-1], tokenizer, asked=True)
    except TemplateError:
        return True
    return messages[0]["content"].strip() not in text


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Return the turns with the system's words in front of the first user's."""
    system, *others = messages
    for place, each in enumerate(others):
        if each["role"] == "user":
            joined: Message = {"role": "user", "content": f"{system['content'].strip()}\n\n{each['content']}"}
            return [*others[:place], joined, *others[place + 1 :]]
    return [{"role": "user", "content": system["content"]}, *others]


def _written(messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, asked: bool = False) -> str:
    try:
        return _render(messages, tokenizer, asked)
    except TemplateError as error:
        turns = ", ".join(message["role"] for message in messages)
        raise RepairError(
            f"the chat template of {tokenizer.name_or_path} does not take the turns {turns}: {error}",
            "leave such conversations out, or choose another model",
        ) from None


def _render(messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, asked: bool) -> str:
    template = None if tokenizer.chat_template else PLAIN_TEMPLATE
    turns = [dict(message) for message in messages]
    text = tokenizer.apply_chat_template(
        turns, chat_template=template, tokenize=False, add_generation_prompt=asked, **TEMPLATE_WORDS
    )
    return str(text)


def _ids(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    # The template has written the special tokens itself, the one at the beginning included.
    return cast("list[int]", tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) if text else []


def _without_middle(prompt: list[int], length: int) -> list[int]:
    """Return a prompt of at most so many tokens: who speaks stands at its beginning, what is asked at its end."""
    if len(prompt) <= length:
        return prompt
    start = length // 3
    return prompt[:start] + prompt[len(prompt) - (length - start) :]
