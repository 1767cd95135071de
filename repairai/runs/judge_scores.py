"""What a judge of states was worth on photos whose answers are known, beside the one in use."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from repairai.files import read_record
from repairai.runs.folder import read_json
from repairai.schema import StateLimits

Answers = tuple[float, float]
"""The probabilities of yes to a question and to its opposite, as the reasoner gives them."""


@dataclass(frozen=True)
class StateMark:
    """One example of the test.

    Args:
        photo: Within the set.
        source: Examples of one source count as one.
        question: What was asked.
        answer: The right one.
        after: By the new judge; None where it could not answer.
        before: By the one in use; None where there is none, or it could not answer.
        blank: By the new judge of a grey photo in place of this one: what it says from the words alone.
        counted: What judge A says of the same, from counts; None where it cannot tell.
    """

    photo: str
    source: str
    question: str
    answer: Literal["yes", "no"]
    after: Answers | None
    before: Answers | None = None
    blank: Answers | None = None
    counted: Literal["yes", "no"] | None = None


@dataclass(frozen=True)
class StateFigures:
    """What came of a number of examples; shares lie in [0, 1], None where nothing was to be measured.

    Args:
        examples: How many.
        sources: From so many independent photos.
        balanced_accuracy: Mean of the shares of yes and of no that were right, undecided ones taken by the side of one
            half on which they lie.
        calibration_error: Expected calibration error over ten bins.
        decided: Share that the thresholds decide.
        escaped: Share of the examples in the state that is asked for the other way round which pass all the same.
        false_calls: Share of those in the state that is asked for which fail.
        agreement: Share in which the answers to both phrasings lie on the same side.
        blank_accuracy: Balanced accuracy with a grey photo in place of each: 0.5 where it looks.
        counted: Share of examples of which judge A can tell the answer from counts.
        counted_accuracy: Share of these that it tells rightly.
        accuracy_where_counted: Of the same, the share that this judge tells rightly.
    """

    examples: int
    sources: int
    balanced_accuracy: float | None
    calibration_error: float | None
    decided: float | None
    escaped: float | None
    false_calls: float | None
    agreement: float | None
    blank_accuracy: float | None = None
    counted: float | None = None
    counted_accuracy: float | None = None
    accuracy_where_counted: float | None = None


@dataclass(frozen=True)
class JudgeScores:
    """What an evaluation of a judge found.

    Args:
        run: The training.
        model: Name of the judge.
        against: Name of the one in use; empty where there was none.
        split: Which examples.
        sha: Of their list, so that two judges can be told to have been shown the same.
        escape: The share of wrong states that may pass, for which the thresholds were chosen.
        whole: Of all examples.
        questions: Of each question.
        before: Of all, by the one in use; None where there was none.
        limits: The thresholds that were chosen, by question.
        undecided: Why a question stays undecided, as a sentence.
        marks: Example by example.
        seconds: That one answer took, both phrasings, in the middle.
        kind: Tells these scores from those of other models.
    """

    run: str
    model: str
    against: str
    split: str
    sha: str
    escape: float
    whole: StateFigures
    questions: dict[str, StateFigures]
    before: StateFigures | None
    limits: dict[str, StateLimits]
    marks: tuple[StateMark, ...]
    undecided: dict[str, str] = field(default_factory=dict)
    seconds: float | None = None
    kind: Literal["judge"] = "judge"


def read_judge_scores(path: Path) -> JudgeScores:
    """Return the scores in a file.

    Raises:
        RepairError: They are damaged.
    """
    return read_record(path, JudgeScores)


def is_of_judge(path: Path) -> bool:
    """Return whether a file of scores is of a judge."""
    return read_json(path).get("kind") == "judge"
