"""Boxes that a model proposes into a set of photos, for a person to accept, move and delete."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.named_sets import PHOTO_SETS
from repairai.vision.looked import accept_above
from repairai.vision.masks import box_of, decode
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import MODEL, LabelledBox, LabelledPhoto, PhotoSet, edit, read_photo_set
from repairai.vision.proposals import Proposal, is_large, same_thing
from training.detector.doctor import write_report
from training.detector.finders import Asked, Pixels, open_finder

if TYPE_CHECKING:
    from repairai.vision.segmenter import Segmenter

Tell = Callable[[int, int | None, str], None]

JOURNAL = "proposed.jsonl"
"""Beside the set: which photos were looked at, by which order; whoever goes on leaves these out."""
FLUSH_SECONDS = 5.0
"""Between writings of the set, which are whole: what is lost when the machine goes down."""
_LEAST_OF_BOX = 0.2
"""Share of a box that its mask fills at least; of a mask that fills less, nothing is believed."""


@dataclass(frozen=True)
class Order:
    """What is to be proposed.

    Args:
        name: Of the set.
        asked: What is looked for, and by whom.
        labelled_too: Also photos that are labelled: where something new is found they wait for a person again.
        photos: Names of the photos to look at; empty takes all that fit.
        accept_from: Score from which on photos to train on are labelled without a person; None: never.
        masks: A SAM 2 model that makes boxes tighter; empty: none.
        again: Also photos that this order has looked at before.
    """

    name: str
    asked: Asked
    labelled_too: bool = False
    photos: tuple[str, ...] = ()
    accept_from: float | None = None
    masks: str = ""
    again: bool = False

    @property
    def key(self) -> str:
        """Return what tells this way of looking from others."""
        looks = [asdict(self.asked), self.masks, self.labelled_too]
        return hashlib.sha256(json.dumps(looks, sort_keys=True).encode()).hexdigest()[:12]


@dataclass
class Report:
    """What came of it.

    Args:
        name: Of the set.
        by: Who drew the boxes.
        photos: Looked at.
        boxes: Put into the set.
        parts: How many of each part.
        large: How many of the boxes fill a suspicious share of their photo.
        empty: Photos on which nothing was found.
        accepted: Photos that were labelled without a person.
        waiting: Photos in the whole set with boxes that wait for a person.
        unreadable: Names of photos that could not be read.
        seconds: That it took.
    """

    name: str
    by: str = ""
    photos: int = 0
    boxes: int = 0
    parts: dict[str, int] = field(default_factory=dict)
    large: int = 0
    empty: int = 0
    accepted: int = 0
    waiting: int = 0
    unreadable: list[str] = field(default_factory=list)
    seconds: float = 0.0


def propose(order: Order, tell: Tell) -> Report:
    """Put a model's boxes into a set, and return what came of it; whenever it is ended, what is done stays done.

    Raises:
        RepairError: There is no such set or model, or it cannot find what is asked for.
    """
    began = time.perf_counter()
    folder = PHOTO_SETS.known(order.name)
    photos = read_photo_set(folder)
    if unknown := sorted(set(order.photos) - {each.name for each in photos.photos}):
        raise RepairError(f"{order.name} holds no photo {unknown[0]}", f"see `photos show {order.name}`")
    if order.labelled_too and order.accept_from is not None:
        raise RepairError(
            "photos that are labelled were to be looked at again and accepted without a person", "leave out one of both"
        )
    done = set() if order.again else _looked_at(folder, order.key)
    todo = [each for each in photos.photos if _wanted(each, order) and each.name not in done]
    tell(0, None, f"opening {order.asked.model}")
    finder = open_finder(order.asked, photos)
    segmenter = _segmenter(order.masks) if order.masks else None
    report = Report(order.name, f"{MODEL}{finder.name}")
    found: dict[str, tuple[Proposal, ...]] = {}
    flushed = time.monotonic()
    try:
        for number, photo in enumerate(todo):
            tell(number, len(todo), "photos looked at")
            try:
                pixels = read_photo(photos.path(photo)).pixels
            except RepairError:  # the doctor names it too; the others get their boxes
                report.unreadable.append(photo.name)
                continue
            seen = finder.find(pixels)
            found[photo.name] = tightened(pixels, seen, segmenter) if segmenter else seen
            if time.monotonic() - flushed > FLUSH_SECONDS:
                _flush(folder, found, order, finder.parts, report)
                flushed = time.monotonic()
    finally:
        _flush(folder, found, order, finder.parts, report)
    tell(len(todo), len(todo), "photos looked at")
    with suppress(RepairError):  # then the old report says that the set has changed since
        write_report(read_photo_set(folder))
    report.waiting = sum(each.waits for each in read_photo_set(folder).photos)
    report.seconds = round(time.perf_counter() - began, 1)
    return report


def _wanted(photo: LabelledPhoto, order: Order) -> bool:
    if order.photos:
        return photo.name in order.photos and (order.labelled_too or not photo.labelled)
    return not photo.made and (order.labelled_too or not photo.labelled)


def _segmenter(model: str) -> Segmenter:
    from repairai.vision.segmenter import load_segmenter  # noqa: PLC0415  torch, as above

    return load_segmenter(model)


def tightened(pixels: Pixels, found: tuple[Proposal, ...], segmenter: Segmenter) -> tuple[Proposal, ...]:
    """Return proposals with boxes as tight as their masks, where those can be believed."""
    tight = []
    for each, mask in zip(found, segmenter.compact(pixels, [one.box for one in found]), strict=True):
        box = box_of(mask)
        if box is None or decode(mask).mean() < _LEAST_OF_BOX:
            tight.append(each)
        else:
            tight.append(replace(each, box=box))
    return tuple(tight)


# ---- into the set


def put(
    photos: PhotoSet, found: Mapping[str, tuple[Proposal, ...]], by: str, asked: frozenset[str], labelled_too: bool
) -> PhotoSet:
    """Return the set with proposals on its photos, which wait for a person then.

    What was proposed before by the same model for the same parts and never accepted makes room; no other box is
    touched, and where one shows the same thing the proposal is left out. A photo that a person labelled in the meantime
    stays theirs.

    Args:
        photos: The set as it is now.
        found: Proposals by the name of their photo.
        by: Who drew them.
        asked: Parts that were looked for.
        labelled_too: Whether labelled photos get proposals as well.
    """
    after = []
    for photo in photos.photos:
        if photo.name not in found or (photo.labelled and not labelled_too):
            after.append(photo)
            continue
        kept = [box for box in photo.boxes if box.by != by or box.checked or box.part not in asked]
        there = np.array([box.box for box in kept], dtype=np.float32).reshape(-1, 4)
        new = [
            LabelledBox(each.part, each.box, by, False, each.score)
            for each in found[photo.name]
            if not same_thing(np.array(each.box, np.float32), there).any()
        ]
        changed = replace(photo, boxes=(*kept, *new))
        after.append(replace(changed, labelled=False) if new else changed)
    parts = tuple(dict.fromkeys((*photos.parts, *(box.part for each in after for box in each.boxes))))
    ids = photos.original_ids if len(parts) == len(photos.parts) else ()
    return replace(photos, photos=tuple(after), parts=parts, original_ids=ids)


def _flush(
    folder: Path, found: dict[str, tuple[Proposal, ...]], order: Order, parts: frozenset[str], report: Report
) -> None:
    """Write what was found since the last time, and empty it."""
    if not found:
        return
    accepted: tuple[str, ...] = ()

    def change(photos: PhotoSet) -> PhotoSet:
        nonlocal accepted
        photos = put(photos, found, report.by, parts, order.labelled_too)
        if order.accept_from is not None:
            photos, accepted = accept_above(photos, order.accept_from, set(found))
        return photos

    changed = edit(folder, change)
    report.photos += len(found)
    report.accepted += len(accepted)
    for photo in changed.photos:
        if photo.name in found:
            own = [box for box in photo.boxes if box.by == report.by and not box.checked]
            for box in own:
                report.parts[box.part] = report.parts.get(box.part, 0) + 1
            report.boxes += len(own)
            report.large += sum(is_large(box.box, photo.width, photo.height) for box in own)
            report.empty += not own
    lines = [json.dumps({"photo": name, "key": order.key}, ensure_ascii=False) + "\n" for name in found]
    found.clear()
    try:
        with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.writelines(lines)
    except OSError as error:
        raise disk_error(folder / JOURNAL, error) from None


def _looked_at(folder: Path, key: str) -> set[str]:
    """Return the names of photos that an order has looked at; a line that was cut short counts for nothing."""
    done: set[str] = set()
    try:
        lines = (folder / JOURNAL).read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return done
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            entry: dict[str, Any] = json.loads(line)
            if entry["key"] == key:
                done.add(str(entry["photo"]))
    return done
