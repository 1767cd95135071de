"""The third card of the Train tab: what a run will take, when it begins, and its start."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.commands.train import moment
from repairai.errors import RepairError
from repairai.runs.folder import RunFolder, slug_of
from repairai.runs.launch import start
from repairai.runs.sweep import sweep, tag_of
from repairai.ui import elsewhere, render, train_render
from repairai.ui.data_card import chosen_data
from repairai.ui.foreseen import foresee
from repairai.ui.recipe_text import kept, parsed
from repairai.ui.run_actions import said_of
from repairai.ui.runs_tab import look
from repairai.ui.watched import Watched
from repairai.ui.workbench import live
from repairai.ui.writers import make_room

NOW, QUEUE, AT = "now", "queue", "at"
WHEN = [("Now, or when it is its turn", NOW), ("At the end of the queue", QUEUE), ("At a time", AT)]
START = "start-run"
"""Name of the button on the page."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class StartCard:
    """The components of the card.

    Args:
        forecast: What the run will take.
        name: Of the run.
        when: It begins.
        hour: At which.
        tried: Several values of some settings, a run for each combination.
        elsewhere: Where it is trained, and where the model goes.
        command: The same for a terminal.
        path: Where the recipe is kept for it.
        start: Starts it.
        said: What is in the way.
    """

    forecast: gr.HTML
    name: gr.Textbox
    when: gr.Radio
    hour: gr.Textbox
    tried: gr.Textbox
    elsewhere: elsewhere.Elsewhere
    command: gr.Code
    path: gr.State
    start: gr.Button
    said: gr.HTML


def lay(prefix: str = "") -> StartCard:
    """Lay out the card.

    Args:
        prefix: Of its names on the page, where there is more than one such card.
    """
    gr.HTML('<h2><span class="no">3</span> Start</h2>')
    forecast = live(f"{prefix}forecast")
    with gr.Row(equal_height=False):
        name = gr.Textbox(
            "",
            label="Call the run",
            placeholder="as its model",
            max_lines=1,
            elem_id=f"{prefix}run-name",
            min_width=240,
        )
        when = gr.Radio(WHEN, value=NOW, label="It begins", elem_id=f"{prefix}run-when", min_width=300)
        hour = gr.Textbox(
            "",
            label="When: 22:00, or 2026-03-01T22:00",
            visible=False,
            max_lines=1,
            elem_id=f"{prefix}run-hour",
            min_width=200,
        )
    tried = gr.Textbox(
        "", label="Or try several values, a run for each combination", placeholder="learning_rate=1e-4,2e-4 rank=8,16",
        max_lines=1, elem_id=f"{prefix}run-try",
    )  # fmt: skip
    fold = elsewhere.lay(prefix)
    command = gr.Code(
        "", language="shell", label="The same in a terminal", interactive=False, lines=1, wrap_lines=True,
        show_line_numbers=False, buttons=["copy"], visible=False, elem_id=f"{prefix}train-command",
    )  # fmt: skip
    button = gr.Button("Start the training", variant="primary", size="lg", elem_id=f"{prefix}{START}")
    return StartCard(
        forecast, name, when, hour, tried, fold, command, gr.State(""), button, live(f"{prefix}start-said")
    )


def wire(card: StartCard, text: gr.Code, data: gr.Dropdown, loads: list[Any]) -> None:
    """Wire the card, but for its start.

    Args:
        card: See `lay`.
        text: Of the recipe.
        data: Folder of the data.
        loads: Events after which the recipe is another one.
    """
    settled: Any = gr.State("")
    """The recipe, once nobody is typing: what it takes is not worked out for each letter."""
    last: dict[str, Any] = {"trigger_mode": "always_last", **QUIET}
    for after in (*(load.then for load in loads), text.blur):
        after(lambda text: text, text, settled, **QUIET)
    settled.change(lambda text, folder: forecast(text, folder, True), [settled, data], card.forecast, **last)
    settled.change(forecast, [settled, data], card.forecast, **last)
    elsewhere.wire(card.elsewhere)
    hub = card.elsewhere
    inputs = [settled, card.name, card.when, card.hour, card.path, card.tried, *hub.given[:-1]]
    typed = (event for each in (card.name, card.hour, card.tried, hub.push) for event in (each.blur, each.submit))
    chosen = (each.change for each in (card.when, hub.where, hub.flavor, hub.hours))
    for event in (settled.change, *chosen, *typed):
        event(command, inputs, [card.command, card.path], **last)
    card.when.change(lambda when: gr.Textbox(visible=when == AT), card.when, card.hour, **QUIET)


