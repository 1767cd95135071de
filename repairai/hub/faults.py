"""What goes wrong at the Hub, each in one sentence for the person at the bench."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Literal

from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # it exports it by name alone

from repairai.errors import RepairError

Kind = Literal["model", "dataset", "space"]
"""Of a repository."""
WORDS: dict[Kind, str] = {"model": "model", "dataset": "data set", "space": "Space"}
"""What people call it."""
LOGIN = "log in with `python -m repairai hub login`"
OFFLINE = "HF_HUB_OFFLINE is set, so the Hub is not asked for anything"
_MOST_LETTERS = 200
"""Of what the Hub says itself."""


class Unreachable(RepairError):
    """The Hub cannot be reached, or is too busy: the same may go well later."""


def fault_behind(error: BaseException) -> BaseException | None:
    """Return the fault of the Hub, the network or the disk behind an error; None where it is a mistake of ours."""
    # The client wraps its faults: those of uploads, and those of files that are not here either.
    while isinstance(error, RuntimeError | LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    known = (RepairError, httpx.HTTPError, httpx.InvalidURL, OSError, HFValidationError, EntryNotFoundError)
    if isinstance(error, known):
        return error
    is_answer = isinstance(error, ValueError) and any(word in str(error) for word in ("LFS batch", "alformed"))
    return error if is_answer else None


def told(error: BaseException, about: str, kind: Kind, page: str) -> RepairError:
    """Return what a person needs to hear.

    Args:
        error: As `fault_behind` gives it.
        about: What it is about, as a person would call it: the repository's name.
        kind: Of the repository.
        page: Where it can be looked at in a browser.
    """
    if isinstance(error, RepairError):
        return error
    for kinds, say in _SAID:
        if isinstance(error, kinds):
            return say(about, WORDS[kind], page)
    if isinstance(error, HfHubHTTPError):
        return _refused(error, about, WORDS[kind])
    if isinstance(error, OSError):
        return _of_the_system(error, about)
    if isinstance(error, ValueError):
        return RepairError(f"the Hub answered for {about} what cannot be understood", "try again later")
    ends = "does not answer any more" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
    return Unreachable(f"the Hub {ends}: {about} is not through", "check the network and try again")


_SAID: tuple[tuple[type[BaseException], Callable[[str, str, str], RepairError]], ...] = (
    (
        HFValidationError,
        lambda about, what, page: RepairError(
            f"{about!r:.120} is no name on the Hub", "give OWNER/NAME, of letters, digits, '-', '_' and '.'"
        ),
    ),
    (LocalTokenNotFoundError, lambda about, what, page: RepairError("nobody is logged in to the Hub here", LOGIN)),
    (OfflineModeIsEnabled, lambda about, what, page: RepairError(OFFLINE, "unset it to use the Hub")),
    (
        GatedRepoError,
        lambda about, what, page: RepairError(
            f"{about} is given only to those who asked for it on the Hub", f"ask for it at {page}, then {LOGIN}"
        ),
    ),
    (
        RevisionNotFoundError,
        lambda about, what, page: RepairError(
            f"{about} has no such revision on the Hub", "leave the revision out, or check it"
        ),
    ),
    (
        RepositoryNotFoundError,
        lambda about, what, page: RepairError(
            f"there is no {what} {about} on the Hub, or it is private", f"check the name; if it is private, {LOGIN}"
        ),
    ),
    (DisabledRepoError, lambda about, what, page: RepairError(f"the Hub has closed {about}", "take another")),
    (
        LocalEntryNotFoundError,
        lambda about, what, page: Unreachable(
            f"{about} is not on this machine, and the Hub cannot be reached", "check the network and try again"
        ),
    ),
    (
        EntryNotFoundError,
        lambda about, what, page: RepairError(
            f"a file of {about} is no longer on the Hub", "look what is there now, and try again"
        ),
    ),
)
"""The first that fits."""


def _of_the_system(error: OSError, about: str) -> RepairError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RepairError(f"the disk is full: {about} is not here as a whole", "free some space and try again")
    if error.errno is not None and error.filename:
        return RepairError(f"{error.filename} cannot be used: {error.strerror}", "check its permissions")
    if "onsistency" in str(error):
        return Unreachable(f"{about} was cut off on its way", "try again: it goes on where it stopped")
    return Unreachable(f"the connection for {about} broke off", "check the network and try again")


def _refused(error: HfHubHTTPError, about: str, what: str) -> RepairError:
    """Return what a status of the Hub says to a person."""
    status = error.response.status_code
    said = " ".join(str(error.server_message or "").split())[:_MOST_LETTERS].rstrip(".")
    because = f": {said}" if said else ""
    if status >= 500 or status == 408:
        return Unreachable(f"the Hub is out of order: it answers {status}", "try again later")
    if status == 429:
        wait = error.response.headers.get("retry-after", "")
        then = f"try again in {wait} seconds" if wait else "try again in a few minutes"
        return Unreachable("the Hub asks to be left alone for a while", then)
    what_next = {
        401: ("the Hub does not know the token of this machine, or no longer", LOGIN),
        402: (f"the Hub wants to be paid for {about}{because}", "see what your account allows"),
        403: (
            f"the Hub does not allow this with {about}{because}",
            f"take a name of your own, and a token that may write: {LOGIN}",
        ),
        404: (f"there is no {what} {about} on the Hub", "check the name"),
        409: (f"the name {about} is taken on the Hub{because}", "take another"),
        412: (f"somebody has changed {about} on the Hub meanwhile", "look at it there, then try again"),
        413: (f"{about} is too large for the Hub{because}", "send less at once"),
    }
    usual = (f"the Hub does not take what was asked of {about}: {said or status}", "check what was given")
    return RepairError(*what_next.get(status, usual))
