"""Faults of the Hub as the page says them: where a sentence sends to a terminal, the page has a button."""

from __future__ import annotations

from repairai.errors import RepairError

INSTEAD = {
    "log in with `python -m repairai hub login`": "log in above",
    "with `python -m repairai hub login`": "above",
    " (--base OWNER/NAME)": ", in the box above",
    "say --public if that is meant": "tick that everybody may see it, if that is meant",
}


def spoken(error: RepairError) -> str:
    """Return a fault in a sentence for a reader of the page."""
    said = str(error)
    for words, ours in INSTEAD.items():
        said = said.replace(words, ours)
    return said
