"""Judge B: a question of state, its region of the photo and two answers to a finding; pure Python.

A reasoner is asked the question and its opposite, in this order, once each, about the same region. The state is settled
only where both answers say the same and both are surer than what was measured on photos asks for. All else is UNCERTAIN
with what to do next. A reasoner that was not asked, or could not answer, never makes a PASS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from repairai.judge.count import UNSEEN
from repairai.judge.questions import observable
from repairai.judge.region import Region
from repairai.schema import Finding, Reason, Sight, State, StateLimits

Answer = Literal["yes", "no"]
_EDGE = 1e-9
"""No answer is surer than this: log-odds without end could not be weighed."""


@dataclass(frozen=True)
class Answered:
    """What a reasoner said of a question and of its opposite.

    Args:
        yes_to_question: The probability of yes, as the reasoner gives it; None where it did not answer.
        yes_to_opposite: Likewise.
        limits: What was measured of its answers to the question.
        fault: Why it did not answer, as a sentence; empty where it did.
    """

    yes_to_question: float | None = None
    yes_to_opposite: float | None = None
    limits: StateLimits = StateLimits()
    fault: str = ""

    def __post_init__(self) -> None:
        both = (self.yes_to_question, self.yes_to_opposite)
        if not self.fault and None in both:
            raise ValueError(f"need both answers or a fault, got {both}")
        if any(each is not None and not 0.0 <= each <= 1.0 for each in both):
            raise ValueError(f"need probabilities in [0, 1], got {both}")


@dataclass(frozen=True)
class Weighed:
    """Two answers, held against what was measured.

    Args:
        answer: Empty where nothing is decided.
        question: The probability of yes, by the question.
        opposite: The same, by its opposite.
        split: Whether the two lie on different sides of one half.
    """

    answer: Literal["yes", "no", ""]
    question: float
    opposite: float
    split: bool

    @property
    def probability(self) -> float:
        """Return the probability of yes that both answers give together."""
        return (self.question + self.opposite) / 2


def weigh(yes_to_question: float, yes_to_opposite: float, limits: StateLimits) -> Weighed:
    """Return what two answers say together.

    A yes to the opposite is a no to the question. Both are compared as log-odds, so that a question and its opposite
    change places without a bit of difference.
    """
    first = limits.scale * _log_odds(yes_to_question) + limits.shift
    second = -limits.scale * _log_odds(yes_to_opposite) + limits.shift
    # Half and half is no answer, whatever was measured.
    bar = math.inf if limits.sure >= 1.0 else max(math.log(limits.sure / (1.0 - limits.sure)), 5e-324)
    answer: Literal["yes", "no", ""] = ""
    if min(first, second) >= bar:
        answer = "yes"
    elif max(first, second) <= -bar:
        answer = "no"
    return Weighed(answer, _share(first), _share(second), split=min(first, second) < 0 < max(first, second))


def unasked(requirement: State, sight: Sight, where: Region) -> Finding | None:
    """Return the finding where no reasoner need be asked, since the photo cannot show the state; else None."""
    if why := observable(requirement.question) or observable(requirement.opposite) or _same(requirement):
        action = f"Check it by hand and take the line out: {why}."
        return _open(requirement, "not_observable", f"not judged: {why}", action)
    problem = sight.visibility.problem
    if problem:
        return _open(requirement, problem, *UNSEEN[problem])
    if where.missing:
        return _open(requirement, where.reason, "the place is not seen", where.why)
    return None


def check_state(requirement: State, sight: Sight, where: Region, answered: Answered | None) -> Finding:
    """Return whether a photo shows a state.

    Args:
        requirement: The question, the answer that is wanted, and the opposite question.
        sight: What the detector saw in the photo.
        where: Where the reasoner looked; see `repairai.judge.region`.
        answered: What the reasoner said; None where nobody is chosen to answer.
    """
    unseen = unasked(requirement, sight, where)
    if unseen and (answered or unseen.reason == "not_observable"):
        return unseen
    if answered is None:
        action = f"Look for yourself, and say what you see: {requirement.question}"
        return _open(requirement, "state_unknown", "not judged from the photo", action)
    if answered.fault or answered.yes_to_question is None or answered.yes_to_opposite is None:
        said = f"{answered.fault[:1].upper()}{answered.fault[1:]}".rstrip(".")
        action = f"{said}. Until then look for yourself: {requirement.question}"
        return replace(
            _open(requirement, "judge_failed", "no answer from the judge of states", action), region=where.box
        )
    weighed = weigh(answered.yes_to_question, answered.yes_to_opposite, answered.limits)
    finding = _undecided(requirement, weighed, answered.limits)
    if weighed.answer:
        finding = _decided(requirement, weighed, answered.limits)
    return replace(finding, probability=weighed.probability, region=where.box)


def by_person(finding: Finding, answer: Answer) -> Finding:
    """Return a finding of a state as a person settles it; what the reasoner said stays beside it.

    Raises:
        ValueError: The finding is of no state, or the answer is neither yes nor no.
    """
    requirement = finding.requirement
    if not isinstance(requirement, State) or answer not in ("yes", "no"):
        raise ValueError(f"need a finding of a state and yes or no, got {requirement} and {answer!r}")
    met = answer == requirement.expected
    return replace(
        finding,
        outcome="PASS" if met else "FAIL",
        found=f"a person says {answer}",
        reason="person_said",
        next_action="" if met else "Finish the step, then take the photo again.",
        flips="",
    )


# ---- how it is said


def _open(requirement: State, reason: Reason, found: str, action: str) -> Finding:
    return Finding(requirement, "UNCERTAIN", _expected(requirement), found, reason, None, action)


def _same(requirement: State) -> str:
    alike = requirement.question.casefold().split() == requirement.opposite.casefold().split()
    return "the opposite is the same question once more" if alike else ""


def _expected(requirement: State) -> str:
    return f"{requirement.question} {requirement.expected}"


def _decided(requirement: State, weighed: Weighed, limits: StateLimits) -> Finding:
    met = weighed.answer == requirement.expected
    action = "" if met else "Finish the step, then take the photo again; if the photo shows it done, say so."
    flips = f"Under {limits.sure:.2f}, as measured on {limits.sources} photos, either answer would leave it in doubt."
    found = f"the judge says {weighed.answer} ({weighed.probability:.2f} for yes)"
    reason: Reason = "state_met" if met else "state_missed"
    return Finding(requirement, "PASS" if met else "FAIL", _expected(requirement), found, reason, None, action, flips)


def _undecided(requirement: State, weighed: Weighed, limits: StateLimits) -> Finding:
    leaning = "yes" if weighed.probability > 0.5 else "no"
    found = f"the judge leans to {leaning} ({weighed.probability:.2f} for yes)"
    if limits.sure >= 1.0:
        action = (
            f"Look for yourself: {requirement.question} This judge was not measured on this question; "
            "answer it on more photos and train or evaluate it with them."
        )
        return _open(requirement, "unmeasured_judge", f"{found}, which is a hint only", action)
    if weighed.split:
        found = f"the judge answers the question and its opposite alike ({weighed.question:.2f} and "
        found += f"{weighed.opposite:.2f} for yes)"
        action = f"Look for yourself, or take a photo that shows nothing but this: {requirement.question}"
        return _open(requirement, "state_contradicted", found, action)
    action = f"Take a closer, sharper photo of it, or look for yourself: {requirement.question}"
    return replace(_open(requirement, "state_unsure", found, action), flips=f"It is decided from {limits.sure:.2f} on.")


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _EDGE), 1.0 - _EDGE)
    return math.log(kept) - math.log1p(-kept)


def _share(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds >= 0 else math.exp(log_odds) / (1.0 + math.exp(log_odds))
