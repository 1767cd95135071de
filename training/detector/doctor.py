"""Looks through a set of photos for what would spoil a training, and says in a sentence each what it finds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from repairai.files import write_whole
from repairai.vision.photo_set import (
    MODEL,
    PASTED,
    REPORT,
    SPLITS,
    PhotoSet,
    Split,
    digest_of_annotations,
    write_changes,
)
from repairai.vision.small_boxes import USUAL_PX
from training.detector.alike import Look, looks, with_sources
from training.detector.box_checks import box_findings
from training.detector.facts import Facts, digest_of, read_facts
from training.detector.findings import Finding, few, finding, n
from training.detector.part_checks import part_findings
from training.detector.splits import leaking


def examine(
    photos: PhotoSet, facts: Facts | None = None, name: str = "", image_px: int | None = None
) -> dict[str, Any]:
    """Return a report of a set; see `write_report`."""
    side = image_px or _last_side(photos)
    known = read_facts(photos.folder) if facts is None else facts
    seen, damaged = looks(photos)
    found = [
        *_files(damaged), *_labels(photos), *box_findings(photos, side), *part_findings(photos, name or photos.name),
        *_splits(photos, seen), *_unsure(photos, known), *known.findings,
    ]  # fmt: skip
    order = {"stop": 0, "warn": 1, "note": 2}
    found.sort(key=lambda each: order[each.severity])
    return {
        "name": name or photos.name,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "image_px": side,
        "photos": len(photos.photos),
        "unlabelled": sum(not each.labelled for each in photos.photos),
        "background": sum(each.labelled and not each.boxes for each in photos.photos),
        "parts": {part: _counts(photos, part) for part in photos.parts},
        "splits": {split: len(photos.of(split)) for split in SPLITS},
        "sources": [asdict(each) for each in photos.sources],
        "findings": [asdict(each) for each in found],
    }


def _last_side(photos: PhotoSet) -> int:
    """Return the side of a detector's input for which the last report holds; of most detectors where there is none."""
    with suppress(OSError, ValueError, RecursionError):
        last = json.loads((photos.folder / REPORT).read_text("utf-8"))
        if isinstance(last, dict) and isinstance(side := last.get("image_px"), int) and side > 0:
            return side
    return USUAL_PX


