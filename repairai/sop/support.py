"""Whether the steps that were found hold what an answer says, sentence by sentence; pure Python.

A sentence stands where one step says it: each of its words of weight is there (or one that may stand for it), its
numbers, sizes and sides belong to the same things, what it does is done to the same things, and neither denies what the
other says. Steps never say it in quite the same words, so words that assert nothing ("carefully", "make sure that") are
not asked for. Whatever fails is marked with the reason; nothing is taken on trust.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from repairai.sop.claims import Claim, Word, actions, heads, opposite, read_claims, sides, turned, turns
from repairai.sop.prompts import AnswerLine, Passage, read_answer

Kind = Literal["tool", "sentence", "refusal"]
_MARKDOWN = re.compile(r"^\s*(?:[-*•#>]+\s+)+|\*\*|__|`")
_NAMED = re.compile(r"[\[(]\s*(?:steps?|passages?)\s+(\d{1,4}(?:\s*(?:,|and|&)\s*\d{1,4})*)\s*[\])]", re.IGNORECASE)
_HEADING = re.compile(r"^\s*step\s+\d+\s*[:.)-]\s*", re.IGNORECASE)
_BEHIND, _AROUND = 5, 5
"""Words of weight within which a number finds its thing in a sentence, and a verb what it acts upon in a step."""
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


@dataclass(frozen=True)
class _Miss:
    """Why a statement does not stand in a sentence of a step; the smaller `distance`, the nearer it came.

    One that `contradicts` is about the same as that sentence and disagrees with it.
    """

    distance: float
    why: str
    contradicts: bool = True


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

    def _stands(self, claim: Claim, numbers: Sequence[int]) -> tuple[int, ...] | _Miss:
        """Return the passages among `numbers` that say it: in one sentence, else statement by statement."""
        whole = self._best(claim, numbers)
        statements = claim.statements()
        if not isinstance(whole, _Miss) or len(statements) < 2 or (whole.contradicts and whole.distance <= _DISAGREES):
            return whole
        found: dict[int, None] = {}
        for statement in statements:
            part = self._best(statement, numbers)
            if isinstance(part, _Miss):
                return part
            found.update(dict.fromkeys(part))
        return tuple(sorted(found))

    def _best(self, claim: Claim, numbers: Sequence[int]) -> tuple[int, ...] | _Miss:
        nearest = _Miss(9.0, "no step that was found says this", contradicts=False)
        for number in numbers:
            for said in self.said[number - 1]:
                miss = _compared(claim, said, self.devices)
                if miss is None:
                    return (number,)
                nearest = min(nearest, miss, key=lambda each: each.distance)
        if any(_compared(claim, said, self.devices) is None for said in self.whole):
            return ()
        return nearest


def _compared(ours: Claim, said: _Said, devices: Sequence[Word]) -> _Miss | None:
    """Return why a sentence of a step does not say what is claimed; None where it does."""
    theirs = said.claim
    missing = [word for word in ours.content if not _among(word, theirs.content) and not _among(word, devices)]
    share = len(missing) / len(ours.content)
    missing = [word for word in missing if share > _OWN_SHARE or not _among(word, said.before)]
    quote = f": “{theirs.text}”"
    if missing:
        words = " and ".join(f"“{word.text}”" for word in missing[:2])
        if share < 1 and all(word.kind != "word" or word.key in sides() for word in missing):
            return _Miss(share, f"the step does not say {words}{quote}")
        why = "no step that was found says this" + (f": {words} is not there" if share < 1 else "")
        return _Miss(share, why, contradicts=False)
    for word in ours.content:
        at = [other for other in theirs.content if other.same(word)]
        if at and all(other.denied != word.denied for other in at):
            return _Miss(0.1, f"the step says the opposite{quote}")
        if at and not word.under and all(other.under in ("before", "until", "unless") for other in at):
            return _Miss(0.1, f"the step does not ask for “{word.text}”, it only says when{quote}")
    if said_round := _turned_round(ours.words, theirs.words):
        return _Miss(0.2, f"the step does not say “{said_round}” of this{quote}")
    if _out_of_order(ours, theirs):
        return _Miss(0.2, f"the step says it in another order{quote}")
    for place, word in enumerate(ours.content):
        if not _among(word, devices) and not _belongs(ours.content, place, theirs.content):
            return _Miss(0.3, f"the step says “{word.text}” of something else{quote}")
    return None


def _turned_round(ours: Sequence[Word], theirs: Sequence[Word]) -> str:
    """Return a side that is said more often than the step does, or a word whose opposite the step has in its place."""
    counts, directions = [Counter(word.key for word in words) for words in (ours, theirs)], [turns(ours), turns(theirs)]
    for word in ours:
        more = counts[0][word.key] > counts[1][word.key]
        undone = turned().get(word.key, "")
        if more and word.key in sides() and counts[1][word.key]:
            return word.text
        if more and undone and counts[1][undone] > counts[0][undone]:
            return word.text
        gained = word.kind == "small" and directions[0][word.key] > directions[1][word.key]
        if gained and any(directions[1][far] > directions[0][far] for far in opposite(word.key)):
            return word.text
    return ""


def _out_of_order(ours: Claim, theirs: Claim) -> bool:
    """Tell whether "A before B" is claimed where the step does not say so, nor names A first."""
    order = next((word.key for word in ours.words if word.key in ("before", "after")), "")
    held = {word.key for word in theirs.words} | {word.under for word in theirs.words}
    if not order or order in held:
        return False
    if held & {"until", "unless", "before", "after"} or any(text in theirs.text.split() for text in ("when", "once")):
        return True
    first = [word for word in ours.content if bool(word.under) == (order == "after")]
    then = [word for word in ours.content if word not in first]
    places = [[n for n, word in enumerate(theirs.content) if _among(word, part)] for part in (first, then)]
    return all(places) and min(places[0]) > min(places[1])


def _belongs(ours: Sequence[Word], place: int, theirs: Sequence[Word]) -> bool:
    """Tell whether a number, a size, a side or a verb has the same thing beside it in a step."""
    word = ours[place]
    places = [n for n, other in enumerate(theirs) if other.same(word)]
    if not places:
        return True
    if word.kind == "word" and (word.key in actions() or word.also):
        near = _acted_upon(ours, place)
        return not near or any(_meet(near, _around(theirs, n, _AROUND, _AROUND)) for n in places)
    if word.kind == "word" and word.key in sides():
        return any(_same_side(ours, place, theirs, n) for n in places)
    if word.kind == "word":
        return True
    return any(_same_thing(ours, place, theirs, n) for n in places)


def _acted_upon(ours: Sequence[Word], place: int) -> list[Word]:
    """Return what a verb acts upon: the words behind it, else those before it ("the screws are removed")."""
    clause = ours[place].clause
    named = [
        n for n, word in enumerate(ours) if word.clause == clause and word.kind == "word" and word.key not in sides()
    ]
    behind = [ours[n] for n in named if n > place]
    return behind[:_BEHIND] or [ours[n] for n in named if n < place][-_BEHIND:]


def _same_side(ours: Sequence[Word], place: int, theirs: Sequence[Word], at: int) -> bool:
    """Tell whether a side is of the same thing: "upper left" is not "upper right", the left ear no left pad."""
    ours_next, theirs_next = _next(ours, place), _next(theirs, at)
    if ours_next is None or theirs_next is None:
        return True
    if ours_next.key in sides():
        return ours_next.same(theirs_next)
    noun = next((word for word in ours[place + 1 :] if word.kind == "word" and word.key not in sides()), ours_next)
    nearby = theirs[at + 1 : at + 1 + _BEHIND]
    return any(noun.same(other) for other in nearby) or all(other.key in sides() for other in nearby[:1])


def _same_thing(ours: Sequence[Word], place: int, theirs: Sequence[Word], at: int) -> bool:
    """Tell whether a number or a size counts or measures the same thing."""
    word, behind = ours[place], [each for each in ours[place + 1 :] if each.clause == ours[place].clause]
    size = next((each for each in behind[:2] if each.kind == "size"), None) if word.kind == "number" else None
    next_theirs = _next(theirs, at)
    if size is not None and next_theirs is not None and next_theirs.kind == "size" and not next_theirs.same(size):
        return False
    nouns = [each for each in behind if each.kind == "word" and each.key not in heads() | sides()]
    before = [each for each in ours[:place] if each.clause == word.clause]
    near = [*nouns[:2], *([size] if size else [])] or behind[:1] or before[-2:]
    around = _around(theirs, at, 2, _BEHIND)
    return not near or not around or _meet(near, around)


def _around(words: Sequence[Word], at: int, before: int, behind: int) -> list[Word]:
    """Return the words around one in its own statement; all around where it stands there alone."""
    near = [*words[max(0, at - before) : at], *words[at + 1 : at + 1 + behind]]
    return [word for word in near if word.clause == words[at].clause] or near


def _next(words: Sequence[Word], place: int) -> Word | None:
    """Return the next word of the same statement."""
    following = words[place + 1] if place + 1 < len(words) else None
    return following if following is not None and following.clause == words[place].clause else None


def _meet(near: Iterable[Word], theirs: Sequence[Word]) -> bool:
    return any(word.same(other) for word in near for other in theirs)


def _among(word: Word, theirs: Iterable[Word]) -> bool:
    return any(word.same(other) for other in theirs)


def _holds(theirs: Sequence[Word], wanted: Sequence[Word]) -> bool:
    return all(_among(word, theirs) for word in wanted)


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
