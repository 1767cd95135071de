"""Chooses from which score on a detection counts, so that the count's interval holds the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repairai.schema import Detection, PartLimits

GRID = np.round(np.arange(0.05, 0.96, 0.025), 3)
LOWEST = float(GRID[0])
"""Detections under this score are never looked at."""


@dataclass(frozen=True)
class Looked:
    """What a detector saw in a photo, and what is there.

    Args:
        detections: From `LOWEST` on.
        truth: (n, 4) boxes in px.
        labels: (n,) names.
        per_px: (2,) px of the photo that made one px of the detector's input in its finest look.
    """

    detections: tuple[Detection, ...]
    truth: NDArray[np.float32]
    labels: tuple[str, ...]
    per_px: NDArray[np.float64]


def choose(looked: Sequence[Looked], label: str, tolerance: float, empty_place: str | None) -> PartLimits:
    """Return the limits of a label: of all that keep to the tolerance, those that leave the fewest photos undecided.

    Args:
        looked: Validation photos.
        label: One of the detector's.
        tolerance: Share of photos, in [0, 1], whose true count may lie outside of [sure, sure + maybe].
        empty_place: Passed on.
    """
    truth = np.array([each.labels.count(label) for each in looked])
    scores = [np.array([d.score for d in each.detections if d.label == label]) for each in looked]
    above = np.array([[np.count_nonzero(own >= edge) for edge in GRID] for own in scores])
    best: tuple[tuple[bool, float, float], PartLimits] | None = None
    for low, maybe in enumerate(GRID):
        for high in range(low, len(GRID)):
            fewest, most = above[:, high], above[:, low]
            missed = float(np.mean((truth < fewest) | (truth > most)))
            undecided = float(np.mean(fewest != most))
            # Who keeps to the tolerance goes first, then who leaves fewest undecided; else who misses fewest.
            kept = missed <= tolerance
            rank = (not kept, undecided if kept else missed, missed if kept else undecided)
            if best is None or rank < best[0]:
                best = rank, PartLimits(float(GRID[high]), float(maybe), 0.0, empty_place)
    assert best is not None  # the grid is never empty
    limits = best[1]
    return PartLimits(limits.sure, limits.maybe, smallest(looked, label, limits), empty_place)


def smallest(looked: Sequence[Looked], label: str, limits: PartLimits, share: float = 0.97) -> float:
    """Return the shortest side, in px of the detector's input, from which on parts are found and no others.

    Args:
        looked: Validation photos.
        label: One of the detector's.
        limits: Its scores.
        share: Of a size's parts that have to be found at `maybe`, and of its sure detections that have to be parts.
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
            good &= len(here) < 20 or float(np.mean(here)) >= share
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
