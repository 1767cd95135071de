"""What a question asks for: its words of weight, those that name a device, and whether one step or all are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from repairai.sop.grammar import asking_words
from repairai.sop.grammar.words import ADJECTIVES, BRANDS
from repairai.sop.index.files import SearchIndex, analyzer
from repairai.sop.index.spelling import expand

Kind = Literal["how_to", "step", "next_step", "tools"]
Role = Literal["topic", "name", "stranger", "figure"]
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_DRIVER = re.compile(r"^(?:(?:t|tr|m)\d{1,2}|(?:ph|pz|j)\d{1,3}|p\d)$")
_DOTTED = re.compile(r"\b([A-Za-z])\.(\d)\b")  # M.2, USB 3.0 stays
_NUMBERED = re.compile(r"\bsteps?\s+(\d{1,3})\b", re.IGNORECASE)
_NEXT = re.compile(r"\b(?:next|after(?:wards)?|then)\b", re.IGNORECASE)
_REPLACING = re.compile(r"\b(?:replac|swap|chang|exchang|upgrad|install\w* (?:a )?new)", re.IGNORECASE)
_PREPOSITIONS = frozenset(("of", "in", "on", "for", "from", "to", "inside", "with"))
_DETERMINERS = frozenset(("a", "an", "the", "my", "your", "our", "this", "that", "his", "her", "their"))
_QUALITY = re.compile(r"(?:y|ful|less|ous|ish|er|en|able)$")
_FORM = re.compile(r"(?:ed|ing)$")
_MOSTLY_NAME = 0.5
"""Guides whose device is called so, against those whose steps say the word: from here on it names a device."""
_MISSPELT = 0.8
"""Of what is asked about a device, what a word may be misspelt for counts so; a device's name has to be surer."""
_RARE_GUIDES = 5
"""A word of so few guides may be a name too, where it stands as one."""
_UNKNOWN_WEIGHT = 1.2
"""What a word counts that no guide holds: about as much as one that every third guide holds."""
_LONGEST_COUNT = 2
_SHORTEST_HALF = 4


@dataclass(frozen=True)
class AskedWord:
    """One word of weight of a question.

    Args:
        word: In lower case.
        stems: What it may stand for, each with a weight in (0, 1].
        weight: How much it tells, from 0.
        role: A `name` has to be in the name of the guide's device; a `stranger`, which no guide writes so, anywhere in
            the guide, as its slip of the keyboard; a `figure` (3 mm, step 2) need not be anywhere.
        known: Whether any guide of the library writes it so.
    """

    word: str
    stems: dict[str, float]
    weight: float
    role: Role
    known: bool = True


@dataclass(frozen=True)
class Question:
    """A question, read.

    Args:
        text: As it was asked.
        kind: Whether it asks for all steps, for one, for what comes after one, or for tools.
        words: Those of weight, in order.
        step: The step that it names; 0: none.
        replaces: The first word of weight of what is to be replaced, which the guide has to be about; else empty.
    """

    text: str
    kind: Kind
    words: tuple[AskedWord, ...]
    step: int
    replaces: str

    @property
    def query(self) -> str:
        """Return what to search for."""
        return " ".join(word.word for word in self.words if word.role != "figure")


def kind_of(question: str) -> Kind:
    """Return what a question asks for."""
    words = question.lower().strip()
    if any(re.search(each, words) for each in asking_words.TOOLS_ASKED):
        return "tools"
    if re.search(r"\b(?:next step|what (?:comes|is|do i do) (?:next|after))\b", words):
        return "next_step"
    if _NUMBERED.search(words) or any(re.search(each, words) for each in asking_words.STEP_ASKED):
        return "step"
    return "how_to"


def numbered_step(question: str) -> int:
    """Return the number of the step that a question names; 0 where it names none."""
    found = _NUMBERED.search(question)
    return int(found[1]) if found else 0


def read_question(text: str, index: SearchIndex) -> Question:
    """Return what a question asks, in the words that the guides of an index know.

    Args:
        text: Whatever a person typed.
        index: Of the library that is to answer.
    """
    written = _written(text, index)
    lower = [word.lower() for word in written]
    weighty = [n for n, word in enumerate(lower) if _has_weight(word, index)]
    asked = {word.word: word.stems for word in expand([lower[n] for n in weighty], index)}
    words: dict[str, AskedWord] = {}
    before = ""
    for n in weighty:
        stems = _meant(lower[n], asked.get(lower[n], {}))
        role = _role(written, n, before if n - 1 in weighty else "", index)
        weight = _weight(stems, index)
        if role == "topic":
            stems = _with_synonyms({stem: max(each, _MISSPELT) for stem, each in stems.items()})
        known = _guides_with(stem_of(lower[n]), index) > 0
        words.setdefault(lower[n], AskedWord(lower[n], stems, weight, role, known))
        before = role
    return Question(text, kind_of(text), tuple(words.values()), numbered_step(text), _replaced(text, words.values()))


def _replaced(text: str, words: Iterable[AskedWord]) -> str:
    """Return the first topic behind "replace", else the last in front of it ("iphone battery replacement")."""
    found = _REPLACING.search(text)
    if not found:
        return ""
    topics = [word.word for word in words if word.role == "topic"]
    behind = [word for word in topics if word in text[found.end() :].lower()]
    return (behind or topics[-1:] or [""])[0]


