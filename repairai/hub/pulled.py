"""What came from the Hub onto this machine, as `pulled.json` in each folder tells it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import HALF, PULLED, home, read_record
from repairai.hub.contents import What, repo_of
from repairai.hub_faults import Kind
from repairai.named_sets import DATA_SETS


@dataclass(frozen=True)
class Pulled:
    """Where something came from; `pulled.json` in its folder.

    Args:
        repo: OWNER/NAME.
        kind: Of the repository.
        revision: The commit.
        what: What it is.
        licence: As its card says it.
        when: It came, ISO 8601 in UTC.
        files: (path, bytes, name of its content) of each file, as it came.
        base: Of an adapter.
    """

    repo: str
    kind: Kind
    revision: str
    what: What
    licence: str
    when: str
    files: tuple[tuple[str, int, str], ...]
    base: str = ""


def pulled_models() -> tuple[tuple[Pulled, Path], ...]:
    """Return the models that were pulled, each with its folder, the newest first."""
    return _pulled(home() / "models")


def pulled_data() -> tuple[tuple[Pulled, Path], ...]:
    """Return the data sets that were pulled, each with its folder, the newest first."""
    return tuple(
        sorted((*_pulled(home() / "data" / "hub"), *_pulled(DATA_SETS.place())), key=lambda each: each[0].when)
    )[::-1]


def half_of(place: Path) -> Path:
    """Return the folder in which something comes until it is whole, which need not exist.

    Args:
        place: Where it comes to lie.
    """
    return place.with_name(f"{HALF}{place.name}")


def half_pulled() -> tuple[tuple[str, Kind, Path], ...]:
    """Return what was begun to be pulled and is not whole, each with its kind and where it would come to lie."""
    found: list[tuple[str, Kind, Path]] = []
    places: tuple[tuple[Kind, Path], ...] = (
        ("model", home() / "models"), ("dataset", home() / "data" / "hub"), ("dataset", home() / "data" / "sop"),
    )  # fmt: skip
    for kind, folder in places:
        for half in sorted(folder.glob(f"{HALF}*")):
            place = half.with_name(half.name.removeprefix(HALF))
            if half.is_dir() and known_of(place) is None:
                found.append((repo_of(place.name), kind, place))
    return tuple(found)


def known_of(place: Path) -> Pulled | None:
    """Return where what lies in a folder came from; None where that is not told."""
    with suppress(RepairError):
        return read_record(place / PULLED, Pulled)
    return None


def _pulled(folder: Path) -> tuple[tuple[Pulled, Path], ...]:
    found = []
    for path in folder.glob(f"[!.]*/{PULLED}"):
        with suppress(RepairError):  # written by hand: then it was not pulled
            found.append((read_record(path, Pulled), path.parent))
    return tuple(sorted(found, key=lambda each: each[0].when, reverse=True))
