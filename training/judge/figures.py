"""What a judge of states was worth on examples: figures from what it answered to a question and to its opposite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from repairai.judge.state import Weighed
from repairai.runs.judge_scores import Answers, StateFigures, StateMark, rightness, told
from repairai.schema import StateLimits

BINS = 10
"""Of probabilities, for the calibration error."""

Said = Sequence[tuple[StateMark, Weighed]]


def figures(marks: Sequence[StateMark], limits: Mapping[str, StateLimits], which: str = "after") -> StateFigures:
    """Return the figures of a number of examples.

    Args:
        marks: Example by example.
        limits: What the answers are held against; see `repairai.runs.judge_scores.told`.
        which: Whose answers: `after` or `before`.
    """
    said = weighed(marks, limits, which)
    states = {answer: [each for each in said if each[0].answer == answer] for answer in ("yes", "no")}
    grey = weighed(marks, limits, "blank") if which == "after" else []
    counted = [each for each in marks if each.counted is not None] if which == "after" else []
    both = [(mark, found) for mark, found in said if mark.counted is not None] if which == "after" else []
    return StateFigures(
        examples=len(marks),
        sources=len({each.source for each in marks}),
        balanced_accuracy=balanced(said),
        calibration_error=calibration_error(said),
        decided=sum(bool(found.answer) for _, found in said) / len(marks) if marks and said else None,
        escaped=_share(found.answer == "yes" for _, found in states["no"]),
        false_calls=_share(found.answer == "no" for _, found in states["yes"]),
        agreement=_share((found.question >= 0.5) == (found.opposite >= 0.5) for _, found in said),
        blank_accuracy=balanced(grey),
        counted=len(counted) / len(marks) if marks and which == "after" else None,
        counted_accuracy=_share(mark.counted == mark.answer for mark in counted),
        accuracy_where_counted=fmean(rightness(found, mark.answer) for mark, found in both) if both else None,
    )


def weighed(
    marks: Sequence[StateMark], limits: Mapping[str, StateLimits], which: str = "after"
) -> list[tuple[StateMark, Weighed]]:
    """Return the examples that were answered, each with what the answers come to."""
    found = []
    for mark in marks:
        answers: Answers | None = getattr(mark, which)
        if answers is not None:
            found.append((mark, told(answers, mark.question, mark.opposite or mark.question, limits)))
    return found


def balanced(said: Said) -> float | None:
    """Return the mean of the shares of yes and of no that are right; of one answer alone, where there is no other."""
    shares = []
    for answer in ("yes", "no"):
        own = [rightness(found, answer) for mark, found in said if mark.answer == answer]
        if own:
            shares.append(fmean(own))
    return fmean(shares) if shares else None


def calibration_error(said: Said) -> float | None:
    """Return how far probabilities of yes are from how often yes is right: mean over ten bins, by how many are in each.

    Source:
        Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning".
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for mark, found in said:
        bins.setdefault(min(int(found.probability * BINS), BINS - 1), []).append(
            (found.probability, mark.answer == "yes")
        )
    if not said:
        return None
    apart = [abs(sum(p for p, _ in own) - sum(yes for _, yes in own)) for own in bins.values()]
    return sum(apart) / len(said)


def _share(hits: Iterable[bool]) -> float | None:
    found = [float(each) for each in hits]
    return fmean(found) if found else None
