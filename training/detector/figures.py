"""How a detector counts: exact counts, wrong steps passed, right steps failed, and how much is left undecided.

Each photo is asked about each part, as on a mat, where nothing has to be proven by an empty place: the true number has
to PASS, one more and one fewer have to FAIL. For whole requirements, "this photo shows n of each", all parts are asked
at once, and a wrong one is wrong by one in one part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from repairai.judge.count import NEVER
from repairai.runs.detector_scores import DECIDED, EXACT, Curve, CurvePoint, PartScores, PhotoMark, WorstPhoto
from repairai.runs.figures import ESCAPE, FALSE_CALL
from repairai.schema import Outcome, PartLimits
from training.detector.calibration import LOWEST, iou
from training.detector.looks import Seen

Ints = NDArray[np.int64]
PASS, FAIL, OPEN = 1, -1, 0
OUTCOMES: dict[int, Outcome] = {PASS: "PASS", FAIL: "FAIL", OPEN: "UNCERTAIN"}
OFF = (-1, 1)
"""By how many a wrong step is wrong."""
WIDTHS = np.linspace(0, 1, 41)
SAME = 0.5
"""IoU from which on a detection and a box are the same thing."""


@dataclass(frozen=True)
class Counted:
    """Photos with how many of each part there are, and how many were found.

    Args:
        parts: Names, one a column.
        truth: (photos, parts) how many there are.
        fewest: (photos, parts) how many are sure.
        most: (photos, parts) with those that may be.
        blind: (photos, parts) whether nothing can be decided: the photo shows too little, or the part is unmeasured.
    """

    parts: tuple[str, ...]
    truth: Ints
    fewest: Ints
    most: Ints
    blind: NDArray[np.bool_]

    def of(self, parts: Sequence[str]) -> Counted:
        """Return the same for some of the parts."""
        at = [self.parts.index(part) for part in parts]
        return Counted(tuple(parts), self.truth[:, at], self.fewest[:, at], self.most[:, at], self.blind[:, at])


def counted(seen: Sequence[Seen], parts: Sequence[str], limits: Mapping[str, PartLimits]) -> Counted:
    """Return what is counted on photos under thresholds."""
    size = (len(seen), len(parts))
    truth, fewest, most = (np.zeros(size, np.int64) for _ in range(3))
    column = {part: at for at, part in enumerate(parts)}
    for row, each in enumerate(seen):
        for box in each.photo.boxes:
            if box.part in column:
                truth[row, column[box.part]] += 1
        for found in each.sight(limits).detections:
            if found.label in column:
                most[row, column[found.label]] += 1
                fewest[row, column[found.label]] += found.score >= limits[found.label].sure and not found.small
    dark = np.array([each.look.visibility.problem is not None for each in seen], dtype=bool)
    unmeasured = np.array([limits[part].sure >= NEVER for part in parts], dtype=bool)
    return Counted(tuple(parts), truth, fewest, most, dark[:, None] | unmeasured[None])


def outcomes(found: Counted, off: int) -> Ints:
    """Return the verdicts (photos, parts) on steps that ask for the true number and `off` more."""
    wanted = found.truth + off
    passes = (found.fewest == wanted) & (found.most == wanted)
    fails = (wanted < found.fewest) | (wanted > found.most)
    verdicts = np.where(passes, PASS, np.where(fails, FAIL, OPEN))
    verdicts[found.blind] = OPEN
    return np.asarray(verdicts)


def by_part(found: Counted) -> dict[str, PartScores]:
    """Return the figures of each part, without average precision."""
    scores = {}
    right, wrong = outcomes(found, 0), [(outcomes(found, off), found.truth + off >= 0) for off in OFF]
    for at, part in enumerate(found.parts):
        fewer, more = (each[asked[:, at], at] for each, asked in wrong)
        bad = np.concatenate([fewer, more])
        scores[part] = PartScores(
            photos=len(found.truth),
            shown=int(np.count_nonzero(found.truth[:, at])),
            boxes=int(found.truth[:, at].sum()),
            exact=_mean(found.truth[:, at] == found.fewest[:, at]),
            decided=_mean(np.concatenate([right[:, at], bad]) != OPEN),
            escape=_mean(bad == PASS),
            false_call=_mean(right[:, at] == FAIL),
            escape_fewer=_mean(fewer == PASS),
            escape_more=_mean(more == PASS),
        )
    return scores


def whole(found: Counted) -> PartScores:
    """Return the figures of "this photo shows n of each": all parts of a photo as one requirement."""
    right, bad = _whole_verdicts(found)
    wrong = np.concatenate(bad) if bad else np.zeros(0)
    return PartScores(
        photos=len(found.truth),
        shown=int(np.count_nonzero(found.truth.any(axis=1))),
        boxes=int(found.truth.sum()),
        exact=_mean((found.truth == found.fewest).all(axis=1)),
        decided=_mean(np.concatenate([right, wrong]) != OPEN),
        escape=_mean(wrong == PASS),
        false_call=_mean(right == FAIL),
    )


def _whole_verdicts(found: Counted) -> tuple[Ints, list[Ints]]:
    """Return the verdicts on right requirements (photos,), and on each way to be wrong in one part."""
    right = outcomes(found, 0)
    bad = []
    for off in OFF:
        verdicts = outcomes(found, off)
        for at in range(len(found.parts)):
            asked = found.truth[:, at] + off >= 0
            changed = right.copy()
            changed[:, at] = verdicts[:, at]
            bad.append(all_of(changed[asked]))
    return all_of(right), bad


def all_of(verdicts: Ints) -> Ints:
    """Return Kleene's conjunction of each row (photos, parts): one FAIL fails, else one open leaves it open."""
    failed, passed = (verdicts == FAIL).any(axis=1), (verdicts == PASS).all(axis=1)
    return np.asarray(np.where(failed, FAIL, np.where(passed, PASS, OPEN)))