def write_report(
    photos: PhotoSet, facts: Facts | None = None, name: str = "", image_px: int | None = None
) -> dict[str, Any]:
    """Examine a set, write what was found to its `report.json`, and return it.

    Args:
        photos: The set.
        facts: What its import saw; read where it is not given.
        name: That its folder will have; empty for the one that it has.
        image_px: Side of the input of the detector that will be trained; None for that of the last report.

    Raises:
        RepairError: It cannot be written.
    """
    write_changes(photos.folder)
    digest = digest_of_annotations(photos.folder)  # first: who changes the set meanwhile makes the report a stale one
    report = {**examine(photos, facts, name, image_px), "digest": digest}
    write_whole(photos.folder / REPORT, (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode())
    return report


def _counts(photos: PhotoSet, part: str) -> dict[str, Any]:
    having = [each for each in photos.photos if any(box.part == part for box in each.boxes)]
    return {
        "photos": len(having),
        "boxes": sum(box.part == part for each in having for box in each.boxes),
        "splits": {split: sum(each.split == split for each in having) for split in SPLITS},
    }


# ---- photos and their labels


def _files(damaged: Mapping[str, str]) -> Iterator[Finding]:
    if damaged:
        name, why = next(iter(damaged.items()))
        yield finding(
            "unreadable", "stop", f"{n(len(damaged), 'photo')} cannot be read, such as {name}: {why}", damaged,
            mend="unreadable", mend_said="take them out of the set",
        )  # fmt: skip


def _labels(photos: PhotoSet) -> Iterator[Finding]:
    waiting = [each.name for each in photos.photos if each.waits]
    bare = [each.name for each in photos.photos if not each.labelled and not each.waits]
    if not any(each.labelled for each in photos.photos):
        do = "look at those that a model proposed, and accept them" if waiting else "draw boxes, or let a model propose"
        yield finding("no-labels", "stop", f"no photo has labels yet: {do}", (), 1)
    elif not any(each.boxes for each in photos.photos if each.labelled):
        yield finding("no-boxes", "stop", "no labelled photo has a box: there is nothing to learn", (), 1)
    if bare and len(bare) < len(photos.photos):
        yield finding(
            "unlabelled", "warn",
            f"{n(len(bare), 'photo')} without a label, such as {bare[0]}: nothing on it, or forgotten? "
            "It trains nothing until you say",
            bare,
            mend="unlabelled", mend_said="take them as photos with none of the parts on them"
            + ("; those with boxes of a model stay for you to look at" if waiting else ""),
        )  # fmt: skip
    if waiting:
        yield finding(
            "waiting", "warn",
            f"on {n(len(waiting), 'photo')}, such as {waiting[0]}, boxes of a model wait for your yes: look at them, "
            "and accept what is right; until then they train nothing",
            waiting,
        )  # fmt: skip
    drawn = {
        each.name: sum(box.by.startswith(MODEL) and not box.checked for box in each.boxes)
        for each in photos.photos
        if each.labelled and not each.made
    }
    unchecked = [name for name, count in drawn.items() if count]
    if unchecked:
        boxes = n(sum(drawn.values()), "box", "boxes")
        yield finding("unchecked", "note", f"{boxes} of a model that nobody has looked at", unchecked)


def _unsure(photos: PhotoSet, facts: Facts) -> Iterator[Finding]:
    names = [name for name, _ in unsure_photos(photos, facts)]
    if names:
        yield finding(
            "exif", "warn",
            f"EXIF turned {n(len(names), 'photo')}, and nothing tells if the boxes were drawn before that or after "
            "(after is taken): look at them",
            names,
            mend="exif", mend_said="turn their boxes as the photos were turned",
        )  # fmt: skip


def unsure_photos(photos: PhotoSet, facts: Facts) -> list[tuple[str, int]]:
    """Return the photos whose boxes may have been drawn before EXIF turned them, with EXIF's orientation.

    Those whose boxes were changed since the import are not among them: somebody has seen to them.
    """
    return [
        (each.name, facts.unsure[each.name].orientation)
        for each in photos.photos
        if each.name in facts.unsure and digest_of(each.boxes) == facts.unsure[each.name].boxes
    ]


# ---- splits


def _splits(photos: PhotoSet, seen: Mapping[str, Look]) -> Iterator[Finding]:
    leaks = leaking(with_sources(photos.photos, seen))
    if leaks:
        yield finding(
            "leak", "warn",
            f"{n(len(leaks), 'photo')} show what is in another split too: figures would be better than the detector is",
            [each.name for each in leaks], mend="leak",
            mend_said=f"put all versions of a photo into one split{_made_again(photos)}",
        )  # fmt: skip
    counts = {split: len(photos.of(split)) for split in SPLITS}
    empty = [split for split, count in counts.items() if not count]
    if empty and any(counts.values()):
        many = sum(counts.values()) >= len(SPLITS)
        yield finding(
            "splits", "stop" if "train" in empty else "warn",
            f"there is no labelled photo in {few(empty)}" + ("" if many else ": three photos are needed at least"),
            (), len(empty), "splits" if many else "",
            f"split all photos anew, 70/15/15{_made_again(photos)}" if many else "",
        )  # fmt: skip
        return
    missing = _missing(photos)
    if missing:
        named = few([f"{part} in {' and '.join(splits)}" for part, splits in missing.items()], 5)
        can = any(len(_sources(photos, part)) >= len(SPLITS) for part in missing)
        yield finding(
            "part-not-in-split", "warn", f"no photo shows {named}", (), len(missing),
            "part-not-in-split" if can else "",
            f"split all photos anew, so that rare parts reach every split where they can{_made_again(photos)}"
            if can else "",
        )  # fmt: skip


def _made_again(photos: PhotoSet) -> str:
    """Return what a mend of the splits does to pasted scenes, where there are any."""
    pasted = any(each.source == PASTED for each in photos.photos)
    return "; pasted scenes that may show what is measured with then are taken out, to be made again" if pasted else ""


def _sources(photos: PhotoSet, part: str) -> set[str]:
    return {each.source for each in photos.photos if not each.made and any(box.part == part for box in each.boxes)}


def _missing(photos: PhotoSet) -> dict[str, list[Split]]:
    there = {split: {box.part for each in photos.of(split) for box in each.boxes} for split in SPLITS}
    used = set().union(*there.values())
    absent = {part: [split for split in SPLITS if part not in there[split]] for part in photos.parts if part in used}
    return {part: splits for part, splits in absent.items() if splits}
