"""Chooses from which score on a detection counts: few counts left undecided, and far fewer wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from repairai.schema import Detection, PartLimits

GRID = np.round(np.arange(0.05, 0.96, 0.025), 3)
LOWEST = float(GRID[0])
"""Detections under this score are never looked at."""
UNKNOWN = PartLimits(1.0, LOWEST)
"""For a label that no validation photo holds: nothing is ever sure."""


@dataclass(frozen=True)
class Looked:
    """What a detector saw in a photo, and what is there.

    Args:
        detections: From `LOWEST` on.
        truth: (n, 4) boxes in px.
        labels: (n,) names.
        per_px: (2,) px of the photo that made one px of the detector's input in its finest look.
        source: Of the photo: those of one source are alike.
    """

    detections: tuple[Detection, ...]
    truth: NDArray[np.float32]
    labels: tuple[str, ...]
    per_px: NDArray[np.float64]
    source: str = ""


def choose(looked: Sequence[Looked], label: str, price: float, empty_place: str | None) -> PartLimits:
    """Return the limits of a label with which verdicts cost least: the undecided, and the wrong at their price.

    Each source of photos weighs the same, however many it has; those without any such part say nothing.

    Args:
        looked: Validation photos.
        label: One of the detector's.
        price: How many undecided verdicts are as bad as a wrong one.
        empty_place: Passed on.
    """
    told = {each.source for each in looked if label in each.labels}
    own = [each for each in looked if each.source in told]
    if not own:
        return replace(UNKNOWN, empty_place=empty_place)
    truth = np.array([each.labels.count(label) for each in own])
    scores = [np.array([d.score for d in each.detections if d.label == label]) for each in own]
    above = np.array([[np.count_nonzero(some >= edge) for edge in GRID] for some in scores])
    sources = [np.array([each.source == source for each in own]) for source in sorted(told)]
    best = (np.inf, UNKNOWN)
    for low, maybe in enumerate(GRID):
        for high in range(low, len(GRID)):
            fewest, most = above[:, high], above[:, low]
            costs = verdict_costs(truth, fewest, most, price)
            cost = float(np.mean([costs[here].mean() for here in sources]))
            if cost < best[0]:
                best = cost, PartLimits(float(GRID[high]), float(maybe), 0.0, empty_place)
    limits = best[1]
    return PartLimits(limits.sure, limits.maybe, smallest(own, label, limits), empty_place)


def verdict_costs(
    truth: NDArray[np.int64], fewest: NDArray[np.int64], most: NDArray[np.int64], price: float
) -> NDArray[np.float64]:
    """Return what verdicts cost on each photo (n,) where exactly so many are wanted as are there, one fewer, one more.

    Args:
        truth: (n,) how many are there.
        fewest: (n,) how many are sure.
        most: (n,) with those that may be.
        price: Of a wrong verdict, in undecided ones.
    """
    costs = np.zeros(len(truth))
    for more in (-1, 0, 1):
        passes = (fewest == truth + more) & (most == truth + more)
        fails = (truth + more < fewest) | (truth + more > most)
        wrong = passes if more else fails
        costs += ~(passes | fails) + price * wrong
    return costs / 3


def smallest(looked: Sequence[Looked], label: str, limits: PartLimits, share: float = 0.8) -> float:
    """Return the shortest side, in px of the detector's input, from which on parts are told about as well as any.

    Args:
        looked: Validation photos.
        label: One of the detector's.
        limits: Its scores.
        share: Of how often parts of all sizes are found at `maybe`, and of how often sure detections are parts.
    """
    found: list[tuple[float, bool]] = []
    right: list[tuple[float, bool]] = []
    for each in looked:
        own = each.truth[[name == label for name in each.labels]]
        seen = np.array([d.box for d in each.detections if d.label == label and d.score >= limits.maybe]).reshape(-1, 4)
        sure = np.array([d.box for d in each.detections if d.label == label and d.score >= limits.sure]).reshape(-1, 4)
        found += zip(sides(own, each.per_px), matched(own, seen), strict=True)
        right += zip(sides(sure, each.per_px), matched(sure, own), strict=True)
    edges = np.arange(4, 33, 2.0)
    for edge in edges:
        good = True
        for pairs in (found, right):
            here = [hit for side, hit in pairs if edge <= side < edge + 6]
            good &= len(here) < 20 or float(np.mean(here)) >= share * float(np.mean([hit for _, hit in pairs]))
        if good:
            return float(edge)
    return float(edges[-1])


def sides(boxes: NDArray[np.float32], per_px: NDArray[np.float64]) -> list[float]:
    """Return the shorter side of each box (n, 4) in px of the detector's input."""
    return ((boxes[:, 2:] - boxes[:, :2]) / per_px).min(axis=1).tolist() if len(boxes) else []


def matched(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> list[bool]:
    """Return for each box whether another has its middle in it and is of about its size: enough to be the same part."""
    hits = []
    for box in boxes:
        middle = (others[:, :2] + others[:, 2:]) / 2
        inside = np.all((middle >= box[:2]) & (middle <= box[2:]), axis=1)
        ratio = np.prod(others[:, 2:] - others[:, :2], axis=1) / max(float(np.prod(box[2:] - box[:2])), 1e-6)
        hits.append(bool(np.any(inside & (ratio > 0.25) & (ratio < 4))))
    return hits


def iou(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the intersection over the union of boxes (n, 4) with others (m, 4), (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2, dtype=np.float64)
    areas = [np.clip(each[:, 2:] - each[:, :2], 0, None).prod(axis=1, dtype=np.float64) for each in (boxes, others)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9))
