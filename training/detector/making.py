"""Made photos into a set, and out again: pasted from its own parts, or rendered."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import (
    PASTED,
    RENDERED,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    edit,
    read_photo_set,
)
from training.detector.doctor import write_report
from training.detector.shots import Made, Order, Shot, Tell, pasted, rendered, rendered_names

BATCH = 25
"""Scenes that go into the set at once."""
RENDERER = PhotoSource("rendered by training/scenes", "Apache-2.0")


def make(order: Order, tell: Tell) -> Made:
    """Make scenes into a set; whenever it is ended, what is in the set is whole.

    Raises:
        RepairError: There is no such set, or nothing in it to make scenes of.
    """
    folder = PHOTO_SETS.known(order.name)
    photos = read_photo_set(folder)
    made = Made(order.name)
    names = rendered_names(photos, order) if order.rendered else {}
    rng = np.random.default_rng([order.seed, len(photos.photos)])
    with _alone(folder):
        _clear_strays(photos)
        if order.scenes:
            _add(folder, pasted(photos, order, rng, made, tell), order.scenes, made, tell)
        if order.rendered:
            _add(folder, rendered(names, rng), order.rendered, made, tell)
    _examine(folder)
    return made


def remove(name: str) -> int:
    """Take all made photos out of a set, and return how many they were.

    Raises:
        RepairError: There is no such set, or it cannot be written.
    """
    gone: list[Path] = []

    def change(photos: PhotoSet) -> PhotoSet:
        gone.extend(photos.path(each) for each in photos.photos if each.made)
        kept = tuple(each for each in photos.photos if not each.made)
        sources = tuple(each for each in photos.sources if each.name != RENDERER.name)
        return replace(photos, photos=kept, sources=sources)

    folder = PHOTO_SETS.known(name)
    with _alone(folder):
        after = edit(folder, change)
        for path in gone:
            path.unlink(missing_ok=True)
        _clear_strays(after)
    _examine(folder)
    return len(gone)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others from making photos into the same set: two would take the same names, and clear each other's away.

    Raises:
        RepairError: Somebody is at it.
    """
    lock = FileLock(folder / ".making.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RepairError(f"photos are being made into {folder.name}", "wait until that has ended") from None
    try:
        yield
    finally:
        lock.release()


def _examine(folder: Path) -> None:
    with suppress(RepairError):  # then the old report says that the set has changed since
        write_report(read_photo_set(folder))


def _clear_strays(photos: PhotoSet) -> None:
    """Delete files of scenes that never came into the set: whoever made them went down."""
    known = {each.name for each in photos.photos}
    for kind in (PASTED, RENDERED):
        for path in (photos.folder / "photos").glob(f"{kind}-*.jpg"):
            if path.name not in known and re.fullmatch(rf"{kind}-\d{{6}}\.jpg", path.name):
                path.unlink(missing_ok=True)


# ---- into the set


def _add(folder: Path, shots: Iterator[Shot], n: int, made: Made, tell: Tell) -> None:
    waiting: list[Shot] = []
    try:
        for number, shot in enumerate(shots):
            tell(number, n, f"{shot.kind} scenes")
            waiting.append(shot)
            if len(waiting) == BATCH:
                _write(folder, waiting, made)
            if number + 1 == n:
                break
    finally:
        _write(folder, waiting, made)
    tell(n, n, "scenes made")


def _write(folder: Path, shots: list[Shot], made: Made) -> None:
    """Write scenes into the set, and empty their list: the pictures first, which nobody knows until the set does."""
    if not shots:
        return
    own, kind = list(shots), shots[0].kind
    shots.clear()
    first = _next_number(read_photo_set(folder), kind)
    new: list[LabelledPhoto] = []
    for number, shot in enumerate(own, first):
        name = f"{kind}-{number:06}.jpg"
        content = io.BytesIO()
        Image.fromarray(shot.pixels).save(content, "JPEG", quality=shot.quality)
        write_whole(folder / "photos" / name, content.getvalue())
        height, width = shot.pixels.shape[:2]
        new.append(LabelledPhoto(name, width, height, shot.boxes, "train", kind, shot.origin))

    def change(photos: PhotoSet) -> PhotoSet:
        parts = tuple(dict.fromkeys((*photos.parts, *(box.part for each in new for box in each.boxes))))
        ids = photos.original_ids if len(parts) == len(photos.parts) else ()
        sources = photos.sources
        if kind == RENDERED:
            before = next((each.photos for each in sources if each.name == RENDERER.name), 0)
            others = tuple(each for each in sources if each.name != RENDERER.name)
            sources = (*others, replace(RENDERER, photos=before + len(new)))
        return replace(photos, photos=(*photos.photos, *new), parts=parts, original_ids=ids, sources=sources)

    edit(folder, change)
    made.pasted += len(new) * (kind == PASTED)
    made.rendered += len(new) * (kind == RENDERED)
    for each in new:
        for box in each.boxes:
            made.parts[box.part] = made.parts.get(box.part, 0) + 1


def _next_number(photos: PhotoSet, kind: str) -> int:
    numbers = [int(each.name[len(kind) + 1 : -4]) for each in photos.photos
               if re.fullmatch(rf"{kind}-\d{{6}}\.jpg", each.name)]  # fmt: skip
    return max(numbers, default=-1) + 1
