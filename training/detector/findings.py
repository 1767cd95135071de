"""What the doctor finds, and what an import saw that its photos no longer show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["stop", "warn", "note"]
MOST_NAMED = 50


@dataclass(frozen=True)
class Finding:
    """One thing that is worth to know before a training.

    Args:
        id: By which it is mended; one for each kind.
        kind: What it is.
        severity: `stop` for what a training cannot bear, `warn` for what spoils it, `note` for what is good to know.
        said: One sentence.
        photos: Names of some of the photos, or their names in the source where they are in no set.
        count: How many there are, of what the sentence speaks of.
        mend: What `mend` does about it; empty where a person has to.
        mend_said: The same in words.
    """

    id: str
    kind: str
    severity: Severity
    said: str
    photos: tuple[str, ...] = ()
    count: int = 0
    mend: str = ""
    mend_said: str = ""


def finding(
    kind: str, severity: Severity, said: str, photos: Iterable[str] = (), count: int | None = None,
    mend: str = "", mend_said: str = "",
) -> Finding:  # fmt: skip
    """Return a finding; see Finding. `count` is the number of photos where it is not given."""
    named = tuple(photos)
    return Finding(
        kind, kind, severity, said, named[:MOST_NAMED], len(named) if count is None else count, mend, mend_said
    )


def from_report(data: dict[str, Any]) -> Finding:
    """Return a finding as a report holds it."""
    return Finding(**{**data, "photos": tuple(data["photos"])})


def few(names: Iterable[str], most: int = 3) -> str:
    """Return the first of some names in words: `a.jpg, b.jpg and 7 more`."""
    listed = list(names)
    if len(listed) <= most:
        return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1]))) if listed else ""
    return f"{', '.join(listed[:most])} and {len(listed) - most:,} more"


def n(count: int, word: str, words: str = "") -> str:
    """Return a number with its noun: `1 photo`, `1,200 photos`."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"