def _written(text: str, index: SearchIndex) -> list[str]:
    """Return the words of a question as they were typed; "iPhone6" as two, where no guide writes it in one."""
    words: list[str] = []
    for found in _WORD.findall(_DOTTED.sub(r"\1\2", text.replace("’", "'"))):
        word = found.removesuffix("'s")
        known = len(word) > _LONGEST_COUNT and int(index.words.doc_freq("word", word.lower()))
        turned = re.fullmatch(r"([^\W\d_]{3,})(\d\w*)", word)
        halves = () if known else turned.groups() if turned else _halves(word, index)
        words += halves or [word]
    return words


def _halves(word: str, index: SearchIndex) -> tuple[str, ...]:
    """Return the two words that an unknown one is made of, where it is no slip of the keyboard."""
    stems = expand([word.lower()], index)[0].stems
    parts = [stem for stem in stems if stem != stem_of(word.lower())]
    cuts = [(word[:n], word[n:]) for n in range(_SHORTEST_HALF, len(word) - _SHORTEST_HALF + 1)]
    return next((cut for cut in cuts if {stem_of(half.lower()) for half in cut} == set(parts)), ())


def _role(written: Sequence[str], place: int, before: str, index: SearchIndex) -> Role:
    """Return what a word of a question is for.

    Args:
        written: All its words.
        place: The word's.
        before: The role of the word in front of it, empty where that is a small word.
        index: Of the library.
    """
    word = written[place].lower()
    if any(letter.isdigit() for letter in word):
        return "figure" if _is_figure([each.lower() for each in written], place) else "name"
    if word in BRANDS or _names_devices(word, index):
        return "name"
    seldom = _guides_with(stem_of(word), index) <= _RARE_GUIDES
    return "stranger" if seldom and _stands_as_name(written, place, before, index) else "topic"


def _is_figure(words: Sequence[str], place: int) -> bool:
    """Tell whether a number counts or measures: 3 mm, T5, the 4 screws, step 2."""
    word = words[place]
    before, behind = words[place - 1] if place else "", words[place + 1] if place + 1 < len(words) else ""
    if _DRIVER.match(word) or behind in asking_words.UNITS or re.fullmatch(r"\d+(?:mm|cm|in|v|w|gb|tb)", word):
        return True
    return word.isdigit() and len(word) <= _LONGEST_COUNT and before in asking_words.COUNTED_BEHIND


def _has_weight(word: str, index: SearchIndex) -> bool:
    """Tell whether a word says what a question is about; "steel" does only where a device is called so."""
    if word in ADJECTIVES and word not in asking_words.ASKED_WITH:
        return int(index.guides.doc_freq("device", stem_of(word))) > 0
    return word not in asking_words.ASKED_WITH


def _names_devices(word: str, index: SearchIndex) -> bool:
    """Tell whether the guides know a word from the names of devices more than from their steps."""
    named, said = (int(index.guides.doc_freq(field, stem_of(word))) for field in ("device", "whole"))
    return named > 0 and (len(word) == 1 or named / (said + 1) >= _MOSTLY_NAME)


def _stands_as_name(written: Sequence[str], place: int, before: str, index: SearchIndex) -> bool:
    """Tell whether a word that no guide knows stands where a device is named: "of my Sonos", "xbox controller"."""
    lower = [each.lower() for each in written]
    known = _guides_with(stem_of(lower[place]), index)
    if place and written[place][0].isupper() and not known:
        return True
    small = lower[max(0, place - 2) : place]
    if small and small[-1] in _PREPOSITIONS or small[-1:] and small[-1] in _DETERMINERS and small[0] in _PREPOSITIONS:
        return True
    if _FORM.search(lower[place]):
        return False
    behind = [each for each in lower[place + 1 : place + 3] if each != "one"][:1]
    follows = before in ("name", "stranger") or (before and index.guides.doc_freq("device", stem_of(lower[place - 1])))
    leads = (
        not _QUALITY.search(lower[place])
        and behind
        and _has_weight(behind[0], index)
        and _guides_with(stem_of(behind[0]), index)
    )
    return bool(follows or leads)


def _meant(word: str, stems: dict[str, float]) -> dict[str, float]:
    """Return what a word may stand for: not for its own half ("there" in theremin), and one letter for itself alone."""
    own = stem_of(word)
    halves = {stem for stem in stems if stem != own and len(stem) < len(word) and stem[:3] in word and stem in word}
    kept = {stem: weight for stem, weight in stems.items() if stem not in halves and len(word) > 1}
    return kept or {own: 1.0}


def _with_synonyms(stems: dict[str, float]) -> dict[str, float]:
    more = {near: 0.9 * weight for stem, weight in stems.items() for near in _synonyms().get(stem, ())}
    return more | stems


def _weight(stems: dict[str, float], index: SearchIndex) -> float:
    """Return how much a word tells: much where few guides hold it, little where none does."""
    seen = max(_guides_with(stem, index) for stem in stems)
    if not seen:
        return _UNKNOWN_WEIGHT
    return float(max(0.2, min(3.0, (index.guides.num_docs / (1 + seen)) ** 0.5)))


def _guides_with(stem: str, index: SearchIndex) -> int:
    return max(int(index.guides.doc_freq(field, stem)) for field in ("device", "title", "whole"))


def stem_of(word: str) -> str:
    """Return a word's stem as the index writes it."""
    found = analyzer(stems=True).analyze(word)
    return str(found[0]) if found else word


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    groups = [[stem_of(word) for word in line.split()] for line in asking_words.SYNONYMS]
    return {stem: tuple(other for other in group if other != stem) for group in groups for stem in group}
