"""The Runs tab: all runs, and of one of them how it stands, its curves, and all that can be done with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.runs.compare import compare
from repairai.runs.listing import Order
from repairai.runs.removal import delete_run
from repairai.ui import render, run_kinds, runs_render
from repairai.ui.run_actions import ACTIONS, LABELS, activate, again, doomed, evaluate, note_on, noted_on, said_of
from repairai.ui.runs_places import IN_EXAM, Doubt, Gate, Noted, Places, lay_compare, lay_list, lay_run
from repairai.ui.runs_view import PARTS, first, view
from repairai.ui.watched import Watched
from repairai.ui.workbench import told

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}
LEAVE = """() => {
  if (!document.querySelector("#run [data-shown]")) return;
  const address = new URL(location.href);
  address.searchParams.delete("run");
  history.replaceState(history.state, "", address);
}"""
"""Its address no longer names a run where another tab is opened after this one."""


def build(watched: Watched, tab: gr.Tab) -> Places:
    """Lay out the tab and wire it; return what is needed to show a run from elsewhere."""
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(min_width=320, scale=3):
            listed = lay_list()
        with gr.Column(min_width=320, scale=7):
            places, gate, doubt, noted = lay_run(listed)
    others = lay_compare()
    _wire_look(watched, places, tab)
    _wire_links(watched, places, gate, doubt)
    _wire_actions(watched, places, gate)
    _wire_delete(watched, places, doubt)
    _wire_noted(watched, places, noted)
    _wire_compare(watched, *others)
    return places


def leaves(places: Places, tabs: Sequence[gr.Tab]) -> None:
    """Stop looking while one of the other tabs is open."""
    for tab in tabs:
        tab.select(lambda: gr.Timer(active=False), None, places.clock, js=LEAVE, **POLL)


# ---- looking


def _wire_look(watched: Watched, places: Places, tab: gr.Tab) -> None:
    def opened(chosen: str, *now: Any) -> list[Any]:
        chosen = chosen or first(watched)
        return [chosen, gr.Timer(active=True), *look(watched, chosen, *now)]

    def again(*now: Any) -> list[Any]:
        return look(watched, *now)

    tab.select(opened, places.now, [places.chosen, places.clock, *places.all], **POLL)
    places.clock.tick(again, places.now, places.all, **POLL)
    for event in (places.words.input, places.words.submit, places.order.input):
        event(again, places.now, places.all, trigger_mode="always_last", **POLL)


def _wire_links(watched: Watched, places: Places, gate: Gate, doubt: Doubt) -> None:
    """Show the run whose link is pressed; what was said of the one before goes."""

    def choose(words: str, order: Order, event: gr.EventData) -> list[Any]:
        gone = ["", "", gr.Button(visible=False), gr.Column(visible=False)]
        return [str(event.run), *gone, *look(watched, str(event.run), {}, words, order)]

    shown = [places.chosen, places.answer, gate.decision, gate.anyway, doubt.row, *places.all]
    for place in (places.parts["runs"], places.parts["head"], places.answer):
        place.click(choose, [places.words, places.order], shown, **POLL)


def look(
    watched: Watched, chosen: str, seen: dict[str, str], words: str = "", order: Order = "newest"
) -> list[Any]:  # fmt: skip
    """Return what has changed since the last look, for `Places.all`; the rest is left as it is on the page.

    Args:
        watched: What was read before.
        chosen: Id of the run that is shown.
        seen: What the browser tab shows already, by part.
        words: That the runs in the list have to fit.
        order: Of the list.
    """
    shown = view(watched, chosen, words, order)
    marks = {name: hashlib.blake2b(text.encode(), digest_size=8).hexdigest() for name, text in shown.items()}
    new = {name for name in PARTS if marks[name] != seen.get(name)}
    parts = [shown[name] if name in new else gr.skip() for name in PARTS if name != "buttons"]
    return [*parts, *_buttons(shown["buttons"].split(), "buttons" in new), marks if new else gr.skip()]


def _buttons(names: list[str], changed: bool) -> list[Any]:
    if not changed:
        return [gr.skip()] * (len(LABELS) + 3)
    kind = run_kinds.marked(names)
    said = {**LABELS, **kind.labels}
    updates = [
        gr.Button(said[name], visible=name in names, variant=_variant(name, names[:1]))
        for name in (*(each for each in LABELS if each not in IN_EXAM), *IN_EXAM)
    ]
    exam = gr.Column(visible="evaluate" in names)
    is_agent = kind is run_kinds.AGENT
    return [*updates, exam, gr.Number(visible=is_agent), gr.Number(visible=not is_agent)]


def _variant(name: str, likeliest: list[str]) -> Any:
    if name in ("kill", "delete"):
        return "stop"
    return "primary" if name in likeliest and name != "stop" else "secondary"


# ---- doing


def _wire_actions(watched: Watched, places: Places, gate: Gate) -> None:
    done = [places.answer, *places.all]
    for name, action in ACTIONS.items():
        places.buttons[name].click(_doing(watched, action), places.now, done, **QUIET)

    def evaluated(limit: float | None, percent: float | None, chosen: str, *now: Any) -> list[Any]:
        return _after(watched, lambda: evaluate(chosen, int(limit) if limit else None, percent), chosen, *now)

    def made_active(force: bool, chosen: str, *now: Any) -> list[Any]:
        try:
            is_active, said = activate(chosen, force)
        except RepairError as error:
            is_active, said = True, render.problem(str(error))
        return [said, gr.Button(visible=not is_active), *look(watched, chosen, *now)]

    def started_again(chosen: str, *now: Any) -> list[Any]:
        return _after(watched, lambda: again(chosen), chosen, *now)

    places.buttons["again"].click(started_again, places.now, done, **QUIET)
    judged = [gate.decision, gate.anyway, *places.all]
    places.buttons["evaluate"].click(evaluated, [gate.limit, gate.escape, *places.now], done, **QUIET)
    places.buttons["activate"].click(partial(made_active, False), places.now, judged, **QUIET)
    gate.anyway.click(partial(made_active, True), places.now, judged, **QUIET)


def _doing(watched: Watched, action: Callable[[str], str]) -> Callable[..., list[Any]]:
    def do(chosen: str, *now: Any) -> list[Any]:
        return _after(watched, lambda: said_of(action(chosen)), chosen, *now)

    return do


def _after(watched: Watched, act: Callable[[], str], chosen: str, *now: Any) -> list[Any]:
    """Return what came of an action, as HTML, and what has changed by it."""
    try:
        said = act()
    except RepairError as error:
        said = render.problem(str(error))
    return [said, *look(watched, chosen, *now)]


def _wire_delete(watched: Watched, places: Places, doubt: Doubt) -> None:
    def ask(chosen: str) -> list[Any]:
        try:
            return [gr.Column(visible=True), doomed(chosen), ""]
        except RepairError as error:
            return [gr.Column(visible=False), "", render.problem(str(error))]

    def delete_it(chosen: str, *now: Any) -> list[Any]:
        try:
            delete_run(chosen)
        except RepairError as error:
            return [gr.Column(visible=False), chosen, render.problem(str(error)), *look(watched, chosen, *now)]
        return [gr.Column(visible=False), "", said_of(f"{chosen} is deleted."), *look(watched, "", *now)]

    places.buttons["delete"].click(ask, places.chosen, [doubt.row, doubt.lost, places.answer], **QUIET)
    doubt.keep.click(lambda: gr.Column(visible=False), None, doubt.row, **QUIET)
    doubt.delete.click(delete_it, places.now, [doubt.row, places.chosen, places.answer, *places.all], **QUIET)


# ---- noting


def _wire_noted(watched: Watched, places: Places, noted: Noted) -> None:
    """Show the marks of the run that is chosen, and keep what the person writes there."""

    def shown(chosen: str) -> list[Any]:
        try:
            marks = noted_on(chosen)
        except RepairError:  # there is none, which is told where it would stand
            return ["", False, "", ""]
        return [chosen, marks.star, " ".join(marks.tags), marks.note]

    def keep(run: str, star: bool, tags: str, note: str, *now: Any) -> list[Any]:
        try:
            said = said_of(note_on(run, star, tags, note)) if run else gr.skip()
        except RepairError as error:
            said = render.problem(str(error))
        return [said, *look(watched, *now)]

    fields = [noted.run, noted.star, noted.tags, noted.note]
    places.chosen.change(shown, places.chosen, fields, **QUIET)
    for event in (noted.star.input, noted.tags.blur, noted.tags.submit, noted.note.blur, noted.note.submit):
        event(keep, [*fields, *places.now], [places.answer, *places.all], **QUIET)


# ---- beside each other


def _wire_compare(watched: Watched, ids: gr.Dropdown, ask: gr.Button, shown: gr.HTML) -> None:
    def known() -> Any:
        return gr.Dropdown([run.id for run in watched.runs() if run.kind == "train"])

    def beside(names: list[str] | None) -> str:
        try:
            return runs_render.compared(compare(names or []))
        except RepairError as error:
            return render.problem(str(error))

    ids.focus(told(known), None, ids, **QUIET)
    ask.click(beside, ids, shown, **QUIET)
