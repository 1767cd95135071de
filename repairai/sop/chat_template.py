"""How messages become the one text that a model reads, in training and at the bench: through the model's own template.

Pure: it works on any tokenizer of transformers that it is handed, and imports none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2

from repairai.errors import RepairError
from repairai.sop.prompts import Message

DEFAULT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'system' -%}{{ message['content'] + '\\n\\n' }}"
    "{%- elif message['role'] == 'user' -%}{{ '### User:\\n' + message['content'] + '\\n\\n' }}"
    "{%- else -%}{{ '### Assistant:\\n' + message['content'] + eos_token + '\\n' }}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '### Assistant:\\n' }}{%- endif -%}"
)
"""For models that come without one: it needs no token that the model does not have, and ends turns with its end token.

What begins a text is not in it; see `template_of`.
"""
_FIXED = {"enable_thinking": False, "date_string": "01 Jan 2026"}
"""Templates that can let the model think aloud (Qwen 3) are told not to, and those that put today's date into every
prompt (Llama 3.2) get one date for good: the same question has to be the same text tomorrow."""
_LAST = "zebra"


def template_of(tokenizer: Any) -> str:
    """Return a tokenizer's chat template, else our own for it: with its begin token, if it is one to begin texts so.

    A tokenizer that is saved with this as its `chat_template` can be asked by any other program too.
    """
    own = tokenizer.chat_template
    if isinstance(own, dict):
        own = own.get("default") or next(iter(own.values()), "")
    if own:
        return str(own)
    begins = tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return ("{{- bos_token -}}" if begins else "") + DEFAULT_TEMPLATE


def render(tokenizer: Any, messages: Sequence[Message], add_generation_prompt: bool) -> str:
    """Return messages as the text that the model reads, its special tokens in it: encode without adding any.

    A template that knows no system turn, or silently leaves it out, gets it at the top of the person's turn. Special
    tokens that stand in what people wrote are taken out: no guide can end a turn or begin one.

    Args:
        tokenizer: Of transformers.
        messages: At least one.
        add_generation_prompt: End with what begins the assistant's turn.

    Raises:
        RepairError: The model's template cannot hold this conversation.
    """
    plain = [_plain(message, _specials(tokenizer)) for message in messages]
    template = template_of(tokenizer)
    try:
        text = _rendered(tokenizer, plain, template, add_generation_prompt)
        if plain[0]["role"] != "system" or plain[0]["content"].strip() in text:
            return text
    except jinja2.TemplateError:
        if plain[0]["role"] != "system":
            raise _refused(tokenizer) from None
    try:
        return _rendered(tokenizer, _merged(plain), template, add_generation_prompt)
    except jinja2.TemplateError:
        raise _refused(tokenizer) from None


def end_of_turn(tokenizer: Any) -> str:
    """Return the special token that the template puts behind what the assistant says; empty where it puts none."""
    turns: list[Message] = [{"role": "user", "content": "a"}, {"role": "assistant", "content": _LAST}]
    after = render(tokenizer, turns, add_generation_prompt=False).rpartition(_LAST)[2].lstrip()
    return max((token for token in _specials(tokenizer) if after.startswith(token)), key=len, default="")


def _rendered(tokenizer: Any, messages: Sequence[Message], template: str, add_generation_prompt: bool) -> str:
    text = tokenizer.apply_chat_template(
        list(messages), chat_template=template, tokenize=False, add_generation_prompt=add_generation_prompt, **_FIXED
    )
    return str(text)


def _merged(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with the system's words at the top of the first that follows."""
    system, first, *others = messages
    return [{"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}, *others]


def _specials(tokenizer: Any) -> tuple[str, ...]:
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return tuple(dict.fromkeys(filter(str.strip, (*added, *tokenizer.all_special_tokens))))


def _plain(message: Message, specials: Sequence[str]) -> Message:
    """Return a message without special tokens, not even such as come together when others are taken out."""
    content = message["content"]
    while found := [token for token in specials if token in content]:
        for token in found:
            content = content.replace(token, "")
    return {"role": message["role"], "content": content}


def _refused(tokenizer: Any) -> RepairError:
    name = str(getattr(tokenizer, "name_or_path", "")) or "the model"
    return RepairError(
        f"the chat template of {name} cannot hold a question and its answer",
        "choose a model that answers questions: their names often end in Instruct",
    )
