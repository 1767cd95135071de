"""Mends what the doctor found: each mend changes the set as it is now, whole or not at all, and examines it anew."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import (
    PASTED,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    edit,
    read_photo_set,
)
from training.detector.alike import looks, with_sources
from training.detector.box_checks import doubled
from training.detector.doctor import unsure_photos, write_report
from training.detector.facts import Facts, read_facts
from training.detector.findings import few
from training.detector.part_checks import same_names
from training.detector.photos_in import turn_boxes
from training.detector.placing import LEAST_PX
from training.detector.splits import anew, part

SEED = 7


def mend(name: str, ids: Sequence[str]) -> dict[str, Any]:
    """Mend findings of a set, and return its new report.

    Args:
        name: Of the set.
        ids: Of the findings.

    Raises:
        RepairError: There is no such set or mend; nothing is changed then.
    """
    folder = PHOTO_SETS.folder(name)
    facts = read_facts(folder)
    if unknown := [each for each in ids if each not in MENDS]:
        near = difflib.get_close_matches(unknown[0], MENDS, n=1, cutoff=0.4)
        raise RepairError(
            f"nothing mends {unknown[0]!r:.60}" + (f", did you mean {near[0]!r}?" if near else ""),
            f"what can be mended is {', '.join(MENDS)}",
        )
    wanted = [each for each in MENDS if each in ids]
    lost: list[Path] = []

    def change(photos: PhotoSet) -> PhotoSet:
        changed = photos
        for each in wanted:
            changed = MENDS[each](changed, facts)
        kept = {photo.name for photo in changed.photos}
        lost.extend(photos.path(photo) for photo in photos.photos if photo.name not in kept)
        return changed

    changed = edit(folder, change)
    for path in lost:
        path.unlink(missing_ok=True)
    return write_report(changed, facts)


def rename(name: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Give parts of a set other names, all at once, and return its new report.

    Args:
        name: Of the set.
        names: Old -> new; two parts may change places.

    Raises:
        RepairError: There is no such part, or two parts would have one name.
    """

    def change(photos: PhotoSet) -> PhotoSet:
        unknown = [old for old in names if old not in photos.parts]
        if unknown:
            raise RepairError(f"{name} has no part {unknown[0]!r:.60}", f"its parts are {few(photos.parts, 30)}")
        parts = tuple(names.get(each, each).strip() for each in photos.parts)
        if not all(parts):
            raise RepairError("a part cannot have an empty name", "say what it is")
        twice = [each for each in parts if parts.count(each) > 1]
        if twice:
            raise RepairError(f"two parts would be named {twice[0]!r}", "take another name, or drop one of them")
        return _with_parts(photos, parts, dict(zip(photos.parts, parts, strict=True)))

    return write_report(edit(PHOTO_SETS.folder(name), change))


def examined(name: str, image_px: int | None = None) -> dict[str, Any]:
    """Examine a set, and return its report.

    Args:
        name: Of the set.
        image_px: Side of the input of the detector that will be trained; None for that of the last report.

    Raises:
        RepairError: There is no such set.
    """
    return write_report(read_photo_set(PHOTO_SETS.folder(name)), image_px=image_px)


# ---- the mends


def _unreadable(photos: PhotoSet, facts: Facts) -> PhotoSet:
    _, damaged = looks(photos)
    return replace(photos, photos=tuple(each for each in photos.photos if each.name not in damaged))


def _unlabelled(photos: PhotoSet, facts: Facts) -> PhotoSet:
    """Take photos as labelled, but those whose boxes wait for a person: they would be trained on unseen."""
    return replace(
        photos, photos=tuple(each if each.waits else replace(each, labelled=True) for each in photos.photos)
    )  # fmt: skip


def _outside(photos: PhotoSet, facts: Facts) -> PhotoSet:
    return _boxes(photos, lambda each: tuple(cut for box in each.boxes if (cut := _clipped(box, each))))


