"""What an evaluation found, and which agent answers, to HTML: pure; what came from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from repairai.runs.score_words import PLAIN_STEPS, SUCH, said
from repairai.runs.scores import Compared, Sample, Scores, against_steps
from repairai.sop.agents import Agent

TASKS = {
    "how_to": "How to do it", "next_step": "The next step", "tools": "Tools of a guide",
    "requirements": "What a photo must show", "refusal": "Devices without a guide", "chat": "Conversations",
}  # fmt: skip
FIGURES = {
    "steps_recalled": "Steps recalled", "lines_needed": "Lines that are needed", "order_kept": "Order kept",
    "tools_exact": "Tools exact", "tools_f1": "Tools found", "counts_exact": "Counts exact",
    "sizes_exact": "Sizes exact", "cited_right": "Steps cited rightly", "warnings_kept": "Warnings kept",
    "refused": "Says so where there is no guide", "answered": "Answers at all", "ended": "Ends by itself",
    "json_valid": "Can be read as data", "actions_exact": "What a step asks, exact",
    "actions_f1": "What a step asks, found", "words_f1": "Words of the expected answer",
}  # fmt: skip
MOST_WORST = 10
NO_SCORES = '<p class="fine">It was not evaluated yet: then its answers are held beside those of the model before.</p>'


def scores(found: Scores) -> str:
    """Return an evaluation: in a sentence, as tables against the base and the plain steps, its worst answers."""
    loss, lengths = found.loss, found.lengths
    body = _rows({"overall": found.overall, **found.tasks, **found.figures}, "All questions") + (
        f"<tr><td>Held-out loss, lower is better</td><td>{loss.tokens:,} tokens</td><td>{loss.before:.3f}</td>"
        f"<td>{loss.after:.3f}</td><td>{loss.after - loss.before:+.3f}</td><td></td><td></td></tr>"
        f"<tr><td>Tokens of an answer, {lengths.expected:.0f} expected</td><td>{found.overall.examples:,}</td>"
        f"<td>{lengths.before:.0f}</td><td>{lengths.after:.0f}</td><td></td><td></td><td></td></tr>"
    )
    exam = "your own fixed exam" if found.exam.own else found.exam.path
    asked = f"{found.exam.examples:,} of the {found.exam.of:,} questions in {exam}"
    return (
        f'<p class="scores-said">{escape(said(found))}</p>{_table("Against the model before", "Before", body)}'
        f'<p class="fine">{escape(asked)}, the same for both; before is {escape(found.model)}.</p>'
        f"{_against_steps(found)}{worst(found.worst)}"
    )


def _against_steps(found: Scores) -> str:
    steps = against_steps(found)
    if not steps:
        return ""
    body = _rows(steps, f"All {SUCH}")
    told = f"Only {SUCH}: held against {PLAIN_STEPS}."
    return f'{_table("Against the plain steps", "Plain steps", body)}<p class="fine">{escape(told)}</p>'


def _table(caption: str, before: str, body: str) -> str:
    names = ("", "Questions", before, "After", "Difference", "95 % interval", "Won, lost, tied")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        f'<div class="scroll"><table class="findings scores"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _rows(found: Mapping[str, Compared], overall: str) -> str:
    """Return the lines of a table: that over all first, then each task and each figure by its name in words."""
    names = {"overall": overall} | TASKS | FIGURES
    return "".join(
        _row(names.get(name, name.replace("_", " ")), each, name == "overall" or name in TASKS)
        for name, each in found.items()
    )


def _row(name: str, each: Compared, is_task: bool) -> str:
    icon, tone, word = (
        ("▲", "pass", "better") if each.is_better else ("▼", "fail", "worse") if each.is_worse else ("", "", "")
    )
    mark = f' <span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {word}</span>' if word else ""
    return (
        f"<tr{' class=task' if is_task else ''}><td>{escape(name)}</td><td>{each.examples:,}</td>"
        f"<td>{each.before:.3f}</td><td>{each.after:.3f}</td><td>{each.difference:+.3f}{mark}</td>"
        f"<td>{each.low:+.3f} to {each.high:+.3f}</td><td>{each.wins}, {each.losses}, {each.ties}</td></tr>"
    )


def worst(samples: Sequence[Sample]) -> str:
    """Return the worst answers, each with what was asked and expected."""
    if not samples:
        return ""
    items = "".join(
        f"<details><summary>{number}. {escape(TASKS.get(each.task, each.task))}: {escape(each.device or 'no device')}"
        f" · {each.after_score:.2f}, before {each.before_score:.2f}</summary>"
        f"{_text('Asked', each.question)}{_text('Expected', each.expected)}{_text('After', each.after)}"
        f"{_text('Before', each.before)}</details>"
        for number, each in enumerate(samples[:MOST_WORST], 1)
    )
    return f'<details class="worst"><summary>The worst answers, to be read</summary>{items}</details>'


def _text(name: str, text: str) -> str:
    return f"<h5>{name}</h5><pre>{escape(text.strip() or '(nothing)')}</pre>"


def answering(active: Agent, before: Agent | None) -> str:
    """Return who answers questions now, and who did before."""
    now = titled(active) + ", word for word" * (active.kind == "steps")
    was = f" Before it: {escape(titled(before))}." if before else ""
    return f'<p class="fine" data-active="{escape(active.name)}">Questions are answered by {escape(now)}.{was}</p>'


def titled(agent: Agent) -> str:
    """Return an agent's name for people."""
    return "the steps themselves" if agent.kind == "steps" else agent.name


def decision(is_active: bool, sentence: str) -> str:
    """Return what the gate said of a model."""
    icon, tone, word = ("✓", "pass", "active") if is_active else ("✕", "uncertain", "not active")
    badge = f'<span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {word}</span>'
    return f'<p class="decision" data-active="{str(is_active).lower()}">{badge} {escape(sentence)}</p>'
