"""How a question goes to a model that answers in words, and how yes and no are told in what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from repairai.errors import RepairError

INSTRUCTION = "Answer with one word: yes or no."
LEAST_MASS = 0.1
"""Of all that a model might say first, the share that yes and no must have together to be an answer."""
EDGE = 1e-6
"""No answer is surer than this: what a model leaves no room for at all still has to be a number that can be weighed."""
MOST_LETTERS = 500
_PLAIN = re.compile(r"\W*(yes|no)\s*(?:$|[.,;:!\n*])", re.IGNORECASE)


def asked(question: str) -> str:
    """Return a question on one line, ready to be asked.

    Raises:
        RepairError: It is empty, or far too long for one.
    """
    words = " ".join(question.split())
    if not words.strip("?. "):
        raise RepairError("the question is empty", "ask one that can be answered by yes or no: Is the latch open?")
    if len(words) > MOST_LETTERS:
        raise RepairError(f"the question has {len(words)} letters", f"ask a short one, of {MOST_LETTERS} at most")
    return words


def side(token: str) -> Literal["yes", "no", ""]:
    """Return the answer that a token is; empty where it is neither."""
    word = token.strip(" \t\r\n\u2581\u0120").lower()  # the last two stand for a space in some vocabularies
    return word if word in ("yes", "no") else ""  # type: ignore[return-value]


def plain_answer(text: str) -> Literal["yes", "no", ""]:
    """Return the answer that a text begins with; empty where it is prose that gives none."""
    found = _PLAIN.match(text)
    return found[1].lower() if found else ""  # type: ignore[return-value]


def probability(scored: Iterable[tuple[str, float]]) -> float | None:
    """Return the probability of yes against no; None where both together are hardly ever said.

    Args:
        scored: What might be said first, each with its probability.
    """
    mass = {"yes": 0.0, "no": 0.0, "": 0.0}
    for token, share in scored:
        mass[side(token)] += share
    both = mass["yes"] + mass["no"]
    return None if both < LEAST_MASS else min(max(mass["yes"] / both, EDGE), 1.0 - EDGE)
