"""By what the photos of a set are met again: their bytes, and their looks. Kept beside the set, in `looks.npz`."""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repairai.files import write_whole
from repairai.judge.state_set import Split
from repairai.vision.photo_set import LabelledPhoto
from training.detector.alike import LOOKS, SIDE_PX, Look, with_sources


@dataclass(frozen=True)
class Row:
    """One picture of a set.

    Args:
        name: Of its file.
        identity: See `Shown`.
        source: What its photo was made from.
        look: Of its photo; None where none is to be compared.
    """

    name: str
    identity: str
    source: str
    look: Look | None


@dataclass(frozen=True)
class Met:
    """All pictures of a set."""

    rows: tuple[Row, ...] = ()

    def only(self, names: Collection[str]) -> Met:
        """Return those of some names."""
        return Met(tuple(row for row in self.rows if row.name in names))


def read_met(folder: Path) -> Met:
    """Return what is kept beside a set; nothing, where that is damaged or not there."""
    try:
        with np.load(folder / LOOKS, allow_pickle=False) as file:
            columns = zip(file["names"], file["identities"], file["sources"], file["looks"], file["seen"], strict=True)
            return Met(
                tuple(
                    Row(str(name), str(identity), str(source), look if seen else None)
                    for name, identity, source, look, seen in columns
                )
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return Met()


def write_met(folder: Path, met: Met) -> None:
    """Write what a set's pictures are met again by, whole or not at all."""
    nothing = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    out = io.BytesIO()
    np.savez_compressed(
        out,
        names=np.array([row.name for row in met.rows], np.str_),
        identities=np.array([row.identity for row in met.rows], np.str_),
        sources=np.array([row.source for row in met.rows], np.str_),
        looks=np.array([nothing if row.look is None else row.look for row in met.rows], np.uint8),
        seen=np.array([row.look is not None for row in met.rows], np.bool_),
    )
    write_whole(folder / LOOKS, out.getvalue())


def join(known: Met, fresh: Met, splits: Mapping[str, Split]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the source that each fresh one goes into, where photos look alike; and those that fit into none.

    A photo that looks like ones of two splits may stand in neither.

    Args:
        known: Pictures that are in the set.
        fresh: Those that come to it.
        splits: Of each source that is in the set.
    """
    photos: dict[tuple[str, bytes], LabelledPhoto] = {}
    looks: dict[str, Look] = {}
    for row in (*known.rows, *fresh.rows):
        if row.look is None:
            continue
        shown = (row.source, row.look.tobytes())
        if shown not in photos:
            name = str(len(photos))
            photos[shown] = LabelledPhoto(name, 1, 1, source=row.source)
            looks[name] = row.look
    listed = list(photos.values())
    groups: dict[str, set[str]] = defaultdict(set)
    for photo, joined in zip(listed, with_sources(listed, looks), strict=True):
        groups[joined.source].add(photo.source)
    becomes: dict[str, str] = {}
    bridges: set[str] = set()
    for root, sources in groups.items():
        there = sorted(source for source in sources if source in splits)
        new = sources - set(there)
        if len({splits[source] for source in there}) > 1:
            bridges |= new
        becomes.update(dict.fromkeys(new, there[0] if there else root))
    return becomes, frozenset(bridges)
