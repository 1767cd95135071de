"""What an evaluation of an agent found, in words: in sentences, and as a table."""

from __future__ import annotations

from collections.abc import Mapping

from repairai.runs.scores import ASKED, Compared, Scores, against_steps, asked_marks, to_steps

PLAIN_STEPS = "the plain steps, which need no model"
SUCH = "questions such as ask gives an agent"


def said(scores: Scores) -> str:
    """Return what an evaluation found: against the base model and, where they were asked, against the plain steps."""
    first = f"{scores.run} {in_words(scores.overall, scores.model)}."
    marks = asked_marks(scores.marks)
    return f"{first} It {in_words(to_steps(marks), PLAIN_STEPS, SUCH)}." if marks else first


def in_words(found: Compared, against: str, questions: str = "questions") -> str:
    """Return how what came after stands to what was before, as a clause: "is better than X: on 40 questions ...".

    Args:
        found: Both, compared.
        against: Whose marks those before are.
        questions: What was asked.
    """
    how = "better than" if found.is_better else "worse than" if found.is_worse else "not clearly apart from"
    return (
        f"is {how} {against}: on {found.examples} {questions} it scores {found.after:.2f} on average against "
        f"{found.before:.2f} ({found.difference:+.3f}, 95 % interval {found.low:+.3f} to {found.high:+.3f}; "
        f"{found.wins} won, {found.losses} lost, {found.ties} tied)"
    )


def as_table(scores: Scores) -> str:
    """Return an evaluation as Markdown: by task and by figure, and the same held against the plain steps."""
    rows = {"**all questions**": scores.overall}
    rows |= {f"task: {name}": row for name, row in scores.tasks.items()}
    rows |= {name.replace("_", " "): row for name, row in scores.figures.items()}
    lines = _table(rows, "")
    loss, lengths = scores.loss, scores.lengths
    lines.append(f"| held-out loss | {loss.tokens} tokens | {loss.before:.3f} | {loss.after:.3f} "
                 f"| {loss.after - loss.before:+.3f} | | |")  # fmt: skip
    lines.append(f"| tokens of an answer (expected {lengths.expected:.0f}) | {scores.overall.examples} "
                 f"| {lengths.before:.0f} | {lengths.after:.0f} | | | |")  # fmt: skip
    if steps := against_steps(scores):
        names = {"overall": f"**{SUCH}**"} | {name: f"task: {name}" for name in ASKED}
        against = {names.get(name, name.replace("_", " ")): row for name, row in steps.items()}
        lines += ["", *_table(against, "against the plain steps", "plain steps")]
    return "\n".join(lines)


def _table(rows: Mapping[str, Compared], head: str, before: str = "before") -> list[str]:
    lines = [
        f"| {head} | questions | {before} | after | difference | 95 % interval | won / lost / tied |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    lines += [
        f"| {name} | {row.examples} | {row.before:.3f} | {row.after:.3f} | {row.difference:+.3f} "
        f"| {row.low:+.3f} to {row.high:+.3f} | {row.wins} / {row.losses} / {row.ties} |"
        for name, row in rows.items()
    ]
    return lines
