"""Where things stand in the Runs tab: its components, and how those that change by themselves behave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.runs.marks import MOST_NOTE
from repairai.ui.run_actions import LABELS
from repairai.ui.run_kinds import ESCAPE_PERCENT, LEAST_PERCENT, MOST_PERCENT
from repairai.ui.runs_view import PARTS
from repairai.ui.workbench import live

POLL_SECONDS = 2
MOST_COMPARED = 4
FOLDED = {
    "checkpoints": "Checkpoints", "events": "What happened", "log": "What it said", "command": "Command and recipe",
}  # fmt: skip
IN_ORDER = (
    ("Newest", "newest"), ("Loss", "loss"), ("Score", "score"), ("Name", "name"),
)  # fmt: skip
IN_EXAM = ("evaluate", "activate", "back")
"""Buttons that stand with the scores."""
CHOOSE = """
element.addEventListener("click", event => {
  const link = event.target.closest("a[data-run]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  trigger("click", {run: link.dataset.run});
});
// When a new run comes in above, the focus stays with its run, and not with its place.
let focused = "";
element.addEventListener("focusin", event => { focused = event.target.dataset.run || ""; });
element.addEventListener("focusout", () => { focused = ""; });
watch("value", () => {
  const now = document.activeElement;
  if (!focused || !element.contains(now) || now.dataset.run === focused) return;
  const own = [...element.querySelectorAll("a[data-run]")].find(each => each.dataset.run === focused);
  if (own) own.focus({preventScroll: true});
});
"""
"""A plain click on a run shows it here; with a key it opens in another tab, as any link."""
READ_OUT = "element.setAttribute('role', 'status');"
ADDRESS = """
const follow = () => {
  const shown = element.querySelector("[data-shown]");
  if (!shown || !element.offsetParent) return;
  const address = new URL(location.href);
  if (address.searchParams.get("run") === shown.dataset.shown) return;
  address.searchParams.set("run", shown.dataset.shown);
  history.replaceState(history.state, "", address);
};
watch("value", follow);
follow();
"""
"""The address names the run that is shown, so that a reload shows it again."""
STICK = """
let sticks = true;
element.addEventListener("scroll", event => {
  const log = event.target;
  sticks = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
}, true);
watch("value", () => {
  const log = element.querySelector("pre");
  if (log && sticks) log.scrollTop = log.scrollHeight;
});
"""
"""The log shows its end while nobody scrolls up in it."""


@dataclass(frozen=True)
class Places:
    """The components of the tab.

    Args:
        parts: A place for each of `PARTS` but the buttons.
        buttons: By name, see `LABELS`.
        exam: What is there for trained models alone.
        limit: In it, for an agent.
        escape: In it, for a detector or a judge.
        answer: What came of the last thing that was done.
        chosen: Id of the run that is shown in this browser tab.
        seen: What this browser tab shows already, by part.
        clock: Ticks while the tab is open.
        words: That a run in the list has to fit.
        order: Of the list.
    """

    parts: dict[str, Any]
    buttons: dict[str, gr.Button]
    exam: gr.Column
    limit: gr.Number
    escape: gr.Number
    answer: gr.HTML
    chosen: gr.State
    seen: gr.State
    clock: gr.Timer
    words: gr.Textbox
    order: gr.Dropdown

    @property
    def now(self) -> list[Any]:
        """Return what decides what a look shows."""
        return [self.chosen, self.seen, self.words, self.order]

    @property
    def all(self) -> list[Any]:
        """Return what a look may change."""
        return [*self.parts.values(), *self.buttons.values(), self.exam, self.limit, self.escape, self.seen]


@dataclass(frozen=True)
class Gate:
    """The components for what is done with a trained model.

    Args:
        limit: Questions of an evaluation.
        escape: For a detector or a judge, how many wrong steps of a hundred may pass.
        decision: What the gate said.
        anyway: Makes a model the active agent whatever its exam says.
    """

    limit: gr.Number
    escape: gr.Number
    decision: gr.HTML
    anyway: gr.Button


@dataclass(frozen=True)
class Noted:
    """The components for what a person notes on a run.

    Args:
        run: Id of the run whose marks they hold.
        star: Whether it has one.
        tags: Its tags, with spaces between them.
        note: In the person's words.
    """

    run: gr.State
    star: gr.Checkbox
    tags: gr.Textbox
    note: gr.Textbox


@dataclass(frozen=True)
class Doubt:
    """The components that ask whether a run is to be deleted: the whole, what would be lost, and the two answers."""

    row: gr.Column
    lost: gr.HTML
    delete: gr.Button
    keep: gr.Button


@dataclass(frozen=True)
class Listed:
    """The components of the list of runs."""

    runs: gr.HTML
    words: gr.Textbox
    order: gr.Dropdown


def lay_list() -> Listed:
    """Lay out the list of runs."""
    gr.HTML("<h2>Runs</h2>")
    with gr.Row(elem_classes="adder"):
        words = gr.Textbox(
            "", label="Find", placeholder="name or #tag", max_lines=1, elem_id="runs-words", min_width=150, scale=6
        )
        order = gr.Dropdown(
            list(IN_ORDER),
            value="newest",
            label="Order",
            filterable=False,
            elem_id="runs-order",
            min_width=140,
            scale=5,
        )
    return Listed(gr.HTML(elem_id="runs", js_on_load=CHOOSE), words, order)


def lay_run(listed: Listed) -> tuple[Places, Gate, Doubt, Noted]:
    """Lay out a run beside the list."""
    parts: dict[str, Any] = {"runs": listed.runs}
    parts["head"] = gr.HTML(elem_id="run", js_on_load=CHOOSE + ADDRESS)
    parts["said"] = live("run-why")
    with gr.Row(elem_classes="run-buttons"):
        buttons = {name: _button(name) for name in LABELS if name not in IN_EXAM}
    answer = gr.HTML(elem_id="run-answer", js_on_load=READ_OUT + CHOOSE)
    doubt = _lay_doubt()
    with gr.Column(visible=False, elem_classes="exam") as exam:
        gate = _lay_exam(parts, buttons)
    parts["figures"] = gr.HTML(elem_id="run-figures")
    parts["plots"] = gr.HTML(elem_id="plots")
    noted = _lay_noted()
    for name, title in FOLDED.items():
        with gr.Accordion(title, open=False, elem_id=f"fold-{name}", elem_classes="fold"):
            parts |= _lay_folded(name)
    places = Places(
        {name: parts[name] for name in PARTS if name != "buttons"}, buttons, exam, gate.limit, gate.escape, answer,
        gr.State(""), gr.State({}),
        gr.Timer(POLL_SECONDS, active=False), listed.words, listed.order,
    )  # fmt: skip
    return places, gate, doubt, noted


def _lay_noted() -> Noted:
    with gr.Accordion("Tags and note", open=False, elem_id="fold-noted", elem_classes="fold"):
        star = gr.Checkbox(False, label="★ One of the good ones", elem_id="run-star")
        tags = gr.Textbox(
            "", label="Tags, with spaces between them", placeholder="lamps shop-floor", max_lines=1, elem_id="run-tags"
        )
        note = gr.Textbox("", label="Note", max_lines=4, max_length=MOST_NOTE, elem_id="run-note")
    return Noted(gr.State(""), star, tags, note)


def _lay_doubt() -> Doubt:
    with gr.Column(visible=False, elem_classes="doubt") as row:
        lost = live("run-doomed")
        with gr.Row():
            delete = gr.Button("Delete it for good", variant="stop", elem_id="delete-sure", min_width=160)
            keep = gr.Button("Keep it", elem_id="delete-not", min_width=160)
    return Doubt(row, lost, delete, keep)


def _lay_exam(parts: dict[str, Any], buttons: dict[str, gr.Button]) -> Gate:
    """Lay out what is done with a trained model; its places and buttons go to those that there are."""
    gr.HTML("<h3>What it has learned</h3>")
    with gr.Row(elem_classes="adder"):
        limit = gr.Number(200, label="Questions; 0 is all", minimum=0, precision=0, elem_id="exam-limit", min_width=220)
        escape = gr.Number(
            ESCAPE_PERCENT, label="Wrong steps that may pass, in %", minimum=LEAST_PERCENT, maximum=MOST_PERCENT,
            visible=False, elem_id="exam-escape", min_width=220,
        )  # fmt: skip
        buttons |= {name: _button(name) for name in IN_EXAM[:2]}
    decision = live("gate")
    anyway = gr.Button("Make it active all the same", visible=False, elem_id="run-anyway")
    parts["scores"] = gr.HTML(elem_id="scores")
    with gr.Row(elem_classes="adder"):
        parts["answering"] = gr.HTML(elem_id="answering", scale=3)
        buttons |= {name: _button(name) for name in IN_EXAM[2:]}
    return Gate(limit, escape, decision, anyway)


def _lay_folded(name: str) -> dict[str, Any]:
    if name == "command":
        shown = {"label": "Started by", "language": "shell", "lines": 1, "wrap_lines": True, "elem_id": "run-command"}
        return {
            "command": gr.Code(interactive=False, show_line_numbers=False, buttons=["copy"], **shown),
            "recipe": gr.Code(
                interactive=False, label="Recipe", language="yaml", lines=1, max_lines=24, elem_id="run-recipe"
            ),
        }
    return {name: gr.HTML(elem_id=f"run-{name}", **({"js_on_load": STICK} if name == "log" else {}))}


def _button(name: str) -> gr.Button:
    return gr.Button(
        LABELS[name], visible=False, elem_id=f"run-{name}", min_width=220 if name in IN_EXAM else 160,
        variant="stop" if name in ("kill", "delete") else "secondary",
    )  # fmt: skip


def lay_compare() -> tuple[gr.Dropdown, gr.Button, gr.HTML]:
    """Lay out the runs that are held beside each other: which ones, the button, the place."""
    gr.HTML("<h2>Runs beside each other</h2>")
    with gr.Row(elem_classes="adder"):
        ids = gr.Dropdown(
            [], label=f"Two to {MOST_COMPARED} runs", multiselect=True, max_choices=MOST_COMPARED, scale=4,
            elem_id="compare-ids",
        )  # fmt: skip
        ask = gr.Button("Compare", elem_id="compare", min_width=140, scale=1)
    return ids, ask, gr.HTML(elem_id="compared")
