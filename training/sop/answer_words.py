"""Words of a step or an answer, brought to a form in which two ways of saying the same are equal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from repairai.sop.grammar.quantities import NUMBER_WORDS

_WORD = re.compile(r"\d+(?:\.\d+)?|[a-z]+")
_LITTLE = (
    "a an the this that these those it its they them their there here you your we our i my of to in into onto on at by "
    "for from with as and or so if then than is are was were be been being am do does did have has had will would can "
    "could should may might must shall also just very please now which who what when where how"
)
_EMPTY = frozenset(_LITTLE.split())
"""Words that carry nothing here. `not`, `no`, `before`, `after`, `left` and `right` do."""
NOT = "!"
"""What `not`, `never` and the like become, so that no other word is taken for them."""
_NOT = ("not", "never", "without", "avoid")
_ENDINGS = ("ings", "ing", "edly", "ed", "es", "s", "ly")


def stems(text: str) -> frozenset[str]:
    """Return the stems of the words that carry something; number words are numbers, "don't" is "not"."""
    plain = re.sub(r"(?:n['’]t|\bcannot)\b", " not", text.lower()).replace("'s", "").replace("’s", "")
    return frozenset(stem(word) for word in _WORD.findall(plain) if word not in _EMPTY)


@cache
def stem(word: str) -> str:
    """Return a word without its ending: `screws` and `screw` are the same, and so are `four` and `4.0`."""
    if word in _NOT:
        return NOT
    if word in NUMBER_WORDS:
        return str(NUMBER_WORDS[word])
    if word[0].isdigit():
        return word if re.match("0[0-9]", word) else f"{float(word):g}"  # "#00" and "#000" are sizes of drivers
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]  # "unplugging"
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word[-1] == "y" else word


def share_in(wanted: Iterable[str], found: Iterable[str]) -> float:
    """Return the share of the wanted stems that were found; 0 where nothing was wanted."""
    wanted = frozenset(wanted)
    return len(wanted & frozenset(found)) / len(wanted) if wanted else 0.0


def overlap(wanted: Iterable[object], found: Iterable[object]) -> float:
    """Return how far two sets agree, as F1 in [0, 1]; two empty ones agree."""
    wanted, found = frozenset(wanted), frozenset(found)
    return 2 * len(wanted & found) / (len(wanted) + len(found)) if wanted or found else 1.0
