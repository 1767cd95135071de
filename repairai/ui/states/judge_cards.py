"""The Train tab's cards for a judge of states, below each other: its examples, the recipe, its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from repairai.named_sets import STATE_SETS
from repairai.ui import start_card
from repairai.ui.photos.scripted import Scripted
from repairai.ui.runs_places import Places
from repairai.ui.states import judge_recipe, states_card
from repairai.ui.states.state_sets import dropdown
from repairai.ui.watched import Watched
from repairai.ui.workbench import wire_opening

PREFIX = "judge-"


def build(tab: gr.Tab, others: Sequence[gr.Tab], own: gr.Tab) -> Callable[[Watched, Places, gr.Tabs], None]:
    """Lay out the cards and wire them; return what connects their start with the Runs tab.

    Args:
        tab: The Train tab.
        others: In it, those beside.
        own: In it, the one in which these cards stand.
    """
    work = Scripted()
    states = states_card.lay()
    recipe = judge_recipe.lay()
    start = start_card.lay(PREFIX)
    states_card.wire(states, work)
    loads = judge_recipe.wire(recipe, states.chosen)
    start_card.wire(start, recipe.sheet.text, states.chosen, loads)

    def opened(chosen: str | None, version: int) -> list[Any]:
        found = STATE_SETS.kept_or_newest(chosen)
        fold = gr.skip() if found else gr.Accordion(open=True)
        return [dropdown(found), fold, gr.Timer(active=work.progress() is not None), version + 1]

    now, seen = [states.chosen, states.version], [states.chosen, states.fold, states.clock, states.version]
    wire_opening(tab, own, others, opened, now, seen)
    return lambda watched, places, tabs: start_card.wire_start(start, recipe.sheet.text, watched, places, tabs)
