"""Draws as many examples of yes as of no to train on, question by question."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Sequence

from repairai.judge.questions import key
from repairai.judge.state_set import StateExample


def balanced(
    examples: Sequence[StateExample], seed: int, there: Collection[StateExample] = ()
) -> tuple[StateExample, ...]:  # fmt: skip
    """Return examples of which those to train on answer yes as often as no; `val` and `test` stay as they are.

    What is measured on these does not depend on how many there are of each answer, and each of them is worth having.
    Of a question that has one answer alone nothing is drawn.

    Args:
        examples: In their order, which stays.
        seed: Of the choice.
        there: Those that stay in any case.
    """
    stays = set(there)
    chosen = random.Random(seed)
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: {"yes": [], "no": []})
    for number, each in enumerate(examples):
        if each.split == "train":
            groups[key(each.question)][each.answer].append(number)
    out: set[int] = set()
    for name in sorted(groups):
        most, least = sorted(groups[name].values(), key=len, reverse=True)
        free = [number for number in most if examples[number] not in stays]
        if least:
            out.update(chosen.sample(free, min(len(most) - len(least), len(free))))
    return tuple(each for number, each in enumerate(examples) if number not in out)
