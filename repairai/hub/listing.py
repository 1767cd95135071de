"""What is on the Hub: a person's own things, and those that fit some words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from repairai.errors import RepairError
from repairai.hub.account import who
from repairai.hub.client import api, hub_errors, require_online
from repairai.hub_faults import LOGIN, WORDS, Kind, address

MOST = 200
"""Of what is listed."""
_TOLD = ("private", "lastModified", "tags")


@dataclass(frozen=True)
class Listed:
    """A repository of the Hub.

    Args:
        repo: OWNER/NAME.
        kind: What it is.
        private: Whether only its owner sees it.
        updated: When it was last changed, ISO 8601; empty where the Hub does not say.
        downloads: In the last thirty days; of a Space none.
        tags: As its card has them.
        address: Where it can be looked at.
    """

    repo: str
    kind: Kind
    private: bool
    updated: str
    downloads: int
    tags: tuple[str, ...]
    address: str


def mine(kind: Kind = "model") -> tuple[Listed, ...]:
    """Return what the person and their organisations have on the Hub, the newest first.

    Raises:
        RepairError: Nobody is logged in, or the Hub is not there.
    """
    account = who()
    if account is None:
        raise RepairError("nobody is logged in to the Hub here", LOGIN)
    found: list[Listed] = []
    for owner in (account.name, *account.organisations):
        with hub_errors(f"the {WORDS[kind]}s of {owner}", kind):
            found += _told(_asked(kind, author=owner), kind)
    return tuple(sorted(found, key=lambda each: each.updated, reverse=True))


def search(words: str, kind: Kind = "model", most: int = 20) -> tuple[Listed, ...]:
    """Return what has these words in its name, what is downloaded most first.

    Args:
        words: A part of a name.
        kind: What is looked for.
        most: That many at most.

    Raises:
        RepairError: The Hub is not there.
    """
    require_online()
    with hub_errors(f"'{words}'", kind):
        found = _told(islice(_asked(kind, search=words, limit=most), most), kind)
    return tuple(sorted(found, key=lambda each: each.downloads, reverse=True))


def _asked(kind: Kind, **more: Any) -> Iterable[Any]:
    more.setdefault("limit", MOST)
    client = api()
    asking: dict[Kind, Any] = {
        "model": client.list_models, "dataset": client.list_datasets, "space": client.list_spaces
    }  # fmt: skip
    found: Iterable[Any] = asking[kind](expand=[*_TOLD, *(["downloads"] if kind != "space" else [])], **more)
    return found


def _told(found: Iterable[Any], kind: Kind) -> list[Listed]:
    return [
        Listed(
            str(each.id),
            kind,
            bool(each.private),
            each.last_modified.isoformat(timespec="seconds") if each.last_modified else "",
            int(getattr(each, "downloads", 0) or 0),
            tuple(each.tags or ()),
            address(each.id, kind),
        )
        for each in found
    ]
