"""Scenes that are made for a set: pasted from its own parts, or rendered; one after the other, as many as are taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repairai.errors import RepairError
from repairai.vision.photo_set import IMPORTED, PASTED, RENDERED, LabelledBox, LabelledPhoto, PhotoSet
from training.detector.cutouts import CutOut, MaskMaker, cut_outs, material
from training.detector.grounds import backgrounds_in, some_ground
from training.detector.paste import scene, small
from training.scenes.scene import LABELS, render

Tell = Callable[[int, int | None, str], None]
MOST_OF_PART, MOST_BYTES = 60, 200 * 2**20
"""Cut-outs that are kept of each part, and bytes of them all."""
MOST_ON_SCENE = 20
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


@dataclass(frozen=True)
class Shot:
    """A made photo before it is written."""

    pixels: NDArray[np.uint8]
    boxes: tuple[LabelledBox, ...]
    kind: str
    origin: str
    quality: int


# ---- pasted


def pasted(photos: PhotoSet, order: Order, rng: np.random.Generator, made: Made, tell: Tell) -> Iterator[Shot]:
    """Yield scenes pasted together from a set's own parts, without an end.

    Args:
        photos: The set.
        order: What is to be made.
        rng: Chooses.
        made: Is told what was cut out, and of what nothing could be.
        tell: Is told how far the cutting is.

    Raises:
        RepairError: There is nothing that can be cut out, or no background.
    """
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


def rendered_names(photos: PhotoSet, order: Order) -> dict[str, str]:
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


def rendered(names: Mapping[str, str], rng: np.random.Generator) -> Iterator[Shot]:
    """Yield rendered scenes, without an end.

    Args:
        names: For each of the renderer's parts what the set calls it; others are left out.
        rng: Chooses.
    """
    while True:
        shot = render(rng)
        boxes = tuple(
            LabelledBox(names[LABELS[label]], (box[0], box[1], box[2], box[3]), IMPORTED)
            for box, label in zip(shot.boxes.tolist(), shot.labels.tolist(), strict=True)
            if LABELS[label] in names and box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        )
        if boxes or rng.random() < 0.1:  # a few stay as background
            yield Shot(shot.photo, boxes, RENDERED, "training/scenes", int(rng.integers(*_QUALITY)))
