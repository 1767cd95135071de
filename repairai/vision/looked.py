"""Boxes that a model proposed and a person accepted: who drew each, and whether somebody really looked at it.

Some accepted boxes come back later with something wrong in them that is never written to the set. How many of those the
person mends says how far the others were really looked at. What came back stands in `looked.json` beside the photos.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from repairai.errors import RepairError
from repairai.files import read_record, write_record
from repairai.named_sets import alone
from repairai.schema import Box
from repairai.vision.made_wrong import Check, comes_back, is_accepted, make_wrong, shown, still_fits
from repairai.vision.photo_set import (
    MODEL,
    PERSON,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    read_photo_set,
    with_boxes,
)
from repairai.vision.proposals import is_large
from repairai.vision.tiles import overlaps

SHARE = 0.05
"""Of the accepted boxes of models that come back."""
UNMOVED_PX = 1.0
"""That an edge may differ where nobody moved it: pages round to whole px."""
LOOKED = "looked.json"


# ---- accepted


def accept(photos: PhotoSet, name: str, boxes: Sequence[LabelledBox]) -> PhotoSet:
    """Return the set with the boxes of one photo as a person left them: it is labelled now, and each box was looked at.

    A box that is as it was keeps who drew it and its score; one that is new, moved or named otherwise is the person's.

    Args:
        photos: The set; to change it on disk, give this to `repairai.vision.photo_set.edit`.
        name: Of the photo.
        boxes: All that are right, whoever drew them; those that are not among them are gone.

    Raises:
        RepairError: There is no such photo, or a box lies outside of it.
    """
    photo = photos.photo(name)
    left = list(photo.boxes)
    kept = []
    for box in boxes:
        old = next((each for each in left if _unmoved(each, box)), None)
        if old is None:
            kept.append(LabelledBox(box.part, _inside(box.box, photo), PERSON, True))
        else:
            left.remove(old)
            kept.append(replace(old, checked=True))
    return with_boxes(photos, name, tuple(kept))


def accept_above(
    photos: PhotoSet, least: float, names: Collection[str] | None = None
) -> tuple[PhotoSet, tuple[str, ...]]:
    """Return the set with photos labelled by a model alone, and their names: no box of theirs counts as looked at.

    Only photos to train on: what a detector is measured with is never labelled by a model. A photo with a box under
    the score, or one that fills a suspicious share of it, or without any box, stays for a person.

    Args:
        photos: The set.
        least: Score that each box of the photo has.
        names: Of the photos to look at; None takes all.
    """
    done = tuple(
        each.name
        for each in photos.photos
        if not each.labelled and each.split == "train" and (names is None or each.name in names)
        and each.boxes and all(_trusted(box, each, least) for box in each.boxes)
    )  # fmt: skip
    chosen = set(done)
    kept = tuple(replace(each, labelled=True) if each.name in chosen else each for each in photos.photos)
    return replace(photos, photos=kept), done


def _trusted(box: LabelledBox, photo: LabelledPhoto, least: float) -> bool:
    by_model = box.by.startswith(MODEL) and not box.checked
    return not by_model or ((box.score or 0.0) >= least and not is_large(box.box, photo.width, photo.height))


def _unmoved(old: LabelledBox, new: LabelledBox) -> bool:
    edges = zip(old.box, new.box, strict=True)
    return old.part == new.part and all(abs(was - now) <= UNMOVED_PX for was, now in edges)


def _inside(box: Box, photo: LabelledPhoto) -> Box:
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(photo.width), box[2]), min(float(photo.height), box[3])
    if not (left < right and top < bottom):
        raise RepairError(
            f"a box at {box} lies outside of {photo.name}, which has {photo.width} x {photo.height} px",
            "draw it on the photo",
        )
    return left, top, right, bottom


# ---- blind checks


@dataclass(frozen=True)
class Blind:
    """A photo as a person sees it again.

    Args:
        id: To answer with.
        photo: Its name.
        boxes: To be shown as all others are.
    """

    id: int
    photo: str
    boxes: tuple[LabelledBox, ...]


@dataclass(frozen=True)
class Looked:
    """How far accepted boxes were looked at.

    Args:
        altered: Answered checks with something wrong.
        noticed: How many of them were mended.
        share: Noticed of altered; None where there are none yet.
        low: Lower end of the share's interval of 95 %.
        high: Its upper end.
        right: Answered checks with nothing wrong.
        changed: How many of them were changed all the same.
        accepted: Boxes of models that were accepted.
    """

    altered: int
    noticed: int
    share: float | None
    low: float
    high: float
    right: int
    changed: int
    accepted: int

    @property
    def said(self) -> str:
        """Return it in one sentence."""
        if self.share is None:
            return (
                f"{self.accepted} boxes of models were accepted; none has come back yet to see whether they were right"
            )
        return (
            f"of {self.altered} boxes that came back wrong, {self.noticed} were mended: {self.share:.0%} "
            f"(with so few, anything from {self.low:.0%} to {self.high:.0%} is likely)"
        )


@dataclass(frozen=True)
class _File:
    checks: tuple[Check, ...] = ()


def next_blind(folder: Path, share: float = SHARE, not_now: Collection[str] = ()) -> Blind | None:
    """Return a photo to look at again, or None where none is due; the same one until it is answered.

    Args:
        folder: Of the set.
        share: Of the accepted boxes of models that come back.
        not_now: Names of photos that the person has only just seen.

    Raises:
        RepairError: The set cannot be read, or the disk is full.
    """
    with _locked(folder):
        photos = read_photo_set(folder)
        checks = _read(folder).checks
        there = {each.name: each for each in photos.photos}
        for check in checks:
            if not check.answered and check.photo in there and still_fits(check, there[check.photo]):
                return Blind(check.id, check.photo, shown(check, there[check.photo]))
        checks = tuple(each for each in checks if each.answered)
        if len(checks) + 1 > share * _accepted(photos) + 1e-9:
            return None
        number = max((each.id for each in checks), default=-1) + 1
        rng = np.random.default_rng([crc32(folder.name.encode()), number])
        seen = {each.photo for each in checks}
        fit = [each for each in photos.photos if each.name not in not_now and comes_back(each)]
        fit = [each for each in fit if each.name not in seen] or fit
        if not fit:
            return None
        photo = fit[rng.integers(len(fit))]
        check = make_wrong(Check(number, photo.name, "nothing"), photo, photos.parts, rng)
        _write(folder, _File((*checks, check)))
        return Blind(check.id, photo.name, shown(check, photo))


def answer_blind(folder: Path, number: int, boxes: Sequence[LabelledBox]) -> Check:
    """Keep what a person left of a photo that came back, and return whether they noticed; the set stays as it is.

    Args:
        folder: Of the set.
        number: The check's id.
        boxes: As the person left them.

    Raises:
        RepairError: There is no such check that waits, or the disk is full.
    """
    with _locked(folder):
        photos = read_photo_set(folder)
        checks = list(_read(folder).checks)
        place = next((i for i, each in enumerate(checks) if each.id == number and not each.answered), None)
        if place is None:
            raise RepairError(f"no photo waits to be looked at again as number {number}", "reload the page")
        check = checks[place]
        if check.altered is None:
            right = photos.photo(check.photo).boxes
            changed = len(right) != len(boxes) or not all(_has(boxes, each, 0.8) for each in right)
            checks[place] = replace(check, answered=True, noticed=changed)
        else:
            checks[place] = replace(check, answered=True, noticed=not _has(boxes, check.altered, 0.9))
        _write(folder, _File(tuple(checks)))
        return checks[place]


def looked_share(folder: Path) -> Looked:
    """Return how far accepted boxes were looked at.

    Raises:
        RepairError: The set cannot be read.
    """
    done = [each for each in _read(folder).checks if each.answered]
    wrong = [each.noticed for each in done if each.altered is not None]
    right = [each.noticed for each in done if each.altered is None]
    low, high = interval(sum(wrong), len(wrong))
    share = sum(wrong) / len(wrong) if wrong else None
    accepted = _accepted(read_photo_set(folder))
    return Looked(len(wrong), sum(wrong), share, low, high, len(right), sum(right), accepted)


def interval(hits: int, n: int) -> tuple[float, float]:
    """Return the interval of 95 % for a share of which `hits` of `n` were seen.

    Source:
        Wilson, 1927: it holds for few tries and for shares near 0 and 1.
    """
    if n == 0:
        return 0.0, 1.0
    z = 1.959964
    share, slack = hits / n, z * z / n
    middle = (share + slack / 2) / (1 + slack)
    half = z / (1 + slack) * (share * (1 - share) / n + slack / (4 * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _accepted(photos: PhotoSet) -> int:
    return sum(is_accepted(box) for each in photos.photos if each.labelled and not each.made for box in each.boxes)


def _has(boxes: Sequence[LabelledBox], wanted: LabelledBox, least: float) -> bool:
    """Tell whether a box of the same part is among others, with at least so much of their union in common."""
    own = [each.box for each in boxes if each.part == wanted.part]
    if not own:
        return False
    shared = overlaps(np.array(wanted.box, np.float32), np.array(own, np.float32))[1]
    return bool((shared >= least).any())


# ---- on disk


def _locked(folder: Path) -> AbstractContextManager[None]:
    if not folder.is_dir():
        raise RepairError(f"{folder} does not exist", "check the name")
    return alone(folder, ".looked.lock", "looked at by others")


def _read(folder: Path) -> _File:
    path = folder / LOOKED
    return read_record(path, _File) if path.is_file() else _File()


def _write(folder: Path, content: _File) -> None:
    write_record(folder / LOOKED, content)
