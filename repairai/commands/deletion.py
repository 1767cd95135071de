"""How a set of data, photos or states is deleted by its name, and what is printed of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from repairai.commands.words import print_json

if TYPE_CHECKING:
    from repairai.named_sets import NamedSets


def delete(kind: NamedSets, chosen: argparse.Namespace) -> int:
    """Delete the set that was named, and return the exit code."""
    from repairai.runs.set_removal import delete_set

    stuck = delete_set(kind, chosen.name)
    if chosen.json:
        print_json({"deleted": chosen.name, "cannot_go_on": stuck})
        return 0
    print(f"{chosen.name} is deleted")
    if stuck:
        print(f"without these {kind.called} cannot go on: {', '.join(stuck)}")
    return 0
