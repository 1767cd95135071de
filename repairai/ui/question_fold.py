"""A question of state added to what a photo must show: one that the step tells, or one in a person's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.inspection import measured
from repairai.judge.questions import observable, opposite_of
from repairai.schema import State
from repairai.sop.requirement_text import write_requirement
from repairai.ui import render
from repairai.ui.workbench import live

TAKE = "(own, last, proposed) => own.trim() && own !== last ? [own, last] : [proposed, proposed]"
"""What a person wrote is never written over."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class QuestionFold:
    """The components.

    Args:
        offered: What the step may be asked beside its counts; a press adds it.
        question: To be answered by yes or no.
        expected: The answer that is wanted.
        opposite: The same question the other way round.
        add: Adds it to the requirements.
        said: What is wrong with it, or to be known of it.
    """

    offered: gr.Radio
    question: gr.Textbox
    expected: gr.Radio
    opposite: gr.Textbox
    add: gr.Button
    said: gr.HTML


def lay() -> QuestionFold:
    """Lay out the fold, and above it what the step may be asked."""
    offered = gr.Radio([], label="This step may be asked, too: press to add it", visible=False, elem_id="offered",
                       elem_classes="list")  # fmt: skip
    with gr.Accordion("Add a question that no count answers", open=False, elem_id="fold-question", elem_classes="fold"):
        question = gr.Textbox(
            "", label="Question, to be answered by yes or no", placeholder="Is the battery connector unplugged?",
            max_lines=1, elem_id="question",
        )  # fmt: skip
        expected = gr.Radio([("Yes", "yes"), ("No", "no")], value="yes", label="The answer that is wanted",
                            elem_id="question-expected")  # fmt: skip
        opposite = gr.Textbox(
            "", label="The same the other way round; both are asked", max_lines=1, elem_id="question-opposite",
            placeholder="Is the battery connector plugged in?",
        )  # fmt: skip
        add = gr.Button("Add this question", elem_id="add-question")
        said = live("question-said")
    return QuestionFold(offered, question, expected, opposite, add, said)


def wire(fold: QuestionFold, wanted: gr.Textbox) -> None:
    """Wire the fold.

    Args:
        fold: See `lay`.
        wanted: The requirements as text.
    """
    propose(fold.question, fold.opposite)
    fold.question.blur(lambda question: _remark(as_question(question)), fold.question, fold.said, **QUIET)
    fold.offered.input(add_offered, [wanted, fold.offered], [wanted, fold.offered], **QUIET)
    given = [wanted, fold.question, fold.expected, fold.opposite]
    for press in (fold.add.click, fold.opposite.submit):
        press(add_question, given, [wanted, fold.question, fold.opposite, fold.said], **QUIET)


def parted(questions: Sequence[State]) -> tuple[list[State], list[State]]:
    """Return the questions of a step that the judge in use can settle, and the others, which a person may add."""
    try:
        asked = measured(questions)
    except RepairError:  # whoever checks a photo is told
        asked = ()
    return list(asked), [each for each in questions if each not in asked]


def offer(questions: Sequence[State], wanted: str) -> Any:
    """Return the list of what a step may be asked beside what is asked already; hidden where that is nothing."""
    lines = [(each.question, write_requirement(each)) for each in questions]
    left = [each for each in lines if each[1] not in wanted.splitlines()]
    return gr.Radio(left, value=None, visible=bool(left))


def add_offered(wanted: str, line: str | None) -> list[Any]:
    """Return the requirements with a question of the step, and the list of these, in which nothing is chosen."""
    if not line or line in wanted.splitlines():
        return [gr.skip(), gr.Radio(value=None)]
    return [f"{wanted.rstrip()}\n{line}".lstrip(), gr.Radio(value=None)]


def propose(question: gr.Textbox, opposite: gr.Textbox) -> None:
    """Let the opposite of a question be written as the question is, as long as nobody writes another."""
    last, new = (gr.Textbox("", visible="hidden", container=False) for _ in range(2))
    # Not `blur`: what is filled in at once may not be there yet when the field is left. And it is taken by the browser,
    # which alone knows what a person has written meanwhile.
    question.change(proposed, question, new, trigger_mode="always_last", **QUIET).then(
        None, [opposite, last, new], [opposite, last], js=TAKE, **QUIET
    )


def proposed(question: str) -> str:
    """Return the opposite of a question, as far as it is typed; empty where none is known."""
    return opposite_of(as_question(question))


def add_question(wanted: str, question: str, expected: str, opposite: str) -> list[Any]:
    """Return the requirements with one more question, the emptied fields, and what there is to say as HTML."""
    try:
        line = write_requirement(state_of(question, expected, opposite))
    except RepairError as error:
        return [gr.skip(), gr.skip(), gr.skip(), render.problem(str(error))]
    asked = as_question(question)
    return [f"{wanted.rstrip()}\n{line}".lstrip(), "", "", _remark(asked)]


def state_of(question: str, expected: str, opposite: str) -> State:
    """Return a question of state as it was typed; its opposite is proposed where none was.

    Raises:
        RepairError: There is no question, or no opposite, or both are the same.
    """
    asked = as_question(question)
    if not asked:
        raise RepairError("there is no question yet", "write one, such as: Is the latch open?")
    turned = as_question(opposite) or opposite_of(asked)
    if not turned:
        raise RepairError(
            "the question has no opposite yet", "write the same the other way round, such as: Is the latch closed?"
        )
    if turned.lower() == asked.lower():
        raise RepairError("the opposite is the question itself", "write it so that its right answer is the other one")
    return State(asked, "no" if expected == "no" else "yes", turned)


def as_question(text: str | None) -> str:
    """Return what was typed on one line and with a question mark; empty for nothing."""
    words = " ".join((text or "").split())
    return words if not words or words.endswith("?") else f"{words.rstrip('.!')}?"


def _remark(question: str) -> str:
    why = observable(question)
    said = f"{why[:1].upper()}{why[1:]}: no judge is asked, you look for yourself."
    return f'<p class="answer">{escape(said)}</p>' if why else ""
