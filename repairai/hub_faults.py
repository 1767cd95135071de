"""What goes wrong at the Hub, each in one sentence for the person at the bench: the one map for all who speak to it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from huggingface_hub import constants, get_token
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
_HIDDEN = "[hidden]"


class Unreachable(RepairError):
    """The Hub cannot be reached, or is too busy: the same may go well later."""


@contextmanager
def in_a_sentence(about: str, kind: Kind = "model", secret: str = "") -> Iterator[None]:
    """Tell all that goes wrong at the Hub in one sentence.

    Args:
        about: What it is about, as a person would call it: the repository's name.
        kind: Of the repository.
        secret: A token that is not stored, and is told neither.

    Raises:
        Unreachable: The Hub cannot be reached, or is too busy: the same may go well later.
        RepairError: It refuses.
    """
    try:
        yield
    except RepairError:
        raise
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
        fault = fault_behind(error)
        if fault is None:
            raise
        said = told(fault, about, kind, address(about, kind))
        raise type(said)(without_token(said.what, secret), without_token(said.next_step, secret)) from None


def endpoint() -> str:
    """Return the address of the Hub, without a slash at its end."""
    return str(constants.ENDPOINT).rstrip("/")


def address(repo: str, kind: Kind = "model") -> str:
    """Return where a repository can be looked at."""
    return f"{endpoint()}/{'' if kind == 'model' else kind + 's/'}{repo}"


def without_token(text: str, *more: str) -> str:
    """Return a text without the token of this machine.

    Args:
        text: The text.
        more: Tokens that are not stored, and stand in it neither.
    """
    for each in filter(None, (get_token(), *more)):
        text = text.replace(each, _HIDDEN)
    return text


def fault_behind(error: BaseException) -> BaseException | None:
    """Return the fault of the Hub, the network or the disk behind an error; None where it is a mistake of ours."""
    # The client wraps its faults: those of uploads, and those of files that are not here either.
    while isinstance(error, RuntimeError | LocalEntryNotFoundError) and error.__cause__ is not None:
        if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, _UNASKED):
            break
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
    if isinstance(error, LocalEntryNotFoundError):
        return _not_here(error, about)
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
        EntryNotFoundError,
        lambda about, what, page: RepairError(
            f"a file of {about} is no longer on the Hub", "look what is there now, and try again"
        ),
    ),
)
"""The first that fits."""
_UNASKED = (OfflineModeIsEnabled, httpx.TransportError)
"""Where the Hub has said nothing of a file that is not here."""


def _not_here(error: LocalEntryNotFoundError, about: str) -> RepairError:
    """Return what there is to say of files that are not on this machine while the Hub cannot be asked for them."""
    if isinstance(error.__cause__, OfflineModeIsEnabled):
        return RepairError(f"{about} is not on this machine, and {OFFLINE}", "unset it, or fetch that first")
    return Unreachable(
        f"{about} is not on this machine, and the Hub cannot be reached", "check the name and the network, then again"
    )


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
