"""Where data came from, as `sources.json` has it, for a card; and which names on the Hub folders here stand for."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from repairai.files import expanded, home
from repairai.hub.card_words import Origin
from repairai.runs.folder import read_json
from repairai.vision.photo_set import PhotoSource

HUB = "hub:"
MOST_GUIDES = 20
"""Guides that a card names one by one."""
_ORIGINS = {
    "ifixit": ("iFixit", "https://www.ifixit.com"),
    "myfixit": ("MyFixit, a collection of iFixit's guides", "https://github.com/rub-ksv/MyFixit-Dataset"),
    "sample": ("guides that come with RepairAI", ""),
}
_CACHED = re.compile(r"models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w][\w.-]*")


def of_guides(data: Any) -> tuple[Origin, ...]:
    """Return where examples for an agent came from.

    Args:
        data: What `sources.json` holds, see `training.sop.build.sources_of`.
    """
    guides: list[tuple[str, dict[str, Any]]] = []
    found: list[Origin] = []
    for licence, of in data.items() if isinstance(data, dict) else ():
        if not isinstance(of, dict):
            continue
        guides += [(licence, each) for each in of.get("guides", ()) if isinstance(each, dict)]
        found += [_dataset(str(name), _said(licence)) for name in of.get("datasets", ())]
    if len(guides) <= MOST_GUIDES:
        return (*found, *(_guide(_said(licence), each) for licence, each in guides))
    groups = Counter((str(each.get("origin", "")), _said(licence)) for licence, each in guides)
    for (origin, licence), n in groups.most_common():
        name, url = _ORIGINS.get(origin, (origin or "guides", ""))
        found.append(Origin(name, licence, url, f"{n:,} guides", "each named in `sources.json`"))
    return tuple(found)


def of_photos(sources: Any) -> tuple[Origin, ...]:
    """Return where photos came from: a list of `PhotoSource`, or of what `sources.json` holds of them."""
    found = []
    for each in sources if isinstance(sources, list | tuple) else ():
        one = vars(each) if isinstance(each, PhotoSource) else each
        if isinstance(one, dict):
            n = one.get("photos") or 0
            amount = f"{n:,} photo{'s' * (n != 1)}" if n else ""
            found.append(Origin(str(one.get("name", "")), str(one.get("licence", "")), str(one.get("url", "")), amount))
    return tuple(found)


def datasets_among(origins: tuple[Origin, ...], data: Path) -> tuple[str, ...]:
    """Return the names of data sets on the Hub that something came from.

    Args:
        origins: Where from.
        data: The folder here, which may have been pulled.
    """
    named = [
        match[1] for each in origins if (match := re.search(r"huggingface\.co/datasets/([\w.-]+/[\w.-]+)", each.url))
    ]
    pulled = read_json(data / "pulled.json").get("repo")
    return tuple(dict.fromkeys([*([pulled] if isinstance(pulled, str) else []), *named]))


def hub_name(model: str) -> str:
    """Return the name on the Hub that a model stands for; empty where it is known to this machine alone.

    A name is one by itself; a folder is where the Hub's own cache or `models pull` has put it.
    """
    if not model:
        return ""
    folder = expanded(model)
    if not folder.is_dir():
        folder = home() / "models" / model if "/" not in model else folder
    if folder.is_dir():
        cached = _CACHED.search(str(folder.absolute()) + "/")
        pulled = read_json(folder / "pulled.json").get("repo")
        return f"{cached[1]}/{cached[2]}" if cached else str(pulled or "")
    cached = _CACHED.search(model)
    if cached:
        return f"{cached[1]}/{cached[2]}"
    return model if _NAME.fullmatch(model) else ""


def licence_here(model: str) -> str:
    """Return the licence of a model that was pulled; empty where nothing here tells it."""
    return str(read_json(expanded(model) / "pulled.json").get("licence") or "") if model else ""


def _guide(licence: str, each: dict[str, Any]) -> Origin:
    title, device = str(each.get("title", "")), str(each.get("device", ""))
    name = title if not device or device.casefold() in title.casefold() else f"{title} ({device})"
    return Origin(name, licence, str(each.get("url", "")), "1 guide", str(each.get("author", "")))


def _dataset(name: str, licence: str) -> Origin:
    own = name.removeprefix(HUB)
    plain = re.split(r"[:@]", own)[0]
    return Origin(own, licence, f"https://huggingface.co/datasets/{plain}" if own != name else "")


def _said(licence: str) -> str:
    return "" if licence == "unknown" else licence
