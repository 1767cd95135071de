"""Who is logged in to the Hub. Tokens are only ever given to huggingface_hub's own store."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Literal

import huggingface_hub
from huggingface_hub import get_token

from repairai.errors import RepairError
from repairai.hub.client import api, hub_errors, require_online
from repairai.hub_faults import LOGIN

FROM_ENVIRONMENT = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Names under which a token may stand in the environment; there it counts more than a stored one."""
_MOST_LETTERS = 2_000
_WRITERS = ("admin", "write", "contributor")
"""Who may make something in an organisation."""


@dataclass(frozen=True)
class Account:
    """Who speaks to the Hub from here.

    Args:
        name: On the Hub.
        full_name: As the person gave it there.
        can_write: Whether the token may write anything at all.
        organisations: Those in which the person may make something.
        token_from: The environment, or huggingface_hub's own store.
        writes: Names under which the token may write, of accounts or of single repositories; empty for all of the
            above.
    """

    name: str
    full_name: str
    can_write: bool
    organisations: tuple[str, ...]
    token_from: Literal["environment", "stored"]
    writes: tuple[str, ...] = ()

    def may_write(self, repo: str) -> bool:
        """Tell whether the token may write a repository of the person's, or of an organisation."""
        owner = repo.partition("/")[0]
        if not self.can_write or owner not in (self.name, *self.organisations):
            return False
        return not self.writes or owner in self.writes or repo in self.writes


def who() -> Account | None:
    """Return who is logged in; None where nobody is.

    Raises:
        RepairError: The Hub is not there, or does not know the token.
    """
    if not get_token():
        return None
    require_online()
    with hub_errors("your account"):
        told = api().whoami()
    return _account(told, "environment" if _in_environment() else "stored")


def log_in(token: str) -> Account:
    """Check a token, hand it to huggingface_hub's own store, and return whose it is.

    Args:
        token: As the Hub gave it; spaces around it do not matter.

    Raises:
        RepairError: It is none, the Hub does not know it, or the environment has one that would be used in its place.
    """
    token = token.strip()
    if not re.fullmatch(r"[!-~]+", token) or len(token) > _MOST_LETTERS:
        raise RepairError(
            "that is no token" if token else "no token was given",
            "make one on the Hub under Settings, Access Tokens, with the right to write if you want to push",
        )
    if name := _in_environment():
        raise RepairError(
            f"{name} is set in the environment, and is used in place of any token that is stored",
            f"unset {name}, then log in",
        )
    require_online()
    with hub_errors("your account", secret=token):
        try:
            told = api().whoami(token=token)
        except huggingface_hub.errors.HfHubHTTPError as error:
            if error.response.status_code == 401:
                raise RepairError("the Hub does not know this token", "copy it again, or make a new one") from None
            raise
        huggingface_hub.login(token=token, add_to_git_credential=False)
    return _account(told, "stored")


def log_out() -> None:
    """Take the tokens of this machine out of huggingface_hub's own store.

    Raises:
        RepairError: Nobody is logged in, or the environment has a token, which only the person can take away.
    """
    if not get_token():
        raise RepairError("nobody is logged in to the Hub here", LOGIN)
    try:
        huggingface_hub.logout()
    except FileNotFoundError:  # without git there is nothing of git's to forget
        pass
    except OSError:
        if not _in_environment():
            raise
    if name := _in_environment():
        raise RepairError(
            f"what was stored is gone, but {name} is set in the environment", f"unset {name} to be logged out"
        )


def _in_environment() -> str:
    """Return the name under which the environment has a token; nothing where it has none."""
    return next((name for name in FROM_ENVIRONMENT if os.environ.get(name, "").strip()), "")


def _account(told: dict[str, Any], token_from: Literal["environment", "stored"]) -> Account:
    """Return the account that the Hub tells of."""
    auth = told.get("auth") or {}
    access = auth.get("accessToken") or {}
    role = str(access.get("role") or "write")  # of a login through the browser it says nothing: the Hub decides later
    can_write, writes = role != "read", tuple[str, ...]()
    if role == "fineGrained":
        can_write, writes = _fine_grained(access.get("fineGrained") or {})
    organisations = tuple(
        str(each["name"])
        for each in told.get("orgs") or ()
        if each.get("name") and each.get("roleInOrg", "write") in _WRITERS
    )
    return Account(str(told["name"]), str(told.get("fullname") or ""), can_write, organisations, token_from, writes)


def _fine_grained(said: dict[str, Any]) -> tuple[bool, tuple[str, ...]]:
    """Return whether a token with rights of its own may write, and under which names."""
    names = tuple(
        str((each.get("entity") or {}).get("name") or "")
        for each in said.get("scoped") or ()
        if "repo.write" in (each.get("permissions") or ())
    )
    found = tuple(filter(None, names))
    return bool(found), found
