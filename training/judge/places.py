"""Names the place of each of several boxes by the grid that they form: "top-left", "left", "middle"."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from repairai.schema import Box

ROWS: dict[int, tuple[str, ...]] = {1: ("",), 2: ("top", "bottom"), 3: ("top", "middle", "bottom")}
COLUMNS: dict[int, tuple[str, ...]] = {1: ("",), 2: ("left", "right"), 3: ("left", "middle", "right")}
CLEAR = 0.4
"""Two rows or columns lie apart by this share of the grid's own step at least, more than those within one do."""
_ARTICLE = re.compile(r"\b(the|a|an|this|that)\s+", re.IGNORECASE)


def place_words(boxes: Sequence[Box]) -> list[str] | None:
    """Return the words for the place of each box; None where they form no whole grid of up to three by three.

    Args:
        boxes: Of the parts of one photo, two at least.
    """
    if len(boxes) < 2:
        return None
    middles = np.array([((left + right) / 2, (top + bottom) / 2) for left, top, right, bottom in boxes])
    sides = np.array([(right - left, bottom - top) for left, top, right, bottom in boxes]).mean(axis=0)
    for rows, columns in ((1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (2, 3), (3, 2), (3, 3)):
        if rows * columns != len(boxes):
            continue
        across, down = _bands(middles[:, 0], columns, sides[0]), _bands(middles[:, 1], rows, sides[1])
        if across is None or down is None or len(set(zip(across, down, strict=True))) < len(boxes):
            continue
        return [_word(ROWS[rows][row], COLUMNS[columns][column]) for column, row in zip(across, down, strict=True)]
    return None


def _bands(values: np.ndarray, n: int, side: float) -> list[int] | None:
    """Return which of `n` bands each value lies in; None where they do not fall into so many, clearly apart."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    if n == 1:
        return [0] * len(values) if ordered[-1] - ordered[0] < 0.75 * side else None
    each = len(values) // n
    groups = ordered.reshape(n, each)
    gaps = groups[1:, 0] - groups[:-1, -1]
    step = (groups.mean(axis=1)[-1] - groups.mean(axis=1)[0]) / (n - 1)
    if step < side or gaps.min() < CLEAR * step:
        return None
    bands = np.empty(len(values), np.int64)
    bands[order] = np.repeat(np.arange(n), each)
    return [int(band) for band in bands]


def _word(row: str, column: str) -> str:
    if row == column:  # the middle of three by three
        return row
    return "-".join(filter(None, (row, column)))


def named(question: str, place: str) -> str:
    """Return a question that names the place: "Is the top-left screw in place?"."""
    if not place:
        return question
    found = _ARTICLE.search(question)
    if found is None:
        first, _, rest = question.partition(" ")
        return f"{first} the {place} {rest}"
    return f"{question[: found.start()]}the {place} {question[found.end() :]}"
