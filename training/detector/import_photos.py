"""Sources of labelled photos -> a set of photos, whole or not at all; memory stays flat however many they are."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.named_sets import PHOTO_SETS, neighbour
from repairai.vision.photo_set import (
    PHOTOS,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    read_photo_set,
    write_photo_set,
)
from training.detector.adding import Brought, added
from training.detector.alike import source_of, with_sources, write_looks
from training.detector.doctor import write_report
from training.detector.facts import Facts, Unsure, digest_of, read_facts, write_facts
from training.detector.findings import n
from training.detector.formats import read_source
from training.detector.labels import Said, SaidPhoto
from training.detector.parts import Numbered, Wishes, number
from training.detector.photos_in import Arrived, Names, arrive, store
from training.detector.placing import place
from training.detector.seen import findings
from training.detector.splits import part

Tell = Callable[[int, int | None, str], None]
"""Is told how much is done, of how much, and what it is."""
WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Order:
    """What is imported.

    Args:
        name: Of the set.
        sources: Folders, zips and `hub:OWNER/NAME`.
        shape: Their format; `auto` finds it.
        licence: Of sources that do not say one.
        url: The same.
        wishes: What becomes of the classes.
        seed: Of the splits.
        add: Whether the photos go into a set that is there.
        unlabelled: Whether photos without any labels are taken, too.
    """

    name: str
    sources: tuple[str, ...]
    shape: str = "auto"
    licence: str = ""
    url: str = ""
    wishes: Wishes = field(default_factory=lambda: Wishes({}))
    seed: int = 7
    add: bool = False
    unlabelled: bool = False


def import_photos(order: Order, tell: Tell) -> PhotoSet:
    """Make a set of photos from sources, or add them to one.

    Raises:
        RepairError: A source cannot be read, the name is taken, or the disk is full; nothing stays behind.
    """
    folder = PHOTO_SETS.folder(order.name)
    before = _before(folder, order)
    PHOTO_SETS.clear_halves()
    beside = neighbour(folder)
    try:
        with ExitStack() as stack:
            tell(0, None, "labels")
            said = [read_source(each, order.shape, stack, order.unlabelled) for each in order.sources]
            numbered = number(said, order.wishes, before.parts if before else ())
            (beside / PHOTOS).mkdir(parents=True)
            brought = _bring(beside, said, numbered, before, tell)
        sources = _sources(said, order)
        if before:
            return added(before, beside, brought, numbered, said, sources, order.seed)
        photos = with_sources(brought.photos, brought.looks)
        parted = part(photos, brought.own, order.seed)
        ordered = tuple(sorted(parted.photos, key=lambda each: each.name))
        made = PhotoSet(beside, numbered.parts, ordered, sources, numbered.original_ids)
        write_photo_set(made)
        write_looks(made, brought.looks)
        facts = Facts(findings(brought.seen, said, parted), brought.unsure, brought.digests)
        write_facts(beside, facts)
        tell(0, None, "doctor")
        write_report(replace(made, folder=beside), facts, order.name)
        if folder.exists():
            raise _taken(order.name)
        beside.rename(folder)
    except OSError as error:
        raise disk_error(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return replace(made, folder=folder)


def _before(folder: Path, order: Order) -> PhotoSet | None:
    if order.add:
        return read_photo_set(folder)
    if folder.exists():
        raise _taken(order.name)
    return None


def _taken(name: str) -> RepairError:
    return RepairError(f"there are photos named {name} already", "take another name, or --add to them")


# ---- photo by photo


def _bring(place_of: Path, sources: Sequence[Said], numbered: Numbered, before: PhotoSet | None, tell: Tell) -> Brought:
    """Write the photos of sources to a folder, one after the other, and return what is known of them."""
    brought = Brought()
    names = Names(_taken_names(before) if before else None)
    old = read_facts(before.folder).digests if before else {}
    known = {digest: -1 for digest in old.values()}
    total = sum(len(said.photos) for said in sources)
    tell(0, total, "photos")
    with ThreadPoolExecutor(WORKERS) as pool:  # they decode and encode, which lets others work
        try:
            for done, (said, parts, each, came) in enumerate(_opened(pool, _each(sources, numbered)), 1):
                _bring_one(place_of, said.name, parts, each, came, brought, names, known)
                tell(done, total, "photos")
        finally:
            pool.shutdown(cancel_futures=True)
    if not brought.photos:
        seen = brought.seen
        first, why = next(iter(seen.unreadable.items()), ("", ""))
        if first:
            raise RepairError(f"of {n(total, 'photo')} none can be read: {why}", "give photos that can be opened")
        raise RepairError(f"all that is there is in {before.name if before else first} already", "give others")
    return brought


def _taken_names(before: PhotoSet) -> set[str]:
    """Return the names of a set's photos, and of files beside them that an import left that was killed."""
    return {photo.name for photo in before.photos} | {path.name for path in (before.folder / PHOTOS).iterdir()}


