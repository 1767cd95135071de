"""Which guides of iFixit a web address means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from repairai.errors import RepairError

_GUIDE_WORDS = {
    "guide", "guides", "guidepdf", "teardown", "print",
    "anleitung", "tutoriel", "guía", "guida", "guia", "handleiding", "руководство",
}  # fmt: skip
"""The first word in the path of a guide's page, as iFixit writes it in the languages it is translated to."""
_PAGES_OF_A_GUIDE = {"edit", "view", "link", "history"}
_DEVICE_WORDS = {"device", "category", "categories", "c"}
_NUMBER = re.compile(r"(?:ifixit-)?([1-9][0-9]{0,11})", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """What an address means.

    Args:
        kind: One guide, all guides for a device, or a listing of guides page by page.
        name: The guide's number, the device's name, or the listing's query.
    """

    kind: Literal["guide", "device", "listing"]
    name: str


def is_address(text: str) -> bool:
    """Return whether a text looks like a web address or a guide's number, not like a path."""
    return bool(re.match(r"(https?://|www\.|ifixit\.com/)\S", text, re.IGNORECASE) or _NUMBER.fullmatch(text.strip()))


def read_address(text: str, api: str) -> Address:
    """Return what a web address or a guide's number means; locale, anchor and query may be there.

    Args:
        text: `https://www.ifixit.com/Guide/<title>/<number>`, a device's page, an address of the API, or a number.
        api: The address of the API that will be asked; its own pages are taken too.

    Raises:
        RepairError: It is neither.
    """
    text = text.strip()
    if number := _NUMBER.fullmatch(text):
        return Address("guide", number[1])
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, own = parts.hostname or "", urlsplit(api).hostname
    except ValueError:
        raise _not_a_guide(text) from None
    if host != own and not re.fullmatch(r"([a-z0-9-]+\.)*ifixit\.com", host):
        raise _not_a_guide(text)
    found = _read_path([unquote(part) for part in parts.path.split("/") if part], parts)
    if found is None:
        raise _not_a_guide(text)
    return found


def _read_path(path: list[str], parts: SplitResult) -> Address | None:
    if path[:1] == ["api"]:
        path = path[2:]
    word, rest = (path[0].lower(), path[1:]) if path else ("", [])
    numbers = [part for part in rest if re.fullmatch(r"[1-9][0-9]{0,11}", part)]
    if word in _GUIDE_WORDS and numbers:
        # "/Guide/edit/<number>/<step>", but "/Guide/<title>/<number>" where the title may be a number too.
        return Address("guide", numbers[0] if rest[0].lower() in _PAGES_OF_A_GUIDE else numbers[-1])
    if word in _DEVICE_WORDS and rest and rest[0] not in ("all", ""):
        return Address("device", rest[0].replace("_", " "))
    if word in ("guide", "guides") and not rest:
        asked = parse_qs(parts.query)
        return Address("listing", "&".join(f"{key}={asked[key][0]}" for key in ("filter", "order") if key in asked))
    return None


def _not_a_guide(text: str) -> RepairError:
    return RepairError(
        f"{text[:200]} is not the address of an iFixit guide",
        "give one such as https://www.ifixit.com/Guide/<title>/<number>, a device's page, or a guide's number",
    )
