"""What people answered at the bench: kept inspections with their photos, cut to where the question was about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from repairai.errors import RepairError
from repairai.inspection import open_detector
from repairai.judge.region import Region, region
from repairai.records import Answered, Records
from repairai.schema import Box, Inspection, PartLimits, Sight, State
from repairai.vision.photo import read_photo
from training.detector.alike import look_of
from training.judge.shown import Offered, Shown, Task, as_file, cut
from training.judge.wanted import Source

COLLECTION = "records"
_EMPTY = "_hole"
"""What the name of a part's empty place ends in."""


def offered(wanted: Source) -> Offered:
    """Return the photos of inspections whose questions somebody answered; an answer given twice counts as the last one.

    Raises:
        RepairError: Nobody has answered any yet, or the records cannot be read.
    """
    records = Records()
    answers = {(each.inspection, each.question): each for each in records.answers()}
    if not answers:
        raise RepairError(
            "nobody has answered a question of state at a kept inspection yet",
            "answer one on the page, or with `python -m repairai records answer`",
        )
    tasks, left, whole = [], {}, []
    for (number, question), said in answers.items():
        origin = f"inspection {number}"
        try:
            inspection = records.get(number).inspection
            path = records.photo(inspection.photo)
        except RepairError as error:
            left[origin] = error.what
            continue
        where = _where(inspection, question)
        if where.missing:
            whole.append(origin)
        tasks.append(Task(origin, partial(_shown, path, origin, where.box, wanted, said)))
    if not tasks:
        raise RepairError("of no answered inspection a photo is there", "keep inspections with their photos")
    return Offered(COLLECTION, tasks, left, whole=whole)


def _shown(path: Path, origin: str, where: Box | None, wanted: Source, said: Answered) -> tuple[Shown, ...]:
    photo = read_photo(path)
    pixels = cut(photo.pixels, where)
    content, suffix = as_file(pixels)
    split = "" if wanted.split == "shared" else wanted.split
    return (
        Shown(
            origin, photo.sha256, content, suffix, (pixels.shape[1], pixels.shape[0]),
            f"{COLLECTION}/{photo.sha256[:12]}", look_of(photo.pixels), said.question, said.opposite, said.answer,
            split, "person",
        ),
    )  # fmt: skip


def _where(inspection: Inspection, question: str) -> Region:
    """Return where the judge looked, or would have looked."""
    for finding in inspection.verdict.findings:
        asked = finding.requirement
        if isinstance(asked, State) and asked.question == question and finding.probability is not None:
            return Region(finding.region)
    sight = Sight(inspection.detections, _limits(inspection), inspection.visibility)
    return region(question, sight, inspection.photo.width_px, inspection.photo.height_px)


def _limits(inspection: Inspection) -> Mapping[str, PartLimits]:
    """Return what was measured of the detector that looked; where it is gone, what its detections tell of its parts."""
    try:
        return open_detector(inspection.models[0].rpartition("@")[0]).limits if inspection.models else {}
    except RepairError:
        labels = {each.label for each in inspection.detections}
        labels |= {f"{label}{_EMPTY}" for label in labels if label == "screw"}
        labels |= {label.removesuffix(_EMPTY) for label in labels}
        return {
            label: PartLimits(0.5, 0.0, empty_place=f"{label}{_EMPTY}" if f"{label}{_EMPTY}" in labels else None)
            for label in sorted(labels)
        }
