"""The third card of the Hub tab: something is fetched, once its size and its files were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hub import pull
from repairai.hub.pull import PullPlan
from repairai.hub_faults import Kind
from repairai.ui import render
from repairai.ui.hub import fetched_card, hub_render, pull_render, use_pulled
from repairai.ui.hub.pulling import Pulling
from repairai.ui.hub.spoken import must_be_there, spoken
from repairai.ui.hub.there_card import KINDS
from repairai.ui.run_actions import said_of
from repairai.ui.workbench import Workbench, live

POLL_SECONDS = 0.5
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}


@dataclass(frozen=True)
class PullCard:
    """The components of the card.

    Args:
        column: All of what needs the Hub.
        repo: What is fetched.
        kind: Of it.
        revision: Of it.
        look: Shows what would come.
        shown: It.
        plan: It, as it is fetched.
        fetch: Fetches it.
        cancel: Ends that.
        progress: How far it is, and what came of it.
        use: Does the next thing with it.
        clock: Ticks while something is fetched.
    """

    column: gr.Column
    repo: gr.Textbox
    kind: gr.Radio
    revision: gr.Textbox
    look: gr.Button
    shown: gr.HTML
    plan: gr.State
    fetch: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    use: gr.Button
    clock: gr.Timer

    @property
    def given(self) -> list[Any]:
        """What is asked for."""
        return [self.repo, self.kind, self.revision]


def lay() -> PullCard:
    """Lay out the card."""
    with gr.Column(visible=False) as column:
        gr.HTML("<h2>Fetch something</h2>")
        with gr.Row(equal_height=False):
            repo = gr.Textbox(
                "", label="OWNER/NAME", placeholder="owner/name", max_lines=1, elem_id="pull-repo", min_width=260,
                scale=3,
            )  # fmt: skip
            kind = gr.Radio(
                KINDS[:2], value="model", label="It is among the", elem_id="pull-kind", min_width=220, scale=2
            )
            revision = gr.Textbox(
                "", label="Revision", placeholder="main", max_lines=1, elem_id="pull-revision", min_width=120, scale=1
            )
        look = gr.Button("Show what would come", elem_id="pull-look")
        shown = live("pull-shown", css_template=hub_render.style())
        fetch = gr.Button("Fetch it", variant="primary", visible=False, elem_id="pull-fetch")
    progress = live("pull-progress")
    with gr.Row(elem_classes="run-buttons"):
        cancel = gr.Button("Cancel", visible=False, elem_id="pull-cancel", min_width=140)
        use = gr.Button("", visible=False, variant="primary", elem_id="pull-use", min_width=200)
    clock = gr.Timer(POLL_SECONDS, active=False)
    return PullCard(
        column, repo, kind, revision, look, shown, gr.State(None), fetch, cancel, progress, use, clock
    )  # fmt: skip


def wire(card: PullCard, pulling: Pulling, found: gr.HTML, fetched: gr.HTML, bench: Workbench) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        pulling: Of the app.
        found: The list of what is on the Hub, in which a press shows what would come.
        fetched: The list of what was fetched.
        bench: What the tabs share.
    """
    looked = [card.plan, card.shown, card.fetch]
    going: dict[str, Any] = {"show_progress_on": card.shown, "api_visibility": "private"}
    for event in (card.look.click, card.repo.submit, card.revision.submit):
        event(look, card.given, looked, **going)
    found.click(_pressed, None, [*card.given, *looked], **going)
    for each in (card.repo, card.revision, card.kind):
        each.input(lambda: [None, "", gr.Button(visible=False)], None, looked, **QUIET)

    out = [card.progress, card.clock, card.cancel, card.use, card.fetch, card.shown, fetched]

    def fetch(plan: PullPlan | None) -> list[Any]:
        try:
            if plan is None:
                raise RepairError("nothing was looked at yet", "press the button above first")
            pulling.start(plan)
        except RepairError as error:
            return [render.problem(spoken(error)), *[gr.skip()] * (len(out) - 1)]
        return now(pulling)

    def cancel() -> list[Any]:
        pulling.stop()
        return now(pulling)

    def use() -> list[Any]:
        pulled = pulling.now()
        try:
            said = said_of(use_pulled.use(pulled, bench))
        except RepairError as error:
            return [render.problem(spoken(error)), gr.skip(), gr.skip()]
        pulling.forget()
        return [said, gr.Button(visible=False), fetched_card.listed()]

    card.fetch.click(fetch, card.plan, out, **QUIET)
    card.cancel.click(cancel, None, out, **QUIET)
    card.clock.tick(lambda: now(pulling), None, out, **POLL)
    used = [card.progress, card.use, fetched]
    card.use.click(use, None, used, show_progress_on=card.progress, api_visibility="private")


def _pressed(event: gr.EventData) -> list[Any]:
    """Return what would come of what was pressed in the list."""
    repo, kind = str(event.repo), str(event.kind)
    return [repo, kind, "", *look(repo, "dataset" if kind == "dataset" else "model", "")]


def look(repo: str, kind: Kind, revision: str) -> list[Any]:
    """Return what would come, as a plan and as HTML, and whether it can: for `plan`, `shown` and `fetch`."""
    try:
        must_be_there()
        plan = pull.plan(repo.strip(), kind, revision.strip() or "main")
    except RepairError as error:
        return [None, render.problem(spoken(error)), gr.Button(visible=False)]
    return [plan, pull_render.plan(plan), gr.Button(visible=True)]


def now(pulling: Pulling) -> list[Any]:
    """Return how far the fetch is, for `progress`, `clock`, `cancel`, `use`, `fetch`, `shown`, and what was fetched."""
    found = pulling.now()
    hidden = gr.Button(visible=False)
    if found is None:
        return ["", gr.Timer(active=False), hidden, hidden, gr.skip(), gr.skip(), gr.skip()]
    if not found.ended:
        still = gr.Button(visible=not found.cancelled)
        return [pull_render.progress(found), gr.Timer(active=True), still, hidden, hidden, gr.skip(), gr.skip()]
    if found.fault:
        said, use, shown = render.problem(spoken(found.fault)), hidden, gr.skip()
    elif found.cancelled:
        said, use, shown = pull_render.ended(found), hidden, gr.skip()
    else:
        word = pull_render.USES.get(found.plan.what, "")
        said, use, shown = pull_render.ended(found), gr.Button(word, visible=bool(word)), ""
    again = gr.Button(visible=found.fault is not None or found.cancelled)
    return [said, gr.Timer(active=False), hidden, use, again, shown, fetched_card.listed()]
