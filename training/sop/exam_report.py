"""A whole exam: each answer marked, before, after and of the plain steps, as scores; and the worst ones to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from repairai.runs.score_words import as_table, said
from repairai.runs.scores import Compared, Lengths, Loss, Mark, Sample, Scores, by_figure, compared
from training.sop.exam import Answered, Exam, Question
from training.sop.examples import TASKS
from training.sop.plain_steps import steps_answer
from training.sop.scores import mark

N_WORST = 30
"""Answers that are kept in full."""


def report(
    run: str, model: str, exam: Exam, before: Mapping[str, Answered], after: Mapping[str, Answered],
    settings: dict[str, str], seconds: float,
) -> Scores:  # fmt: skip
    """Return the scores of an exam.

    Args:
        run: Id of the training.
        model: The base model.
        exam: The questions.
        before: Answers of the base model, by the question's id.
        after: Answers of the trained one.
        settings: How they were made.
        seconds: That it took.
    """
    marks = [_marked(each, before[each.id], after[each.id]) for each in exam.questions]
    tasks = [task for task in TASKS if any(each.task == task for each in marks)]
    old, new = ([side[each.id] for each in exam.questions] for side in (before, after))
    n_tokens = sum(each.loss_tokens for each in new)
    return Scores(
        run=run,
        model=model,
        exam=exam.sheet,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        overall=compared([each.before for each in marks], [each.after for each in marks]),
        tasks={task: _of_task(marks, task) for task in tasks},
        figures=by_figure([each.before_figures for each in marks], [each.after_figures for each in marks]),
        loss=Loss(*(sum(each.loss for each in side) / max(n_tokens, 1) for side in (old, new)), n_tokens),
        lengths=Lengths(
            _mean([each.expected_tokens for each in new]),
            *(_mean([each.tokens for each in side]) for side in (old, new)),
        ),
        marks=tuple(marks),
        worst=_worst(exam.questions, marks, before, after),
        settings=settings,
        seconds=seconds,
    )


def _marked(question: Question, before: Answered, after: Answered) -> Mark:
    old, new = (mark(question.example, each.text, each.ended) for each in (before, after))
    example = question.example
    steps = mark(example, steps_answer(example), ended=True)
    return Mark(
        question.id, example.task, example.device, old.score, new.score, old.figures, new.figures, steps.score,
        steps.figures,
    )  # fmt: skip


def _of_task(marks: Sequence[Mark], task: str) -> Compared:
    own = [each for each in marks if each.task == task]
    return compared([each.before for each in own], [each.after for each in own])


def _worst(
    questions: Sequence[Question], marks: Sequence[Mark], before: Mapping[str, Answered], after: Mapping[str, Answered]
) -> tuple[Sample, ...]:
    """Return the answers with the lowest score after the training, of equal ones those that lost most."""
    pairs = sorted(zip(questions, marks, strict=True), key=lambda pair: (pair[1].after, pair[1].after - pair[1].before))
    return tuple(
        Sample(
            own.id, own.task, own.device, question.example.prompt[-1]["content"], question.example.answer,
            before[own.id].text, after[own.id].text, own.before, own.after,
        )
        for question, own in pairs[:N_WORST]
    )  # fmt: skip


def worst_page(scores: Scores) -> str:
    """Return the worst answers as Markdown, to be read."""
    parts = [f"# {scores.run}: its worst answers", said(scores), as_table(scores)]
    for number, each in enumerate(scores.worst, 1):
        parts += [
            f"## {number}. {each.task}, {each.device or 'no device'}",
            f"Score {each.after_score:.2f}, before {each.before_score:.2f}.",
            f"Asked:\n\n{_quoted(each.question)}",
            f"Expected:\n\n{_quoted(each.expected)}",
            f"After:\n\n{_quoted(each.after)}",
            f"Before:\n\n{_quoted(each.before)}",
        ]
    return "\n\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    """Return text as a block that no Markdown in it can leave."""
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing)"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)
