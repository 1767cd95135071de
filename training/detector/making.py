"""Made photos into a set, and out again: pasted from its own parts, or rendered."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from PIL import Image

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.runs.photo_removal import known_photos
from repairai.vision.photo_set import (
    IMPORTED,
    PASTED,
    RENDERED,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    edit,
    read_photo_set,
)
from training.detector.cutouts import CutOut, MaskMaker, cut_outs, material
from training.detector.doctor import write_report
from training.detector.grounds import backgrounds_in, some_ground
from training.detector.paste import scene, small
from training.scenes.scene import LABELS, render

Tell = Callable[[int, int | None, str], None]
BATCH = 25
"""Scenes that go into the set at once."""
MOST_OF_PART, MOST_BYTES = 60, 200 * 2**20
"""Cut-outs that are kept of each part, and bytes of them all."""
MOST_ON_SCENE = 20
RENDERER = PhotoSource("rendered by training/scenes", "Apache-2.0")
_QUALITY = (80, 95)


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Args:
        name: Of the set.
        scenes: How many to paste together.
        rendered: How many to render.
        masks: A SAM 2 model to cut out with; empty: none.
        backgrounds: A folder of photos to lay parts on; None: none.
        parts: What the renderer calls parts of the set, where it is not their own name.
        seed: Of every choice.
    """

    name: str
    scenes: int = 0
    rendered: int = 0
    masks: str = ""
    backgrounds: Path | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    seed: int = 7


@dataclass
class Made:
    """What was made.

    Args:
        name: Of the set.
        pasted: Scenes pasted together.
        rendered: Scenes rendered.
        parts: How many of each part lie on them.
        cut_outs: How many of each part were cut out.
        without: Parts of which none could be.
        refused: Backgrounds that were left out.
    """

    name: str
    pasted: int = 0
    rendered: int = 0
    parts: dict[str, int] = field(default_factory=dict)
    cut_outs: dict[str, int] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    refused: int = 0


def make(order: Order, tell: Tell) -> Made:
    """Make scenes into a set; whenever it is ended, what is in the set is whole.

    Raises:
        RepairError: There is no such set, or nothing in it to make scenes of.
    """
    folder = known_photos(order.name)
    photos = read_photo_set(folder)
    made = Made(order.name)
    names = _rendered_names(photos, order) if order.rendered else {}
    rng = np.random.default_rng([order.seed, len(photos.photos)])
    with _alone(folder):
        _clear_strays(photos)
        if order.scenes:
            _add(folder, _pasted(photos, order, rng, made, tell), order.scenes, made, tell)
        if order.rendered:
            _add(folder, _rendered(names, rng), order.rendered, made, tell)
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

    folder = known_photos(name)
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


@dataclass(frozen=True)
class Shot:
    """A made photo before it is written."""

    pixels: NDArray[np.uint8]
    boxes: tuple[LabelledBox, ...]
    kind: str
    origin: str
    quality: int


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


# ---- pasted


def _pasted(photos: PhotoSet, order: Order, rng: np.random.Generator, made: Made, tell: Tell) -> Iterator[Shot]:
    own = material(photos)
    pieces = _pieces(photos, own, order, rng, tell)
    for each in pieces:
        made.cut_outs[each.part] = made.cut_outs.get(each.part, 0) + 1
    made.without = tuple(part for part in photos.parts if part not in made.cut_outs)
    backgrounds: list[Path] = []
    if order.backgrounds:
        backgrounds, made.refused = backgrounds_in(order.backgrounds, photos)
    usual = [max(1, len(each.boxes)) for each in own if each.boxes]
    while True:
        ground = small(some_ground(rng, photos, own, backgrounds))
        n = min(MOST_ON_SCENE, max(1, round(usual[rng.integers(len(usual))] * rng.uniform(0.5, 1.5))))
        pixels, boxes = scene(rng, ground, pieces, n)
        used = sorted({each.origin for each in pieces})
        made_of = f"parts of {len(used)} photos ({', '.join(used[:3])}{', ...' if len(used) > 3 else ''})"
        yield Shot(pixels, boxes, PASTED, f"{made_of} on {ground.name}", int(rng.integers(*_QUALITY)))


def _pieces(
    photos: PhotoSet, own: tuple[LabelledPhoto, ...], order: Order, rng: np.random.Generator, tell: Tell
) -> list[CutOut]:
    segmenter: MaskMaker | None = None
    if order.masks:
        from repairai.vision.segmenter import load_segmenter  # noqa: PLC0415  torch takes seconds, and not all want it

        segmenter = load_segmenter(order.masks)
    found: list[CutOut] = []
    held: dict[str, int] = {}
    size = 0
    wanted = [own[number] for number in rng.permutation(len(own)) if own[number].boxes]
    for number, photo in enumerate(wanted):
        tell(number, len(wanted), "photos cut up")
        if all(held.get(box.part, 0) >= MOST_OF_PART for box in photo.boxes) or size > MOST_BYTES:
            continue
        for piece in cut_outs(photos, photo, segmenter):
            if held.get(piece.part, 0) < MOST_OF_PART:
                held[piece.part] = held.get(piece.part, 0) + 1
                size += piece.picture.width * piece.picture.height * 4
                found.append(piece)
    if not found:
        raise RepairError(
            f"{photos.name} has no part that can be cut out: there are {len(wanted)} labelled photos to train on",
            "label a few photos with parts that lie whole and alone on them",
        )
    return found


# ---- rendered


def _rendered_names(photos: PhotoSet, order: Order) -> dict[str, str]:
    """Return for each of the renderer's parts what the set calls it.

    Raises:
        RepairError: The renderer knows none of the set's parts.
    """
    if strange := sorted(set(order.parts.values()) - set(LABELS)):
        raise RepairError(f"the renderer knows no {strange[0]}", f"it knows {', '.join(LABELS)}")
    if photos.parts and (strange := sorted(set(order.parts) - set(photos.parts))):
        raise RepairError(f"{photos.name} has no part {strange[0]!r:.60}", f"its parts are {', '.join(photos.parts)}")
    own = {re.sub(r"[\s-]+", "_", part.strip().lower()): part for part in photos.parts}
    names = {label: own[label] for label in LABELS if label in own}
    names |= {theirs: ours for ours, theirs in order.parts.items()}
    if not names and not photos.parts:
        names = {label: label for label in LABELS}
    if not names:
        raise RepairError(
            f"the renderer knows none of {', '.join(photos.parts)}",
            f'it knows {", ".join(LABELS)}: give --part "YOUR PART=screw", or make scenes with --scenes',
        )
    return names


def _rendered(names: Mapping[str, str], rng: np.random.Generator) -> Iterator[Shot]:
    while True:
        shot = render(rng)
        boxes = tuple(
            LabelledBox(names[LABELS[label]], (box[0], box[1], box[2], box[3]), IMPORTED)
            for box, label in zip(shot.boxes.tolist(), shot.labels.tolist(), strict=True)
            if LABELS[label] in names and box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        )
        if boxes or rng.random() < 0.1:  # a few stay as background
            yield Shot(shot.photo, boxes, RENDERED, "training/scenes", int(rng.integers(*_QUALITY)))
