"""What was fetched, on the Hub tab: a list from which something is deleted, once that was said twice.

It needs no Hub: all of it lies on this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hub_faults import Kind
from repairai.runs.pulled_removal import clear_gone, delete_fetched, doomed, known_fetched
from repairai.runs.pulled_use import fetched, let_another, on_disk, uses
from repairai.ui import render
from repairai.ui.hub import fetched_render, hub_render
from repairai.ui.hub.fetched_render import Row
from repairai.ui.hub.pulling import Pulling
from repairai.ui.hub.spoken import spoken
from repairai.ui.workbench import live

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
TERMINAL = re.compile(r": `python -m repairai models [^`]*`")
"""Where a sentence sends to a terminal, the list has a button."""
PRESS = """
element.addEventListener("click", event => {
  const pressed = event.target.closest("[data-do]");
  if (pressed) trigger("click", {what: pressed.dataset.do, repo: pressed.dataset.repo, kind: pressed.dataset.kind});
});
new MutationObserver(() => {
  const keep = element.querySelector("[data-do=keep]");
  if (keep && !element.querySelector("li").parentElement.contains(document.activeElement)) keep.focus();
}).observe(element, {childList: true, subtree: true});
"""
"""A press on a button of the list becomes an event that names what; a question takes the focus, at its safe answer."""


@dataclass(frozen=True)
class FetchedCard:
    """The components of the card.

    Args:
        shown: The list.
        said: What became of a deletion.
    """

    shown: gr.HTML
    said: gr.HTML


def lay() -> FetchedCard:
    """Lay out the card, which is filled when the tab is opened."""
    shown = gr.HTML("", elem_id="fetched", css_template=hub_render.style(), js_on_load=PRESS)
    return FetchedCard(shown, live("fetched-said"))


def wire(card: FetchedCard, pulling: Pulling, progress: gr.HTML, use: gr.Button) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        pulling: Of the app.
        progress: What came of the last fetch; it is forgotten where that is deleted.
        use: Does the next thing with it.
    """

    def pressed(event: gr.EventData) -> list[Any]:
        done = act(str(event.what), str(event.repo), "dataset" if event.kind == "dataset" else "model")
        now = pulling.now()
        if now is None or now.folder is None or now.folder.is_dir():
            return [*done, gr.skip(), gr.skip()]
        pulling.forget()
        return [*done, "", gr.Button(visible=False)]

    card.shown.click(pressed, None, [card.said, card.shown, progress, use], **QUIET)


def listed(asked: tuple[str, Kind] | None = None, refused: str = "") -> str:
    """Return what was fetched, as it is now.

    Args:
        asked: OWNER/NAME and kind of what it is asked of whether it is to go; None for none.
        refused: Why it cannot go, as HTML; empty where it can.
    """
    clear_gone()
    found = fetched()
    rows = [Row(each, on_disk(each), use) for each, use in zip(found, uses(found), strict=True)]
    return fetched_render.listed(
        rows, next((row for row in rows if (row.found.repo, row.found.kind) == asked), None), refused
    )


def act(what: str, repo: str, kind: Kind) -> list[str]:
    """Do what a button of the list says; return what came of it, and the list.

    Args:
        what: "ask" whether something is to go, be "sure" of it, "keep" it, or let another one do its work ("back").
        repo: OWNER/NAME.
        kind: Of it.
    """
    try:
        if what == "ask":
            doomed(repo, kind, force=True)  # the question names the adapters on it
            return ["", listed((repo, kind))]
        if what == "sure":
            freed = delete_fetched(repo, kind, force=True)
            return [fetched_render.freed(freed.repo, freed.n_bytes, freed.stuck, freed.base), listed()]
        if what == "back":
            return [fetched_render.instead(let_another(known_fetched(repo, kind))), listed()]
    except RepairError as error:
        problem = render.problem(TERMINAL.sub(" with the button beside it", spoken(error)))
        is_there = any((each.repo, each.kind) == (repo, kind) for each in fetched())
        return ["", listed((repo, kind), problem)] if is_there else [problem, listed()]
    return ["", listed()]
