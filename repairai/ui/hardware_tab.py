"""The Hardware tab: what this machine has, live; what can be trained on a card and how; a recipe at a click."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import home
from repairai.hardware.card import card_for, card_of, fit_on
from repairai.hardware.memory import estimate
from repairai.hardware.models import built_in, kind_of
from repairai.hardware.past import correction, past_runs
from repairai.hardware.plan import TrainingPlan, plan
from repairai.hardware.probe import probe
from repairai.hardware.recipe import Task, saved
from repairai.hardware.ways import DEFAULT, TASK_OF, brief, short
from repairai.hardware.workers import warm
from repairai.ui import hardware_render
from repairai.ui.workbench import live, told

TASKS: list[tuple[str, Task]] = [
    ("SOP agent: answers from guides", "sop"),
    ("Detector: finds parts in photos", "detector"),
    ("Judge: answers questions of state", "judge"),
]
LENGTHS = (256, 512, 1024, 2048, 4096)
LIVE_SECONDS = 3
SIZE_GIB = 8
"""Of the card that is planned for where this machine has none."""


def build(tab: gr.Tab) -> None:
    """Lay out the tab and wire it; nothing of it is asked before it is opened."""
    gr.HTML("<h2>This machine</h2>")
    seen = gr.HTML(elem_id="machine")
    clock = gr.Timer(LIVE_SECONDS, active=False)
    gr.HTML("<h2>What can be trained</h2>")
    with gr.Row(equal_height=True):
        task = gr.Radio(TASKS, value="sop", label="For", elem_id="plan-task", elem_classes="list")
        with gr.Column(min_width=300):
            model = gr.Dropdown(
                models("sop"),
                value=DEFAULT["sop"],
                label="Model: a name on the Hub, or a folder",
                allow_custom_value=True,
                elem_id="plan-model",
            )
            size = gr.Number(label="Card's memory in GiB; empty is this machine", minimum=0, elem_id="plan-size")
        with gr.Column(min_width=240):
            length = gr.Dropdown(
                [str(n) for n in LENGTHS], value="1024", label="Longest example, in tokens", elem_id="plan-length"
            )
            examples = gr.Number(1000, label="Examples in the data", minimum=1, precision=0, elem_id="plan-examples")
    ask = gr.Button("What fits?", variant="primary", elem_id="plan")
    found = live("ways", hardware_render.NOTHING_YET, min_height=60)
    state: Any = gr.State(None)
    with gr.Row(visible=False) as keep:
        way = gr.Dropdown([], label="Way", elem_id="plan-way", min_width=280)
        save = gr.Button("Make it a recipe", elem_id="make-recipe", min_width=200)
    recipe = gr.HTML(elem_id="recipe")
    gr.HTML("<h2>Rules of thumb, and what is so</h2>")
    table = gr.HTML(elem_id="rules")
    gr.HTML("<h2>How good the planner has been here</h2>")
    past = gr.HTML(elem_id="past-runs")
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}

    tab.select(told(opened), size, [seen, clock, size, past], **quiet).then(told(rules), size, table, **quiet)
    clock.tick(told(lambda: hardware_render.machine(probe())), None, seen, concurrency_limit=None, **quiet)
    task.change(lambda chosen: gr.Dropdown(models(chosen), value=DEFAULT[chosen]), task, model, **quiet)
    ask.click(told(work_out), [task, model, size, length, examples], [found, state, keep, way, recipe], **private)
    size.change(told(rules), size, table, trigger_mode="always_last", **quiet)
    save.click(told(make), [state, way], recipe, **quiet)


def models(task: Task) -> list[str]:
    """Return the built-in models for a task."""
    kinds = {name: kind_of(config) for name, config in built_in().items()}
    return [name for name, kind in kinds.items() if TASK_OF[kind] == task and kind != "segmenter"]


def opened(size: float | None) -> tuple[str, Any, Any, str]:
    """Return what the tab shows when it is opened; and let those who work plans out get ready."""
    warm()
    profile = probe()
    usual = size or (SIZE_GIB if card_for(None, profile).device == "cpu" else None)
    runs = past_runs()
    device = runs[-1].device if runs else ""
    return (
        hardware_render.machine(profile),
        gr.Timer(active=True),
        usual,
        hardware_render.past(runs, correction(device)),
    )


def work_out(
    task: Task, model: str, size: float | None, length: str, examples: float, progress: gr.Progress = gr.Progress()
) -> tuple[str, TrainingPlan, Any, Any, str]:
    """Return the ways for a task, as HTML and as they are, and the list of those that can become a recipe."""
    if not (isinstance(model, str) and model.strip()):
        raise RepairError("no model is named", f"choose one, such as {DEFAULT[task]}")
    if not str(length).isdecimal() or not 16 <= int(length) <= 2**20:
        raise RepairError(f"{length!r:.20} is no length of an example", "choose one from the list")
    if not (examples and 1 <= examples <= 10**8):
        raise RepairError(f"there cannot be {examples} examples", "write a number from 1 to 100 million")
    found = plan(
        task,
        model.strip(),
        card_for(size or None, probe()),
        length_tokens=int(length),
        examples=int(examples),
        told=lambda done, of: progress((done, of), desc="running the step on tensors without data"),
    )
    ways = [(f"{n}. {way.title}", n) for n, way in enumerate(found.ways, 1) if way.fit in ("fits", "tight")]
    chosen = gr.Dropdown(ways, value=ways[0][1] if ways else None)
    return hardware_render.plan(found), found, gr.Row(visible=bool(ways)), chosen, ""


def make(found: TrainingPlan | None, way: int | None) -> str:
    """Write a way as a recipe, and return where it is, and what it says, as HTML."""
    if found is None or not way:
        raise RepairError("nothing is planned yet", "press the button above first")
    recipe = found.recipe(int(way) - 1)
    step = recipe.step
    size = f"{step.image_px}px" if recipe.task == "detector" else f"{step.length_tokens}tokens"
    model = re.sub(r"[^\w.-]+", "-", short(step.model)).lower()
    name = f"{recipe.task}_{model}_{step.method}_{size}_{found.card.free_gib:.1f}gib.yaml"
    path = home() / "recipes" / name
    text = saved(path, recipe)
    return (
        f'<section class="report"><p>The recipe is in <code>{escape(str(path))}</code></p>'
        f"<details open><summary>What it says</summary><pre>{escape(text)}</pre></details></section>"
    )


def rules(size: float | None) -> str:
    """Return rules of thumb beside our figures for this machine's card, or one of this size."""
    chosen = card_for(size or None, probe())
    if chosen.device == "cpu":
        chosen = card_of(SIZE_GIB)
    rows = brief()
    estimates = estimate([row.work for row in rows])
    fits = [(row, each, fit_on(chosen, each.held_gib())) for row, each in zip(rows, estimates, strict=True)]
    return hardware_render.rules(fits, chosen.name)
