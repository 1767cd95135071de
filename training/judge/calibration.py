"""Chooses what a reasoner's answers to a question are held against, on validation photos whose answers are known.

First its log-odds are scaled and shifted so that they are those of the photos (Platt). Then `sure` is chosen: an answer
counts where the question and its opposite both lie beyond it. A wrong state passes only where both lie beyond it on the
wrong side; so each photo has a sureness that `sure` has to be above. Of n photos, k may lie above it, k being the
largest number for which this holds: if more of *all* photos of that answer did than is tolerated, a draw of n would
have so few of them with a probability of 10 % at most. That is kept to for each of the two answers, since either may be
the one that is asked for. Photos of one source show the same thing and count as one, which is wrong where any is.

No answer counts either that does not itself promise what is tolerated: `sure` is at least 1 minus that share.

Source:
    Platt 1999, "Probabilistic Outputs for Support Vector Machines", with its targets for few examples. Tolerance limits
    of any distribution: Wilks 1941; see `training.detector.tolerated`, which does the same for counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize

from repairai.judge.state import weigh
from repairai.schema import StateLimits
from training.detector.tolerated import CONFIDENCE, ESCAPE, MOST, may_be_wrong, photos_needed

__all__ = ["CONFIDENCE", "ESCAPE", "Chosen", "Tried", "choose", "platt"]

SCALES = (0.05, 20.0)
"""From and to what log-odds are scaled."""
MOST_SHIFT = 10.0
SUREST = 1 - 1e-6
"""No answer can be asked to be surer."""
EDGE = 1e-9
"""Of a probability, so that its log-odds have an end."""


@dataclass(frozen=True)
class Tried:
    """One example with what was answered.

    Args:
        source: Examples of one source count as one.
        answer: The right one, to the question.
        question: The probability of yes to the question, as the reasoner gives it.
        opposite: Likewise to the opposite.
    """

    source: str
    answer: Literal["yes", "no"]
    question: float
    opposite: float

    def turned(self) -> Tried:
        """Return the same example, its question being the opposite of this one."""
        return Tried(self.source, "no" if self.answer == "yes" else "yes", self.opposite, self.question)


@dataclass(frozen=True)
class Chosen:
    """What a question's answers are held against.

    Args:
        limits: With the tolerated share out of reach, nothing is ever decided.
        undecided: Why the question stays undecided, as a sentence; empty where it does not.
    """

    limits: StateLimits
    undecided: str = ""


def choose(tried: Sequence[Tried], escape: float = ESCAPE, same_words: bool = False) -> Chosen:
    """Return the limits of a question that let at most a share of wrong states pass, and decide the most of the rest.

    Args:
        tried: Validation examples with their answers.
        escape: The share, in (0, 0.5].
        same_words: Question and opposite are told apart by their places alone, so that one set of limits serves both:
            nothing is shifted towards either.

    Raises:
        ValueError: The share is none of these.
    """
    if not 0 < escape <= MOST:
        raise ValueError(f"need escape above 0 and at most {MOST}, got {escape}")
    sources = len({each.source for each in tried})
    scale, shift = platt(tried, same_words)
    bars, few = [], []
    for answer in ("yes", "no"):
        surest: dict[str, float] = {}
        for each in tried:
            if each.answer == answer:
                surest[each.source] = max(surest.get(each.source, -math.inf), wrongly_sure(each, scale, shift))
        allowed = may_be_wrong(len(surest), escape)
        if allowed < 0:
            few.append((len(surest), answer))
        else:
            bars.append(sorted(surest.values(), reverse=True)[allowed])
    if few:
        return Chosen(StateLimits(1.0, scale, shift, sources), _too_few(few, escape))
    sure = max(_above(max(bars)), 1 - escape, 0.5)
    limits = StateLimits(sure if sure < SUREST else 1.0, scale, shift, sources)
    decided = [weigh(each.question, each.opposite, limits).answer for each in tried]
    if limits.sure == 1.0 or not any(decided):
        return Chosen(StateLimits(1.0, scale, shift, sources), _too_often(tried, scale, shift, escape))
    return Chosen(limits)


def platt(tried: Sequence[Tried], same_words: bool = False) -> tuple[float, float]:
    """Return scale and shift with which log-odds are those of the examples, of both phrasings alike.

    (1, 0) where one answer is missing, so that there is nothing to go by.

    Args:
        tried: Examples.
        same_words: The shift stays 0.
    """
    own = np.array([each.answer == "yes" for each in tried], bool)
    if own.all() or not own.any():
        return 1.0, 0.0
    odds = np.array([[log_odds(each.question), -log_odds(each.opposite)] for each in tried])
    yes, no = int(own.sum()), int((~own).sum())
    # Few examples that are all told rightly would ask for endless odds: Platt's targets stop short of 1 and 0.
    target = np.where(own, (yes + 1) / (yes + 2), 1 / (no + 2))[:, None]

    def cost(point: np.ndarray) -> float:
        logits = math.exp(point[0]) * odds + (0.0 if same_words else point[1])
        return float(np.mean(np.logaddexp(0, logits) - target * logits))

    spans = [tuple(math.log(each) for each in SCALES), (-MOST_SHIFT, MOST_SHIFT)]
    found = minimize(cost, np.zeros(2), method="L-BFGS-B", bounds=spans).x
    return round(math.exp(found[0]), 4), 0.0 if same_words else round(float(found[1]), 4)


def wrongly_sure(each: Tried, scale: float, shift: float) -> float:
    """Return the log-odds up to which an example is decided the wrong way."""
    first, second = scale * log_odds(each.question) + shift, -scale * log_odds(each.opposite) + shift
    return min(first, second) if each.answer == "no" else -max(first, second)


def log_odds(score: float) -> float:
    """Return the log-odds of a probability, cut where they would be endless."""
    score = min(max(score, EDGE), 1 - EDGE)
    return math.log(score / (1 - score))


def _above(bar: float) -> float:
    """Return the probability of six places that is next above log-odds."""
    return (math.floor(1e6 / (1 + math.exp(-bar))) + 1) / 1e6


# ---- why nothing is decided


def _too_few(few: Sequence[tuple[int, str]], escape: float) -> str:
    shown = " and ".join(f"{n} independent validation photo{'s' * (n != 1)} with the answer {said}" for n, said in few)
    return (
        f"there {'is' if few[0][0] == 1 else 'are'} {shown}, and to let at most {100 * escape:g} % of wrong states "
        f"pass, with {100 * CONFIDENCE:g} % confidence, it takes {photos_needed(escape)} of each answer: take more"
        f"{_or_tolerate(min(n for n, _ in few), 0)}"
    )


def _too_often(tried: Sequence[Tried], scale: float, shift: float, escape: float) -> str:
    wrong = {each.source for each in tried if wrongly_sure(each, scale, shift) > 0}
    sources = {each.source for each in tried}
    return (
        f"on {len(wrong)} of {len(sources)} independent validation photos it is on the wrong side, and as sure there "
        f"as where it is right, more than {100 * escape:g} % allows: train it on more photos, or tolerate more"
    )


def _or_tolerate(n: int, wrong: int) -> str:
    """Return which share of wrong states n photos would do for; nothing where none would."""
    least = next((each for each in range(1, round(100 * MOST) + 1) if may_be_wrong(n, each / 100) >= wrong), None)
    return f", or tolerate {least} %" if least else ""
