"""The Train tab's cards for a detector, below each other: photos, the recipe, its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from repairai.ui import start_card
from repairai.ui.photos import detector_recipe, look_card, photos_card, photos_work, propose_card, try_card
from repairai.ui.photos.scripted import Scripted
from repairai.ui.runs_places import Places
from repairai.ui.watched import Watched

PREFIX = "detector-"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


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

    is_open: Any = gr.State(False)
    """The tab within the tab stays chosen while others are looked at."""

    def opened(chosen: str | None, version: int) -> list[Any]:
        found = photos_work.kept_or_newest(chosen)
        fold = gr.skip() if found else gr.Accordion(open=True)
        going = gr.Timer(active=work.progress() is not None)
        tests = gr.Timer(active=trial.progress() is not None)
        return [photos_work.dropdown(found), fold, going, tests, photos_work.newer(chosen, found, version)]

    def opened_again(chosen: str | None, version: int, is_open: bool) -> list[Any]:
        return opened(chosen, version) if is_open else [gr.skip()] * 5

    now, seen = [photos.chosen, photos.version], [photos.chosen, photos.fold, photos.clock, tried.clock, photos.version]
    eyes.select(lambda chosen, version: [True, *opened(chosen, version)], now, [is_open, *seen], **QUIET)
    for other in others:
        other.select(lambda: False, None, is_open, **QUIET)
    tab.select(opened_again, [*now, is_open], seen, **QUIET)
    return lambda watched, places, tabs: start_card.wire_start(start, recipe.sheet.text, watched, places, tabs)
