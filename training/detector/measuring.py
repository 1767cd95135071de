"""An evaluation put together: thresholds for what was seen on validation photos, scores for the photos kept back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from repairai.runs.detector_scores import DetectorScores, PhotosShown, compared_marks
from repairai.runs.figures import percent
from repairai.schema import PartLimits
from repairai.vision.detector import Limits
from repairai.vision.photo_set import PhotoSet, Split
from training.detector.figures import by_part, counted, curve, marks, whole, worst
from training.detector.looks import Seen, fingerprint
from training.detector.precision import average_precision, boxed, confusion
from training.detector.tolerated import CONFIDENCE, counts_best_at, tolerated

N_WORST = 20


@dataclass(frozen=True)
class Other:
    """The detector in use, on the same photos.

    Args:
        name: Of it.
        labels: Parts that it knows.
        limits: Under which it counts.
        seen: The photos.
    """

    name: str
    labels: tuple[str, ...]
    limits: Mapping[str, PartLimits]
    seen: Sequence[Seen]


@dataclass(frozen=True)
class Own:
    """The new detector.

    Args:
        name: Of it.
        parts: That it knows and that are labelled.
        limits: Under which it counts.
        middle: For each part the one threshold at which it is best counted.
        seen: The photos.
    """

    name: str
    parts: tuple[str, ...]
    limits: Limits
    middle: Mapping[str, float]
    seen: Sequence[Seen]


def thresholds(seen: Sequence[Seen], places: Mapping[str, str | None], escape: float) -> Limits:
    """Return the thresholds of every label, chosen for a tolerated share of wrong steps passed.

    Args:
        seen: Validation photos; those that show too little to be judged say nothing.
        places: For each label the one of its empty place.
        escape: The share.
    """
    looked = [each.looked() for each in seen if each.look.visibility.problem is None]
    chosen = {label: tolerated(looked, label, escape, place) for label, place in places.items()}
    n_sources = len({each.source for each in looked})
    return Limits(
        parts={label: each.limits for label, each in chosen.items()},
        measured_on=f"{len(looked)} validation photos of {n_sources} sources, for at most {percent(escape)} of wrong "
        f"steps passed, with {100 * CONFIDENCE:g} % confidence",
        escape=escape,
        confidence=CONFIDENCE,
        photos={label: each.photos for label, each in chosen.items()},
        undecided={label: each.undecided for label, each in chosen.items() if each.undecided},
        made=_now(),
    )


def middles(seen: Sequence[Seen], labels: Sequence[str]) -> dict[str, float]:
    """Return for each label the one threshold at which it is most often counted exactly."""
    looked = [each.looked() for each in seen if each.look.visibility.problem is None]
    return {label: counts_best_at(looked, label) for label in labels}


def report(
    own: Own, other: Other, photos: PhotoSet, split: Split, settings: dict[str, str], began: float, learned: int = 0,
    favoured: dict[str, str] | None = None,
) -> DetectorScores:  # fmt: skip
    """Return what two detectors made of the same photos.

    Args:
        own: The new one.
        other: The one in use.
        photos: The set.
        split: What the photos are for in it.
        settings: How it was done.
        began: When, on `time.monotonic`'s clock.
        learned: Photos of the split that were left out, since the training has seen them.
        favoured: Which of the two knows the photos from its training, each with how.
    """
    after = counted(own.seen, own.parts, own.limits.parts)
    shared = [part for part in own.parts if part in other.labels]
    before = counted(other.seen, shared, other.limits) if shared else None
    found = marks(own.seen, before, after)
    precision = average_precision([boxed(each) for each in own.seen], own.parts)
    plain = {part: PartLimits(edge, edge) for part, edge in own.middle.items()}
    at_one = counted(own.seen, own.parts, plain)
    once = by_part(at_one)
    every = precision.get("all", {"ap": 0.0, "ap50": 0.0})
    shown = [each.photo for each in own.seen]
    return DetectorScores(
        run=own.name,
        model=other.name,
        shown=PhotosShown(
            fingerprint(shown), str(photos.folder.absolute()), split, len(shown), len(photos.of(split)),
            len({each.source for each in own.seen}), learned,
        ),  # fmt: skip
        made=_now(),
        parts={
            part: replace(row, counted=once[part].exact, **precision.get(part, {}))
            for part, row in by_part(after).items()
        },
        whole=replace(whole(after), counted=whole(at_one).exact, **every),
        average=(every["ap"], every["ap50"]),
        before=by_part(before) if before else {},
        figures=compared_marks([(each.source, each.before, each.after) for each in found]),
        left_out=tuple(part for part in own.parts if part not in shared),
        curve=curve(own.seen, own.parts, own.middle),
        confusion=confusion(own.seen, own.parts, own.middle),
        marks=tuple(found),
        worst=tuple(worst(own.seen, after, own.limits.parts, N_WORST)),
        escape=own.limits.escape,
        confidence=own.limits.confidence,
        undecided={part: why for part, why in own.limits.undecided.items() if part in own.parts},
        favoured=favoured or {},
        settings=settings,
        seconds=round(time.monotonic() - began, 1),
    )  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
