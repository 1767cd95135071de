"""The Hub tab: who is logged in, what is there, what is fetched and pushed, and a Space that inspects.

While the Hub is not there the tab says so, and keeps showing the pushes that wait for it; everything else of the page
works without it.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from repairai.ui.hub import account_card, fetched_card, pull_card, push_card, space_card, there_card
from repairai.ui.hub.pulling import Pulling
from repairai.ui.workbench import Workbench

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def build(bench: Workbench, tab: gr.Tab) -> None:
    """Lay out the tab and wire it; the Hub is asked for nothing before it is opened."""
    pulling = Pulling()
    account = account_card.lay()
    there = there_card.lay()
    pull = pull_card.lay()
    fetched = fetched_card.lay()
    push = push_card.lay()
    space = space_card.lay()
    anybodys: list[Any] = [there.column, pull.column]
    own: list[Any] = [push.column, space.column]
    account_card.wire(account, anybodys, own)
    there_card.wire(there, account.name)
    pull_card.wire(pull, pulling, there.found, fetched.shown, bench)
    fetched_card.wire(fetched, pulling, pull.progress, pull.use)
    push_card.wire(push, account.name)
    space_card.wire(space, bench, account.name)

    def seen() -> list[Any]:
        return account_card.look(len(anybodys), len(own))

    def opened(good: str | None) -> list[Any]:
        return [*push_card.opened(good), *pull_card.now(pulling)[:-1], fetched_card.listed()]

    going = [pull.progress, pull.clock, pull.cancel, pull.use, pull.fetch, pull.shown, fetched.shown]
    # What lies on this machine is there at once, whatever becomes of the Hub.
    tab.select(opened, push.good, [push.good, push.pushes, *going], **QUIET)
    tab.select(seen, None, [*account.shown, *anybodys, *own], show_progress_on=account.who, api_visibility="private")
