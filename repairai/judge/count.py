"""Judge A: counts against requirements, pure Python.

The rule: with `s` detections that are at least sure and `m` that may be, the true count lies in [s, s + m]. A
requirement that holds for every number in it is a PASS, for none a FAIL, for some UNCERTAIN. Anywhere but on a mat,
a claim that something is *not there* needs more, of parts whose empty places the detector knows: the place has to be
seen empty. Absence of evidence is not evidence of absence.
"""

from __future__ import annotations

from dataclasses import dataclass

from repairai.judge import words
from repairai.schema import Change, Count, Detection, Finding, Outcome, Reason, Sight, View

UNSEEN: dict[str, tuple[str, str]] = {
    "too_dark": ("the photo is too dark to judge", "Take it again with more light."),
    "too_bright": ("the photo is washed out by light", "Take it again without flash, or shade the lamp."),
    "too_blurred": ("the photo is too blurred to judge", "Hold still, tap to focus, and take it again."),
}
NEVER = 1.0
"""A `sure` that no score is above: the part was not measured well enough to decide anything of it."""


@dataclass(frozen=True)
class Tally:
    """How many of a part a photo shows.

    Args:
        sure: Detections that count, best first.
        maybe: Detections that may count, best first.
    """

    sure: tuple[Detection, ...] = ()
    maybe: tuple[Detection, ...] = ()

    @property
    def fewest(self) -> int:
        """Return the fewest that may be there."""
        return len(self.sure)

    @property
    def most(self) -> int:
        """Return the most that may be there."""
        return len(self.sure) + len(self.maybe)


def tally(part: str, sight: Sight) -> Tally:
    """Return how many of a part a photo shows; sorted, so that the order of detections does not matter."""
    limits = sight.limits.get(part)
    if limits is None:
        return Tally()
    found = [each for each in sight.detections if each.label == part and each.score >= limits.maybe]
    found.sort(key=lambda each: (-each.score, each.box))
    sure = tuple(each for each in found if each.score >= limits.sure and not each.small)
    maybe = tuple(each for each in found if each.score < limits.sure or each.small)
    return Tally(sure, maybe)


def check_count(requirement: Count, sight: Sight, view: View = "device") -> Finding:
    """Return whether a photo shows the required number of a part."""
    part, low, high = requirement.part, requirement.at_least, requirement.at_most
    expected = words.bounds(part, low, high)
    unseen = blind(requirement, expected, sight)
    if unseen:
        return unseen
    seen = tally(part, sight)
    outcome = holds(seen.fewest, seen.most, low, high)
    found = _spoken(part, seen)
    reason: Reason = {"PASS": "count_met", "FAIL": "count_over", "UNCERTAIN": "count_ambiguous"}[outcome]  # type: ignore[assignment]
    action = ""
    if outcome == "FAIL" and seen.most < low:
        reason = "count_short"
        mend = "fill the empty places" if sight.limits[part].empty_place else "finish the step"
        action = f"{words.number(part, low - seen.most)} missing: {mend}, then take the photo again."
    elif outcome == "FAIL":
        action = f"{words.number(part, seen.fewest - (high or 0))} too many: check which, then take the photo again."
    elif outcome == "UNCERTAIN":
        reason, action = _doubt(part, seen, low)
    unproven = view != "mat" and _unproven(requirement, seen, sight)
    if unproven:
        outcome, reason, action = "UNCERTAIN", "place_not_seen", unproven
    interval = (seen.fewest, seen.most)
    return Finding(
        requirement, outcome, expected, found, reason, interval, action, _flips(outcome, seen, requirement, sight)
    )


def holds(fewest: int, most: int, low: int, high: int | None) -> Outcome:
    """Return PASS where low..high holds every number of fewest..most, FAIL where it holds none."""
    if fewest >= low and (high is None or most <= high):
        return "PASS"
    return "FAIL" if most < low or (high is not None and fewest > high) else "UNCERTAIN"


