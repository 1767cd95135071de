"""The first card of the Hub tab: who is logged in, a box for a token, and what is shown while the Hub is not there.

A token is typed, checked and handed to huggingface_hub's own store. Whatever comes of it the box is emptied, and the
token is in nothing that is sent back to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hub import account
from repairai.hub.client import reach
from repairai.ui import render
from repairai.ui.hub import hub_render
from repairai.ui.hub.spoken import spoken
from repairai.ui.run_actions import said_of
from repairai.ui.workbench import live

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
PRIVATE = gr.InputHTMLAttributes(autocomplete="off", spellcheck=False, autocorrect="off", autocapitalize="off")


@dataclass(frozen=True)
class AccountCard:
    """The components of the card.

    Args:
        who: Who is logged in, or that the Hub is not there.
        said: What came of logging in or out.
        row: The box and its button.
        token: The box.
        log_in: Checks and keeps what is in it.
        log_out: Takes the token away.
        again: Looks for the Hub once more.
        name: Of who is logged in; empty for nobody, and while the Hub is not there.
    """

    who: gr.HTML
    said: gr.HTML
    row: gr.Row
    token: gr.Textbox
    log_in: gr.Button
    log_out: gr.Button
    again: gr.Button
    name: gr.State

    @property
    def shown(self) -> list[Any]:
        """What `look` returns values for."""
        return [self.who, self.row, self.log_out, self.again, self.name]


def lay() -> AccountCard:
    """Lay out the card."""
    gr.HTML("<h2>The Hugging Face Hub</h2>")
    who = live("hub-who", css_template=hub_render.style())
    with gr.Row(visible=False, elem_classes="adder") as row:
        token = gr.Textbox(
            "", type="password", label="Access token", info=hub_render.WHERE_TOKENS, placeholder="hf_…", max_lines=1,
            elem_id="hub-token", min_width=260, scale=4, html_attributes=PRIVATE,
        )  # fmt: skip
        log_in = gr.Button("Log in", variant="primary", elem_id="hub-log-in", min_width=140, scale=1)
    with gr.Row(elem_classes="run-buttons"):
        log_out = gr.Button("Log out", visible=False, elem_id="hub-log-out", min_width=140)
        again = gr.Button("Look again", visible=False, elem_id="hub-again", min_width=140)
    return AccountCard(who, live("hub-said"), row, token, log_in, log_out, again, gr.State(""))


def wire(card: AccountCard, others: list[Any], own: list[Any]) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        others: Columns that are shown only while the Hub is there.
        own: Columns that are shown only while somebody is logged in, too.
    """
    out = [card.token, card.said, *card.shown, *others, *own]

    def now(fresh: bool = False) -> list[Any]:
        return look(len(others), len(own), fresh)

    def log_in(token: str | None) -> list[Any]:
        try:
            found = account.log_in(token or "")
        except RepairError as error:
            return ["", render.problem(spoken(error)), *[gr.skip()] * (len(out) - 2)]
        said = said_of(f"You are logged in as {found.name}. The token is kept where huggingface_hub keeps its own.")
        return ["", said, *now()]

    def log_out() -> list[Any]:
        try:
            account.log_out()
        except RepairError as error:
            return ["", render.problem(spoken(error)), *now()]
        return ["", said_of("You are logged out; the token is gone from this machine."), *now()]

    for event in (card.log_in.click, card.token.submit):
        event(log_in, card.token, out, **QUIET)
    card.log_out.click(log_out, None, out, **QUIET)
    card.again.click(lambda: ["", "", *now(fresh=True)], None, out, **QUIET)


def look(n_others: int, n_own: int, fresh: bool = False) -> list[Any]:
    """Return what the card shows now, for `AccountCard.shown` and the columns beside it.

    Args:
        n_others: How many there are that need the Hub alone.
        n_own: How many there are for those who are logged in.
        fresh: Look for the Hub now, whatever was found out a moment ago.
    """
    found = reach(fresh)
    if not found.online:
        gone = [gr.Row(visible=False), gr.Button(visible=False), gr.Button(visible=True), ""]
        return [hub_render.offline(found.said), *gone, *[gr.Column(visible=False)] * (n_others + n_own)]
    shown = [gr.Column(visible=True)] * n_others
    try:
        owner = account.who()
    except RepairError as error:
        problem = [gr.Row(visible=True), gr.Button(visible=True), gr.Button(visible=True), ""]
        return [render.problem(spoken(error)), *problem, *shown, *[gr.Column(visible=False)] * n_own]
    stored = owner is not None and owner.token_from == "stored"
    asks = owner is None or (stored and not owner.can_write)
    name = owner.name if owner else ""
    rest = [gr.Row(visible=asks), gr.Button(visible=stored), gr.Button(visible=False), name]
    return [hub_render.who(owner), *rest, *shown, *[gr.Column(visible=owner is not None)] * n_own]
