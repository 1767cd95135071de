"""What a judge of states was worth on photos whose answers are known, beside the one in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from repairai.files import read_record, write_record
from repairai.judge.limits import limits_of
from repairai.judge.questions import key
from repairai.judge.state import Weighed, weigh
from repairai.runs.figures import ESCAPE
from repairai.runs.folder import read_json
from repairai.runs.scores import Compared, compared
from repairai.schema import StateLimits

BALANCED = "balanced"
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
        opposite: The same question the other way round; empty in a mark that does not say.
    """

    photo: str
    source: str
    question: str
    answer: Literal["yes", "no"]
    after: Answers | None
    before: Answers | None = None
    blank: Answers | None = None
    counted: Literal["yes", "no"] | None = None
    opposite: str = ""


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
        limits_before: The thresholds of the one in use, by question; empty where there was none, or it has none.
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
    limits_before: dict[str, StateLimits] = field(default_factory=dict)
    kind: Literal["judge"] = "judge"


# ---- read and written


def read_judge_scores(path: Path) -> JudgeScores:
    """Return the scores in a file.

    Raises:
        RepairError: They are damaged.
    """
    return read_record(path, JudgeScores)


def is_of_judge(path: Path) -> bool:
    """Return whether a file of scores is of a judge."""
    return read_json(path).get("kind") == "judge"


def write_judge_scores(path: Path, scores: JudgeScores) -> None:
    """Write what an evaluation of a judge found, whole or not at all."""
    write_record(path, scores)


# ---- what an answer comes to


def told(answers: Answers, question: str, opposite: str, limits: Mapping[str, StateLimits]) -> Weighed:
    """Return what the answers to a question and to its opposite come to.

    Args:
        answers: As the reasoner gives them.
        question: That was asked.
        opposite: The same the other way round; its limits serve, turned round, where the question has none.
        limits: See `repairai.judge.limits.limits_of`.
    """
    own = limits_of(limits, question)
    if key(question) not in limits and (turned := limits.get(key(opposite))):
        own = replace(turned, shift=-turned.shift)
    return weigh(*answers, own)


def rightness(said: Weighed | None, answer: Literal["yes", "no"]) -> float:
    """Return 1 where what is said lies on the right side of one half, 0 on the other, one half where on none."""
    if said is None or said.probability == 0.5:
        return 0.5
    return float((said.probability > 0.5) == (answer == "yes"))


# ---- compared


Pair = tuple[StateMark, Weighed | None, Weighed | None]
"""An example with what is said of it before and after; None where nothing is."""


def compared_states(pairs: Sequence[Pair]) -> dict[str, Compared]:
    """Return two judges compared: `balanced` accuracy, and `escape`, the share of states decided the wrong way.

    Examples of one source count as one: what is compared is what each source adds to the figure. Who gives no answer is
    right half of the time, and decides nothing.
    """
    answers = {mark.answer for mark, _, _ in pairs}
    n = {answer: sum(mark.answer == answer for mark, _, _ in pairs) for answer in answers}
    sources = len({mark.source for mark, _, _ in pairs})
    found: dict[str, tuple[dict[str, float], dict[str, float]]] = {name: ({}, {}) for name in (BALANCED, ESCAPE)}
    for mark, before, after in pairs:
        weight = sources / (len(answers) * n[mark.answer])
        for side, said in enumerate((before, after)):
            right = rightness(said, mark.answer)
            wrong = said is not None and said.answer not in ("", mark.answer)
            for name, value in ((BALANCED, right * weight), (ESCAPE, wrong * sources / len(pairs))):
                own = found[name][side]
                own[mark.source] = own.get(mark.source, 0.0) + value
    return {name: compared(list(old.values()), list(new.values())) for name, (old, new) in found.items() if old}
