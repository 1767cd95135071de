"""The tabs put together, and the server that shows them to this machine alone."""

from __future__ import annotations

import os

import gradio as gr
from starlette.middleware import Middleware

from repairai.errors import RepairError
from repairai.ui import guides_tab, hardware_tab, inspect_tab, offer, records_tab, runs_tab, train_tab
from repairai.ui.host_check import LOCAL, TUNNEL, HostCheck
from repairai.ui.hub import hub_tab
from repairai.ui.inspect_tab import GUEST, OWNER
from repairai.ui.look import look
from repairai.ui.watched import Watched
from repairai.ui.workbench import Workbench

TITLE = "RepairAI: is this step done?"
GUEST_TABS = {"inspect", "guides", "records"}
"""All that a page which is reachable from outside has: nothing that trains, plans, pushes or holds a token."""

_WITHOUT_TUNNEL = "check the network, or start it without --share"


def build(bench: Workbench | None = None, shared: bool = False) -> gr.Blocks:
    """Return the page, not yet served.

    Args:
        bench: What its tabs share; None makes one.
        shared: It will be reachable from outside: then it has the tabs of `GUEST_TABS` alone, and opens no other
            models, since whoever has its address could use this machine and its tokens.
    """
    own = bench or Workbench()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400), fill_width=False) as page:
        gr.HTML('<header class="top"><h1>RepairAI</h1><p>Is this step done? A guide, a photo, a verdict.</p></header>')
        offered = None if shared else offer.lay()
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Inspect", id="inspect") as inspect:
                inspect_tab.build(own, GUEST if shared else OWNER)
            with gr.Tab("Guides", id="guides") as guides:
                guides_tab.build(own, shared)
            others = [inspect, guides]
            if offered:
                with gr.Tab("Train", id="train") as train:
                    connect = train_tab.build(own, train)
                with gr.Tab("Runs", id="runs") as runs:
                    watched = Watched()
                    places = runs_tab.build(watched, runs)
                    connect(watched, places, tabs)
                others.append(train)
            with gr.Tab("Records", id="records") as records:
                records_tab.build(own, records)
            if offered:
                with gr.Tab("Hub", id="hub") as hub:
                    hub_tab.build(own, hub)
                with gr.Tab("Hardware", id="hardware") as hardware:
                    hardware_tab.build(hardware)
                runs_tab.leaves(places, [*others, records, hub, hardware])
                offer.wire(page, offered, watched, places, tabs)
    return page.queue(max_size=32, default_concurrency_limit=4)


def serve(
    page: gr.Blocks, port: int, auth: tuple[str, str] | None = None, share: bool = False, block: bool = True
) -> None:
    """Serve the page on 127.0.0.1.

    Args:
        page: From `build`.
        port: 1 to 65535.
        auth: Name and password that the page asks for; None asks for nothing.
        share: Also reachable from outside through Gradio's tunnel; needs `auth`, and a page that was built as `shared`.
        block: Stay until stopped.

    Raises:
        ValueError: `share` without `auth`, or with a page that was not built for it.
        RepairError: `share`, and Gradio's tunnel cannot be had.
    """
    if share and not auth:
        raise ValueError("need auth where share is set, got none: the page would be open to anyone")
    tabs = {each.id for each in page.blocks.values() if isinstance(each, gr.Tab)}
    if share and not tabs <= GUEST_TABS:
        raise ValueError(f"need a page built with shared=True where share is set, got one with {tabs - GUEST_TABS}")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    *_, outside = page.launch(
        server_name="127.0.0.1",
        server_port=port,
        auth=auth,
        share=share,
        prevent_thread_lock=True,
        quiet=True,
        app_kwargs={"middleware": [Middleware(HostCheck, names=(*LOCAL, TUNNEL) if share else LOCAL)]},
        **look(),
    )
    if share and not outside:
        page.close(verbose=False)
        raise RepairError("Gradio's tunnel cannot be had, so that nobody outside reaches the page", _WITHOUT_TUNNEL)
    if block:
        page.block_thread()
