"""What the buttons of pushes do, each answered with a sentence."""

from __future__ import annotations

from collections.abc import Callable

from repairai.errors import RepairError
from repairai.hub import pushes


def cancel(push_id: str) -> str:
    """End a push."""
    done = pushes.cancel(push_id)
    if done.state == "done":
        return f"{done.repo} was through already: it is on the Hub."
    return f"The push to {done.repo} was cancelled; nothing of it is to be seen there."


def again(push_id: str) -> str:
    """Go on with a push."""
    return f"The push to {pushes.again(push_id).repo} goes on; what is there already does not go again."


def forget(push_id: str) -> str:
    """Take a push out of the list."""
    repo = pushes.push_of(push_id).repo
    pushes.forget(push_id)
    return f"The push to {repo} is out of the list; what is on the Hub stays there."


ACTIONS: dict[str, Callable[[str], str]] = {"cancel": cancel, "again": again, "forget": forget}


def act(what: str, push_id: str) -> str:
    """Do what a button says, and return what was done.

    Raises:
        RepairError: It cannot be done, or there is no such button.
    """
    if what not in ACTIONS:
        raise RepairError("that is no button of a push", "reload the page")
    return ACTIONS[what](push_id)
