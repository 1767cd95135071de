"""What was pulled from the Hub, as `models` and `data` list it, and how it is deleted."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from repairai.commands.words import print_json

if TYPE_CHECKING:
    from repairai.hub_faults import Kind
    from repairai.runs.pulled_use import Fetched


def rows(kind: Kind, but: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return what was pulled as plain data, and what was only begun.

    Args:
        kind: Of it.
        but: Folders that are listed elsewhere.
    """
    from repairai.files import HALF, PULLED, home

    places = [home() / "models"] if kind == "model" else [home() / "data" / each for each in ("hub", "sop")]
    if not any(path for place in places for name in (f"[!.]*/{PULLED}", f"{HALF}*") for path in place.glob(name)):
        return []  # most often so, and then known without what it takes to look closer
    from repairai.runs.pulled_removal import clear_gone
    from repairai.runs.pulled_use import fetched

    clear_gone()
    return [_row(each) for each in fetched() if each.kind == kind and str(each.place) not in but]


def said(row: dict[str, Any], noun: str, more: str = "") -> str:
    """Return a row of these for people.

    Args:
        row: As `rows` gives it.
        noun: Of the commands for it: "models" or "data".
        more: What is said of one that is whole.
    """
    from repairai.hub.contents import in_words

    size = in_words(row["bytes"])
    if row["missing"]:
        return f"{row['repo']}, {row['missing']}, {size}: `{noun} pull {row['repo']}` goes on"
    base = f" on {row['base']}" if row["base"] else ""
    return f"{row['repo']}, {row['said']}{base} from the Hub{more}, {size}: {row['path']}"


def delete(chosen: argparse.Namespace, kind: Kind, force: bool = False) -> int:
    """Delete what was pulled, say how much became free, and return the exit code.

    Raises:
        RepairError: It is not there, or still needed.
    """
    from repairai.hub.contents import in_words
    from repairai.runs.pulled_removal import delete_fetched

    freed = delete_fetched(chosen.name, kind, force)
    if chosen.json:
        told = {"deleted": freed.repo, "bytes": freed.n_bytes, "cannot_go_on": list(freed.stuck)}
        print_json({**told, "base": freed.base} if kind == "model" else told)
        return 0
    print(f"{freed.repo} is deleted: {in_words(freed.n_bytes)} are free again")
    if freed.stuck:
        print(f"without it cannot go on: {', '.join(freed.stuck)}")
    if freed.base:
        print(f"what it stood on is here still, and nothing else needs it: `models delete {freed.base}`")
    return 0


def _row(found: Fetched) -> dict[str, Any]:
    from repairai.hub.contents import WHAT_WORDS
    from repairai.runs.pulled_use import on_disk

    about = found.about
    told = {"name": found.repo, "active": False, "kind": "pulled", "repo": found.repo}
    told |= {"what": about.what if about else "", "said": WHAT_WORDS[about.what] if about else ""}
    told |= {"base": about.base if about else "", "licence": about.licence if about else ""}
    told |= {"revision": about.revision if about else "", "path": str(found.place), "bytes": on_disk(found)}
    return {**told, "missing": "" if about else "not all of it has come"}
