"""The classes of sources become the parts of a set: renamed, dropped, numbered from 0, and none of them twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repairai.errors import RepairError
from training.detector.findings import few
from training.detector.labels import Said


@dataclass(frozen=True)
class Wishes:
    """What a person wants of the classes.

    Args:
        rename: Name or number in the source -> name in the set.
        drop: Names or numbers of what is left out.
        merge: Whether classes of one name become one part.
    """

    rename: Mapping[str, str]
    drop: tuple[str, ...] = ()
    merge: bool = False


@dataclass(frozen=True)
class Numbered:
    """Parts of a set.

    Args:
        parts: Their names, by number.
        original_ids: The number that each had where it came from.
        of: For each source: number there -> name in the set; what is dropped is not in it.
    """

    parts: tuple[str, ...]
    original_ids: tuple[int, ...]
    of: tuple[dict[int, str], ...]


def number(sources: Sequence[Said], wishes: Wishes, known: Sequence[str] = ()) -> Numbered:
    """Return the parts that sources make up.

    Args:
        sources: What they say.
        wishes: What is renamed and dropped.
        known: Parts of the set that the sources are added to.

    Raises:
        RepairError: Two classes of a source have one name, a name is empty, or a wish fits no class.
    """
    ids: dict[str, int] = {}
    of: list[dict[int, str]] = []
    wished = {*wishes.rename, *wishes.drop}
    for said in sources:
        own = {}
        for key, name in sorted(said.parts.items()):
            called = _called(said, key, name)
            wished -= called
            if not called & set(wishes.drop):
                new = next((wishes.rename[each] for each in called if each in wishes.rename), name)
                own[key] = new.strip()
        _check(said, own, wishes.merge)
        for key, name in own.items():
            ids.setdefault(name, key)
        of.append(own)
    if wished:
        every = dict.fromkeys(name for said in sources for name in said.parts.values())
        raise RepairError(f"there is no class {few(sorted(wished))}", f"the classes are {few(every, 30)}")
    parts = tuple(dict.fromkeys((*known, *ids)))
    return Numbered(parts, () if known else tuple(ids[part] for part in parts), tuple(of))


def _called(said: Said, key: int, name: str) -> set[str]:
    """Return by what a class can be called: its name, and its number where that is no class's name."""
    return {name, str(key)} if str(key) not in said.parts.values() else {name}


def _check(said: Said, own: Mapping[int, str], merge: bool) -> None:
    if said.parts and not own:
        raise RepairError(f"{said.name} has no class that is left", "drop fewer of them")
    counts = Counter(own.values())
    for name, count in counts.items():
        if not name:
            key = next(key for key, each in own.items() if not each)
            raise RepairError(f"class {key} of {said.name} has an empty name", f"name it, as --rename {key}=screw")
        if count > 1 and not merge:
            keys = [key for key, each in own.items() if each == name]
            raise RepairError(
                f"classes {few(map(str, keys))} of {said.name} have one name, {name!r}",
                f"make them one part with --merge, or give one another name, as --rename {keys[-1]}=NAME",
            )
