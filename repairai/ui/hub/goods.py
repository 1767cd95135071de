"""What there is to push: models that runs have made, data that were built, sets of photos and of states."""

from __future__ import annotations

from contextlib import suppress

from repairai.errors import RepairError
from repairai.hub.push import Parcel
from repairai.named_sets import PHOTO_SETS, STATE_SETS
from repairai.runs import parcels
from repairai.runs.folder import RunFolder, run_folders
from repairai.runs.state import read_run
from repairai.ui.data_build import built

RUN, MERGED, DATA, PHOTOS, STATES = "run", "merged", "data", "photos", "states"
WHAT = {"sop": "an agent", "detector": "a detector", "judge": "a judge"}


def goods() -> list[tuple[str, str]]:
    """Return what can be pushed, as (what it says, `kind:name`): models first, the newest of each kind first."""
    made: list[tuple[float, str, RunFolder]] = []
    for folder in run_folders():
        if any((folder.model / name).is_file() for name in ("config.json", parcels.ADAPTER)):
            run = read_run(folder)
            made.append((run.created or 0.0, WHAT.get(run.task, "a model"), folder))
    found: list[tuple[str, str]] = []
    for _, what, folder in sorted(made, key=lambda each: each[0], reverse=True):
        is_adapter = (folder.model / parcels.ADAPTER).is_file()
        found.append((f"{folder.id}: {what}{', an adapter' if is_adapter else ''}", f"{RUN}:{folder.id}"))
        if (folder.path / parcels.MERGED / "config.json").is_file():
            found.append((f"{folder.id}: {what}, merged with its base", f"{MERGED}:{folder.id}"))
    found += [(f"{each.folder.name}: examples for an agent", f"{DATA}:{each.folder.name}") for each in built()]
    found += [(f"{name}: labelled photos", f"{PHOTOS}:{name}") for name in PHOTO_SETS.names()]
    return [*found, *((f"{name}: states", f"{STATES}:{name}") for name in STATE_SETS.names())]


def name_of(good: str) -> str:
    """Return what is usually the name of a good on the Hub."""
    kind, _, name = good.partition(":")
    slug = "".join(each if each.isascii() and (each.isalnum() or each in "-._") else "-" for each in name).strip("-._")
    return f"{slug}-merged" if kind == MERGED else slug or "mine"


def needs_base(good: str) -> bool:
    """Tell whether it is an adapter whose base has no name on the Hub that is known here."""
    kind, _, name = good.partition(":")
    if kind != RUN:
        return False
    with suppress(RepairError):
        return parcels.lacks_base(name)
    return False


def parcel(good: str, repo: str, base: str) -> Parcel:
    """Return what goes, with its card.

    Args:
        good: As `goods` gives it.
        repo: OWNER/NAME.
        base: Name on the Hub of an adapter's base, where it is asked for; else empty.

    Raises:
        RepairError: It is not there any more, or may not go as it is.
    """
    kind, _, name = good.partition(":")
    if kind in (RUN, MERGED):
        return parcels.of_run(name, repo, merged=kind == MERGED, base=base.strip())
    if kind == DATA:
        return parcels.of_sop_data(name, repo)
    if kind == PHOTOS:
        return parcels.of_photo_set(name, repo)
    if kind == STATES:
        return parcels.of_state_set(name, repo)
    raise RepairError("nothing is chosen", "choose what is to go, in the list")
