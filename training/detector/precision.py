"""COCO's average precision of a detector, and which part it takes for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from repairai.runs.detector_scores import Confusion
from repairai.schema import Detection
from repairai.vision.photo_set import LabelledBox
from training.detector.calibration import iou
from training.detector.figures import SAME
from training.detector.looks import Seen

Boxed = tuple[tuple[int, int], NDArray[np.float32], Sequence[str], Sequence[Detection]]
"""A photo: its width and height in px, its boxes (n, 4) in px with their labels, and what was detected."""


def average_precision(photos: Sequence[Boxed], labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return COCO's AP (IoU 0.50 to 0.95) and AP50 for each label that occurs, and for `all`.

    Args:
        photos: With detections from a low score on.
        labels: That count; others are passed over.
    """
    number = {label: at for at, label in enumerate(labels)}
    truth, results = _as_coco(photos, number)
    if not truth["annotations"]:
        return {}
    if not results:
        shown = {each["category_id"] for each in truth["annotations"]}
        return dict.fromkeys(("all", *(label for label in labels if number[label] in shown)), {"ap": 0.0, "ap50": 0.0})
    known = COCO(truth)
    rows = {}
    for label in ("all", *labels):
        judge = COCOeval_faster(known, known.loadRes(results), "bbox")
        if label != "all":
            judge.params.catIds = [number[label]]
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
        if judge.stats[0] >= 0:
            rows[label] = {"ap": float(judge.stats[0]), "ap50": float(judge.stats[1])}
    return rows


def _as_coco(photos: Sequence[Boxed], number: Mapping[str, int]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the boxes and the detections as COCO has them."""
    categories = [{"id": at, "name": label} for label, at in number.items()]
    truth: dict[str, Any] = {"info": {}, "images": [], "annotations": [], "categories": categories}
    results: list[dict[str, Any]] = []
    for at, ((width, height), boxes, names, detections) in enumerate(photos):
        truth["images"].append({"id": at, "width": width, "height": height})
        for edges, label in zip(boxes.tolist(), names, strict=True):
            if label in number:
                box, own = _corner_and_size(edges), len(truth["annotations"]) + 1
                note = {"id": own, "image_id": at, "category_id": number[label], "bbox": box}
                truth["annotations"].append({**note, "area": box[2] * box[3], "iscrowd": 0})
        for each in detections:
            if each.label in number:
                box = _corner_and_size(each.box)
                results.append({"image_id": at, "category_id": number[each.label], "bbox": box, "score": each.score})
    return truth, results


def _corner_and_size(box: Sequence[float]) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]


def boxed(seen: Seen) -> Boxed:
    """Return a photo as `average_precision` takes it."""
    boxes = np.array([each.box for each in seen.photo.boxes], np.float32).reshape(-1, 4)
    labels = tuple(each.part for each in seen.photo.boxes)
    return (seen.photo.width, seen.photo.height), boxes, labels, seen.look.detections


def confusion(seen: Sequence[Seen], parts: Sequence[str], edges: Mapping[str, float]) -> Confusion:
    """Return which part was taken for which, each box and each detection used once, the best overlaps first.

    Args:
        seen: The photos.
        parts: Names.
        edges: For each part the score from which on a detection of it counts.
    """
    found = np.zeros((len(parts) + 1, len(parts) + 1), np.int64)
    number = {part: at for at, part in enumerate(parts)}
    nothing = len(parts)
    for each in seen:
        truth = [box for box in each.photo.boxes if box.part in number]
        shown = [d for d in each.look.detections if d.label in number and d.score >= edges[d.label]]
        left, right = set(range(len(truth))), set(range(len(shown)))
        for row, column in _alike(truth, shown):
            if row in left and column in right:
                left.remove(row)
                right.remove(column)
                found[number[truth[row].part], number[shown[column].label]] += 1
        for row in left:
            found[number[truth[row].part], nothing] += 1
        for column in right:
            found[nothing, number[shown[column].label]] += 1
    return Confusion(tuple(parts), tuple(tuple(int(n) for n in row) for row in found))


def _alike(truth: Sequence[LabelledBox], shown: Sequence[Detection]) -> list[tuple[int, int]]:
    """Return which boxes may be which detections, by their numbers: those of the right part first, then by overlap."""
    boxes, others = (np.array([each.box for each in side], np.float32).reshape(-1, 4) for side in (truth, shown))
    overlap = iou(boxes, others)
    found = [(int(row), int(column)) for row, column in np.argwhere(overlap >= SAME)]
    return sorted(found, key=lambda at: (truth[at[0]].part != shown[at[1]].label, -overlap[at]))
