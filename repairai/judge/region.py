"""Where in a photo a question is about, as far as the detector tells; pure Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repairai.judge.count import opposite_of, tally
from repairai.judge.question_words import STATE_WORDS
from repairai.judge.questions import Place, labels_for, position, presence, several
from repairai.schema import Box, Detection, Sight

PADDING = 0.25
"""What stands round a part belongs to its state: so much of its longer side is added on each side."""
LEAST_PX = 16
"""A part whose longer side is shorter shows no state."""
_NEAR = 0.3
"""A part is "the left one" in this share of where all of its kind lie, from the left."""


@dataclass(frozen=True)
class Region:
    """Where a question is about.

    Args:
        box: In whole px of the photo; None for the whole photo.
        labels: Of the detector, that the question is about; none where it knows no such part.
        missing: Whether the detector knows the part, but does not see the one that is meant.
        why: What a person does then, as a sentence.
        reason: Why it is missing.
    """

    box: Box | None = None
    labels: tuple[str, ...] = ()
    missing: bool = False
    why: str = ""
    reason: Literal["place_not_seen", "too_small"] = "place_not_seen"


WHOLE = Region()


def region(question: str, sight: Sight, width_px: int, height_px: int) -> Region:
    """Return where in a photo a question is about, as far as the detector tells.

    The part's places are what is asked for, in any of its states: of a screw also the empty holes. Whether a part is
    there at all is asked of the whole photo where its empty place does not show: a part that is gone has no box.
    """
    labels = labels_for(question, sight.limits)
    labels += tuple(other for each in labels if (other := opposite_of(each, sight)) and other not in labels)
    if not labels:
        return WHOLE
    if presence(question) and not any(opposite_of(each, sight) for each in labels):
        return Region(labels=labels)
    places = _places(labels, sight)
    name = _plain(labels[0])
    if not places:
        return _not_there(
            labels, f"No {name} is seen: take a photo with it in view, sharp and close, or look yourself."
        )
    meant = places
    if len(places) > 1 and not several(question):
        wanted = position(question)
        meant = _at(places, wanted) if wanted else []
        if not meant:
            which = "cannot be told apart" if wanted else "may be meant"
            return _not_there(
                labels,
                f"{len(places)} places {which}: take a photo of the one alone, or of all of them"
                f"{'' if wanted else ' and ask for the left, right, top or bottom one'}.",
            )
    box = _round(meant)
    if max(box[2] - box[0], box[3] - box[1]) < LEAST_PX:
        spot = f"{round((box[0] + box[2]) / 2)}, {round((box[1] + box[3]) / 2)} px"
        return _not_there(labels, f"Come closer: the {name} at {spot} is too small in the photo.", "too_small")
    return Region(padded(box, width_px, height_px), labels)


def padded(box: Box, width_px: int, height_px: int) -> Box:
    """Return the square of whole px about a box, with what stands round it, as far as the photo goes.

    Args:
        box: In px of the photo.
        width_px: Of the photo.
        height_px: Likewise.
    """
    side = max(box[2] - box[0], box[3] - box[1]) * (1 + 2 * PADDING)
    across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left = min(max(math.floor(across - side / 2), 0), width_px - 1)
    top = min(max(math.floor(down - side / 2), 0), height_px - 1)
    right = max(min(math.ceil(across + side / 2), width_px), left + 1)
    bottom = max(min(math.ceil(down + side / 2), height_px), top + 1)
    return (float(left), float(top), float(right), float(bottom))


def _plain(label: str) -> str:
    """Return the name of a part without its state: "connector" for `plugged_connector`."""
    return " ".join(word for word in label.split("_") if word not in STATE_WORDS) or label


def _not_there(
    labels: tuple[str, ...], why: str, reason: Literal["place_not_seen", "too_small"] = "place_not_seen"
) -> Region:
    return Region(None, labels, missing=True, why=why, reason=reason)


def _places(labels: Sequence[str], sight: Sight) -> list[Box]:
    """Return the boxes of all that may be one of the labels, each place once, in the order of reading."""
    found: list[Detection] = []
    for label in labels:
        seen = tally(label, sight)
        found += [*seen.sure, *seen.maybe]
    found.sort(key=lambda each: (-each.score, each.box, each.label))
    kept: list[Box] = []
    for each in found:
        if not any(_same_place(each.box, other) for other in kept):
            kept.append(each.box)
    return sorted(kept, key=lambda box: (box[1], box[0], box))


def _same_place(one: Box, other: Box) -> bool:
    """Tell whether the middle of one of two boxes lies in the other."""
    return _holds(other, one) or _holds(one, other)


def _holds(outer: Box, inner: Box) -> bool:
    across, down = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= across <= outer[2] and outer[1] <= down <= outer[3]


def _at(places: Sequence[Box], wanted: Place) -> list[Box]:
    """Return the one that lies where it is wanted among all; none where none or several do."""
    fitting = list(places)
    for axis, share in enumerate(wanted):
        if share is None:
            continue
        middles = {box: (box[axis] + box[axis + 2]) / 2 for box in places}
        low, span = min(middles.values()), max(middles.values()) - min(middles.values())
        if span < min(box[axis + 2] - box[axis] for box in places):
            if share == 0.5 and wanted == (0.5, 0.5):
                continue  # the middle one of a row, or of a column
            return []  # they lie in one line: none of them is more to this side than another
        fitting = [box for box in fitting if abs((middles[box] - low) / span - share) < _NEAR]
    if len(fitting) > 1 and None in wanted:  # "the left one" of a row: the outermost, where it stands clear
        axis = 0 if wanted[0] is not None else 1
        ahead = sorted(fitting, key=lambda box: abs((box[axis] + box[axis + 2]) / 2 - _mark(places, axis, wanted)))
        gap = abs(ahead[1][axis] - ahead[0][axis])
        return ahead[:1] if gap >= (ahead[0][axis + 2] - ahead[0][axis]) else []
    return fitting if len(fitting) == 1 else []


def _mark(places: Sequence[Box], axis: int, wanted: Place) -> float:
    """Return the px at which the wanted place lies, along one axis."""
    middles = [(box[axis] + box[axis + 2]) / 2 for box in places]
    return min(middles) + (wanted[axis] or 0.0) * (max(middles) - min(middles))


def _round(boxes: Sequence[Box]) -> Box:
    """Return the smallest box round all."""
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
