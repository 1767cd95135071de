"""The fourth card of the Hub tab: what goes there, looked at first, and the pushes that are under way."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hub import push, push_folder, pushes
from repairai.hub.push_folder import AT_WORK
from repairai.hub.pushes import Push
from repairai.ui import render
from repairai.ui.hub import hub_render, push_render, pushing
from repairai.ui.hub.goods import goods, name_of, needs_base, parcel
from repairai.ui.hub.spoken import must_be_there, spoken
from repairai.ui.run_actions import said_of
from repairai.ui.workbench import live

POLL_SECONDS, WATCH_SECONDS = 1, 3
"""Between two looks at the pushes: while one is under way, and else."""
MOVED = "+"
"""Behind the mark of a list that is not in its usual order, since a hand was over it."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}
PRESS = """
element.addEventListener("click", event => {
  const pressed = event.target.closest("[data-do]");
  if (pressed) trigger("click", {what: pressed.dataset.do, push: pressed.dataset.push});
});
"""
"""A press on a button of a push becomes an event that names both."""
LOOKS = f"""
const rows = () => [...element.querySelectorAll("[data-push][data-state]")];
let looked = 0, pressed = 0;
element.addEventListener("pointerdown", () => {{ pressed = Date.now(); }});
const looks = setInterval(() => {{
  if (!element.isConnected) return clearInterval(looks);
  const tab = element.closest("[role=tabpanel]");
  if (document.hidden || (tab && !tab.getClientRects().length)) return;
  if (Date.now() - pressed < 1000 || element.querySelector(":focus-visible")) return;
  const busy = rows().some(each => {json.dumps(AT_WORK)}.includes(each.dataset.state));
  if (!busy && Date.now() - looked < {1000 * WATCH_SECONDS}) return;
  looked = Date.now();
  const over = matchMedia("(hover: hover)").matches && element.matches(":hover");
  const mark = element.querySelector("[data-mark]")?.dataset.mark ?? "";
  trigger("tick", {{busy, mark, held: over ? rows().map(each => each.dataset.push) : []}});
}}, {1000 * POLL_SECONDS});
"""
"""While they are on the screen the page looks for what has become of pushes, and for those that others have begun: not
while somebody presses, or is at a button with the keyboard; and it says which ones lie under a hand, to stay there."""


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
        pushes: Those that were made; it looks by itself for what becomes of them.
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
    pushes = gr.HTML(elem_id="pushes", css_template=hub_render.style(), js_on_load=PRESS + LOOKS)
    return PushCard(column, good, repo, base, public, look, shown, send, said, pushes)


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
    out = [card.said, card.shown, card.send, card.pushes]
    card.send.click(send, card.given, out, show_progress_on=card.said, api_visibility="private")
    card.pushes.tick(look_again, None, [card.said, card.pushes], trigger_mode="once", **POLL)
    card.pushes.click(act, None, [card.said, card.pushes], **QUIET)


def opened(good: str | None) -> list[Any]:
    """Return the list of what can go, and the pushes, as they are now: for `good` and `pushes`."""
    found = goods()
    known = [value for _, value in found]
    return [gr.Dropdown(found, value=good if good in known else next(iter(known), None)), under_way()]


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
        return [render.problem(spoken(error)), gr.skip(), gr.skip(), under_way()]
    said = said_of("It is on its way, whatever becomes of this page.")
    return [said, "", gr.Button(visible=False), under_way()]


def act(event: gr.EventData) -> list[Any]:
    """Do what a button of a push says."""
    try:
        said = said_of(pushing.act(str(event.what), str(event.push)))
    except RepairError as error:
        said = render.problem(spoken(error))
    return [said, under_way()]


def look_again(event: gr.EventData) -> list[Any]:
    """Return what has become of the pushes since the page looked last: for `said` and `pushes`.

    What was said of them goes as soon as none is under way any more.
    """
    busy, mark, held = bool(event.busy), str(event.mark), [str(each) for each in event.held]
    now = push_folder.mark()  # before they are read: what changes meanwhile is seen the next time
    if not busy and now == (mark.removesuffix(MOVED) if held else mark):
        return [gr.skip(), gr.skip()]
    found = pushes.pushes()
    over = busy and not any(each.at_work for each in found)
    return ["" if over else gr.skip(), _listed(found, now, held)]


def under_way() -> str:
    """Return the pushes as HTML, the newest first."""
    now = push_folder.mark()
    return _listed(pushes.pushes(), now)


def _listed(found: Sequence[Push], mark: str, held: Sequence[str] = ()) -> str:
    """Return pushes as HTML; those that lie under somebody's hand stay where they are, and others come below."""
    shown = sorted(found, key=lambda each: held.index(each.id) if each.id in held else len(held))
    return push_render.pushes(shown, time.time(), mark if [*found] == shown else mark + MOVED)
