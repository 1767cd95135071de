"""What an evaluation of a judge of states found, in words: in sentences, and as a table."""

from __future__ import annotations

from repairai.judge.limits import limits_of
from repairai.runs.figures import ESCAPE, count, percent
from repairai.runs.judge_scores import BALANCED, JudgeScores, StateFigures

NAMES = {BALANCED: "states told rightly", ESCAPE: "states told wrongly and surely"}
LOOKS = 0.6
"""Balanced accuracy on a grey photo from which on much of an answer comes from the words alone."""


def said(scores: JudgeScores) -> str:
    """Return what an evaluation of a judge found, in a few sentences."""
    whole = scores.whole
    text = (
        f"{scores.run} tells {share(whole.balanced_accuracy)} of states rightly (yes and no count alike) on "
        f"{count(whole.examples, 'example')} from {count(whole.sources, 'independent photo')} with "
        f"{count(len(scores.questions), 'question')}"
    )
    if whole.decided is not None:
        text += f"; it decides {percent(whole.decided)}"
    if whole.escaped is not None:
        text += f", and of wrong states it passes {percent(whole.escaped)}"
    sentences = [
        f"{text}.",
        *filter(None, (_before(scores), blank_words(whole), _phrasings(whole), counted_words(whole))),
    ]
    if scores.undecided:
        sentences.append(f"Still undecided: {', '.join(scores.undecided)}.")
    return " ".join([*sentences, *filter(None, [promised(scores)])])


def _before(scores: JudgeScores) -> str:
    if scores.before is None or scores.before.balanced_accuracy is None:
        return ""
    told = f"{scores.against}, in use before, tells {percent(scores.before.balanced_accuracy)} rightly"
    return f"{told}{'' if scores.before.decided is None else f' and decides {percent(scores.before.decided)}'}."


def blank_words(figures: StateFigures) -> str:
    """Return in a sentence whether a judge looks at its photos; nothing where that was not tried."""
    if figures.blank_accuracy is None:
        return ""
    how = "so it looks" if figures.blank_accuracy < LOOKS else "so much of its answer comes from the words alone"
    return f"With a grey photo in place of each it tells {percent(figures.blank_accuracy)}, {how}."


def _phrasings(figures: StateFigures) -> str:
    if figures.agreement is None:
        return ""
    return f"Its answers to both phrasings agree in {percent(figures.agreement)}."


def counted_words(figures: StateFigures) -> str:
    """Return in a sentence how it stands to counting, where both can answer; nothing where counting cannot."""
    if not figures.counted or figures.counted_accuracy is None or figures.accuracy_where_counted is None:
        return ""
    return (
        f"Where counting parts tells the answer too ({percent(figures.counted)}), counting is right in "
        f"{percent(figures.counted_accuracy)} and this judge in {percent(figures.accuracy_where_counted)}."
    )


def promised(scores: JudgeScores) -> str:
    """Return in a sentence what the thresholds were chosen for; nothing where none decides."""
    if not any(each.sure < 1 for each in scores.limits.values()):
        return ""
    return (
        f"Its thresholds were chosen so that at most {percent(scores.escape)} of wrong states pass, on photos like "
        "those that they were chosen on."
    )


def as_table(scores: JudgeScores) -> str:
    """Return an evaluation as Markdown: a row for each question, and one for all."""
    lines = [
        "| question | examples | photos | told rightly | decided | wrong states passed | right states failed "
        "| both phrasings agree | grey photo | surely from |",
        "| --- |" + " ---: |" * 9,
    ]
    rows = {**scores.questions, "**all**": scores.whole}
    if scores.before is not None:
        rows[f"**all, by {scores.against}**"] = scores.before
    for name, row in rows.items():
        shares = (row.balanced_accuracy, row.decided, row.escaped, row.false_calls, row.agreement, row.blank_accuracy)
        limits = limits_of(scores.limits, name)
        sure = "" if name.startswith("**") else "never" if limits.sure == 1 else f"{limits.sure:.2f}"
        lines.append(f"| {name} | {row.examples} | {row.sources} | {' | '.join(map(share, shares))} | {sure} |")
    return "\n".join(lines)


def share(value: float | None) -> str:
    """Return a share in percent; empty where there is none."""
    return "" if value is None else percent(value)
