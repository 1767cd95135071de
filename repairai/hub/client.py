"""The one way to the Hub: who speaks to it, whether it is there, and each of its faults in one sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR
from typing import Any

from huggingface_hub import HfApi, constants, get_token, set_client_factory
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # it exports the last by name alone
    httpx,
    logging,
)
from huggingface_hub.utils._http import default_client_factory

from repairai.errors import RepairError
from repairai.hub_faults import LOGIN, OFFLINE, Kind, Unreachable, endpoint, in_a_sentence

REACH_SECONDS = 2.0
"""In which it is known whether the Hub is there."""
KEPT_SECONDS = 5.0
"""For which that is believed."""
_CONNECT_SECONDS, _ANSWER_SECONDS, _WORK_SECONDS = 2.0, 30.0, 600.0
"""To open a connection; for the next piece of an answer; for that of one who is asked to do much."""


@dataclass(frozen=True)
class Reach:
    """Whether the Hub is there.

    Args:
        online: It is.
        said: It, in a sentence.
    """

    online: bool
    said: str


@dataclass(frozen=True)
class _Asked:
    """What was found out, of whom and when."""

    of: str
    at: float
    reach: Reach


_lock = threading.Lock()
_last: list[_Asked] = []
_ready: list[bool] = []


def api() -> HfApi:
    """Return the client of the Hub, which signs with the token of this machine where there is one.

    Its connections do not wait without end, and it does not print: what goes wrong is told by `hub_errors`.
    """
    with _lock:
        if not _ready:
            set_client_factory(_client)
            _ready.append(True)
    logging.set_verbosity(ERROR)
    return HfApi(endpoint=endpoint())


def token() -> str:
    """Return the token with which this machine speaks to the Hub. It may be handed to the Hub, and to nobody else.

    Raises:
        RepairError: Nobody is logged in.
    """
    found = get_token()
    if not found:
        raise RepairError("nobody is logged in to the Hub here", LOGIN)
    return str(found)


def reach(fresh: bool = False) -> Reach:
    """Return whether the Hub is there, within two seconds; that is believed for a few more.

    Args:
        fresh: Ask now, whatever was found out before.
    """
    if constants.is_offline_mode():
        return Reach(False, OFFLINE)
    of = endpoint()
    with _lock:
        known = next((each for each in _last if each.of == of), None)
    if known and not fresh and time.monotonic() - known.at < KEPT_SECONDS:
        return known.reach
    found: list[Reach] = []
    # In a thread: how long it takes to look up a name can be bounded in no other way.
    asking = threading.Thread(target=lambda: found.append(_ask(of)), daemon=True, name="reaches for the Hub")
    asking.start()
    asking.join(REACH_SECONDS - 0.1)
    answer = found[0] if found else Reach(False, f"{_host(of)} does not answer within {REACH_SECONDS:g} seconds")
    with _lock:
        _last[:] = [_Asked(of, time.monotonic(), answer)]
    return answer


def require_online() -> None:
    """See that the Hub is there, within two seconds.

    Raises:
        RepairError: It is not.
    """
    found = reach()
    if not found.online:
        found = reach(fresh=True)
    if constants.is_offline_mode():
        raise RepairError(found.said, "unset it to use the Hub; all that is on this machine works without")
    if not found.online:
        raise Unreachable(found.said, "check the network; all that is on this machine works without")


@contextmanager
def hub_errors(about: str, kind: Kind = "model", secret: str = "") -> Iterator[None]:
    """Do as `in_a_sentence`, whose words these are, and ask anew whether the Hub is there where it is not.

    Raises:
        Unreachable: The Hub cannot be reached, or is too busy: the same may go well later.
        RepairError: It refuses.
    """
    try:
        with in_a_sentence(about, kind, secret):
            yield
    except Unreachable:
        with _lock:
            _last.clear()
        raise


def _client() -> Any:
    """Return a client as huggingface_hub makes it, that does not wait without end."""
    made = default_client_factory()
    made.timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS, write=60.0, pool=None)
    made.event_hooks["request"].append(_be_patient)
    return made


def _be_patient(request: Any) -> None:
    """Let the Hub take its time with what is much work: a commit, and the end of a large file."""
    if request.method in ("PUT", "POST") and ("/commit/" in request.url.path or "/api/" not in request.url.path):
        waits = request.extensions.get("timeout")
        if isinstance(waits, dict):
            waits["read"] = _WORK_SECONDS


def _ask(of: str) -> Reach:
    """Ask the Hub for anything: whatever it answers, it is there, unless it says that it is not."""
    try:
        answer = httpx.get(f"{of}/api/whoami-v2", timeout=REACH_SECONDS - 0.3, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        slow = isinstance(error, httpx.TimeoutException)
        return Reach(False, f"{_host(of)} {'does not answer in time' if slow else 'cannot be reached'}")
    if answer.status_code >= 500:
        return Reach(False, f"{_host(of)} is out of order: it answers {answer.status_code}")
    return Reach(True, f"{_host(of)} is there")


def _host(of: str) -> str:
    return f"the Hub at {of.split('://', 1)[-1]}"