def wire_start(card: StartCard, text: gr.Code, watched: Watched, places: Any, tabs: gr.Tabs) -> None:
    """Let the start lead to the Runs tab, with the new run shown.

    Args:
        card: See `lay`.
        text: Of the recipe.
        watched: What was read of the runs.
        places: Of the Runs tab.
        tabs: All tabs.
    """

    def go(text: str, name: str, when: str, hour: str, tried: str, chosen: str, *hub: Any) -> list[Any]:
        try:
            folder, said = begun(text, name, when, hour, tried, *hub)
        except RepairError as error:
            n_left = len(places.all) + 2
            return [render.problem(str(error)), gr.skip(), chosen, *[gr.skip()] * n_left]
        shown = look(watched, folder.id, {})
        return ["", said_of(said), folder.id, gr.Tabs(selected="runs"), gr.Timer(active=True), *shown]

    given = [text, card.name, card.when, card.hour, card.tried, places.chosen, *card.elsewhere.given]
    shown = [card.said, places.answer, places.chosen, tabs, places.clock, *places.all]
    card.start.click(go, given, shown, show_progress_on=card.said, api_visibility="private")


def begun(text: str, name: str, when: str, hour: str, tried: str, *hub: Any) -> tuple[RunFolder, str]:
    """Start a run, or queue those of a sweep; return the first, and what there is to say of it.

    Args:
        text: Of the recipe.
        name: Of the run.
        when: It begins.
        hour: At which.
        tried: Several values of some settings.
        *hub: What the fold "On the Hub" says, see `elsewhere.settled`; nothing: as the recipe says.

    Raises:
        RepairError: Something that it needs is not there, or is wrong.
    """
    recipe, name = parsed(text), name.strip() or usual_name(text)
    recipe = elsewhere.settled(recipe, *hub) if hub else recipe
    not_before = moment(hour.strip()) if when == AT else None
    if tried.strip():
        made = sweep(recipe, tried.split(), name, not_before)
        return made[0], f"{len(made)} runs are in the queue; find them with #{tag_of(name)}, and compare them below."
    folder = start(recipe, name, not_before, wait=when == QUEUE)
    return folder, "" if folder.queued.exists() else make_room()


def forecast(text: str, folder: str | None, at_once: bool = False) -> str:
    """Return what a recipe's run will take, as HTML; nothing where there is no recipe."""
    try:
        recipe = parsed(text)
        data = chosen_data(recipe.data or folder)
        return train_render.forecast(foresee(recipe, data.report if data else None, at_once))
    except RepairError:
        return ""


def command(text: str, name: str, when: str, hour: str, last: str, tried: str = "", *hub: Any) -> list[Any]:
    """Return what starts the same run in a terminal, and where the recipe is kept for it; nothing where it is none."""
    try:
        parsed(text)
        name = name.strip() or usual_name(text)
        path = kept(name, text, last)
    except RepairError:
        return [gr.Code(visible=False), last]
    words = ["python", "-m", "repairai", "train", str(path), "--name", slug_of(name)]
    words += [word for each in tried.split() for word in ("--try", each)]
    words += elsewhere.words(*hub) if hub else []
    words += {NOW: [], QUEUE: ["--queue"], AT: ["--at", hour.strip() or "22:00"]}[when]
    return [
        gr.Code(shlex.join([*words, *(["--detach"] if when == NOW and not tried.split() else [])]), visible=True),
        str(path),
    ]


def usual_name(text: str) -> str:
    """Return what a run is called where nobody says it: as its model and method.

    Raises:
        RepairError: It is no recipe.
    """
    step = parsed(text).step
    return f"{Path(step.model.rstrip('/')).name[:40]}-{step.method}"
