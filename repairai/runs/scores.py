"""What an evaluation found, as `scores.json` holds it, and whether one set of marks is better than another.

A mark is a score in [0, 1] for one question of an exam. The same questions are marked before and after a training, so
each question has a difference of its own, and the interval of their mean says how much of it may be luck.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from repairai.errors import RepairError
from repairai.files import from_json, read_text, write_record

VERSION = 2
"""Of the form of `scores.json`: it grows when an older RepairAI could no longer read a newer one rightly. Since 2 a
mark holds what the plain steps score; in files of version 1 it does not."""
ASKED = ("how_to", "next_step", "tools", "refusal")
"""Tasks of an exam that `ask` gives an agent, whoever it is: a question with the steps that were found.

It refuses by itself where it finds no guide, but not where it finds a wrong one: so refusals belong to them. The steps
of a guide are read as requirements without any agent, and a conversation of a dataset is no question about a guide:
`requirements` and `chat` are learnt beside, and the plain steps have no words for them.
"""
RESAMPLES = 2_000
TIE = 0.01
"""Marks that differ by no more count as the same."""


@dataclass(frozen=True)
class Compared:
    """The marks of the same questions, before and after.

    Args:
        examples: How many questions.
        before: Mean of the marks before.
        after: Mean of the marks after.
        difference: Mean of after less before.
        low: Lower end of the 95 % interval of the difference.
        high: Its upper end.
        wins: Questions that are marked higher after.
        losses: Questions that are marked lower.
        ties: Questions whose marks differ by 0.01 at most.
    """

    examples: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int

    @property
    def is_worse(self) -> bool:
        """Whether it is worse by more than luck: the whole interval lies below zero."""
        return self.high < 0

    @property
    def is_better(self) -> bool:
        """Whether it is better by more than luck."""
        return self.low > 0


@dataclass(frozen=True)
class ExamSheet:
    """Which questions were asked.

    Args:
        sha: Of the questions, their expected answers and the longest answer allowed; two evaluations can be compared
            where it is the same.
        path: The file that they come from.
        examples: How many were asked.
        of: How many the file holds.
        own: Whether it is the person's own fixed exam.
    """

    sha: str
    path: str
    examples: int
    of: int
    own: bool = False


@dataclass(frozen=True)
class Mark:
    """One question, marked before and after.

    Args:
        id: Of the question, by what it says.
        task: What it asks.
        device: What is repaired.
        before: Its score in [0, 1].
        after: Likewise.
        before_figures: What the score is made of; only figures that the question has.
        after_figures: Likewise, the same names.
        steps: What the plain steps score, which need no model; None in scores of version 1.
        steps_figures: Likewise, the same names.
    """

    id: str
    task: str
    device: str
    before: float
    after: float
    before_figures: dict[str, float]
    after_figures: dict[str, float]
    steps: float | None = None
    steps_figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A question with its answers in full, to be read."""

    id: str
    task: str
    device: str
    question: str
    expected: str
    before: str
    after: str
    before_score: float
    after_score: float


@dataclass(frozen=True)
class Loss:
    """Mean cross entropy over the tokens of the expected answers, in nats; lower is better."""

    before: float
    after: float
    tokens: int


@dataclass(frozen=True)
class Lengths:
    """Mean tokens of an answer."""

    expected: float
    before: float
    after: float


@dataclass(frozen=True)
class Scores:
    """A whole evaluation.

    Args:
        run: Id of the training whose model was asked.
        model: The base model that it is compared with.
        exam: Which questions.
        made: When, ISO 8601.
        overall: All questions.
        tasks: By what is asked.
        figures: By what is looked at, such as `counts_exact`; each over the questions that have it.
        loss: Of the expected answers.
        lengths: Of the answers.
        marks: Each question.
        worst: The worst answers after the training, worst first.
        settings: How the answers were made.
        seconds: That it took.
        version: Of this form.
    """

    run: str
    model: str
    exam: ExamSheet
    made: str
    overall: Compared
    tasks: dict[str, Compared]
    figures: dict[str, Compared]
    loss: Loss
    lengths: Lengths
    marks: tuple[Mark, ...]
    worst: tuple[Sample, ...] = ()
    settings: dict[str, str] | None = None
    seconds: float = 0.0
    version: int = VERSION


