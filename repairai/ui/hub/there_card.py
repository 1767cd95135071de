"""The second card of the Hub tab: what is on the Hub, the person's own and that of others, as a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hub import listing
from repairai.hub_faults import Kind
from repairai.ui import render
from repairai.ui.hub import hub_render
from repairai.ui.hub.spoken import must_be_there, spoken

KINDS: list[tuple[str, Kind]] = [("Models", "model"), ("Data sets", "dataset"), ("Spaces", "space")]
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
PRESS = """
element.setAttribute("role", "status");
element.addEventListener("click", event => {
  const pressed = event.target.closest("[data-look]");
  if (pressed) trigger("click", {repo: pressed.dataset.look, kind: pressed.dataset.kind});
});
"""
"""A press on something in the list becomes an event that names it."""


@dataclass(frozen=True)
class ThereCard:
    """The components of the card.

    Args:
        column: All of it.
        kind: What is listed.
        words: That a name has to hold.
        search: Looks for them.
        mine: Lists the person's own.
        found: The list.
    """

    column: gr.Column
    kind: gr.Radio
    words: gr.Textbox
    search: gr.Button
    mine: gr.Button
    found: gr.HTML


def lay() -> ThereCard:
    """Lay out the card."""
    with gr.Column(visible=False) as column:
        gr.HTML("<h2>What is there</h2>")
        kind = gr.Radio(KINDS, value="model", label="Show", elem_id="hub-kind")
        with gr.Row(equal_height=False, elem_classes="adder"):
            words = gr.Textbox(
                "", label="Look for", placeholder="a word of its name", max_lines=1, elem_id="hub-words",
                min_width=220, scale=4,
            )  # fmt: skip
            search = gr.Button("Search", elem_id="hub-search", min_width=110, scale=1)
            mine = gr.Button("Mine", elem_id="hub-mine", min_width=90, scale=1)
        found = gr.HTML(listed("model", "", ""), elem_id="hub-found", css_template=hub_render.style(), js_on_load=PRESS)
    return ThereCard(column, kind, words, search, mine, found)


def wire(card: ThereCard, name: gr.State) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        name: Of who is logged in: with another one, another list is shown.
    """
    given = [card.kind, card.words, name]
    for event in (card.search.click, card.words.submit, card.kind.change):
        event(listed, given, card.found, show_progress_on=card.found, api_visibility="private")
    card.mine.click(
        lambda kind, name: ["", listed(kind, "", name)], [card.kind, name], [card.words, card.found],
        show_progress_on=card.found, api_visibility="private",
    )  # fmt: skip

    def another(kind: Kind, words: str, name: str) -> Any:
        # What was found by words stays: found once more, it might come after what was asked for meanwhile.
        return gr.skip() if words.strip() else listed(kind, words, name)

    name.change(another, given, card.found, **QUIET)


def listed(kind: Kind, words: str, name: str) -> str:
    """Return what has these words in its name; without words the person's own; as HTML.

    Args:
        kind: What is listed.
        words: As they were typed.
        name: Of who is logged in; empty for nobody.
    """
    many = f"{hub_render.WORDS[kind]}s"
    try:
        if words.strip() or name:
            must_be_there()
        if words.strip():
            return hub_render.there(listing.search(words.strip(), kind), f"No {many} have that in their name.")
        if not name:
            return hub_render.there((), f"Log in to see your own {many}, or look for those of others.")
        return hub_render.there(listing.mine(kind), f"{name} has no {many} there yet.")
    except RepairError as error:
        return render.problem(spoken(error))
