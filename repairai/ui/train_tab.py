"""The Train tab: for each kind of model what it learns from, which one and how, and its start, as cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from repairai.hardware.workers import warm
from repairai.ui import data_card, recipe_card, start_card
from repairai.ui.data_build import Builder, built
from repairai.ui.photos import detector_cards
from repairai.ui.recipe_text import ready_recipes
from repairai.ui.runs_places import Places
from repairai.ui.states import judge_cards
from repairai.ui.watched import Watched
from repairai.ui.workbench import Workbench

AGENT, EYES, JUDGE = "sop", "detector", "judge"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def build(bench: Workbench, tab: gr.Tab) -> Callable[[Watched, Places, gr.Tabs], None]:
    """Lay out the tab and wire it; return what connects its start with the Runs tab."""
    builder = Builder()
    with gr.Tabs(elem_id="train-kind", overflow_behavior="wrap"):
        with gr.Tab("An agent that answers", id=AGENT) as agent:
            data = data_card.lay()
            recipe = recipe_card.lay()
            start = start_card.lay()
        eyes, judge = gr.Tab("A detector for parts", id=EYES), gr.Tab("A judge of states", id=JUDGE)
        with eyes:
            connect_eyes = detector_cards.build(tab, [agent, judge], eyes)
        with judge:
            connect_judge = judge_cards.build(tab, [agent, eyes], judge)
    data_card.wire(bench, builder, data, recipe.sheet.text)
    loads = recipe_card.wire(recipe, data.chosen)
    start_card.wire(start, recipe.sheet.text, data.chosen, loads)

    def opened(chosen: str | None) -> list[Any]:
        warm()
        recipes = gr.Dropdown([(each.title, str(each.path)) for each in ready_recipes()])
        fold = gr.skip() if built() else gr.Accordion(open=True)
        return [data_card.listed(chosen), fold, recipes, gr.Timer(active=builder.progress() is not None)]

    tab.select(opened, data.chosen, [data.chosen, data.fold, recipe.ready, data.clock], **QUIET)

    def connect(watched: Watched, places: Places, tabs: gr.Tabs) -> None:
        start_card.wire_start(start, recipe.sheet.text, watched, places, tabs)
        connect_eyes(watched, places, tabs)
        connect_judge(watched, places, tabs)

    return connect
