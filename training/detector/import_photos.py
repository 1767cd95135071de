"""Sources of labelled photos -> a set of photos, whole or not at all; memory stays flat however many they are."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.vision.photo_set import (
    PHOTOS,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    photo_set_folder,
    write_photo_set,
)
from training.detector.formats import read_source
from training.detector.labels import Said
from training.detector.parts import Numbered, Wishes, number
from training.detector.photos_in import Names, arrive, sha256, store
from training.detector.placing import Placed, place
from training.detector.splits import base_name, part
from training.detector.trees import open_tree

Tell = Callable[[int, int | None, str], None]
"""Is told how much is done, of how much, and what it is."""


@dataclass(frozen=True)
class Order:
    """What is imported.

    Args:
        name: Of the set.
        sources: Folders and zips.
        shape: Their format; `auto` finds it.
        licence: Of sources that do not say one.
        url: The same.
        wishes: What becomes of the classes.
        seed: Of the splits.
    """

    name: str
    sources: tuple[str, ...]
    shape: str = "auto"
    licence: str = ""
    url: str = ""
    wishes: Wishes = field(default_factory=lambda: Wishes({}))
    seed: int = 7


@dataclass
class Seen:
    """What an import saw of its photos: each list holds their names in the source, or in the set once they have one."""

    unreadable: dict[str, str] = field(default_factory=dict)
    doubles: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    shrunk: list[str] = field(default_factory=list)
    placed: dict[str, Placed] = field(default_factory=dict)
    orientations: dict[str, int] = field(default_factory=dict)


def import_photos(order: Order, tell: Tell) -> PhotoSet:
    """Make a new set of photos from sources.

    Raises:
        RepairError: A source cannot be read, the name is taken, or the disk is full; nothing stays behind.
    """
    folder = photo_set_folder(order.name)
    if folder.exists():
        raise RepairError(f"there are photos named {order.name} already", "take another name, or --add to them")
    beside = folder.with_name(f".{order.name}.{uuid.uuid4().hex[:8]}")
    try:
        with ExitStack() as stack:
            said = [read_source(stack.enter_context(open_tree(Path(each))), order.shape) for each in order.sources]
            numbered = number(said, order.wishes)
            (beside / PHOTOS).mkdir(parents=True)
            photos, own, seen = _bring(beside, said, numbered, tell)
        parted = part(photos, own, order.seed)
        made = PhotoSet(beside, numbered.parts, parted.photos, _sources(said, order), numbered.original_ids)
        write_photo_set(made)
        if folder.exists():
            raise RepairError(f"there are photos named {order.name} already", "take another name")
        beside.rename(folder)
    except OSError as error:
        raise disk_error(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return replace(made, folder=folder)


def _bring(
    place_of: Path, sources: Sequence[Said], numbered: Numbered, tell: Tell
) -> tuple[list[LabelledPhoto], list[str], Seen]:
    """Write the photos of sources, and return what is known of them and the split that each came with."""
    seen, names = Seen(), Names()
    photos: list[LabelledPhoto] = []
    own: list[str] = []
    known: dict[str, int] = {}
    total, done = sum(len(said.photos) for said in sources), 0
    for said, parts in zip(sources, numbered.of, strict=True):
        for each in said.photos:
            done += 1
            tell(done, total, "photos")
            try:
                content = each.read()
                arrived = arrive(content, PurePosixPath(each.origin).name)
            except RepairError as error:
                seen.unreadable[each.origin] = error.what
                continue
            digest = sha256(content)
            placed = place(each, arrived, parts)
            if digest in known:
                seen.doubles.append(each.origin)
                continue
            name = names.give(each.origin, arrived.suffix)
            store(place_of / PHOTOS, name, arrived.content)
            known[digest] = len(photos)
            seen.placed[name] = placed
            group = f"{said.name}/{base_name(PurePosixPath(each.origin).stem)}"
            width, height = arrived.size
            photos.append(LabelledPhoto(name, width, height, placed.boxes, "train", group, each.origin, each.labelled))
            own.append(each.split)
    if not photos:
        first, why = next(iter(seen.unreadable.items()), ("", ""))
        raise RepairError(f"none of {total:,} photos can be read: {why or first}", "give photos that can be opened")
    return photos, own, seen


def _sources(said: Sequence[Said], order: Order) -> tuple[PhotoSource, ...]:
    return tuple(
        PhotoSource(each.name, order.licence or each.licence, order.url or each.url, len(each.photos)) for each in said
    )
