"""Numbers in words and digits, ranges, and bounds such as "at least two", read from tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repairai.sop.grammar.tokens import Token, word_at

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60}
NUMBER_WORDS = (
    {word: number for number, word in enumerate(_ONES)}
    | _TENS
    | {f"{ten}-{_ONES[one]}": number + one for ten, number in _TENS.items() for one in range(1, 10)}
    | {"single": 1, "dozen": 12}
)
MOST = 200
"""No step asks for more of one part; a larger number is a year, a part number or a mistake."""


@dataclass(frozen=True)
class Quantity:
    """How many.

    Args:
        at_least: From 0.
        at_most: The same number where it is exact; None: no upper bound.
    """

    at_least: int
    at_most: int | None


ONE = Quantity(1, 1)
_BOUNDS: tuple[tuple[tuple[str, ...], Callable[[int], Quantity]], ...] = (
    (("at", "least"), lambda number: Quantity(number, None)),
    (("no", "fewer", "than"), lambda number: Quantity(number, None)),
    (("more", "than"), lambda number: Quantity(number + 1, None)),
    (("at", "most"), lambda number: Quantity(0, number)),
    (("up", "to"), lambda number: Quantity(0, number)),
    (("no", "more", "than"), lambda number: Quantity(0, number)),
)


def read_quantity(tokens: Sequence[Token], start: int) -> tuple[Quantity, int] | None:
    """Return the quantity that begins at a token, with the place behind it; None where none begins there.

    Reads "4", "four", "(4)", "four (4)", "4x", "a dozen", "3 to 5", "three or four", "between 3 and 5", "2+",
    "at least 2", "two or more", "more than 2", "up to 4", "at most 4", "no more than 4". A number with a unit is a size
    and no quantity.
    """
    words = tuple(token.word for token in tokens[start : start + 3])
    for opening, reading in _BOUNDS:
        if words[: len(opening)] == opening:
            inner = _read_number(tokens, start + len(opening))
            return None if inner is None else (reading(inner[0]), inner[1])
    if words[:1] == ("between",):
        return _read_range(tokens, start + 1, ("and",))
    return _read_range(tokens, start, ("to", "-", "–", "or", "through")) or _read_plain(tokens, start)


def _read_plain(tokens: Sequence[Token], start: int) -> tuple[Quantity, int] | None:
    read = _read_number(tokens, start)
    if read is None:
        return None
    number, place = read
    if word_at(tokens, place) == "or" and word_at(tokens, place + 1) == "more":
        return Quantity(number, None), place + 2
    if word_at(tokens, place) == "+":
        return Quantity(number, None), place + 1
    return Quantity(number, number), place


def _read_range(tokens: Sequence[Token], start: int, joints: tuple[str, ...]) -> tuple[Quantity, int] | None:
    low = _read_number(tokens, start)
    if low is None or word_at(tokens, low[1]) not in joints:
        return None
    high = _read_number(tokens, low[1] + 1)
    return (Quantity(low[0], high[0]), high[1]) if high is not None and high[0] >= low[0] else None


def _read_number(tokens: Sequence[Token], start: int) -> tuple[int, int] | None:
    """Return a single number, said once or twice ("four (4)"), with the place behind it."""
    if word_at(tokens, start) == "a" and word_at(tokens, start + 1) == "dozen":
        return 12, start + 2
    inside = _in_brackets(tokens, start)
    if inside is not None:
        # "(16) sixteen" says it twice.
        return inside, start + (4 if _value_at(tokens, start + 3) == inside else 3)
    number = _value_at(tokens, start)
    if number is None:
        return None
    if _in_brackets(tokens, start + 1) == number:
        return number, start + 4
    return number, start + (2 if word_at(tokens, start + 1) in ("x", "×") else 1)


def _in_brackets(tokens: Sequence[Token], start: int) -> int | None:
    brackets = word_at(tokens, start) == "(" and word_at(tokens, start + 2) == ")"
    return _value_at(tokens, start + 1) if brackets else None


def _value_at(tokens: Sequence[Token], place: int) -> int | None:
    if place >= len(tokens):
        return None
    token = tokens[place]
    if token.kind == "word":
        return NUMBER_WORDS.get(token.word)
    whole = token.kind == "number" and len(token.word) <= len(str(MOST)) and token.word.isascii()
    return int(token.word) if whole and token.word.isdigit() and int(token.word) <= MOST else None
