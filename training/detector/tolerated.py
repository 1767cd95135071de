"""Chooses a part's thresholds so that, on new photos like the validation photos, few enough wrong steps pass.

The judge takes the true count to lie between the detections from `sure` on and those from `maybe` on. A step that is
wrong passes only where that interval lies wholly on the wrong side of the truth:

- one that asks for *more* parts than there are, where more are sure than there are: `sure` is too low;
- one that asks for *fewer*, where fewer may be there than there are: `maybe` is too high.

So each threshold answers for its own kind of wrong step, whatever number is asked for. For each photo there is a score
above which `sure` has to lie, and one up to which `maybe` may rise; of n photos, k may be on the wrong side of the
threshold that is taken. k is the largest number for which this holds: if more of *all* photos were on the wrong side
than is tolerated, a draw of n would have so few of them with a probability of 10 % at most. So with a confidence of
90 % no more wrong steps pass than are tolerated, whatever the detector is like. The narrowest such pair is taken: it
decides the most. A right step is failed only where either end is wrong, so at most twice as often as is tolerated.

Photos of one source show the same thing, so that they count as one, which is wrong where any of them is. Few photos
make k small, and too few leave none: with a tolerated share of 10 % it takes 22 sources, with 5 % 45, with 1 % 230.

Source:
    Tolerance limits of any distribution: Wilks 1941, "Determination of Sample Sizes for Setting Tolerance Limits"; as
    conformal prediction that holds for the calibration at hand: Vovk 2012, "Conditional Validity of Inductive Conformal
    Predictors". It holds where the new photos come as the validation photos did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from repairai.schema import PartLimits
from training.detector.calibration import LOWEST, UNKNOWN, Looked, smallest

ESCAPE = 0.05
"""The share of wrong steps that is usually tolerated: less needs more photos than most people have."""
MOST = 0.5
"""No more than that can be tolerated."""
CONFIDENCE = 0.9
"""In at least this share of all draws of validation photos no more wrong steps pass than are tolerated."""
ABOVE = 1e-4
"""Scores have four places: the next one above another."""


@dataclass(frozen=True)
class Chosen:
    """The thresholds of a part.

    Args:
        limits: They; with the tolerated share out of reach, nothing is ever sure.
        photos: Independent photos that show the part.
        undecided: Why the part stays undecided, as a sentence; empty where it does not.
    """

    limits: PartLimits
    photos: int
    undecided: str = ""


@dataclass(frozen=True)
class Ends:
    """Between what the thresholds have to lie for one source of photos.

    Args:
        over: `sure` has to lie above this score, or too many are counted.
        under: `maybe` may not lie above this one, or too few are seen; 0 where a part was not seen at all.
        shows: Whether the part is to be seen.
    """

    over: float
    under: float
    shows: bool


def photos_needed(escape: float) -> int:
    """Return how many independent photos it takes at least to keep to a share of wrong steps."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - escape) - 1e-9)


def may_be_wrong(n: int, escape: float) -> int:
    """Return how many of n independent photos may be wrong; -1 where n photos are too few to tell."""
    k, seen_no_more = -1, 0.0
    while k < n:
        chances = math.lgamma(n + 1) - math.lgamma(k + 2) - math.lgamma(n - k)  # of k + 1 wrong ones, as a logarithm
        chances += (k + 1) * math.log(escape) + (n - k - 1) * math.log(1 - escape)
        seen_no_more += math.exp(chances)
        if seen_no_more > 1 - CONFIDENCE + 1e-9:
            break
        k += 1
    return k


