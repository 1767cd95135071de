"""Deletes a set of photos in the Train tab, once the person has said so twice."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.runs.photo_removal import delete_photos, known_photos
from repairai.runs.removal import users
from repairai.ui import render
from repairai.ui.photos import photos_render
from repairai.ui.workbench import live

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class PhotosDelete:
    """The components: the button, the question that it asks, and the two answers.

    Args:
        ask: Asks.
        row: All of the question.
        lost: What would be lost.
        sure: Deletes.
        keep: Does not.
    """

    ask: gr.Button
    row: gr.Column
    lost: gr.HTML
    sure: gr.Button
    keep: gr.Button


def lay_button() -> gr.Button:
    """Lay out the button that asks."""
    return gr.Button("Delete these photos", visible=False, variant="stop", elem_id="photos-delete", min_width=180)


def lay(ask: gr.Button) -> PhotosDelete:
    """Lay out the question, which is not to be seen until it is asked."""
    with gr.Column(visible=False, elem_classes="doubt") as row:
        lost = live("photos-doomed")
        with gr.Row():
            sure = gr.Button("Delete them for good", variant="stop", elem_id="photos-delete-sure", min_width=160)
            keep = gr.Button("Keep them", elem_id="photos-delete-not", min_width=160)
    return PhotosDelete(ask, row, lost, sure, keep)


def wire(card: PhotosDelete, chosen: gr.Dropdown, said: gr.HTML, listed: Any) -> None:
    """Wire the question.

    Args:
        card: See `lay`.
        chosen: Folder of the set.
        said: Where it stands what became of it.
        listed: Returns the list of sets, with the newest chosen.
    """

    def ask(folder: str | None) -> list[Any]:
        try:
            return [gr.Column(visible=True), doomed(folder), ""]
        except RepairError as error:
            return [gr.Column(visible=False), "", render.problem(str(error))]

    def delete(folder: str | None) -> list[Any]:
        name = Path(folder or "").name
        try:
            delete_photos(name)
        except RepairError as error:
            return [gr.Column(visible=False), render.problem(str(error)), gr.skip()]
        return [gr.Column(visible=False), photos_render.said(f"The photos {name} are deleted."), listed()]

    card.ask.click(ask, chosen, [card.row, card.lost, said], **QUIET)
    card.keep.click(lambda: gr.Column(visible=False), None, card.row, **QUIET)
    card.sure.click(delete, chosen, [card.row, said, chosen], **QUIET)


def doomed(chosen: str | None) -> str:
    """Return what is lost where a set is deleted, as a question in HTML.

    Raises:
        RepairError: It is not there any more.
    """
    folder = known_photos(Path(chosen or "").name)
    mib = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 2**20
    could = users(folder)[1]
    some = ", ".join(could[:5]) + (f" and {len(could) - 5} more" if len(could) > 5 else "")
    runs = f" Without them cannot go on: {escape(some)}." if could else ""
    return (
        f'<p class="doomed">Delete the photos {escape(folder.name)} and all their boxes: {mib:.1f} MiB?{runs} This '
        "cannot be undone.</p>"
    )