def blind(requirement: Count | Change, expected: str, sight: Sight, which: str = "") -> Finding | None:
    """Return the finding where the photo or the detector cannot tell anything about the part."""
    if requirement.part not in sight.limits:
        action = (
            f"Look for yourself: this detector does not know {words.name(requirement.part)}; or choose one that does."
        )
        return Finding(requirement, "UNCERTAIN", expected, "not looked for", "unknown_part", None, action)
    if sight.limits[requirement.part].sure >= NEVER:
        action = (
            f"Look for yourself: too little is known of how well this detector counts "
            f"{words.name(requirement.part)}; label more photos of it and evaluate it again."
        )
        return Finding(requirement, "UNCERTAIN", expected, "not measured", "unmeasured_part", None, action)
    problem = sight.visibility.problem
    if problem:
        found, action = UNSEEN[problem]
        return Finding(requirement, "UNCERTAIN", expected, found + which, problem, None, action)
    return None


def opposite_of(part: str, sight: Sight) -> str | None:
    """Return the label that a part's place has in its other state: a screw's hole, a hole's screw."""
    empty = sight.limits[part].empty_place
    return empty or next((name for name, limits in sight.limits.items() if limits.empty_place == part), None)


def _unproven(requirement: Count, seen: Tally, sight: Sight) -> str:
    """Return what to do where a claim that parts are absent lacks its proof; empty where nothing is lacking.

    Too few parts is such a claim: the missing ones may be out of the frame or behind a hand. The proof is the place of
    each of them in its other state: empty for a screw, filled for a hole. No part at all is such a claim, too: one such
    place shows that the photo looks where it should.
    """
    part, low = requirement.part, requirement.at_least
    opposite = opposite_of(part, sight)
    places = tally(opposite, sight).fewest if opposite else 0
    if opposite and seen.most < low and seen.most + places < low:
        shown = f"{_spoken(part, seen)} and {words.number(opposite, places)}"
        return (
            f"The photo shows {shown}, not {low} places: take it again with every place in view, or look for yourself."
        )
    if low == 0 and seen.most == 0 and places == 0:
        proof = f"the {words.name(opposite)} in view" if opposite else "another from before the step, to compare"
        return f"No {words.name(part, 1)} is seen, nor its place: take a photo with {proof}, or look for yourself."
    return ""


def _doubt(part: str, seen: Tally, low: int) -> tuple[Reason, str]:
    where = seen.maybe[0].box
    spot = f"the spot at {round((where[0] + where[2]) / 2)}, {round((where[1] + where[3]) / 2)} px"
    if any(each.small for each in seen.maybe):
        return "too_small", f"Come closer: {spot} is too small in the photo to be sure of."
    return "count_ambiguous", f"Take a closer, sharper photo of {spot}: it may or may not show a {words.name(part, 1)}."


def _flips(outcome: Outcome, seen: Tally, requirement: Count, sight: Sight) -> str:
    """Return what would have turned the outcome, in words."""
    limits, one = sight.limits[requirement.part], words.name(requirement.part, 1)
    if outcome == "UNCERTAIN" and seen.maybe:
        best = seen.maybe[0].score
        return f"One {one} scored {best:.2f}; it counts from {limits.sure:.2f} and is ignored under {limits.maybe:.2f}."
    if outcome == "PASS" and seen.sure:
        weakest = seen.sure[-1].score
        return f"The least sure {one} scored {weakest:.2f}; under {limits.sure:.2f} it would be in doubt."
    if outcome == "FAIL" and seen.most < requirement.at_least:
        return f"{requirement.at_least - seen.most} more would make it a PASS."
    if outcome == "FAIL" and requirement.at_most is not None:
        return f"{seen.fewest - requirement.at_most} fewer would make it a PASS."
    return ""


def _spoken(part: str, seen: Tally) -> str:
    return words.interval(part, seen.fewest, seen.most)
