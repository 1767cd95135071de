"""What the page says of runs when it is opened: one that went down can go on, and one that is linked to is shown."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.runs.folder import run_folder
from repairai.runs.queue import wake
from repairai.runs.why import why
from repairai.ui import render, runs_render
from repairai.ui.run_actions import resume
from repairai.ui.runs_places import Places
from repairai.ui.runs_tab import look
from repairai.ui.watched import Watched

PARAMETER = "run"
"""Of the address: the id of the run that is shown."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Offer:
    """The components of the offer.

    Args:
        row: All of it.
        said: Which run, and why it ended.
        run: Its id.
        go_on: Lets it go on.
        later: Does not.
    """

    row: gr.Row
    said: gr.HTML
    run: gr.State
    go_on: gr.Button
    later: gr.Button


def lay() -> Offer:
    """Lay out the offer, which is not to be seen where there is none."""
    with gr.Row(visible=False, elem_classes="offer", elem_id="offer") as row:
        said = gr.HTML(elem_id="offer-said")
        go_on = gr.Button("Go on with it", variant="primary", elem_id="offer-go-on", min_width=150)
        later = gr.Button("Not now", elem_id="offer-later", min_width=110)
    return Offer(row, said, gr.State(""), go_on, later)


def wire(page: gr.Blocks, offer: Offer, watched: Watched, places: Places, tabs: gr.Tabs) -> None:
    """Wire the offer and what the address says."""

    def opened(request: gr.Request) -> list[Any]:
        wake()
        linked = str(request.query_params.get(PARAMETER, ""))
        return [*offered(watched), linked, gr.Tabs(selected="runs") if linked else gr.skip()]

    def go_on(run_id: str) -> list[Any]:
        try:
            resume(run_id)
        except RepairError as error:
            return [gr.skip(), render.problem(str(error)), run_id, *[gr.skip()] * (len(places.all) + 2)]
        shown = [gr.Tabs(selected="runs"), gr.Timer(active=True), *look(watched, run_id, {})]
        return [gr.Row(visible=False), "", run_id, *shown]

    def later(run_id: str) -> Any:
        watched.dismiss(run_id)
        return gr.Row(visible=False)

    page.load(opened, None, [offer.row, offer.said, offer.run, places.chosen, tabs], **QUIET)
    offer.go_on.click(
        go_on, offer.run, [offer.row, offer.said, places.chosen, tabs, places.clock, *places.all], **QUIET
    )
    offer.later.click(later, offer.run, offer.row, **QUIET)


def offered(watched: Watched) -> list[Any]:
    """Return whether there is a run to go on with, what is said of it, and its id."""
    run = watched.interrupted()
    if run is None:
        return [gr.Row(visible=False), "", ""]
    try:
        said = why(run_folder(run.id)).said
    except RepairError:  # it was just deleted
        return [gr.Row(visible=False), "", ""]
    return [gr.Row(visible=True), f"<p><b>Go on with {escape(run.id)}?</b> {runs_render.with_code(said)}</p>", run.id]
