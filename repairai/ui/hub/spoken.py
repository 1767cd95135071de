"""Faults of the Hub as the page says them: where a sentence sends to a terminal, the page has a button."""

from __future__ import annotations

from repairai.errors import RepairError
from repairai.hub.client import reach

INSTEAD = {
    "log in with `python -m repairai hub login`": "log in above",
    "with `python -m repairai hub login`": "above",
    " (--base OWNER/NAME)": ", in the box above",
    "say --public if that is meant": "tick that everybody may see it, if that is meant",
}


def must_be_there() -> None:
    """See that the Hub is there now: it may have gone since it was looked for, and its client tries for half a minute.

    Raises:
        RepairError: It is not.
    """
    found = reach(fresh=True)
    if not found.online:
        raise RepairError(found.said, "look again in a while; all that is on this machine works without it")


def spoken(error: RepairError) -> str:
    """Return a fault in a sentence for a reader of the page."""
    said = str(error)
    for words, ours in INSTEAD.items():
        said = said.replace(words, ours)
    return said
