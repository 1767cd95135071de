"""What an evaluation of a detector found, as `scores.json` holds it: counts and verdicts on photos kept for the test.

Every photo asks one question for each part: how many are there? The detector in use and the new one are asked the same
photos, so each photo has a difference of its own, and the interval of their mean says how much of it may be luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Literal

from repairai.errors import RepairError
from repairai.files import read_record, write_record
from repairai.runs.figures import ESCAPE, FALSE_CALL
from repairai.runs.folder import read_json
from repairai.runs.scores import Compared, compared

VERSION = 1
"""Of the form of a detector's `scores.json`."""
EXACT, DECIDED = "exact", "decided"


@dataclass(frozen=True)
class PhotosShown:
    """Which photos a detector was measured on.

    Args:
        sha: Of their names and boxes; two evaluations can be compared where it is the same.
        path: The folder of the set.
        split: What they are for in the set.
        photos: How many were shown.
        of: How many there are.
        sources: How many of the shown are independent: photos of one source show the same thing.
        learned: How many were left out because the training has seen them: the set was split anew since.
    """

    sha: str
    path: str
    split: str
    photos: int
    of: int
    sources: int
    learned: int = 0


@dataclass(frozen=True)
class PartScores:
    """How well one part, or all parts of a photo together, are counted. Shares are in [0, 1].

    Args:
        photos: Judged.
        shown: Of them, those that show the part.
        boxes: Parts on them.
        exact: Share of photos whose count at `sure` is the true one.
        decided: Share of verdicts that are PASS or FAIL; asked are the true number, one more and one fewer.
        escape: Share of wrong steps (one more or one fewer than there are) that came out PASS.
        false_call: Share of right steps that came out FAIL.
        counted: Share of photos whose count is the true one at the one threshold at which it most often was on the
            validation photos: what the detector could do if nothing were left undecided. None where there is no
            such threshold.
        ap: COCO's average precision, IoU 0.50 to 0.95; None where no photo shows the part.
        ap50: Likewise at IoU 0.50.
        escape_fewer: The share of wrong steps passed among those that ask for one fewer than there are; None where that
            was not looked at by itself.
        escape_more: Likewise among those that ask for one more.
    """

    photos: int
    shown: int
    boxes: int
    exact: float
    decided: float
    escape: float
    false_call: float
    counted: float | None = None
    ap: float | None = None
    ap50: float | None = None
    escape_fewer: float | None = None
    escape_more: float | None = None


@dataclass(frozen=True)
class CurvePoint:
    """Share decided and share of wrong steps passed, at one width between `maybe` and `sure`."""

    width: float
    decided: float
    escape: float


@dataclass(frozen=True)
class Curve:
    """Risk against coverage as thresholds widen from none to all the way.

    Args:
        points: From no width on.
        area: Under escape over decided; the smaller, the better doubt falls on what would have been wrong.
    """

    points: tuple[CurvePoint, ...]
    area: float


@dataclass(frozen=True)
class Confusion:
    """Which part was taken for which.

    Args:
        parts: Names; the background stands behind the last one.
        found: A row for each true part and a last one for what is none, a column for each part that was seen and a
            last one for what was not seen.
    """

    parts: tuple[str, ...]
    found: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class PhotoMark:
    """One photo, judged by both detectors on the parts that both know.

    Args:
        photo: Its name.
        source: Photos of one source show the same thing.
        before: Figures of the detector in use: `exact`, `escape`, `false_call`, `decided`; empty where it knows none
            of the parts.
        after: Those of the new one, on the same parts.
        alone: Those of the new one on all its parts.
    """

    photo: str
    source: str
    before: dict[str, float]
    after: dict[str, float]
    alone: dict[str, float]


