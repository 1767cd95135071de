"""The fourth card of the Hub tab: what goes there, looked at first, and the pushes that are under way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hub import push, pushes
from repairai.ui import render
from repairai.ui.hub import hub_render, push_render, pushing
from repairai.ui.hub.goods import goods, name_of, needs_base, parcel
from repairai.ui.hub.spoken import must_be_there, spoken
from repairai.ui.run_actions import said_of
from repairai.ui.workbench import live

POLL_SECONDS = 1
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}
PRESS = """
element.addEventListener("click", event => {
  const pressed = event.target.closest("[data-do]");
  if (pressed) trigger("click", {what: pressed.dataset.do, push: pressed.dataset.push});
});
"""
"""A press on a button of a push becomes an event that names both."""


@dataclass(frozen=True)
class PushCard:
    """The components of the card.

    Args:
        column: All of what needs the Hub.
        good: What goes.
        repo: Where to.
        base: Of an adapter, on the Hub, where that is not known.
        public: Everybody may see it.
        look: Shows what goes.
        shown: It.
        send: Pushes it.
        said: What became of that.
        pushes: Those that were made.
        clock: Ticks while one is under way.
    """

    column: gr.Column
    good: gr.Dropdown
    repo: gr.Textbox
    base: gr.Textbox
    public: gr.Checkbox
    look: gr.Button
    shown: gr.HTML
    send: gr.Button
    said: gr.HTML
    pushes: gr.HTML
    clock: gr.Timer

    @property
    def given(self) -> list[Any]:
        """What is asked for."""
        return [self.good, self.repo, self.base, self.public]


def lay() -> PushCard:
    """Lay out the card."""
    with gr.Column(visible=False) as column:
        gr.HTML("<h2>Push something of yours</h2>")
        with gr.Row(equal_height=False):
            good = gr.Dropdown([], label="What goes", elem_id="push-good", min_width=280)
            repo = gr.Textbox(
                "", label="Where to: OWNER/NAME", max_lines=1, elem_id="push-repo", min_width=240,
                placeholder="owner/name",
            )  # fmt: skip
        base = gr.Textbox(
            "", label="What is its base called on the Hub?", placeholder="HuggingFaceTB/SmolLM2-135M-Instruct",
            info="This adapter stands on a folder of this machine, which nobody else has.", visible=False, max_lines=1,
            elem_id="push-base",
        )  # fmt: skip
        public = gr.Checkbox(False, label="Everybody may see it; else only you", elem_id="push-public")
        look = gr.Button("Show what goes", elem_id="push-look")
        shown = live("push-shown", css_template=hub_render.style())
        send = gr.Button("Push it", variant="primary", visible=False, elem_id="push-send")
    said = live("push-said")
    pushes = gr.HTML(elem_id="pushes", css_template=hub_render.style(), js_on_load=PRESS)
    return PushCard(
        column, good, repo, base, public, look, shown, send, said, pushes, gr.Timer(POLL_SECONDS, active=False)
    )


def wire(card: PushCard, name: gr.State) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        name: Of who is logged in.
    """
    card.good.focus(lambda good: gr.Dropdown(goods(), value=good), card.good, card.good, **QUIET)
    card.good.change(_asked, [card.good, card.repo, name], [card.repo, card.base, card.shown, card.send], **QUIET)
    name.change(_own_name, [card.good, card.repo, name], card.repo, **QUIET)
    for each in (card.repo, card.base, card.public):
        each.input(lambda: ["", gr.Button(visible=False)], None, [card.shown, card.send], **QUIET)
    looked = [card.shown, card.send, card.said]
    for event in (card.look.click, card.repo.submit, card.base.submit):
        event(look, card.given, looked, show_progress_on=card.shown, api_visibility="private")
    out = [card.said, card.shown, card.send, card.pushes, card.clock]
    card.send.click(send, card.given, out, show_progress_on=card.said, api_visibility="private")
    card.clock.tick(_tick, None, [card.said, card.pushes, card.clock], **POLL)
    card.pushes.click(act, None, [card.said, card.pushes, card.clock], **QUIET)


def opened(good: str | None) -> list[Any]:
    """Return the list of what can go, and the pushes, as they are now: for `good`, `pushes` and `clock`."""
    found = goods()
    known = [value for _, value in found]
    return [gr.Dropdown(found, value=good if good in known else next(iter(known), None)), *under_way()]


def _asked(good: str | None, repo: str, name: str) -> list[Any]:
    """Return where something usually goes and whether its base is asked for; what was looked at is gone."""
    if not good:
        return [gr.skip(), gr.Textbox(visible=False), "", gr.Button(visible=False)]
    owner = repo.partition("/")[0] if "/" in repo else name
    to = f"{owner}/{name_of(good)}" if owner else ""
    return [to, gr.Textbox(value="", visible=needs_base(good)), "", gr.Button(visible=False)]


def _own_name(good: str | None, repo: str, name: str) -> Any:
    """Return where something usually goes once it is known who pushes; what was typed stays."""
    return f"{name}/{name_of(good)}" if good and name and not repo.strip() else gr.skip()


def look(good: str | None, repo: str, base: str, public: bool) -> list[Any]:
    """Return what would go, as HTML, and whether it can: for `shown`, `send` and `said`."""
    try:
        goes = parcel(good or "", repo.strip(), base)
        must_be_there()
        plan = push.plan(goes, repo.strip(), private=not public)
    except RepairError as error:
        return [render.problem(spoken(error)), gr.Button(visible=False), ""]
    word = "Push it again" if plan.exists else "Push it"
    return [push_render.plan(plan), gr.Button(word, visible=not push_render.is_same(plan)), ""]


def send(good: str | None, repo: str, base: str, public: bool) -> list[Any]:
    """Begin a push; return what is shown of it."""
    try:
        goes = parcel(good or "", repo.strip(), base)
        must_be_there()
        push.plan(goes, repo.strip(), private=not public)  # it may have changed since it was looked at
        pushes.begin(goes, repo.strip(), private=not public)
    except RepairError as error:
        return [render.problem(spoken(error)), gr.skip(), gr.skip(), *under_way()]
    said = said_of("It is on its way, whatever becomes of this page.")
    return [said, "", gr.Button(visible=False), *under_way()]


def act(event: gr.EventData) -> list[Any]:
    """Do what a button of a push says."""
    try:
        said = said_of(pushing.act(str(event.what), str(event.push)))
    except RepairError as error:
        said = render.problem(spoken(error))
    return [said, *under_way()]


def _tick() -> list[Any]:
    """Return the pushes, and what was said of them only as long as one is under way: for `said` and `under_way`."""
    shown = under_way()
    return [gr.skip() if shown[1].active else "", *shown]


def under_way() -> list[Any]:
    """Return the pushes as HTML, and whether to look again in a moment."""
    found = pushes.pushes()
    return [push_render.pushes(found, time.time()), gr.Timer(active=any(each.at_work for each in found))]
