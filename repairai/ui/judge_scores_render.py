"""What an evaluation of a judge of states found, and who judges states, to HTML: pure but for the small photos."""

from __future__ import annotations

from html import escape
from pathlib import Path

from repairai.judge.judges import Judge
from repairai.judge.limits import limits_of
from repairai.runs.figures import percent
from repairai.runs.judge_score_words import said, share
from repairai.runs.judge_scores import JudgeScores, StateFigures, StateMark, told
from repairai.ui.photos.small import tile

HEADS = {
    "balanced_accuracy": "Told rightly", "decided": "Decided", "escaped": "Escapes", "false_calls": "False calls",
    "agreement": "Agree", "blank_accuracy": "Grey photo",
}  # fmt: skip
MEANT = (
    "Told rightly: yes and no count alike. Escapes: wrong states that pass. False calls: right states that fail. "
    "Agree: both phrasings are answered alike. Grey photo: what it tells rightly without one; 50 % where it looks."
)
NO_SCORES = (
    '<p class="fine">It was not evaluated yet: then its thresholds are chosen, without which it decides nothing, and '
    "it is held against the judge in use.</p>"
)
MOST_WORST, MOST_QUESTIONS = 12, 24


def scores(found: JudgeScores, data: Path | None = None) -> str:
    """Return an evaluation: in sentences, beside the judge in use, by question, what it told wrongly.

    Args:
        found: It.
        data: The folder of the states that it was asked about; None where it is gone.
    """
    undecided = "".join(f"<li>{escape(asked)} {escape(why)}</li>" for asked, why in found.undecided.items())
    chosen = (
        f"Thresholds were chosen for {percent(found.escape)} of escapes, on other photos than the {found.split} ones."
    )
    speed = f" One answer, both phrasings, took {1000 * found.seconds:.0f} ms." if found.seconds is not None else ""
    return (
        f'<p class="scores-said">{escape(said(found))}</p>{_table(found)}'
        f"{f'<ul class=remarks>{undecided}</ul>' if undecided else ''}"
        f'<p class="fine">{MEANT}</p>'
        f'<p class="fine">{escape(chosen + speed)} Calibration error, {_calibration(found.whole)}.</p>'
        f"{worst(found, data)}"
    )


def _calibration(figures: StateFigures) -> str:
    error = figures.calibration_error
    return "how far it is from being as sure as it should: " + ("not known" if error is None else percent(error))


def _table(found: JudgeScores) -> str:
    names = ("", "Examples", *HEADS.values(), "Sure from")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = _row("All questions", found.whole, None, "after", True)
    if found.before is not None:
        rows += _row(f"All, by {found.against}, in use before", found.before, None, "before", True)
    for question, figures in list(found.questions.items())[:MOST_QUESTIONS]:
        limits = found.limits.get(question) or limits_of(found.limits, question)
        rows += _row(question, figures, limits.sure)
    return (
        f'<div class="scroll"><table class="findings scores judged"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        "</table></div>"
    )


def _row(name: str, each: StateFigures, sure: float | None, kind: str = "", whole: bool = False) -> str:
    shares = "".join(f"<td>{share(getattr(each, key))}</td>" for key in HEADS)
    from_ = "" if sure is None else "never" if sure >= 1 else percent(sure)
    return (
        f"<tr{' class=task' if whole else ''} data-figures='{escape(kind or 'question')}'><td>{escape(name)}</td>"
        f"<td>{each.examples:,} on {each.sources:,} photos</td>{shares}<td>{from_}</td></tr>"
    )


def worst(found: JudgeScores, data: Path | None) -> str:
    """Return what was told wrongly, the surest mistakes first, each with its photo."""
    wrong = wrong_marks(found)
    if not wrong:
        return '<p class="fine">Every state was told rightly.</p>'
    tiles = "".join(_tile(mark, probability, data) for mark, probability in wrong[:MOST_WORST])
    many = "1 state that was told wrongly" if len(wrong) == 1 else f"{len(wrong):,} states that were told wrongly"
    return (
        f'<details class="worst"><summary>{many}, to be looked at</summary><div class="tiles">{tiles}</div></details>'
    )


def wrong_marks(found: JudgeScores) -> list[tuple[StateMark, float]]:
    """Return the examples whose answer lies on the wrong side of one half, each with the probability of yes."""
    wrong: list[tuple[StateMark, float]] = []
    for mark in found.marks:
        if mark.after is None:
            continue
        probability = told(mark.after, mark.question, mark.opposite, found.limits).probability
        if probability != 0.5 and (probability > 0.5) != (mark.answer == "yes"):
            wrong.append((mark, probability))
    return sorted(wrong, key=lambda each: -abs(each[1] - 0.5))


def _tile(mark: StateMark, probability: float, data: Path | None) -> str:
    address = tile(data / mark.photo) if data else ""
    picture = f'<img src="{address}" alt="">' if address else "<span>the photo is gone</span>"
    sure = percent(probability if probability > 0.5 else 1 - probability)
    answer = "yes" if probability > 0.5 else "no"
    return (
        f'<div class="tile"><span class="stage">{picture}</span><div class="tile-name">{escape(mark.question)}</div>'
        f'<div class="fine">it says {answer}, {sure} sure; right is {mark.answer}</div></div>'
    )


def judging(active: Judge, before: Judge | None) -> str:
    """Return who judges states now, and who did before."""
    was = f" Before: {escape(titled(before))}." if before else ""
    now = f"Questions of state are answered by {escape(titled(active))}."
    return f'<p class="fine" data-active="{escape(active.name)}">{now}{was}</p>'


def titled(judge: Judge) -> str:
    """Return a judge's name for people."""
    return "nobody but the person at the bench" if judge.kind == "nobody" else judge.name