# ---- read and written


def read_scores(path: Path) -> Scores:
    """Return what an evaluation found.

    Raises:
        RepairError: The file is not there or is not one of scores.
    """
    text = read_text(path)
    version = _version(text)  # before the keys: those of a newer form are not known here
    if version > VERSION:
        raise RepairError(
            f"{path} is of version {version}, and this RepairAI knows version {VERSION}", "update RepairAI"
        )
    return from_json(text, Scores, path.name)


def _version(text: str) -> int:
    """Return the version that scores say they are of; 0 where they say none that can be read."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return 0
    version = data.get("version") if isinstance(data, dict) else None
    return version if isinstance(version, int) else 0


def write_scores(path: Path, scores: Scores) -> None:
    """Write what an evaluation found, whole or not at all."""
    write_record(path, scores)


# ---- compared


def compared(before: Sequence[float], after: Sequence[float], seed: int = 7) -> Compared:
    """Return two sets of marks of the same questions side by side.

    Args:
        before: One mark for each question, at least one.
        after: Likewise, in the same order.
        seed: Of the interval's draws.

    Raises:
        ValueError: There are none, or not as many after as before.
    """
    if not before or len(before) != len(after):
        raise ValueError(f"need as many marks after as before, and at least one, got {len(before)} and {len(after)}")
    differences = [new - old for old, new in zip(before, after, strict=True)]
    low, high = interval(differences, seed)
    wins = sum(each > TIE for each in differences)
    losses = sum(each < -TIE for each in differences)
    return Compared(
        len(differences), fmean(before), fmean(after), fmean(differences), low, high, wins, losses,
        len(differences) - wins - losses,
    )  # fmt: skip


def interval(differences: Sequence[float], seed: int = 7) -> tuple[float, float]:
    """Return the 95 % interval of the mean of paired differences.

    As many questions are drawn with replacement as there are, 2,000 times; the middle 95 % of the means are kept.

    Source:
        The percentile bootstrap: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    draw, n = random.Random(seed), len(differences)
    means = sorted(sum(draw.choices(differences, k=n)) / n for _ in range(RESAMPLES))
    cut = round(RESAMPLES * 0.025)
    return means[cut], means[-cut - 1]


def by_figure(before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]) -> dict[str, Compared]:
    """Return each figure compared over the questions that have it, in the order in which they first stand."""
    names = dict.fromkeys(name for figures in before for name in figures)
    found: dict[str, Compared] = {}
    for name in names:
        pairs = [(old[name], new[name]) for old, new in zip(before, after, strict=True) if name in old and name in new]
        if pairs:
            found[name] = compared([old for old, _ in pairs], [new for _, new in pairs])
    return found


def asked_marks(marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks of the questions that `ask` gives an agent and that the plain steps were asked too."""
    return [mark for mark in marks if mark.task in ASKED and mark.steps is not None]


def against_steps(scores: Scores) -> dict[str, Compared]:
    """Return what came after held against the plain steps: `overall`, each task and each figure.

    Only questions such as `ask` gives an agent count. Empty where the steps were not asked.
    """
    marks = asked_marks(scores.marks)
    if not marks:
        return {}
    piles = {"overall": marks} | {name: [mark for mark in marks if mark.task == name] for name in ASKED}
    found = {name: to_steps(own) for name, own in piles.items() if own}
    return found | by_figure([mark.steps_figures for mark in marks], [mark.after_figures for mark in marks])


def to_steps(marks: Sequence[Mark]) -> Compared:
    """Return marks held against those of the plain steps; each has them."""
    return compared([mark.steps or 0.0 for mark in marks], [mark.after for mark in marks])
