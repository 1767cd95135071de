"""A step that was chosen: its text, what a photo of it must show, and what it may be asked besides."""

from __future__ import annotations

from typing import Any

import gradio as gr

from repairai.schema import View
from repairai.sop.actions import read_actions
from repairai.sop.requirement_text import write_requirement
from repairai.sop.requirements import questions_for, requirements_for
from repairai.ui import question_fold, render
from repairai.ui.photo_check import Place
from repairai.ui.workbench import Workbench


def chosen(bench: Workbench, place: Place, view: View) -> tuple[Any, str, str, Any]:
    """Return a chosen step: its guide's steps as a list, its text as HTML, what a photo must show, what else to ask."""
    guide, step = bench.library.guide(place[0]), bench.library.step(*place)
    actions = read_actions(step.text)
    steps = [(f"{each.number} · {each.title or each.lines[0].text[:60]}", each.number) for each in guide.steps]
    asked, more = question_fold.parted(questions_for(actions, view))
    wanted = "\n".join(write_requirement(each) for each in dict.fromkeys((*requirements_for(actions, view), *asked)))
    return (
        gr.Dropdown(steps, value=step.number),
        render.step(guide, step, actions),
        wanted,
        question_fold.offer(more, wanted),
    )


def add_line(wanted: str, how: str, number: float | None, part: str | None) -> str:
    """Return the requirements with one more."""
    count = "" if how == "no" else f"{int(number or 0)} "
    line = f"{how} {count}{part or 'screw'}".removeprefix("exactly ")
    return f"{wanted.rstrip()}\n{line}".lstrip()
