"""Judge A for two photos: what has gone or come between them, pure Python.

The numbers before and after are intervals, as in `repairai.judge.count`, and so is their difference. A number that
differs is no change yet: parts leave a photo when the camera moves. What is claimed has to be seen at the places.
"""

from __future__ import annotations

from dataclasses import dataclass

from repairai.judge import words
from repairai.judge.count import Tally, blind, holds, opposite_of, tally
from repairai.schema import Change, Finding, Outcome, Reason, Sight

VERBS = {"removed": "gone", "added": "come"}
FRAME = "Take both photos so that every place stays in view: parts may have left the frame."


@dataclass(frozen=True)
class Places:
    """What one photo shows of a part and of its places in the other state.

    Args:
        part: The part itself: screws.
        other: The same places in their other state: screw holes; nothing where the detector knows no such label.
    """

    part: Tally
    other: Tally

    @property
    def fewest(self) -> int:
        """Return the fewest places that the photo shows, in either state."""
        return self.part.fewest + self.other.fewest

    @property
    def most(self) -> int:
        """Return the most."""
        return self.part.most + self.other.most


def check_change(requirement: Change, before: Sight | None, after: Sight, same_view: bool = True) -> Finding:
    """Return whether the required number of a part has gone or come between two photos.

    Args:
        requirement: What has to change.
        before: The photo from before; None where none was given.
        after: The photo that is judged.
        same_view: Whether both photos show the same place; asked of parts whose places do not show it themselves.
    """
    part, low, high = requirement.part, requirement.at_least, requirement.at_most
    expected = f"{words.bounds(part, low, high)} {requirement.direction}"
    if before is None:
        action = "Give a photo from before the step, from the same place."
        return Finding(requirement, "UNCERTAIN", expected, "no photo from before", "no_photo_before", None, action)
    unseen = blind(requirement, expected, after) or blind(requirement, expected, before, " (before)")
    if unseen:
        return unseen
    opposite = opposite_of(part, after)
    if not same_view and not opposite:
        action = "Take both photos from the same place, with the same parts in view."
        return Finding(requirement, "UNCERTAIN", expected, "two photos that do not match", "view_differs", None, action)
    first, second = (
        Places(tally(part, sight), tally(opposite, sight) if opposite else Tally()) for sight in (before, after)
    )
    fewest, most = first.part.fewest - second.part.most, first.part.most - second.part.fewest
    if requirement.direction == "added":
        fewest, most = -most, -fewest
    outcome = holds(fewest, most, low, high)
    reason, action = _told(requirement, outcome, fewest, most)
    unproven = _unproven(requirement, outcome, first, second, most, bool(opposite))
    if unproven:
        outcome, reason, action = "UNCERTAIN", "place_not_seen", unproven
    seen = (words.interval(part, each.part.fewest, each.part.most) for each in (first, second))
    found = "{} before, {} after".format(*seen)
    return Finding(requirement, outcome, expected, found, reason, (max(0, fewest), max(0, most)), action)


def _told(requirement: Change, outcome: Outcome, fewest: int, most: int) -> tuple[Reason, str]:
    """Return the reason and the next action of an outcome."""
    part, verb = requirement.part, VERBS[requirement.direction]
    if outcome == "PASS":
        return "change_met", ""
    if outcome == "UNCERTAIN":
        return "change_ambiguous", "Take both photos again, sharp and from the same place."
    if most < requirement.at_least:
        lacking = words.number(part, requirement.at_least - max(0, most))
        return "change_missing", f"{lacking} still to be {requirement.direction}: finish the step, then take it again."
    extra = words.number(part, fewest - (requirement.at_most or 0))
    return "change_over", f"{extra} too many {verb}: compare the two photos, and check which."


def _unproven(requirement: Change, outcome: Outcome, first: Places, second: Places, most: int, paired: bool) -> str:
    """Return what to do where the places do not bear out the outcome; empty where they do.

    What changed must have changed the state of as many places. What did not change must have been there to be changed,
    and the photo that should hold the parts must not show fewer places than the other: it may be cut.

    Args:
        requirement: What has to change.
        outcome: By the numbers alone.
        first: The photo from before.
        second: The photo that is judged.
        most: The most parts that may have changed.
        paired: Whether the detector knows the places in both states; where not, the photos match, which has to do.
    """
    low, high, removed = requirement.at_least, requirement.at_most, requirement.direction == "removed"
    if outcome == "FAIL" and most < low:
        start = first.part if removed else first.other
        if start.fewest < low and (removed or paired):
            return "The photo from before does not show what is to change: take it before the step."
        full, rest = (first, second) if removed else (second, first)
        return FRAME if paired and full.most < rest.fewest else ""
    if outcome == "UNCERTAIN" or not paired:
        return ""
    came, gone = (second.other, first.other) if removed else (first.other, second.other)
    if outcome == "PASS":
        return FRAME if came.most - gone.fewest < low else ""
    return FRAME if came.fewest - gone.most <= (high or 0) else ""
