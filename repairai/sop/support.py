"""Whether the steps that were found hold what an answer says, sentence by sentence; pure Python.

A sentence stands where one step says it: each of its words of weight is there (or one that may stand for it), its
numbers, sizes and sides belong to the same things, what it does is done to the same things, and neither denies what the
other says. Steps never say it in quite the same words, so words that assert nothing ("carefully", "make sure that") are
not asked for. Whatever fails is marked with the reason; nothing is taken on trust.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from repairai.sop.agreement import Miss, among, disagreement
from repairai.sop.claims import Claim, Word, read_claims, sides
from repairai.sop.prompts import AnswerLine, Passage, read_answer

Kind = Literal["tool", "sentence", "refusal"]
_MARKDOWN = re.compile(r"^\s*(?:[-*•#>]+\s+)+|\*\*|__|`")
_NAMED = re.compile(r"[\[(]\s*(?:steps?|passages?)\s+(\d{1,4}(?:\s*(?:,|and|&)\s*\d{1,4})*)\s*[\])]", re.IGNORECASE)
_HEADING = re.compile(r"^\s*step\s+\d+\s*[:.)-]\s*", re.IGNORECASE)
_OWN_SHARE = 0.5
"""Of a sentence's words that have to stand in one sentence of a step, where that refers to what was named before it."""
_DISAGREES = 0.3
"""Up to this distance a sentence of a step holds every word and says something else with them."""


@dataclass(frozen=True)
class Checked:
    """One sentence of an answer, or one tool that it names, held against the steps.

    Args:
        text: What the answer says, without the numbers of passages.
        cited: The passages that say so, counted from 1: those that the answer names if they do, else those that do.
        supported: Whether a passage says so, or nothing is asserted.
        why: What is wrong, or what was mended; empty where nothing is.
        kind: What it is.
        item: Which line of the answer it belongs to, from 0.
    """

    text: str
    cited: tuple[int, ...]
    supported: bool
    why: str = ""
    kind: Kind = "sentence"
    item: int = 0


@dataclass(frozen=True)
class _Said:
    """A sentence of a step, with what the one before it names where it refers to that."""

    claim: Claim
    before: tuple[Word, ...] = ()


def check(answer_text: str, passages: Sequence[Passage]) -> tuple[Checked, ...]:
    """Return an answer's tools and sentences, in order, each with whether the passages hold it.

    Args:
        answer_text: Whatever a model wrote.
        passages: Those that it was given, in their order.
    """
    answer = read_answer(_plain(answer_text))
    evidence = _Evidence(passages)
    found = [evidence.tool(tool) for tool in answer.tools]
    for item, line in enumerate(answer.lines, 1 if answer.tools else 0):
        if answer.refused:
            found.append(Checked(line.text, (), True, kind="refusal", item=item))
        else:
            found += [replace(each, item=item) for each in evidence.line(line)]
    return tuple(found)


