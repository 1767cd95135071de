"""The Runs tab: all runs, and of one of them how it stands, its curves, and all that can be done with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.runs.compare import compare
from repairai.runs.removal import delete_run
from repairai.ui import render, runs_render
from repairai.ui.run_actions import ACTIONS, LABELS, activate, doomed, evaluate, said_of
from repairai.ui.runs_places import IN_EXAM, Doubt, Gate, Places, lay_compare, lay_list, lay_run
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
            runs = lay_list()
        with gr.Column(min_width=320, scale=7):
            places, gate, doubt = lay_run(runs)
    others = lay_compare()
    _wire_look(watched, places, tab)
    _wire_links(watched, places, gate, doubt)
    _wire_actions(watched, places, gate)
    _wire_delete(watched, places, doubt)
    _wire_compare(watched, *others)
    return places


def leaves(places: Places, tabs: Sequence[gr.Tab]) -> None:
    """Stop looking while one of the other tabs is open."""
    for tab in tabs:
        tab.select(lambda: gr.Timer(active=False), None, places.clock, js=LEAVE, **POLL)


# ---- looking


def _wire_look(watched: Watched, places: Places, tab: gr.Tab) -> None:
    def opened(chosen: str, seen: dict[str, str]) -> list[Any]:
        chosen = chosen or first(watched)
        return [chosen, gr.Timer(active=True), *look(watched, chosen, seen)]

    now = [places.chosen, places.seen]
    tab.select(opened, now, [places.chosen, places.clock, *places.all], **POLL)
    places.clock.tick(lambda chosen, seen: look(watched, chosen, seen), now, places.all, **POLL)


def _wire_links(watched: Watched, places: Places, gate: Gate, doubt: Doubt) -> None:
    """Show the run whose link is pressed; what was said of the one before goes."""

    def choose(event: gr.EventData) -> list[Any]:
        gone = ["", "", gr.Button(visible=False), gr.Column(visible=False)]
        return [str(event.run), *gone, *look(watched, str(event.run), {})]

    shown = [places.chosen, places.answer, gate.decision, gate.anyway, doubt.row, *places.all]
    for place in (places.parts["runs"], places.parts["head"], places.answer):
        place.click(choose, None, shown, **POLL)


def look(watched: Watched, chosen: str, seen: dict[str, str]) -> list[Any]:
    """Return what has changed since the last look, for `Places.all`; the rest is left as it is on the page.

    Args:
        watched: What was read before.
        chosen: Id of the run that is shown.
        seen: What the browser tab shows already, by part.
    """
    shown = view(watched, chosen)
    marks = {name: hashlib.blake2b(text.encode(), digest_size=8).hexdigest() for name, text in shown.items()}
    new = {name for name in PARTS if marks[name] != seen.get(name)}
    parts = [shown[name] if name in new else gr.skip() for name in PARTS if name != "buttons"]
    return [*parts, *_buttons(shown["buttons"].split(), "buttons" in new), marks if new else gr.skip()]


def _buttons(names: list[str], changed: bool) -> list[Any]:
    if not changed:
        return [gr.skip()] * (len(LABELS) + 1)
    updates = [
        gr.Button(visible=name in names, variant=_variant(name, names[:1]))
        for name in (*(each for each in LABELS if each not in IN_EXAM), *IN_EXAM)
    ]
    return [*updates, gr.Column(visible="evaluate" in names)]


def _variant(name: str, likeliest: list[str]) -> Any:
    if name in ("kill", "delete"):
        return "stop"
    return "primary" if name in likeliest and name != "stop" else "secondary"


# ---- doing


def _wire_actions(watched: Watched, places: Places, gate: Gate) -> None:
    now = [places.chosen, places.seen]
    done = [places.answer, *places.all]
    for name, action in ACTIONS.items():
        places.buttons[name].click(_doing(watched, action), now, done, **QUIET)

    def evaluated(chosen: str, seen: dict[str, str], limit: float | None) -> list[Any]:
        return _after(watched, chosen, seen, lambda: evaluate(chosen, int(limit) if limit else None))

    def made_active(chosen: str, seen: dict[str, str], force: bool) -> list[Any]:
        try:
            is_active, said = activate(chosen, force)
        except RepairError as error:
            is_active, said = True, render.problem(str(error))
        return [said, gr.Button(visible=not is_active), *look(watched, chosen, seen)]

    judged = [gate.decision, gate.anyway, *places.all]
    places.buttons["evaluate"].click(evaluated, [*now, gate.limit], done, **QUIET)
    places.buttons["activate"].click(lambda chosen, seen: made_active(chosen, seen, False), now, judged, **QUIET)
    gate.anyway.click(lambda chosen, seen: made_active(chosen, seen, True), now, judged, **QUIET)


def _doing(watched: Watched, action: Callable[[str], str]) -> Callable[[str, dict[str, str]], list[Any]]:
    def do(chosen: str, seen: dict[str, str]) -> list[Any]:
        return _after(watched, chosen, seen, lambda: said_of(action(chosen)))

    return do


def _after(watched: Watched, chosen: str, seen: dict[str, str], act: Callable[[], str]) -> list[Any]:
    """Return what came of an action, as HTML, and what has changed by it."""
    try:
        said = act()
    except RepairError as error:
        said = render.problem(str(error))
    return [said, *look(watched, chosen, seen)]


def _wire_delete(watched: Watched, places: Places, doubt: Doubt) -> None:
    def ask(chosen: str) -> tuple[Any, str]:
        return gr.Column(visible=True), doomed(chosen)

    def delete_it(chosen: str, seen: dict[str, str]) -> list[Any]:
        try:
            delete_run(chosen)
        except RepairError as error:
            return [gr.Column(visible=False), chosen, render.problem(str(error)), *look(watched, chosen, seen)]
        return [gr.Column(visible=False), "", said_of(f"{chosen} is deleted."), *look(watched, "", seen)]

    now = [places.chosen, places.seen]
    places.buttons["delete"].click(told(ask), places.chosen, [doubt.row, doubt.lost], **QUIET)
    doubt.keep.click(lambda: gr.Column(visible=False), None, doubt.row, **QUIET)
    doubt.delete.click(delete_it, now, [doubt.row, places.chosen, places.answer, *places.all], **QUIET)


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