def _each(sources: Sequence[Said], numbered: Numbered) -> Iterator[tuple[Said, Mapping[int, str], SaidPhoto]]:
    for said, parts in zip(sources, numbered.of, strict=True):
        for each in said.photos:
            yield said, parts, each


def _opened(
    pool: ThreadPoolExecutor, photos: Iterator[tuple[Said, Mapping[int, str], SaidPhoto]]
) -> Iterator[tuple[Said, Mapping[int, str], SaidPhoto, Arrived | RepairError]]:
    """Yield photos in their order, each with what was read of it: a few are opened ahead, never many."""
    ahead: deque[tuple[tuple[Said, Mapping[int, str], SaidPhoto], Future[Arrived | RepairError]]] = deque()
    for each in photos:
        ahead.append((each, pool.submit(_open, each[2])))
        if len(ahead) > 2 * WORKERS:
            first, came = ahead.popleft()
            yield (*first, came.result())
    for first, came in ahead:
        yield (*first, came.result())


def _open(each: SaidPhoto) -> Arrived | RepairError:
    try:
        return arrive(each.read(), PurePosixPath(each.origin).name)
    except RepairError as error:
        return error


def _bring_one(
    place_of: Path, collection: str, parts: Mapping[int, str], each: SaidPhoto, arrived: Arrived | RepairError,
    brought: Brought, names: Names, known: dict[str, int],
) -> None:  # fmt: skip
    seen = brought.seen
    if isinstance(arrived, RepairError):
        seen.unreadable[each.origin] = arrived.what
        return
    placed, digest = place(each, arrived, parts), arrived.digest
    if digest in known:
        _met_again(each, placed.boxes, known[digest], brought)
        return
    name = names.give(each.origin, arrived.suffix)
    store(place_of / PHOTOS, name, arrived.content)
    known[digest] = len(brought.photos)
    source = source_of(each.origin, collection, name)
    width, height = arrived.size
    photo = LabelledPhoto(name, width, height, placed.boxes, "train", source, each.origin, each.labelled)
    brought.photos.append(photo)
    brought.own.append(each.split)
    brought.looks[name] = arrived.look
    brought.digests[name] = digest
    if placed.unsure and placed.boxes:
        brought.unsure[name] = Unsure(arrived.orientation, digest_of(placed.boxes))
    seen.note(name, arrived, placed)


def _met_again(each: SaidPhoto, boxes: tuple[LabelledBox, ...], number_of: int, brought: Brought) -> None:
    """Remember a file with the bytes of another one, whose labels are taken where that one had none."""
    brought.seen.doubles.append(each.origin)
    if number_of < 0 or not each.labelled:
        return
    first = brought.photos[number_of]
    if not first.labelled:
        brought.photos[number_of] = replace(first, boxes=boxes, labelled=True)
    elif sorted((box.part, box.box) for box in first.boxes) != sorted((box.part, box.box) for box in boxes):
        brought.seen.differing.append(each.origin)


def _sources(said: Sequence[Said], order: Order) -> tuple[PhotoSource, ...]:
    return tuple(
        PhotoSource(each.name, order.licence or each.licence, order.url or each.url, len(each.photos)) for each in said
    )
