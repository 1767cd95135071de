"""A step's text as sentences of words, numbers, sizes and marks, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repairai.sop.grammar.words import is_adverb

Kind = Literal["word", "number", "size", "mark"]


@dataclass(frozen=True)
class Token:
    """One word, number, size or mark.

    Args:
        word: In lower case, with plain apostrophes; a size without its blanks.
        kind: A size is a length, a head or a driver: 3 mm, T5, PH00, #2.
        start: Offset of its first character in the text.
        end: Offset behind its last character.
    """

    word: str
    kind: Kind
    start: int
    end: int


# What stands around the words of a wiki link, or numbers a line, is blanked, so that offsets stay those of the text.
_MARKUP = re.compile(
    r"\[\[[^\]\[|\n]*\||\[\[|\]\]|\[\w{4,8}[|:][^\]\[|\s]*\|?|https?://\S+|'{2,5}(?!\s?[a-z]{4,}\s)|\+\+"
    r"|(?m:^[ \t]*\d{1,2}\))"  # "2) Remove"
)
_NUMBER = r"(?:\d+[ -]\d+/\d+|\d+/\d+|\d*\.\d+|\d+)"
_UNIT = (
    r"(?:mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?|inch(?:es)?|gauge|[\"”″]|''"
    # "In" is a unit only where a noun follows: "1/4 in socket", but "two in the corner".
    r"|in\b(?=\.?[ -](?:long|wide|deep|screw|bolt|nut|phillips|philips|torx|hex|socket|wrench))"
    r"|in\b\.?(?=\)))"  # "(1/2 in.)"
)
_SIZE = re.compile(
    rf"{_NUMBER}\s?[x×]\s?{_NUMBER}\s?-?{_UNIT}"  # 8x3/4"
    r"|\d{1,2}/\d{1,2}(?![\d/])(?!\s?-?\s?(?:mm|cm|inch|in\b|[\"”″]))"  # 5/16
    rf"|{_NUMBER}\s?-?\s?{_UNIT}(?![^\W\d_])"  # 3 mm, 3.0mm, 1-1/4", 5-mm
    rf"|m\d+(?:\.\d+)?(?:\s?x\s?{_NUMBER})?\b"  # M3, M3x8
    r"|(?:size|no\.?|number)\s?#?\d+\b"  # size 000, no. 2
    r"|\#\s?\d+(?:/\d+)?\b"  # #2
    r"|(?:phillips|philips|torx|hex|jis|pentalobe|ph|pz|tr|tx)[ -]?\#?\d+[a-z]?\b"  # PH00, PH #1, TR-9, Torx 8
    r"|[tpjhy][ -]?\d+h?\b",  # T5, T-10, P5
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?P<word>(?:[^\W\d_]|on)/(?:[^\W\d_]|off)\b|\d+(?:st|nd|rd|th)\b|[^\W\d_]{2,}\d+[^\W_]*|[^\W\d_]+(?:['’-][^\W\d_]+)*)"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<mark>\n|->|[^\w\s]|_)",
    re.IGNORECASE,
)
_ENDS = frozenset(".!?;\n•→")
_LONGEST = 200
"""Tokens of one sentence; more is a text without punctuation, which is cut so that reading it stays quick."""
_SHORT_FORMS = frozenset(("approx", "etc", "vs", "incl", "dia"))


def word_at(tokens: Sequence[Token], place: int) -> str:
    """Return the word at a place, or an empty one beyond the ends."""
    return tokens[place].word if 0 <= place < len(tokens) else ""


def left_of(tokens: Sequence[Token], place: int) -> int:
    """Return the place of the nearest word in front that is no adverb; -1 at the beginning."""
    place -= 1
    while place >= 0 and (is_adverb(tokens[place].word) or tokens[place].word in ("all", "both")):
        place -= 1
    return place


def skip_adverbs(tokens: Sequence[Token], place: int) -> int:
    """Return the first place from a place on where no adverb stands."""
    while place < len(tokens) and is_adverb(tokens[place].word):
        place += 1
    return place


def read_sentences(text: str) -> list[list[Token]]:
    """Return the sentences of a text, each a list of tokens that ends with its own end mark where it has one."""
    sentences: list[list[Token]] = [[]]
    for token in read_tokens(text):
        if token.word != "\n":
            sentences[-1].append(token)
        ends = token.word in _ENDS and not _abbreviates(sentences[-1])
        if ends or len(sentences[-1]) == _LONGEST:
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def read_tokens(text: str) -> list[Token]:
    """Return the words, numbers, sizes and marks of a text, in order."""
    plain = _MARKUP.sub(lambda found: " " * len(found[0]), text).replace("’", "'")
    tokens, place = [], 0
    while place < len(plain):
        found = _SIZE.match(plain, place) if _may_begin_size(plain, place) else None
        kind: Kind = "size"
        if found is None:
            found = _TOKEN.match(plain, place)
            if found is None:
                place += 1
                continue
            kind = "word" if found["word"] else "number" if found["number"] else "mark"
        word = found[0].lower() if kind != "size" else "".join(found[0].lower().split())
        tokens.append(Token(word, kind, place, found.end()))
        place = found.end()
    return tokens


def _may_begin_size(plain: str, place: int) -> bool:
    """Tell whether a size may begin here: never in the middle of a word or of a number."""
    before = plain[place - 1] if place else " "
    return not before.isalnum() and not (before == "." and place > 1 and plain[place - 2].isdigit())


def _abbreviates(sentence: list[Token]) -> bool:
    """Tell whether a dot ends no sentence: it stands behind a single letter, or behind a short form."""
    if sentence[-1:] == [] or sentence[-1].word != "." or len(sentence) < 2:
        return False
    before = sentence[-2]
    single = len(before.word) == 1 and before.word.isalpha()
    return before.end == sentence[-1].start and (single or before.word in _SHORT_FORMS)
