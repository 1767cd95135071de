"""The Train tab's cards for a detector, below each other: photos, the recipe, its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from repairai.named_sets import PHOTO_SETS
from repairai.ui import start_card
from repairai.ui.photos import detector_recipe, look_card, photos_card, photos_work, propose_card, try_card
from repairai.ui.photos.scripted import Scripted
from repairai.ui.runs_places import Places
from repairai.ui.watched import Watched
from repairai.ui.workbench import wire_opening

PREFIX = "detector-"


def build(tab: gr.Tab, others: Sequence[gr.Tab], eyes: gr.Tab) -> Callable[[Watched, Places, gr.Tabs], None]:
    """Lay out the cards and wire them; return what connects their start with the Runs tab.

    Args:
        tab: The Train tab.
        others: In it, those beside.
        eyes: In it, the one in which these cards stand.
    """
    work, trial = Scripted(), Scripted()
    photos = photos_card.lay()
    look = look_card.lay()
    propose = propose_card.lay()
    recipe = detector_recipe.lay()
    tried = try_card.lay()
    start = start_card.lay(PREFIX)
    photos_card.wire(photos, work, recipe.sheet.text)
    look_card.wire(look, photos)
    propose_card.wire(propose, photos, look.opened, work)
    loads = detector_recipe.wire(recipe, photos.chosen)
    try_card.wire(tried, recipe, photos.chosen, trial)
    start_card.wire(start, recipe.sheet.text, photos.chosen, loads)

    def opened(chosen: str | None, version: int) -> list[Any]:
        found = PHOTO_SETS.kept_or_newest(chosen)
        fold = gr.skip() if found else gr.Accordion(open=True)
        going = gr.Timer(active=work.progress() is not None)
        tests = gr.Timer(active=trial.progress() is not None)
        return [photos_work.dropdown(found), fold, going, tests, photos_work.newer(chosen, found, version)]

    now, seen = [photos.chosen, photos.version], [photos.chosen, photos.fold, photos.clock, tried.clock, photos.version]
    wire_opening(tab, eyes, others, opened, now, seen)
    return lambda watched, places, tabs: start_card.wire_start(start, recipe.sheet.text, watched, places, tabs)
