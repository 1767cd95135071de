"""The Inspect tab alone: the page of a Space, where anybody may come."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from repairai.errors import RepairError
from repairai.files import read_record
from repairai.hub.space_contents import FILE, Contents
from repairai.inspection import open_detector, open_reasoner
from repairai.judge import judges
from repairai.schema import Guide
from repairai.sop.library import Library
from repairai.ui import inspect_tab
from repairai.ui.host_check import HostCheck
from repairai.ui.inspect_tab import Allowed
from repairai.ui.look import look
from repairai.ui.photo_check import Said
from repairai.ui.workbench import Workbench, sample_photos
from repairai.vision import detectors

TITLE = "RepairAI: is this step done?"
KEPT_SECONDS = (600, 3000)
"""How often photos are looked for that are to go, and how old they are then: within the hour."""
Gpu = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Takes a GPU for as long as a function runs: `spaces.GPU`."""


def build(folder: Path, gpu: Gpu | None = None) -> gr.Blocks:
    """Return the page of a Space, its detector opened and its guides found, not yet served.

    Args:
        folder: The Space's own; where it has no `space.json`, the page inspects with what comes with RepairAI.
        gpu: Takes a GPU for one call; None where there is none, or always one.

    Raises:
        RepairError: What `space.json` names is not there or cannot be opened.
    """
    contents = read_record(folder / FILE, Contents) if (folder / FILE).is_file() else Contents()
    if contents.folder:
        detectors.use(detectors.Inspector(contents.detector, str((folder / contents.folder).resolve())))
    open_detector()
    if contents.judge_folder:
        place = str((folder / contents.judge_folder).resolve())
        judges.use(judges.Judge(contents.judge, "local", place, contents.judge_base))
        open_reasoner(contents.judge)
    library = Library()
    report = library.add(read_record(folder / each, Guide) for each in contents.guides)
    if report.problems:
        raise RepairError(report.problems[0].what, report.problems[0].next_step)
    bench = Workbench(library)
    bench.search.open()
    allowed = Allowed(
        chooses=False,
        keeps=False,
        samples=not contents.folder and _has_samples(library),
        wraps=_wraps(gpu, contents.on_gpu),
    )
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=KEPT_SECONDS, fill_width=False) as page:
        gr.HTML('<header class="top"><h1>RepairAI</h1><p>Is this step done? A guide, a photo, a verdict.</p></header>')
        # In a tab, as in the whole app: the style reaches what is in one.
        with gr.Tabs(elem_id="tabs"), gr.Tab("Inspect", id="inspect"):
            inspect_tab.build(bench, allowed)
    return page.queue(max_size=32, default_concurrency_limit=4)


def serve(page: gr.Blocks) -> None:
    """Serve the page until stopped, where Gradio's own settings in the environment say; else to this machine alone."""
    on_hub = bool(os.environ.get("SPACE_ID"))
    # On the Hub it stands behind the Hub's own names, and behind those that an owner brings; nothing on it is private.
    checks = [] if on_hub else [Middleware(HostCheck)]
    page.launch(share=False, app_kwargs={"middleware": checks}, **look())


def _has_samples(library: Library) -> bool:
    there = {each.id for each in library.summaries()}
    return {each.guide for each in sample_photos()} <= there


def _wraps(gpu: Gpu | None, needed: bool) -> Callable[[Callable[..., Said]], Callable[..., Said]]:
    """Return what stands round an inspection."""
    if gpu is None:
        return lambda judged: judged
    if needed:
        return gpu

    def beside(judged: Callable[..., Said]) -> Callable[..., Said]:
        # ZeroGPU starts no app that never asks for one. The detector needs none, so no visitor's time goes for it.
        gpu(_nothing)
        return judged

    return beside


def _nothing() -> None:
    """Stand for what would need a GPU."""
