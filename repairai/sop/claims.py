"""A sentence as what it asserts: its words of weight, numbers and sizes, each with whether it is said or denied."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from repairai.sop.grammar import sameness
from repairai.sop.grammar.quantities import NUMBER_WORDS
from repairai.sop.grammar.tokens import Token, read_sentences
from repairai.sop.grammar.words import HEADS, KINDS, is_adverb
from repairai.sop.index.files import analyzer

Kind = Literal["word", "small", "number", "size"]
_SIZE = re.compile(r"^(phillips|philips|phillip|ph|jis|torx|tx|t|hex|pz|size|no\.?|number)?[-#]*([\d./-]+)(.*)$")
_UNITS = (("millimeters", "mm"), ("millimeter", "mm"), ("millimetres", "mm"), ("millimetre", "mm"), ("inches", '"'),
          ("inch", '"'), ("in", '"'), ("''", '"'), ("”", '"'), ("″", '"'))  # fmt: skip
_NUMBERED = re.compile(r"^\d+(st|nd|rd|th)$")
_NUMBERS = NUMBER_WORDS | {"both": 2}
_TOGETHER = (sameness.TAKEN_OUT, sameness.MOVED_OUT, sameness.PUT_IN, sameness.SHUT_DOWN)
_WITHIN = 5
"""Words behind a verb within which the rest of it stands: "take the four screws out"."""


@dataclass(frozen=True)
class Word:
    """One thing that a sentence says.

    Args:
        key: Its stem; a number in digits; a size without blanks.
        kind: A small word turns a sentence round ("off", "before") but asserts nothing by itself.
        text: As it was written.
        also: What it means together with another word: `takeout` for "lift ... out"; else empty.
        denied: Whether it stands where the sentence says no.
        under: The "before", "after", "until" or "unless" that it stands behind; else empty.
        clause: Which statement of its sentence it belongs to, from 0.
        leads: Whether the next word of weight stands right behind it, so that they may be one name: "battery door".
    """

    key: str
    kind: Kind
    text: str
    also: str = ""
    denied: bool = False
    under: str = ""
    clause: int = 0
    leads: bool = False

    def same(self, other: Word) -> bool:
        """Tell whether one may stand for the other."""
        if self.kind != other.kind:
            return False
        if self.kind != "word":
            return self.key == other.key
        return any(same(one, two) for one in (self.key, self.also) if one for two in (other.key, other.also) if two)


@dataclass(frozen=True)
class Claim:
    """What one sentence asserts.

    Args:
        text: The sentence.
        words: What it says, in order.
        refers: Whether it is also about what the sentence before it names.
    """

    text: str
    words: tuple[Word, ...]
    refers: bool = False

    @property
    def content(self) -> tuple[Word, ...]:
        """Return the words that a step has to hold for the claim to be true of it."""
        return tuple(word for word in self.words if word.kind != "small")

    def statements(self) -> tuple[Claim, ...]:
        """Return the sentence cut into statements that stand by themselves."""
        cut: list[list[Word]] = []
        for number in sorted({word.clause for word in self.words}):
            words = [word for word in self.words if word.clause == number]
            if cut and all(word.kind != "word" or word.key in sides() for word in words):
                cut[-1] += words  # "by hand, clockwise" is one statement
            else:
                cut.append(words)
        return tuple(Claim(self.text, tuple(words)) for words in cut if any(word.kind != "small" for word in words))


def read_claims(text: str) -> tuple[Claim, ...]:
    """Return the claims of a text, one for each sentence, in order."""
    for two, one in sameness.PHRASES:
        text = re.sub(two, one, text, flags=re.IGNORECASE)
    return tuple(_read(text, tokens) for tokens in read_sentences(text))


def same(one: str, other: str) -> bool:
    """Tell whether two stems may stand for each other."""
    return one == other or bool(_groups().get(one, frozenset()) & _groups().get(other, frozenset()))


def opposite(key: str) -> frozenset[str]:
    """Return the small words that say the opposite of one; none for words of weight."""
    return _opposed().get(key, frozenset())


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return a word without its ending; irregular forms become their base first."""
    found = analyzer(stems=True).analyze(sameness.IRREGULAR.get(word, word))
    return str(found[0]) if found else word


@cache
def sides() -> frozenset[str]:
    """Return the stems of words that tell one of several like things from another."""
    return frozenset(map(stem, sameness.SIDES))


@cache
def actions() -> frozenset[str]:
    """Return the stems of verbs that act upon a part."""
    return frozenset(map(stem, sameness.ACTIONS)) | {"takeout", "putin"}


@cache
def heads() -> frozenset[str]:
    """Return the stems of the heads of screws, which stand between a number and its noun."""
    return frozenset(map(stem, HEADS))


@cache
def unsaid() -> frozenset[str]:
    """Return the stems of nouns that may be left out behind a part's name: plugs, lines, and what names no part."""
    return frozenset(map(stem, KINDS["plug"] | KINDS["line"] | sameness.UNSAID))


