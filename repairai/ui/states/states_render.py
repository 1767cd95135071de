"""Sets of states to HTML: how often each question is answered how, where they come from, and some of their photos."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from repairai.judge.state_set import SPLITS, QuestionSummary, StateExample
from repairai.ui.photos.photos_render import SIDES, findings
from repairai.ui.photos.small import tile
from repairai.ui.states.state_sets import States

NO_STATES = (
    '<p class="fine">There are no states yet. Two piles of photos are enough to begin, twenty in each: in one the '
    "answer is yes, in the other no. Or inspect, answer the questions yourself, and build them from that.</p>"
)
SHOWN = 6
"""Photos of each answer that are shown, of each question."""
MOST_QUESTIONS = 12
BY = {"person": "answered at the bench", "import": "brought in", "rendered": "drawn"}


def report(states: States) -> str:
    """Return what is in a set: its questions with their answers, where it came from, some photos."""
    found = states.summary
    wrong = findings(states.findings) if states.findings else ""
    return (
        f'<section class="report data" data-name="{escape(found.name)}" data-examples="{found.examples}">'
        f"{_counts(found.questions)}{_facts(states)}</section>{wrong}{_photos(states)}"
    )


def _counts(questions: Sequence[QuestionSummary]) -> str:
    head = "".join(f'<th scope="col">{split} <span class="fine">{SIDES[split]}</span></th>' for split in SPLITS)
    rows = "".join(
        f'<tr><th scope="row">{escape(each.question)}<span class="flips">{escape(each.opposite)}</span></th>'
        + "".join(f"<td>{each.splits[split].yes:,} yes, {each.splits[split].no:,} no</td>" for split in SPLITS)
        + "</tr>"
        for each in questions[:MOST_QUESTIONS]
    )
    more = len(questions) - MOST_QUESTIONS
    rest = f'<p class="fine">And {more:,} questions with fewer examples.</p>' if more > 0 else ""
    return (
        f'<div class="scroll"><table class="findings counts"><thead><tr><th scope="col">Question and its opposite</th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}"
    )


def _facts(states: States) -> str:
    found = states.summary
    by = {name: sum(each.made_by.get(name, 0) for each in found.questions) for name in BY}
    sources = ", ".join(
        f"{each.name} ({each.licence or 'licence not told'}, {each.photos:,})" for each in states.sources
    )
    facts = [
        ("Photos", f"{found.photos:,}"),
        ("Independent ones", f"{found.sources:,}"),
        ("Answers", ", ".join(f"{number:,} {BY[name]}" for name, number in by.items() if number) or "none"),
        ("From", sources or "not told"),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="figures">{cells}</dl>'


def _photos(states: States) -> str:
    """Return some photos of the question with the most examples, those of yes before those of no."""
    if not states.summary.questions:
        return ""
    question = states.summary.questions[0].question
    own = [each for each in states.examples if each.question == question]
    piles = "".join(_pile(states, answer, [each for each in own if each.answer == answer]) for answer in ("yes", "no"))
    return f'<details class="worst states" open><summary>Some photos of: {escape(question)}</summary>{piles}</details>'


def _pile(states: States, answer: str, examples: Sequence[StateExample]) -> str:
    step = max(len(examples) // SHOWN, 1)  # from all of them, not from the first source alone
    tiles = "".join(_tile(states, each) for each in examples[::step][:SHOWN])
    return f'<h5>{answer}, {len(examples):,} photos</h5><div class="tiles">{tiles}</div>' if tiles else ""


def _tile(states: States, example: StateExample) -> str:
    address = tile(states.folder / example.photo)
    picture = f'<img src="{address}" alt="{example.answer}">' if address else "<span>cannot be read</span>"
    return (
        f'<div class="tile" title="{escape(example.source)}"><span class="stage">{picture}</span>'
        f'<div class="fine">{example.split}, {BY[example.made_by]}</div></div>'
    )