@dataclass(frozen=True)
class WorstPhoto:
    """A photo that was counted wrongly.

    Args:
        photo: Its name.
        wrong: Parts whose count is wrong.
        lost: Boxes that nothing was found for.
        expected: How many of each part there are.
        found: In words, how many were found: "3", or "3 to 4" where some are in doubt.
        outcomes: Of "this photo shows so many": PASS, FAIL or UNCERTAIN for each part.
    """

    photo: str
    wrong: int
    lost: int
    expected: dict[str, int]
    found: dict[str, str]
    outcomes: dict[str, str]

    @property
    def drawn_as(self) -> str:
        """Return the name of the file that it is drawn into: its own whole, since `a.png` may stand beside `a.jpg`."""
        return f"{self.photo}.jpg"


@dataclass(frozen=True)
class DetectorScores:
    """A whole evaluation of a detector.

    Args:
        run: Id of the training, or the folder's name.
        model: The detector in use, which it is held against.
        shown: The photos.
        made: When, ISO 8601.
        parts: For each part.
        whole: All parts of a photo as one requirement: "this photo shows n of each".
        average: COCO's average precision over all parts, and at IoU 0.50.
        before: What the detector in use scored on the parts that it knows.
        figures: `exact`, `escape`, `false_call` and `decided` of both, compared over photos on the parts that both
            know; empty where they share none.
        left_out: Parts that the detector in use does not know.
        curve: Of risk and coverage.
        confusion: At the threshold that counts best.
        marks: Each photo.
        worst: The worst photos, worst first.
        escape: The share of wrong steps that was tolerated when the thresholds were chosen; None where they were not
            chosen here.
        confidence: With which no more of them pass on photos such as thresholds were chosen on; None where none was
            said.
        undecided: Parts that stay undecided, each with why.
        favoured: Which of the two knows the photos from its training, or may, each with how in a clause.
        settings: How it was done.
        seconds: That it took.
        kind: Tells this record from that of another task.
        version: Of this form.
    """

    run: str
    model: str
    shown: PhotosShown
    made: str
    parts: dict[str, PartScores]
    whole: PartScores
    average: tuple[float, float]
    before: dict[str, PartScores]
    figures: dict[str, Compared]
    left_out: tuple[str, ...]
    curve: Curve
    confusion: Confusion
    marks: tuple[PhotoMark, ...]
    worst: tuple[WorstPhoto, ...] = ()
    escape: float | None = None
    confidence: float | None = None
    undecided: dict[str, str] = field(default_factory=dict)
    favoured: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] | None = None
    seconds: float = 0.0
    kind: Literal["detector"] = "detector"
    version: int = VERSION


# ---- read and written


def is_of_detector(path: Path) -> bool:
    """Return whether a `scores.json` is there and holds what was found of a detector."""
    return read_json(path).get("kind") == "detector"


def read_detector_scores(path: Path) -> DetectorScores:
    """Return what an evaluation of a detector found.

    Raises:
        RepairError: The file is not there or holds something else.
    """
    scores = read_record(path, DetectorScores)
    if scores.version > VERSION:
        raise RepairError(
            f"{path} is of version {scores.version}, and this RepairAI knows version {VERSION}", "update RepairAI"
        )
    return scores


def write_detector_scores(path: Path, scores: DetectorScores) -> None:
    """Write what an evaluation of a detector found, whole or not at all."""
    write_record(path, scores)


# ---- compared


def compared_marks(pairs: Sequence[tuple[str, dict[str, float], dict[str, float]]]) -> dict[str, Compared]:
    """Return each figure of two detectors compared, over those photos for which both have it.

    Photos of one source count as one, with their mean: they show the same thing, so that a hundred of them say no more.

    Args:
        pairs: For each photo its source, and the figures before and after.
    """
    found: dict[str, Compared] = {}
    for name in (EXACT, ESCAPE, FALSE_CALL, DECIDED):
        own: dict[str, list[tuple[float, float]]] = {}
        for source, before, after in pairs:
            if name in before and name in after:
                own.setdefault(source, []).append((before[name], after[name]))
        if own:
            means = [(fmean(old for old, _ in each), fmean(new for _, new in each)) for each in own.values()]
            found[name] = compared([old for old, _ in means], [new for _, new in means])
    return found
