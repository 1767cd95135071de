"""What stands behind a noun and changes its count: "(4)", "x4", "on each side"."""

from __future__ import annotations

from collections.abc import Sequence

from repairai.sop.grammar import words as table
from repairai.sop.grammar.nouns import singular
from repairai.sop.grammar.quantities import Quantity, read_quantity
from repairai.sop.grammar.tokens import Token, word_at

_SKIPPED = table.PLACING | table.ARTICLES | table.REGIONS | table.KEPT_SIDES


def read_note(tokens: Sequence[Token], end: int) -> tuple[Quantity | None, int]:
    """Return an amount noted behind the noun, "(4)", "x4" or "(4 total)", with the place behind it."""
    words = [token.word for token in tokens[end : end + 5]]
    if words[:1] == ["("] and ")" in words:
        closing = words.index(")")
        inner = [word for word in words[1:closing] if word not in ("x", "total", "in")]
        read = read_quantity(tokens, end + 1 + words[1:].index(inner[0])) if len(inner) == 1 else None
        return (read[0], end + closing + 1) if read is not None else (None, end)
    read = read_quantity(tokens, end + 1) if words[:1] == ["x"] else None
    return read if read is not None else (None, end)


def is_spread(tokens: Sequence[Token], end: int) -> bool:
    """Tell whether the amount is said of each place of several: "two screws on each side", "one from both ends".

    How many places there are is not said, or not surely, so that the count is not known.
    """
    place = end + (word_at(tokens, end) in table.LYING)
    if word_at(tokens, place) not in table.PLACING:
        return False
    for token in tokens[place + 1 : place + 8]:
        if token.word in ("each", "every", "both", "either"):
            return True
        if token.word not in _SKIPPED and singular(token.word) not in _SKIPPED:
            return False
    return False