class _State:
    """Where in a sentence the reader is."""

    def __init__(self) -> None:
        self.clause = 0
        self.denied = False
        self.under = ""

    def begin(self) -> None:
        self.clause += 1
        self.denied, self.under = False, ""

    def hear(self, token: Token, following: str) -> bool:
        """Take in a word; return whether it asserts nothing because it only denies."""
        word = token.word
        if word in sameness.JOINTS and not (self.denied and word in ("and", "as", "that")):
            self.begin()
        elif word in sameness.ENDS_NEGATION and word != "and":
            self.denied = False
        if word in sameness.TEMPORAL:
            self.under = word
        if word == "rather" and following != "than":
            return False
        if word in sameness.NEGATING or word.endswith("n't"):
            self.denied = True
            return True
        return False


def _read(text: str, tokens: Sequence[Token]) -> Claim:
    state, used, last = _State(), -1, -1
    words: list[Word] = []
    for place, token in enumerate(tokens):
        if token.kind == "mark":
            if token.word in sameness.CLAUSE_MARKS:
                state.begin()
            continue
        if state.hear(token, tokens[place + 1].word if place + 1 < len(tokens) else "") or place == used:
            continue
        meaning, particle = _together(tokens, place)
        used = particle if meaning else used  # it turns nothing round: "take out" is one word
        keys = list(_keys(token, tokens[place - 1].word if place else "")) or ([(meaning, "word")] if meaning else [])
        for key, kind in keys:
            also = meaning if kind == "word" and meaning != key else ""
            words.append(Word(key, kind, token.word, also, state.denied, state.under, state.clause))
            if kind == "word" and last == place - 1 and words[-2:-1] and words[-2].kind == "word":
                words[-2] = replace(words[-2], leads=True)
        last = place if keys else last
    refers = any(token.word in sameness.REFERRING for token in tokens)
    return Claim(text[tokens[0].start : tokens[-1].end].strip(), tuple(words), refers)


def _together(tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """Return what a verb means with a word that follows it, and the place of that; empty where it is none."""
    for verbs, particles, meaning in _TOGETHER:
        if tokens[place].word in verbs:
            for later in range(place + 1, min(place + 1 + _WITHIN, len(tokens))):
                if tokens[later].word in particles:
                    return meaning, later
                if tokens[later].kind == "mark" or tokens[later].word in sameness.JOINTS:
                    break
    return "", -1


def _keys(token: Token, before: str) -> Iterator[tuple[str, Kind]]:
    """Yield what a token stands for: nothing, itself, or several things ("Phillips #00")."""
    word = token.word.removesuffix("'s")
    if token.kind == "size":
        yield from _size(word)
    elif token.kind == "number" or word in _NUMBERS:
        yield str(_NUMBERS.get(word, word)).removesuffix(".0"), "number"
    elif opposite(word):
        yield word, "small"
    elif word in sameness.LIGHT or (word == "back" and before not in sameness.DETERMINING):
        return
    elif word in sameness.IRREGULAR or _NUMBERED.match(word) or word in sameness.WEIGHTY:
        yield stem(word), "word"
    elif not is_adverb(word) or stem(word) in sides():
        for part in filter(None, word.split("-")):
            if part not in sameness.LIGHT:
                yield (str(_NUMBERS[part]), "number") if part in _NUMBERS else (stem(part), "word")


def _size(word: str) -> Iterator[tuple[str, Kind]]:
    """Yield a size as it is written in one way, and the head that it names: "phillips#00", "ph00" and "#00" agree."""
    ending = next((pair for pair in _UNITS if word.endswith(pair[0])), ("", ""))
    word = word.removesuffix(ending[0]) + ending[1]
    found = _SIZE.match(word)
    if not found:
        yield word, "size"
        return
    head, number, unit = found[1] or "", re.sub(r"\.0+$", "", found[2].strip("-")), found[3].strip("-")
    if head in ("torx", "tx", "t"):
        yield f"t{number}{unit}", "size"
        yield stem("torx"), "word"
    elif head in ("phillips", "philips", "phillip", "ph"):
        yield f"#{number}{unit}", "size"
        yield stem("phillips"), "word"
    else:
        yield ("" if unit else "#") + f"{number}{unit}", "size"


@cache
def _groups() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(sameness.SAME):
        for word in line.split():
            groups.setdefault(stem(word), set()).add(number)
    return {key: frozenset(numbers) for key, numbers in groups.items()}


def turns(words: Sequence[Word]) -> Counter[str]:
    """Return how often the words say each direction: "off" and "out" for whatever is taken out, "on" and "in" back."""
    counts: Counter[str] = Counter()
    for word in words:
        if word.kind == "small":
            counts.update(_alike(word.key))
        elif word.kind == "word":
            counts.update(
                key
                for key, by in (("out", "takeout"), ("off", "takeout"), ("in", "putin"), ("on", "putin"))
                if same(word.key, by) or word.also == by
            )
    return counts


def _alike(key: str) -> frozenset[str]:
    return frozenset({key} | {near for far in opposite(key) for near in opposite(far)})


@cache
def turned() -> dict[str, str]:
    """Return the stem of the verb that undoes each verb which can be undone."""
    pairs = [(stem(one), stem(other)) for one, other in sameness.TURNED]
    return dict(pairs) | {other: one for one, other in pairs}


@cache
def _opposed() -> dict[str, frozenset[str]]:
    pairs = [(frozenset(one.split()), frozenset(other.split())) for one, other in sameness.OPPOSED]
    return {word: theirs for one, other in pairs for ours, theirs in ((one, other), (other, one)) for word in ours}
