"""Shares in [0, 1] that an evaluation of a detector or a judge found: which way they count, and how they are said."""

from __future__ import annotations

from collections.abc import Mapping

from repairai.runs.scores import Compared

ESCAPE, FALSE_CALL = "escape", "false_call"
LOWER_IS_BETTER = frozenset({ESCAPE, FALSE_CALL})


def is_worse(name: str, found: Compared) -> bool:
    """Return whether a figure got worse by more than luck, whichever way it counts."""
    return found.is_better if name in LOWER_IS_BETTER else found.is_worse


def is_better(name: str, found: Compared) -> bool:
    """Return whether a figure got better by more than luck, whichever way it counts."""
    return found.is_worse if name in LOWER_IS_BETTER else found.is_better


def in_words(name: str, found: Compared, against: str, names: Mapping[str, str]) -> str:
    """Return how a figure stands to the one before, as a clause: "is better than builtin: counts exact 90.0 % ...".

    Args:
        name: Of the figure.
        found: Both, compared over independent photos.
        against: Whose it was before.
        names: Of figures, for people.
    """
    how = (
        "better than" if is_better(name, found) else "worse than" if is_worse(name, found) else "not clearly apart from"
    )
    return (
        f"is {how} {against}: {names[name]} {percent(found.after)} against {percent(found.before)} "
        f"({100 * found.difference:+.1f} points, 95 % interval {100 * found.low:+.1f} to {100 * found.high:+.1f}, "
        f"{count(found.examples, 'independent photo')})"
    )


def percent(share: float) -> str:
    """Return a share in percent: "97.5 %"."""
    return f"{100 * share:.1f} %"


def count(n: int, what: str) -> str:
    """Return a number with its noun: "3 examples"."""
    return f"{n:,} {what}{'s' * (n != 1)}"
