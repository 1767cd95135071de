"""Which warnings of the steps an answer leaves out: a person has to see them whatever a model makes of the steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from repairai.sop.claims import read_claims
from repairai.sop.prompts import Passage

_WARNING = re.compile(r"\bCaution:\s+(.*?)(?=\s+(?:Note|Remember|Caution):\s|$)", re.DOTALL)
_KEPT = 0.6
"""Of a warning's words of weight, from here on an answer repeats it."""


def warnings_left_out(passages: Sequence[Passage], said: Sequence[str]) -> list[tuple[Passage, str]]:
    """Return the warnings of passages that none of the sentences said repeats, with the passage of each.

    Args:
        passages: Those that count.
        said: Sentences of the answer.
    """
    held = {word.key for text in said for claim in read_claims(text) for word in claim.content}
    return [(passage, text) for passage in passages for text in _warnings(passage.text) if not _repeated(text, held)]


def _warnings(text: str) -> Iterator[str]:
    """Yield the warnings of a step; `prompts.step_text` marks where one begins, and the next mark ends it."""
    for found in _WARNING.finditer(text):
        yield found[1].strip()


def _repeated(text: str, held: set[str]) -> bool:
    wanted = {word.key for claim in read_claims(text) for word in claim.content}
    return not wanted or len(wanted & held) / len(wanted) >= _KEPT