def _mean(values: NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if values.size else 0.0


# ---- a photo at a time


def figures_of(found: Counted) -> list[dict[str, float]]:
    """Return for each photo the figures over its parts: `exact`, `escape`, `false_call` and `decided`."""
    right, wrong = outcomes(found, 0), np.stack([outcomes(found, off) for off in OFF])
    asked = np.stack([found.truth + off >= 0 for off in OFF])
    rows = []
    for at in range(len(found.truth)):
        bad = wrong[:, at][asked[:, at]]
        rows.append({
            EXACT: _mean(found.truth[at] == found.fewest[at]),
            ESCAPE: _mean(bad == PASS),
            FALSE_CALL: _mean(right[at] == FAIL),
            DECIDED: _mean(np.concatenate([right[at], bad]) != OPEN),
        })  # fmt: skip
    return rows


def marks(seen: Sequence[Seen], before: Counted | None, after: Counted) -> list[PhotoMark]:
    """Return each photo judged by both detectors.

    Args:
        seen: The photos.
        before: As the detector in use counts them, on the parts that both know; None where there are none.
        after: As the new one does, on all its parts.
    """
    alone = figures_of(after)
    old = figures_of(before) if before else [{} for _ in seen]
    new = figures_of(after.of(before.parts)) if before else old
    return [PhotoMark(each.photo.name, each.source, *rows) for each, *rows in zip(seen, old, new, alone, strict=True)]


def worst(seen: Sequence[Seen], found: Counted, limits: Mapping[str, PartLimits], most: int) -> list[WorstPhoto]:
    """Return the photos with a wrong count or a lost box: most wrong counts first, then most lost boxes.

    Args:
        seen: The photos.
        found: On them.
        limits: Under which they were counted.
        most: That are returned.
    """
    right = outcomes(found, 0)
    rows = []
    for at, each in enumerate(seen):
        off = found.truth[at] != found.fewest[at]
        lost = lost_boxes(each, found.parts, limits)
        failed = int(np.count_nonzero(right[at] == FAIL))
        if off.any() or lost:
            shown = [n for n, part in enumerate(found.parts) if found.truth[at, n] or found.most[at, n]]
            names = {n: found.parts[n] for n in shown}
            rows.append((int(off.sum()), lost, failed, WorstPhoto(
                each.photo.name, int(off.sum()), lost,
                {names[n]: int(found.truth[at, n]) for n in shown},
                {names[n]: _span(int(found.fewest[at, n]), int(found.most[at, n])) for n in shown},
                {names[n]: OUTCOMES[int(right[at, n])] for n in shown},
            )))  # fmt: skip
    rows.sort(key=lambda row: (-row[0], -row[1], -row[2], row[3].photo))
    return [row[-1] for row in rows[:most]]


def lost_boxes(seen: Seen, parts: Sequence[str], limits: Mapping[str, PartLimits]) -> int:
    """Return for how many boxes of a photo nothing of their part was found, not even in doubt."""
    lost = 0
    found = seen.sight(limits).detections
    for part in parts:
        truth = np.array([each.box for each in seen.photo.boxes if each.part == part], np.float32).reshape(-1, 4)
        boxes = np.array([each.box for each in found if each.label == part], np.float32).reshape(-1, 4)
        lost += len(truth) - len(pairs(iou(truth, boxes)))
    return lost


def pairs(overlap: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return which box (rows) is which detection (columns), each used once, the best overlaps first."""
    found: list[tuple[int, int]] = []
    order = np.argsort(-overlap, axis=None, kind="stable") if overlap.size else []
    for flat in order:
        row, column = (int(each) for each in np.unravel_index(flat, overlap.shape))
        if overlap[row, column] < SAME:
            break
        if all(row != a and column != b for a, b in found):
            found.append((row, column))
    return found


def _span(fewest: int, most: int) -> str:
    return str(fewest) if fewest == most else f"{fewest} to {most}"


# ---- risk and coverage


def curve(seen: Sequence[Seen], parts: Sequence[str], middle: Mapping[str, float]) -> Curve:
    """Return how wrong steps passed fall with the share decided, as doubt gets wider around one threshold.

    At width w, `sure` lies a share w of the way from the middle up to 1, `maybe` a share w of the way down to the least
    score that counts; at width 0 everything is decided.

    Args:
        seen: The photos.
        parts: That are counted.
        middle: For each part the one threshold at which it is best counted.

    Source:
        The area under the risk-coverage curve: Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural
        Networks"; here the risk is a wrong step that passes.
    """
    found = counted(seen, parts, {part: PartLimits(LOWEST, LOWEST) for part in parts})
    flat = {part: _scores(seen, part) for part in parts}
    points = []
    for width in WIDTHS:
        edges = [
            (at + width * (1 - at), at - width * (at - min(LOWEST, at))) for at in (middle[part] for part in parts)
        ]
        over, under = (
            np.stack([
                np.bincount(flat[part][0][flat[part][1] >= edge[end]], minlength=len(seen))
                for part, edge in zip(parts, edges, strict=True)
            ], axis=1)
            for end in (0, 1)
        )  # fmt: skip
        scores = by_part(replace(found, fewest=over, most=under)).values()
        decided, escape = (float(np.mean([getattr(each, name) for each in scores])) for name in (DECIDED, ESCAPE))
        points.append(CurvePoint(round(float(width), 4), decided, escape))
    ordered = sorted(points, key=lambda each: (each.decided, each.escape))
    across, up = ([getattr(each, name) for each in ordered] for name in (DECIDED, ESCAPE))
    return Curve(tuple(points), float(np.trapezoid(up, across)))


def _scores(seen: Sequence[Seen], part: str) -> tuple[Ints, NDArray[np.float64]]:
    """Return the scores of all detections of a part, with the number of the photo that each is on."""
    rows = [(at, d.score) for at, each in enumerate(seen) for d in each.look.detections if d.label == part]
    return np.array([at for at, _ in rows], np.int64), np.array([score for _, score in rows], np.float64)
