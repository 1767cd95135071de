"""Who finds parts on photos: a detector of ours, or a model that is told in words or shown what to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repairai.errors import RepairError
from repairai.files import home
from repairai.inspection import BUILTIN, open_detector
from repairai.schema import Box
from repairai.vision.detector import KINDS, RTDetrDetector
from repairai.vision.detectors import inspectors
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import PhotoSet
from repairai.vision.pretrained import kind_of
from repairai.vision.proposals import Prompt, Proposal, is_large

Pixels = NDArray[np.uint8]
Find = Callable[[Pixels], tuple[Proposal, ...]]


@dataclass(frozen=True)
class Like:
    """A part that is shown: `box` on a photo of the set, in px."""

    part: str
    photo: str
    box: Box


@dataclass(frozen=True)
class Asked:
    """What is looked for, and by whom.

    Args:
        model: `builtin`, a run, a folder, or a name on the Hub.
        prompts: What to look for; a detector of ours needs none.
        negatives: Words for what is not meant.
        likes: Parts that are shown, in place of words.
        floor: Least score; None takes the model's own.
        tiled: Whether large photos are looked at in tiles as well.
    """

    model: str
    prompts: tuple[Prompt, ...] = ()
    negatives: tuple[str, ...] = ()
    likes: tuple[Like, ...] = ()
    floor: float | None = None
    tiled: bool = True


@dataclass(frozen=True)
class Finder:
    """Who finds.

    Args:
        find: Returns the proposals for a photo (H, W, 3).
        name: Of the model.
        parts: That it looks for.
    """

    find: Find
    name: str
    parts: frozenset[str]


def open_finder(asked: Asked, photos: PhotoSet) -> Finder:
    """Return who finds parts on a photo: a detector of ours, or a model that is told what to find.

    Raises:
        RepairError: There is no such model, or it cannot find what is asked for.
    """
    if _is_detector(asked.model):
        return _by_detector(asked, photos)
    if bool(asked.prompts) == bool(asked.likes):
        raise RepairError(
            f"{asked.model} has to be told what to look for: in words, or by a part that is shown",
            'give --prompt "screw: a small metal screw", or --like PART PHOTO BOX, and not both',
        )
    # A detector of ours runs without torch, which takes seconds to import.
    from repairai.vision.open_vocabulary import LIKE_FLOOR, Example, load_open_vocabulary  # noqa: PLC0415

    for each in asked.likes:
        _check_shown(each, photos)
    model = load_open_vocabulary(asked.model)
    if asked.prompts:
        return Finder(
            lambda pixels: model.propose(pixels, asked.prompts, asked.negatives, asked.floor, asked.tiled),
            model.name, frozenset(each.part for each in asked.prompts),
        )  # fmt: skip
    shown = [Example(each.part, read_photo(photos.path(photos.photo(each.photo))).pixels, each.box)
             for each in asked.likes]  # fmt: skip
    likeness = model.learn(shown)
    floor = LIKE_FLOOR if asked.floor is None else asked.floor
    return Finder(
        lambda pixels: model.like(pixels, likeness, floor, asked.tiled), model.name, frozenset(likeness.parts)
    )


def _check_shown(like: Like, photos: PhotoSet) -> None:
    photo = photos.photo(like.photo)
    left, top, right, bottom = like.box
    if not like.part.strip():
        raise RepairError("a part that is shown has no name", "give --like PART PHOTO BOX")
    if min(right, photo.width) - max(left, 0) < 1 or min(bottom, photo.height) - max(top, 0) < 1:
        raise RepairError(
            f"the box {like.box} lies outside of {photo.name}, which has {photo.width} x {photo.height} px",
            "give it in px of the photo",
        )


def _is_detector(model: str) -> bool:
    if model == BUILTIN or any(each.name == model for each in inspectors()):
        return True
    places = (home() / "runs" / model / "model", home() / "models" / model, Path(model))
    return any((place / "config.json").is_file() and kind_of(place) in KINDS for place in places)


def _by_detector(asked: Asked, photos: PhotoSet) -> Finder:
    """Return a detector of ours: it finds the set's parts that it knows, or those that prompts give another name."""
    detector = open_detector(asked.model)
    if asked.likes or asked.negatives:
        raise RepairError(
            f"{asked.model} finds the parts that it has learned, and nothing that is shown or told", "leave it out"
        )
    names = {plain: plain for plain in detector.limits if not photos.parts or plain in photos.parts}
    if asked.prompts:
        names = {each.words: each.part for each in asked.prompts}
    strange = sorted(set(names) - set(detector.limits))
    if strange or not names:
        missing = strange[0] if strange else ", ".join(photos.parts)
        raise RepairError(
            f"{asked.model} does not know {missing}",
            f'it knows {", ".join(detector.limits)}: give --prompt "YOUR PART: ITS PART"',
        )

    def find(pixels: Pixels) -> tuple[Proposal, ...]:
        if asked.floor is not None and isinstance(detector, RTDetrDetector):
            seen = detector.detect_from(pixels, asked.floor)
        else:
            seen = detector.detect(pixels)
        height, width = pixels.shape[:2]
        return tuple(
            Proposal(names[each.label], each.score, each.box, is_large(each.box, width, height))
            for each in seen
            if each.label in names
        )

    return Finder(find, detector.name, frozenset(names.values()))