def tolerated(looked: Sequence[Looked], label: str, escape: float, empty_place: str | None = None) -> Chosen:
    """Return the thresholds of a part that let at most a share of wrong steps pass, and decide the most of the rest.

    Args:
        looked: Validation photos. Those of one source count as one: it is wrong where any of them is.
        label: The part.
        escape: The share, in (0, 0.5].
        empty_place: Passed on.

    Raises:
        ValueError: The share is none of these.
    """
    if not 0 < escape <= MOST:
        raise ValueError(f"need escape above 0 and at most {MOST}, got {escape}")
    ends = _ends(looked, label)
    shown, bare = ([each for each in ends if each.shows == shows] for shows in (True, False))
    wrong = may_be_wrong(len(shown), escape)
    nothing = PartLimits(UNKNOWN.sure, UNKNOWN.maybe, 0.0, empty_place)
    if wrong < 0:
        return Chosen(nothing, len(shown), _too_few(len(shown), label, escape))
    under = sorted(each.under for each in shown)[wrong]
    if under < LOWEST:
        return Chosen(nothing, len(shown), _too_blind(shown, label, escape))
    # Too many may be counted where the part is to be seen and where not: it is kept to in both, and in all together.
    # Too few without the part keep nothing undecided by themselves: then none of them may be wrong.
    over = max(
        sorted((each.over for each in group), reverse=True)[max(may_be_wrong(len(group), escape), 0)]
        for group in (shown, bare, ends)
        if group
    )
    sure, maybe = min(over + ABOVE, 1.0), under
    if sure <= maybe:  # the scores part: every threshold in between is right, and the middle is farthest from both
        sure = maybe = (max(sure, LOWEST) + maybe) / 2
    own = [each for each in looked if label in each.labels]
    limits = PartLimits(round(sure, 4), round(maybe, 4), 0.0, empty_place)
    return Chosen(PartLimits(limits.sure, limits.maybe, smallest(own, label, limits), empty_place), len(shown))


def counts_best_at(looked: Sequence[Looked], label: str) -> float:
    """Return the one score from which on the part is most often counted exactly; of equal ones the middle one.

    0.5 where no photo says anything.
    """
    spans = []
    for each in looked:
        scores = sorted((d.score for d in each.detections if d.label == label), reverse=True)
        n = each.labels.count(label)
        low = scores[n] + ABOVE if len(scores) > n else 0.0
        high = scores[n - 1] if 0 < n <= len(scores) else 1.0
        if low <= high and n <= len(scores):
            spans.append((low, high))
    edges = sorted({0.5, *(edge for span in spans for edge in span)})
    edges = sorted({*edges, *((a + b) / 2 for a, b in zip(edges, edges[1:], strict=False))})
    hits = [sum(low <= edge <= high for low, high in spans) for edge in edges]
    best = [edge for edge, hit in zip(edges, hits, strict=True) if hit == max(hits)]
    return round(min(max(best[len(best) // 2], LOWEST), 1.0), 4)


def empty_place_of(label: str, labels: Sequence[str]) -> str | None:
    """Return the label that marks a part's place without it, as its name tells: `screw_hole` or `hole` for a screw.

    Args:
        label: The part.
        labels: All of the detector's.
    """
    names = [f"{label}_hole", f"empty_{label}", f"{label}_empty", f"no_{label}", f"missing_{label}"]
    if label == "screw":
        names += ["hole", "screwhole", "screw hole", "empty_hole"]
    if label.startswith("plugged"):
        names.append(f"un{label}")
    return next((name for name in names if name in labels and name != label), None)


def _ends(looked: Sequence[Looked], label: str) -> list[Ends]:
    found: dict[str, Ends] = {}
    for number, each in enumerate(looked):
        scores = sorted((d.score for d in each.detections if d.label == label), reverse=True)
        n = each.labels.count(label)
        over = scores[n] if len(scores) > n else 0.0
        under = 1.0 if n == 0 else scores[n - 1] if len(scores) >= n else 0.0
        source = each.source or f"photo {number}"
        old = found.get(source, Ends(0.0, 1.0, False))
        found[source] = Ends(max(over, old.over), min(under, old.under), n > 0 or old.shows)
    return list(found.values())


def _too_few(n: int, label: str, escape: float) -> str:
    return (
        f"{n} independent validation photo{'s show' if n != 1 else ' shows'} {label}, and to let at most "
        f"{100 * escape:g} % of wrong steps pass, with {100 * CONFIDENCE:g} % confidence, it takes "
        f"{photos_needed(escape)}: label more{_or_tolerate(n, 0)}"
    )


def _too_blind(shown: Sequence[Ends], label: str, escape: float) -> str:
    lost = sum(each.under < LOWEST for each in shown)
    return (
        f"on {lost} of {len(shown)} independent validation photos a {label} is not seen at all, more than "
        f"{100 * escape:g} % allows: train on more photos{_or_tolerate(len(shown), lost)}"
    )


def _or_tolerate(n: int, wrong: int) -> str:
    """Return which share of wrong steps n photos with so many wrong ones would do for; nothing where none would."""
    percents = range(1, round(100 * MOST) + 1)
    least = next((each for each in percents if may_be_wrong(n, each / 100) >= wrong), None)
    return f", or tolerate {least} %" if least else ""
