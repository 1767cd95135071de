"""What a person may have meant by a word: other spellings that the guides know, each with a weight."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import tantivy

from repairai.sop.index.files import SearchIndex, analyzer

_MISSPELT = 0.8
_MAYBE_MISSPELT = 0.4
_JOINED = 0.7
_N_MEANT = 3
_N_LOOKED_AT = 20
_MUCH_MORE_OFTEN = 20
_RARE_GUIDES = 5
_SHORTEST_HALF = 3


@dataclass(frozen=True)
class Asked:
    """One word of a query.

    Args:
        word: As it was written, in lower case.
        stems: What to look for, with weights in (0, 1]; 1 is the word itself.
    """

    word: str
    stems: dict[str, float]


def expand(words: list[str], index: SearchIndex) -> tuple[Asked, ...]:
    """Return each word with what else it may stand for: "battry" for battery, "mac book" for macbook.

    A word that the guides hold stays itself, and gains a neighbour only where it is rare and the neighbour is not.
    Words with digits and words of three letters never change: T5 is not T6.
    """
    joints: dict[str, str] = {}
    for left, right in pairwise(words):
        if left + right not in words and _count(left + right, index):
            joints[left] = joints[right] = left + right
    asked = []
    for word in words:
        stems = {_stem(word): 1.0}
        if word in joints:
            stems.setdefault(_stem(joints[word]), _JOINED)
        known = _guides_with(_stem(word), index)
        if not known:
            for half in _halves(word, index):
                stems.setdefault(_stem(half), _JOINED)
        if known <= _RARE_GUIDES:
            for meant in _neighbours(word, known, index):
                stems.setdefault(_stem(meant), _MAYBE_MISSPELT if known else _MISSPELT)
        asked.append(Asked(word, stems))
    return tuple(asked)


def _neighbours(word: str, known: int, index: SearchIndex) -> list[str]:
    """Return the words that this one may be misspelt for, most likely first.

    Up to 7 letters one slip is forgiven, from 8 on two: a letter too many, too few, wrong, or two swapped. With 4
    letters only a letter that is missing: "scrw" is screw, but ipod is not ipad.
    """
    if len(word) < 4 or not word.isalpha():
        return []
    least = known * _MUCH_MORE_OFTEN
    found: list[tuple[str, int]] = []
    for slips in (1, 2) if len(word) >= 8 else (1,):
        query = tantivy.Query.fuzzy_term_query(index.schemas["words"], "word", word, slips, True)
        hits = index.words.search(query, _N_LOOKED_AT, count=False, order_by_field="count").hits
        docs = [index.words.doc(address).to_dict() for _, address in hits]
        found = [(doc["word"][0], doc["count"][0]) for doc in docs if doc["word"][0] != word]
        found = [(near, count) for near, count in found if near.isalpha() and count > least]
        if found:
            break
    if len(word) == 4:
        found = [(near, count) for near, count in found if len(near) == 5]
    # Slips seldom hit the first letter.
    found.sort(key=lambda pair: (pair[0][0] != word[0], -pair[1], pair[0]))
    return [near for near, _ in found[:_N_MEANT]]


def _halves(word: str, index: SearchIndex) -> tuple[str, ...]:
    """Return the two known words that an unknown one is made of: "harddrive", "4mm"; none where there are none."""
    best: tuple[int, tuple[str, ...]] = (0, ())
    for cut in range(1, len(word)):
        left, right = word[:cut], word[cut:]
        turns = left[-1].isdigit() != right[0].isdigit()
        if turns or min(len(left), len(right)) >= _SHORTEST_HALF:
            best = max(best, (min(_count(left, index), _count(right, index)), (left, right)))
    return best[1] if best[0] > 0 else ()


def _count(word: str, index: SearchIndex) -> int:
    return int(index.words.doc_freq("word", word))


def _guides_with(stem: str, index: SearchIndex) -> int:
    return max(int(index.guides.doc_freq(field, stem)) for field in ("device", "title", "whole"))


def _stem(word: str) -> str:
    return str(analyzer(stems=True).analyze(word)[0])
