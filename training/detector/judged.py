"""What a detector finds on validation photos while it is trained: average precision, exact counts, and its loss.

The model in memory looks at the same photos each time, in batches. Large photos, which an inspection looks at in tiles
too, are shown whole or through one tile each. The full exam is `training.detector_eval`.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from repairai.vision import tiles
from repairai.vision.engine import Network
from training.detector.forward import Forward
from training.detector.photos import Photos, collate

MOST_PHOTOS = 300
FLOOR = 0.01
MOST_FOUND = 100
"""On one photo, the best of them; COCO's average precision looks at no more."""
EDGES = np.linspace(0.05, 0.95, 91)
"""Thresholds that are tried for exact counts."""


@dataclass(frozen=True)
class Judged:
    """What a detector was found to be worth.

    Args:
        ap: COCO's average precision (IoU 0.50 to 0.95), in [0, 1].
        ap50: Likewise at IoU 0.50.
        exact: Share of pairs of a photo and a part that are counted exactly, at the best single threshold of each part.
        loss: Mean over the batches.
        edges: For each part that threshold.
    """

    ap: float
    ap50: float
    exact: float
    loss: float
    edges: tuple[float, ...]


@dataclass(frozen=True)
class Found:
    """What was found on one photo: boxes (n, 4) in px of it, scores (n,), labels (n,), best first."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


class Judge:
    """Looks at the same photos each time.

    Args:
        photos: Not augmented.
        n_parts: That the detector knows.
        forward: How it takes photos.
        batch: Photos at a time.
        most: Photos at most; more are left out evenly.
    """

    def __init__(self, photos: Photos, n_parts: int, forward: Forward, batch: int, most: int = MOST_PHOTOS) -> None:
        chosen = np.unique(np.linspace(0, len(photos) - 1, min(most, len(photos))).round().astype(int)).tolist()
        self.photos, self.n_parts, self.forward, self.batch = photos, n_parts, forward, batch
        self.looks = [(index, _window(photos, index, at)) for at, index in enumerate(chosen)]
        self._items: list[dict[str, Any]] = []

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.looks)

    def items(self) -> list[dict[str, Any]]:
        """Return the photos as the model takes them; read once."""
        if not self._items:
            rng = np.random.default_rng(0)  # nothing of it is used: these are not augmented
            self._items = [self.photos.item(index, rng, window) for index, window in self.looks]
        return self._items

    def __call__(self, model: Any, tell: Callable[[], None] = lambda: None) -> Judged:
        """Return what a model is worth.

        Args:
            model: In memory; it is left in the mode that it was in.
            tell: Called after each batch, and free to raise.
        """
        return self._worth(*self.find(model, tell))

    def of_network(self, network: Network) -> Judged:
        """Return what an export is worth; its loss is not known."""
        found = []
        for item, look in zip(self.items(), self.looks, strict=True):
            logits, boxes = network(item["pixel_values"].numpy()[None])
            found.append(chosen_of(boxes[0], 1 / (1 + np.exp(-logits[0])), _sides(self.photos, *look)))
        return self._worth(found, [float("nan")])

    def _worth(self, found: Sequence[Found], losses: Sequence[float]) -> Judged:
        truth = [
            (np.asarray(item["labels"]["boxes"]), np.asarray(item["labels"]["class_labels"])) for item in self.items()
        ]
        sides = [_sides(self.photos, index, window) for index, window in self.looks]
        ap, ap50 = average_precision(truth, found, sides, self.n_parts)
        shares, edges = exact_counts([labels for _, labels in truth], found, self.n_parts)
        return Judged(ap, ap50, float(np.mean(shares)), float(np.mean(losses)), tuple(edges))

    def find(self, model: Any, tell: Callable[[], None] = lambda: None) -> tuple[list[Found], list[float]]:
        """Return what a model finds on each photo, and its loss on each batch."""
        was_training, device = model.training, next(model.parameters()).device
        model.eval()
        found: list[Found] = []
        losses: list[float] = []
        try:
            for start in range(0, len(self.looks), self.batch):
                batch = collate(self.items()[start : start + self.batch])
                labels = [{name: value.to(device) for name, value in each.items()} for each in batch["labels"]]
                with torch.no_grad():
                    outputs = self.forward(model, batch["pixel_values"].to(device), labels)
                losses.append(float(outputs.loss))
                scores = self.forward.scores(outputs).cpu().numpy()
                boxes = outputs.pred_boxes.float().cpu().numpy()
                for at, (own, where) in enumerate(zip(boxes, scores, strict=True), start):
                    found.append(chosen_of(own, where, _sides(self.photos, *self.looks[at])))
                tell()
        finally:
            model.train(was_training)
        return found, losses


def _window(photos: Photos, index: int, at: int) -> tuple[float, float, float, float] | None:
    """Return the tile through which a large photo is seen; every other one is seen whole."""
    return photos.tile(index, np.random.default_rng((1, at)), always=True) if at % 2 else None


def _sides(photos: Photos, index: int, window: tuple[float, float, float, float] | None) -> tuple[float, float]:
    """Return the width and height of what is seen, in px of the photo."""
    each = photos.chosen[index]
    return (each.width, each.height) if window is None else (window[2] - window[0], window[3] - window[1])


def chosen_of(boxes: NDArray[np.float32], scores: NDArray[np.float32], sides: tuple[float, float]) -> Found:
    """Return what counts of one photo's outputs: one label a query, and each thing once.

    Args:
        boxes: (queries, 4) centre x, centre y, width, height as shares.
        scores: (queries, parts).
        sides: Width and height, px.
    """
    labels, best = scores.argmax(axis=1), scores.max(axis=1)
    order = np.argsort(-best, kind="stable")[:MOST_FOUND]
    order = order[best[order] >= FLOOR]
    labels, best, boxes = labels[order], best[order], boxes[order]
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1).clip(0, 1)
    corners = (corners * np.tile(np.array(sides, np.float32), 2)).astype(np.float32)
    kept = tiles.merge(corners, best, labels, np.zeros(len(labels), np.int64))
    return Found(corners[kept], best[kept], labels[kept])


def exact_counts(
    truth: Sequence[NDArray[np.int64]], found: Sequence[Found], n_parts: int
) -> tuple[list[float], list[float]]:
    """Return for each part the share of photos that are counted exactly, and the threshold at which they are.

    Args:
        truth: For each photo the labels that are there.
        found: What was found on it.
        n_parts: Parts that are asked for.
    """
    shares, edges = [], []
    for part in range(n_parts):
        there = np.array([np.sum(labels == part) for labels in truth])
        counts = np.stack([
            np.sum(each.scores[each.labels == part][:, None] >= EDGES[None], axis=0) for each in found
        ])  # (photos, thresholds)  # fmt: skip
        right = (counts == there[:, None]).mean(axis=0)
        best = np.flatnonzero(right == right.max())
        edges.append(float(EDGES[best[len(best) // 2]]))  # in the middle of those that are as good
        shares.append(float(right.max()))
    return shares, edges


def average_precision(
    truth: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]],
    found: Sequence[Found],
    sides: Sequence[tuple[float, float]],
    n_parts: int,
) -> tuple[float, float]:
    """Return COCO's AP and AP50 over all parts that occur; 0 where none does.

    Args:
        truth: For each photo boxes (n, 4) of centre and size as shares, and labels (n,).
        found: What was found on it.
        sides: Its width and height, px.
        n_parts: Parts.
    """
    known: dict[str, Any] = {
        "info": {}, "images": [], "annotations": [], "categories": [{"id": n, "name": str(n)} for n in range(n_parts)],
    }  # fmt: skip
    results: list[dict[str, Any]] = []
    for at, ((boxes, labels), seen, (width, height)) in enumerate(zip(truth, found, sides, strict=True)):
        known["images"].append({"id": at, "width": width, "height": height})
        for (x, y, w, h), label in zip((boxes * [width, height, width, height]).tolist(), labels.tolist(), strict=True):
            note = {"id": len(known["annotations"]) + 1, "image_id": at, "category_id": label, "iscrowd": 0}
            known["annotations"].append({**note, "bbox": [x - w / 2, y - h / 2, w, h], "area": w * h})
        for (x0, y0, x1, y1), score, label in zip(
            seen.boxes.tolist(), seen.scores.tolist(), seen.labels.tolist(), strict=True
        ):
            box = [x0, y0, x1 - x0, y1 - y0]
            results.append({"image_id": at, "category_id": label, "bbox": box, "score": score})
    if not known["annotations"] or not results:
        return 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        photos = COCO(known)
        judge = COCOeval_faster(photos, photos.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return max(float(judge.stats[0]), 0.0), max(float(judge.stats[1]), 0.0)