def _clipped(box: LabelledBox, photo: LabelledPhoto) -> LabelledBox | None:
    left, right = (min(max(box.box[edge], 0.0), float(photo.width)) for edge in (0, 2))
    top, bottom = (min(max(box.box[edge], 0.0), float(photo.height)) for edge in (1, 3))
    return replace(box, box=(left, top, right, bottom)) if min(right - left, bottom - top) >= LEAST_PX else None


def _doubled(photos: PhotoSet, facts: Facts) -> PhotoSet:
    def once(each: LabelledPhoto) -> tuple[LabelledBox, ...]:
        gone = doubled(each.boxes) if len(each.boxes) > 1 else []
        return tuple(box for number, box in enumerate(each.boxes) if number not in gone)

    return _boxes(photos, once)


def _exif(photos: PhotoSet, facts: Facts) -> PhotoSet:
    orientations = dict(unsure_photos(photos, facts))

    def turned(each: LabelledPhoto) -> tuple[LabelledBox, ...]:
        if each.name not in orientations:
            return each.boxes
        upright = np.array([each.width, each.height, each.width, each.height], np.float64)
        shares = np.array([box.box for box in each.boxes]) / upright
        edges = turn_boxes(shares, 1.0, 1.0, orientations[each.name]) * upright
        rows = (tuple(round(edge, 2) for edge in row) for row in edges.tolist())
        return tuple(replace(box, box=row) for box, row in zip(each.boxes, rows, strict=True))

    return _boxes(photos, turned)


def _same_name(photos: PhotoSet, facts: Facts) -> PhotoSet:
    kept = {name: group[0] for group in same_names(photos.parts) for name in group}
    return _with_parts(photos, tuple(dict.fromkeys(kept[each] for each in photos.parts)), kept)


def _empty_part(photos: PhotoSet, facts: Facts) -> PhotoSet:
    used = {box.part for each in photos.photos for box in each.boxes}
    return _with_parts(photos, tuple(each for each in photos.parts if each in used), {})


def _leak(photos: PhotoSet, facts: Facts) -> PhotoSet:
    seen, _ = looks(photos)
    grouped = with_sources(photos.photos, seen)
    return _parted(photos, part(grouped, [each.split for each in grouped], SEED).photos)


def _anew(photos: PhotoSet, facts: Facts) -> PhotoSet:
    seen, _ = looks(photos)
    return _parted(photos, anew(with_sources(photos.photos, seen), SEED))


def _parted(photos: PhotoSet, after: tuple[LabelledPhoto, ...]) -> PhotoSet:
    """Return a set with its photos split otherwise.

    Where one of them is no longer to train on, pasted scenes go: they may show what is measured with now.
    """
    trained = {each.name for each in photos.photos if each.split == "train"}
    if any(each.name in trained and each.split != "train" for each in after):
        after = tuple(each for each in after if each.source != PASTED)
    return replace(photos, photos=after)


def _boxes(photos: PhotoSet, change: Callable[[LabelledPhoto], tuple[LabelledBox, ...]]) -> PhotoSet:
    return replace(photos, photos=tuple(replace(each, boxes=change(each)) for each in photos.photos))


def _with_parts(photos: PhotoSet, parts: tuple[str, ...], names: Mapping[str, str]) -> PhotoSet:
    """Return a set with other parts, each of which has the first of the original ids that it is made of."""
    ids = {names.get(old, old): key for old, key in list(zip(photos.parts, photos.original_ids, strict=False))[::-1]}
    changed = _boxes(photos, lambda each: tuple(replace(box, part=names.get(box.part, box.part)) for box in each.boxes))
    return replace(changed, parts=parts, original_ids=tuple(ids[each] for each in parts) if ids else ())


MENDS: Mapping[str, Callable[[PhotoSet, Facts], PhotoSet]] = {
    "unreadable": _unreadable, "unlabelled": _unlabelled, "exif": _exif, "outside": _outside, "doubled": _doubled,
    "same-name": _same_name, "empty-part": _empty_part, "leak": _leak, "splits": _anew, "part-not-in-split": _anew,
}  # fmt: skip
"""In the order in which they are done."""
