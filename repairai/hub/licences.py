"""Licences as the Hub names them, and which of those that something was made from goes on with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

UNKNOWN, OTHER = "unknown", "other"
"""The Hub's own words for a licence that nobody said, and for one that it has no name for."""
_PLAIN = (
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "cc0-1.0", "odc-by", "pddl", "afl-3.0",
    "artistic-2.0", "openrail", "bigscience-openrail-m", "gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0",
    "cdla-permissive-2.0", "cdla-sharing-1.0", "odbl", "gemma", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3",
)  # fmt: skip
_CREATIVE = re.compile(r"cc-by(-nc)?(-sa|-nd)?-\d\.\d")
_SHARED_ALIKE = ("gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "odbl", "cdla-sharing-1.0")
_SPELLED = (
    (r"creative commons|\bcreativecommons\b", "cc"), (r"attribution", "by"), (r"non-?\s?commercial", "nc"),
    (r"share-?\s?alike", "sa"), (r"no-?\s?deriv\w*", "nd"), (r"\b(international|unported|generic|deed)\b", ""),
    (r"\blicen[cs]e\b|\bversion\b|\bv(?=\d)", ""), (r"\bpublic domain dedication\b", ""),
)  # fmt: skip
_ALONE = {
    "apache-2": "apache-2.0", "apache": "apache-2.0", "cc0": "cc0-1.0", "cc-0": "cc0-1.0", "cc-zero-1.0": "cc0-1.0",
    "cc-zero": "cc0-1.0", "bsd": "bsd-3-clause",
}  # fmt: skip


@dataclass(frozen=True)
class Passed:
    """Which licence goes on with something.

    Args:
        id: For the head of a card: one that the Hub knows, `other` or `unknown`.
        name: Where that is `other`, what it is called.
        asks: What it asks of whoever passes it on, in a clause each.
    """

    id: str
    name: str
    asks: tuple[str, ...]


def hub_licence(text: str) -> str:
    """Return the Hub's name of a licence, however it is written; empty where it has none.

    "CC BY-NC-SA 3.0" and "Creative Commons Attribution-NonCommercial-ShareAlike 3.0" are both `cc-by-nc-sa-3.0`.
    """
    found = text.casefold().strip()
    for pattern, word in _SPELLED:
        found = re.sub(pattern, word, found)
    found = re.sub(r"[\s_/,()-]+", "-", found).strip("-")
    found = re.sub(r"^(?=by-)", "cc-", found)
    found = re.sub(r"^(cc-by(?:-nc)?(?:-sa|-nd)?)-(\d)$", r"\1-\2.0", found)
    found = _ALONE.get(found, found)
    return found if found in _PLAIN or _CREATIVE.fullmatch(found) else ""


def passed_on(said: Iterable[str]) -> Passed:
    """Return the licence under which something goes on that was made from things under these.

    One that binds (no commercial use, the same licence, no changes) stays whatever stands beside it; several different
    ones that bind have no common name. Of those that do not bind the one that asks most is taken.

    Args:
        said: As their sources write them; empty where nobody said one.
    """
    words = list(dict.fromkeys(each.strip() for each in said))
    known = {each: hub_licence(each) for each in words}
    unsaid = any(not name and each.casefold() in ("", UNKNOWN) for each, name in known.items())
    strange = [each for each, name in known.items() if not name and each.casefold() not in ("", UNKNOWN)]
    names = list(dict.fromkeys(name for name in known.values() if name))
    binding = [name for name in names if _binds(name)]
    if len(binding) == 1 and not strange:
        return Passed(binding[0], "", _asks(binding))
    if binding or strange:
        together = "-and-".join(
            re.sub(r"[^a-z0-9.]+", "-", each.casefold()).strip("-") for each in (*binding, *strange)
        )
        return Passed(OTHER, together, _asks(binding))
    if unsaid or not names:
        return Passed(UNKNOWN, "", _asks(names))
    most = max(names, key=lambda name: (name.startswith(("cc-by", "odc-by")), name != "cc0-1.0", name == "apache-2.0"))
    return Passed(most, "", _asks(names))


def _binds(name: str) -> bool:
    return name in _SHARED_ALIKE or bool(re.search(r"-(nc|sa|nd)\b", name)) or name.startswith(("gemma", "llama"))


def _asks(names: Iterable[str]) -> tuple[str, ...]:
    """Return what licences ask of whoever passes a work on."""
    found: dict[str, None] = {}
    for name in names:
        if name.startswith(("cc-by", "odc-by")):
            found["name the authors, as `sources.json` does"] = None
        if "-nc" in name:
            found["no commercial use"] = None
        if "-sa" in name or name in _SHARED_ALIKE:
            found[f"pass it on under {name} alone"] = None
        if "-nd" in name:
            found[f"{name} allows no changed works: ask its authors before you share what was made from theirs"] = None
    return tuple(found)
