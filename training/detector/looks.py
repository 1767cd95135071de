"""What a detector sees on labelled photos, kept a line a photo, so that an evaluation goes on where it was stopped.

Detections are kept from a low score on and without a word on their size: thresholds are put to them afterwards.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repairai.errors import RepairError
from repairai.schema import Detection, PartLimits, Sight, Visibility
from repairai.vision import tiles
from repairai.vision.detector import RTDetrDetector
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import LabelledPhoto, PhotoSet
from repairai.vision.visibility import look
from training.detector.calibration import LOWEST, Looked
from training.kept_lines import KeptLines

FLOOR = 0.01
"""Detections under this score are not kept: average precision needs the low ones, and lower ones no longer tell."""
MOST_LOW = 100
"""Detections kept of a photo that no threshold can let through: COCO's average precision looks at no more."""


@dataclass(frozen=True)
class Look:
    """One photo as a detector saw it.

    Args:
        photo: Its name.
        detections: From `FLOOR` on, best first.
        per_px: px of the photo that made one px of the detector's input in its finest look, of x and y.
        visibility: How much the photo can show at all.
    """

    photo: str
    detections: tuple[Detection, ...]
    per_px: tuple[float, float]
    visibility: Visibility


@dataclass(frozen=True)
class Seen:
    """One photo, as it is labelled and as a detector saw it.

    Args:
        photo: With its boxes.
        look: At it.
    """

    photo: LabelledPhoto
    look: Look

    @property
    def source(self) -> str:
        """Return what the photo shows, as far as that is known: photos of one source are alike."""
        return self.photo.source or self.photo.name

    def count(self, part: str) -> int:
        """Return how many of a part there are."""
        return sum(each.part == part for each in self.photo.boxes)

    def looked(self) -> Looked:
        """Return the photo as thresholds are chosen on it."""
        boxes = np.array([each.box for each in self.photo.boxes], np.float32).reshape(-1, 4)
        labels = tuple(each.part for each in self.photo.boxes)
        return Looked(self.look.detections, boxes, labels, np.array(self.look.per_px), self.source)

    def sight(self, limits: Mapping[str, PartLimits]) -> Sight:
        """Return what the detector saw as the judge takes it, under thresholds that it was not looked at with."""
        found = []
        for each in self.look.detections:
            own = limits.get(each.label)
            if own and each.score >= own.maybe:
                left, top, right, bottom = each.box
                side = min((right - left) / self.look.per_px[0], (bottom - top) / self.look.per_px[1])
                found.append(replace(each, small=side < own.min_side_px))
        return Sight(tuple(found), limits, self.look.visibility)


class Looks(KeptLines[Look]):
    """Looks in a file, a line each.

    Args:
        path: The file, which need not exist; None keeps them in memory only.
        key: Of the detector, the photos and whatever else changes a look; looks under another key are made anew.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        super().__init__(path, key, Look, lambda look: look.photo)


def bare(detector: RTDetrDetector, places: Mapping[str, str | None]) -> RTDetrDetector:
    """Return a detector that keeps everything, whatever was measured of it.

    Args:
        detector: Any.
        places: For each label the one of its empty place: it decides which boxes show the same thing.
    """
    return replace(detector, limits={label: PartLimits(1.0, 0.0, 0.0, places.get(label)) for label in detector.labels})


def look_at(
    detector: RTDetrDetector, photos: PhotoSet, chosen: Sequence[LabelledPhoto], looks: Looks,
    tell: Callable[[], None] = lambda: None,
) -> list[Seen]:  # fmt: skip
    """Return photos as a detector sees them; those that were looked at before are not looked at again.

    Args:
        detector: As `bare` gives it.
        photos: The set.
        chosen: Its photos.
        looks: Where looks are kept.
        tell: Called before each photo that is looked at, and free to raise.

    Raises:
        RepairError: A photo cannot be read.
    """
    for each in chosen:
        if each.name in looks.by_name:
            continue
        tell()
        pixels = read_photo(photos.path(each)).pixels
        height, width = pixels.shape[:2]
        if (width, height) != (each.width, each.height):
            raise RepairError(
                f"{each.name} is {width} x {height} px, and its boxes are for {each.width} x {each.height}",
                f"label it again, or take it out: photos doctor {photos.name}",
            )
        per_px = tiles.finest(tiles.windows(width, height, detector.size_px), detector.size_px)
        found = detector.detect_from(pixels, FLOOR)
        kept = max(sum(d.score >= LOWEST for d in found), MOST_LOW)
        looks.add(Look(each.name, found[:kept], (float(per_px[0]), float(per_px[1])), look(pixels)))
    return [Seen(each, looks.by_name[each.name]) for each in chosen]


def some_of(photos: Sequence[LabelledPhoto], limit: int | None, seed: int) -> list[LabelledPhoto]:
    """Return so many of the photos at most, drawn at random, in their old order."""
    if limit is None or len(photos) <= limit:
        return list(photos)
    kept = {each.name for each in random.Random(seed).sample(list(photos), limit)}
    return [each for each in photos if each.name in kept]


def fingerprint(photos: Iterable[LabelledPhoto]) -> str:
    """Return what tells labelled photos from others: a hash of their names and boxes."""
    told = sorted((each.name, sorted((box.part, *box.box) for box in each.boxes)) for each in photos)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
