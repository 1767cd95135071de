"""Deletes sets of states, at once and for good; a set that a run at work or in the queue needs stays."""

from __future__ import annotations

import difflib
from pathlib import Path

from repairai.errors import RepairError
from repairai.judge.state_set import delete_state_set, state_set_folder, state_sets
from repairai.runs.queue import queue_lock
from repairai.runs.removal import users


def known_states(name: str) -> Path:
    """Return the folder of a set of states.

    Raises:
        RepairError: There is none of that name; the nearest is told.
    """
    sets = state_sets()
    if name in sets:
        return state_set_folder(name)
    near = difflib.get_close_matches(name, sets, n=1, cutoff=0.5)
    raise RepairError(
        f"there are no states named {name!r:.80}" + (f", did you mean {near[0]!r}?" if near else ""),
        "list them with `python -m repairai states list`",
    )


def delete_states(name: str) -> list[str]:
    """Delete a set of states; return the ids of runs that can no longer go on without it.

    Raises:
        RepairError: There is none of that name, or a run that is at work or waits needs it, or it is being changed.
    """
    folder = known_states(name)
    with queue_lock():
        needs, could = users(folder)
        if needs:
            raise RepairError(
                f"{' and '.join(needs[:3])} {'needs' if len(needs) == 1 else 'need'} the states {name} still",
                f"wait for it, or stop it, or take it out of the queue: runs show {needs[0]}",
            )
        delete_state_set(folder)
    return could
