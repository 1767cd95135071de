"""What is said alike of sets of photos and of states: which there are, and where they came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from repairai.commands.words import print_json, refuse
from repairai.errors import RepairError

About = dict[str, Any]
"""What is said of a set."""


def print_sets(
    names: Sequence[str], about: Callable[[str], About], line: Callable[[About], str], none: str, as_json: bool
) -> int:
    """Print all sets, a line each, and return the exit code.

    Args:
        names: Of them.
        about: Returns what is said of one.
        line: Returns that in a line.
        none: What is said where there are none.
        as_json: Answer with JSON.
    """
    found = []
    for name in names:
        try:
            found.append(about(name))
        except RepairError as error:  # the others are listed all the same
            refuse(str(error))
    if as_json:
        print_json(found)
        return 0
    for each in found:
        print(line(each))
    if not found:
        print(none)
    return 0


def splits_in_words(counts: dict[str, int]) -> str:
    """Return how many there are for each use: "80 train, 10 val"."""
    return ", ".join(f"{count:,} {split}" for split, count in counts.items())


def findings_in_words(findings: Sequence[About]) -> str:
    """Return how many findings are more than a note."""
    n = sum(each["severity"] != "note" for each in findings)
    return f"{n} {'finding' if n == 1 else 'findings'}"


def print_sources(sources: Sequence[About]) -> None:
    """Print where a set's photos came from, a line each."""
    for source in sources:
        told = ", ".join(filter(None, (source["licence"] or "licence unknown", source["url"])))
        print(f"from {source['name']}: {source['photos']:,} photos, {told}")
