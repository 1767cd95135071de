"""The tabs put together, and the server that shows them to this machine alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from repairai.ui import guides_tab, hardware_tab, inspect_tab, offer, records_tab, runs_tab, train_tab
from repairai.ui.start_card import START
from repairai.ui.watched import Watched
from repairai.ui.workbench import Workbench
from repairai.vision.photo import MAX_BYTES

STYLE, FRAME = (Path(__file__).with_name(name) for name in ("style.css", "frame.css"))
HOSTS = ["127.0.0.1", "localhost"]
"""Names under which the page answers: a foreign page that rebinds its own name to this machine gets nothing."""
TITLE = "RepairAI: is this step done?"


def build(bench: Workbench | None = None, shared: bool = False) -> gr.Blocks:
    """Return the page, not yet served.

    Args:
        bench: What its tabs share; None makes one.
        shared: It will be reachable from outside: then nothing can be trained on it, since whoever has its address
            could use this machine.
    """
    own = bench or Workbench()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400), fill_width=False) as page:
        gr.HTML('<header class="top"><h1>RepairAI</h1><p>Is this step done? A guide, a photo, a verdict.</p></header>')
        offered = None if shared else offer.lay()
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Inspect", id="inspect") as inspect:
                inspect_tab.build(own, shared)
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
            with gr.Tab("Hardware", id="hardware") as hardware:
                hardware_tab.build(hardware)
            if offered:
                runs_tab.leaves(places, [*others, records, hardware])
                offer.wire(page, offered, watched, places, tabs)
    return page.queue(max_size=32, default_concurrency_limit=4)


def serve(
    page: gr.Blocks, port: int, auth: tuple[str, str] | None = None, share: bool = False, block: bool = True
) -> Any:
    """Serve the page on 127.0.0.1.

    Args:
        page: From `build`.
        port: 1 to 65535.
        auth: Name and password that the page asks for; None asks for nothing.
        share: Also reachable from outside through Gradio's tunnel; needs `auth`, and a page that was built as `shared`.
        block: Stay until stopped.

    Raises:
        ValueError: `share` without `auth`, or with a page on which can be trained.
    """
    if share and not auth:
        raise ValueError("need auth where share is set, got none: the page would be open to anyone")
    if share and any(getattr(each, "elem_id", None) == START for each in page.blocks.values()):
        raise ValueError("need a page built with shared=True where share is set, got one that can start trainings")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    hosts = [*HOSTS, "*.gradio.live"] if share else HOSTS
    return page.launch(
        server_name="127.0.0.1",
        server_port=port,
        auth=auth,
        share=share,
        prevent_thread_lock=not block,
        quiet=True,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        max_file_size=MAX_BYTES,
        strict_cors=True,
        footer_links=[],
        theme=_theme(),
        css_paths=[STYLE],
        head=f"<style>{FRAME.read_text()}</style>",
        app_kwargs={"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]},
    )


def _theme() -> gr.themes.Base:
    fonts: Any = ["system-ui", "sans-serif"]
    mono: Any = ["ui-monospace", "monospace"]
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_lg,
        font=fonts,
        font_mono=mono,
    ).set(
        body_background_fill="*neutral_50",
        block_border_width="1px",
        color_accent="*primary_700",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_text_color="white",
    )
