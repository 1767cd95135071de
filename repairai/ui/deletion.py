"""Deletes what a person chose from a list, once they have said so twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS, PHOTO_SETS, STATE_SETS, NamedSets
from repairai.runs.set_removal import delete_set, users
from repairai.ui import render
from repairai.ui.workbench import live

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
MOST_NAMED = 5


@dataclass(frozen=True)
class Deletable:
    """What can be deleted.

    Args:
        kind: Which sets; ids on the page begin with what they are called.
        too: What goes with them, as the question says it.
    """

    kind: NamedSets
    too: str = ""


DATA = Deletable(DATA_SETS)
PHOTOS = Deletable(PHOTO_SETS, " and all their boxes")
STATES = Deletable(STATE_SETS)


@dataclass(frozen=True)
class Deletion:
    """The components: the button, the question that it asks, and the two answers.

    Args:
        what: That is deleted.
        ask: Asks.
        row: All of the question.
        lost: What would be lost.
        sure: Deletes.
        keep: Does not.
    """

    what: Deletable
    ask: gr.Button
    row: gr.Column
    lost: gr.HTML
    sure: gr.Button
    keep: gr.Button


def lay_button(what: Deletable, **how: Any) -> gr.Button:
    """Lay out the button that asks."""
    word = what.kind.called
    return gr.Button(
        f"Delete these {word}", visible=False, variant="stop", elem_id=f"{word}-delete", min_width=180, **how
    )


def lay(what: Deletable, ask: gr.Button) -> Deletion:
    """Lay out the question, which is not to be seen until it is asked."""
    word = what.kind.called
    with gr.Column(visible=False, elem_classes="doubt") as row:
        lost = live(f"{word}-doomed")
        with gr.Row():
            sure = gr.Button(
                "Delete them for good", variant="stop", elem_id=f"{word}-delete-sure", min_width=160
            )  # fmt: skip
            keep = gr.Button("Keep them", elem_id=f"{word}-delete-not", min_width=160)
    return Deletion(what, ask, row, lost, sure, keep)


def wire(card: Deletion, chosen: gr.Dropdown, said: gr.HTML, listed: Callable[[str | None], Any]) -> None:
    """Wire the question.

    Args:
        card: See `lay`.
        chosen: Folder of what would be deleted.
        said: Where it stands what became of it.
        listed: Returns the list of what there is, given the chosen one.
    """

    def ask(folder: str | None) -> list[Any]:
        try:
            return [gr.Column(visible=True), doomed(card.what, folder), ""]
        except RepairError as error:
            return [gr.Column(visible=False), "", render.problem(str(error))]

    def delete(folder: str | None) -> list[Any]:
        name = Path(folder or "").name
        try:
            delete_set(card.what.kind, name)
        except RepairError as error:
            return [gr.Column(visible=False), render.problem(str(error)), listed(folder)]
        done = f'<p class="answer">The {card.what.kind.called} {escape(name)} are deleted.</p>'
        return [gr.Column(visible=False), done, listed(None)]

    card.ask.click(ask, chosen, [card.row, card.lost, said], **QUIET)
    card.keep.click(lambda: gr.Column(visible=False), None, card.row, **QUIET)
    card.sure.click(delete, chosen, [card.row, said, chosen], **QUIET)
    chosen.change(lambda: gr.Column(visible=False), None, card.row, **QUIET)


def doomed(what: Deletable, chosen: str | None) -> str:
    """Return what is lost where something is deleted, as a question in HTML.

    Raises:
        RepairError: It is not there any more.
    """
    folder = what.kind.known(Path(chosen or "").name)
    mib = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 2**20
    size = f"{mib:.1f} MiB" if mib >= 0.1 else "less than 0.1 MiB"
    stuck = users(folder)[1]
    more = f" and {len(stuck) - MOST_NAMED} more" if len(stuck) > MOST_NAMED else ""
    runs = f" Without them cannot go on: {escape(', '.join(stuck[:MOST_NAMED]) + more)}." if stuck else ""
    asked = f"Delete the {what.kind.called} {escape(folder.name)}{what.too}: {size}?{runs}"
    return f'<p class="doomed">{asked} This cannot be undone.</p>'
