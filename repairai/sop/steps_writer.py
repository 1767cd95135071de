"""The writer that needs no model: it answers with the steps that were found, word for word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repairai.sop.asked import kind_of, numbered_step
from repairai.sop.claims import Claim, read_claims
from repairai.sop.grammar.asking_words import ASKED_WITH
from repairai.sop.prompts import REFUSAL, Passage, answer_text

_CLOSE = 0.7
"""A sentence that holds so much of what the best one does answers too."""
_MOST = 4
_PASSING = 0.5
"""What a word counts that says how something is asked, or that stands in the guide's own name."""


class StepsWriter:
    """Answers with the steps themselves: all of them, or the sentences that hold most of what was asked."""

    name = "steps"
    length_tokens = 0

    def answer(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """Yield the answer, a line at a time."""
        kind = kind_of(question)
        tools = passages[0].tools if passages else ()
        if not passages:
            lines: list[tuple[str, int]] = []
        elif kind == "tools" and tools:
            lines = []
        elif kind == "next_step":
            lines = [(passages[-1].text, len(passages))]
        elif kind == "how_to" or numbered_step(question):
            lines = [(each.text, number) for number, each in enumerate(passages, 1)]
        else:
            lines = _chosen(question, passages)
        text = answer_text(lines, tools if kind in ("how_to", "tools") else ()) or REFUSAL
        yield from text.splitlines(keepends=True)


def _chosen(question: str, passages: Sequence[Passage]) -> list[tuple[str, int]]:
    """Return the sentences that hold most of what was asked, in order; all where none holds any of it."""
    names = {f"{each.device} {each.title}" for each in passages}
    general = {word.key for name in names for claim in read_claims(name) for word in claim.words}
    wanted = {
        word.key: _PASSING if word.text in ASKED_WITH or word.key in general else 1.0
        for claim in read_claims(question)
        for word in claim.content
    }
    said = [(claim, number) for number, each in enumerate(passages, 1) for claim in read_claims(each.text)]
    rarity = {key: weight / (1 + sum(_holds(claim, key) for claim, _ in said)) for key, weight in wanted.items()}
    scores = [sum(rarity[key] for key in wanted if _holds(claim, key)) for claim, _ in said]
    best = max(scores, default=0.0)
    if not best:
        return [(each.text, number) for number, each in enumerate(passages, 1)]
    kept = [n for n, score in enumerate(scores) if score >= _CLOSE * best]
    kept = sorted(sorted(kept, key=lambda n: -scores[n])[:_MOST])
    lines: dict[int, list[str]] = {}
    for n in kept:
        claim, number = said[n]
        before = said[n - 1] if n else None
        # What "it" is stands in the sentence before.
        if claim.refers and before is not None and before[1] == number and n - 1 not in kept:
            lines.setdefault(number, []).append(before[0].text)
        lines.setdefault(number, []).append(claim.text)
    return [(" ".join(texts), number) for number, texts in lines.items()]


def _holds(claim: Claim, key: str) -> bool:
    return any(word.key == key for word in claim.content)