class _Evidence:
    """The passages as what they assert."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self.said = [_said_in(each.text) for each in passages]
        self.devices = tuple(word for device in {each.device for each in passages} for word in _content(device))
        tools = dict.fromkeys(tool for each in passages for tool in each.tools)
        self.tools = [_content(tool) for tool in tools]
        titles = dict.fromkeys(f"{each.title} {each.device}" for each in passages)
        # What is true of the whole guide stands in no step: what it is about, and what it needs.
        self.whole = [said for text in (*titles, ", ".join(tools)) for said in _said_in(text)]

    def tool(self, name: str) -> Checked:
        """Hold a tool against those of the guide, and those that its steps name."""
        wanted = _content(name)
        listed = any(_holds(theirs, wanted) for theirs in self.tools)
        at = [n for n, said in enumerate(self.said, 1) if any(_holds(each.claim.content, wanted) for each in said)]
        if wanted and (listed or at):
            return Checked(name, () if listed else (at[0],), True, kind="tool")
        return Checked(name, (), False, f"the guide names no tool “{name}”", kind="tool")

    def line(self, line: AnswerLine) -> Iterator[Checked]:
        """Yield each sentence of a line of the answer, held against the passages that the line names, else all."""
        named = [number for number in line.cited if 1 <= number <= len(self.passages)]
        absent = [number for number in line.cited if number not in named]
        for claim in read_claims(line.text):
            if any(letter.isalpha() for letter in claim.text):
                yield self._sentence(claim, named, absent)

    def _sentence(self, claim: Claim, named: list[int], absent: list[int]) -> Checked:
        if not claim.content:
            return Checked(claim.text, tuple(named), True)
        there = self._stands(claim, named)
        if isinstance(there, tuple):
            return Checked(claim.text, there, True)
        if there.contradicts:
            return Checked(claim.text, tuple(named), False, there.why)
        elsewhere = self._stands(claim, [n for n in range(1, len(self.passages) + 1) if n not in named])
        if isinstance(elsewhere, tuple):
            wrong = ", ".join(map(str, [*named, *absent]))
            why = f"the answer names {wrong}, but {' and '.join(map(str, elsewhere))} says it" if wrong else ""
            return Checked(claim.text, elsewhere, True, why if elsewhere else "")
        nearest = min(there, elsewhere, key=lambda miss: miss.distance)
        return Checked(claim.text, tuple(named), False, nearest.why)

    def _stands(self, claim: Claim, numbers: Sequence[int]) -> tuple[int, ...] | Miss:
        """Return the passages among `numbers` that say it: in one sentence, else statement by statement."""
        whole = self._best(claim, numbers)
        statements = claim.statements()
        if not isinstance(whole, Miss) or len(statements) < 2 or (whole.contradicts and whole.distance <= _DISAGREES):
            return whole
        found: dict[int, None] = {}
        for statement in statements:
            part = self._best(statement, numbers)
            if isinstance(part, Miss):
                return part
            found.update(dict.fromkeys(part))
        return tuple(sorted(found))

    def _best(self, claim: Claim, numbers: Sequence[int]) -> tuple[int, ...] | Miss:
        nearest = Miss(9.0, "no step that was found says this", contradicts=False)
        for number in numbers:
            for said in self.said[number - 1]:
                miss = _compared(claim, said, self.devices)
                if miss is None:
                    return (number,)
                nearest = min(nearest, miss, key=lambda each: each.distance)
        if any(_compared(claim, said, self.devices) is None for said in self.whole):
            return ()
        return nearest


def _compared(ours: Claim, said: _Said, devices: Sequence[Word]) -> Miss | None:
    """Return why a sentence of a step does not say what is claimed; None where it does."""
    theirs = said.claim
    missing = [word for word in ours.content if not among(word, theirs.content) and not among(word, devices)]
    share = len(missing) / len(ours.content)
    missing = [word for word in missing if share > _OWN_SHARE or not among(word, said.before)]
    if not missing:
        return disagreement(ours, theirs, devices)
    words = " and ".join(f"“{word.text}”" for word in missing[:2])
    if share < 1 and all(word.kind != "word" or word.key in sides() for word in missing):
        return Miss(share, f"the step does not say {words}: “{theirs.text}”")
    why = "no step that was found says this" + (f": {words} is not there" if share < 1 else "")
    return Miss(share, why, contradicts=False)


def _holds(theirs: Sequence[Word], wanted: Sequence[Word]) -> bool:
    return all(among(word, theirs) for word in wanted)


def _content(text: str) -> tuple[Word, ...]:
    return tuple(word for claim in read_claims(text) for word in claim.content)


@lru_cache(maxsize=2000)
def _said_in(text: str) -> tuple[_Said, ...]:
    claims = read_claims(text)
    before = [(), *(claim.content for claim in claims)]
    return tuple(_Said(claim, named if claim.refers else ()) for claim, named in zip(claims, before, strict=False))


def _plain(text: str) -> str:
    """Return an answer without Markdown, its passages named as ours are: "(step 2)" becomes "[2]"."""
    lines = [_HEADING.sub("", _MARKDOWN.sub("", line)) for line in text.splitlines()]
    return _NAMED.sub(lambda found: f"[{re.sub(r'[^0-9]+', ',', found[1]).strip(',')}]", "\n".join(lines))
