"""The Records tab: the kept inspections with their verdicts."""

from __future__ import annotations

import gradio as gr

from repairai.ui import render
from repairai.ui.workbench import Workbench

HEAD = ["No.", "When", "Verdict", "Photo", "Guide", "Step"]


def build(bench: Workbench, tab: gr.Tab) -> None:
    """Lay out the tab and wire it: it is read anew each time that it is opened."""
    gr.HTML("<h2>Kept inspections</h2>")
    table = gr.Dataframe(headers=HEAD, interactive=False, wrap=True, elem_id="records", max_height=420)
    shown = gr.HTML('<p class="fine">Choose a row to see its verdict.</p>', elem_id="record")

    def read(event: gr.SelectData) -> str:
        return render.verdict(bench.records.get(int(event.row_value[0])).inspection)

    tab.select(lambda: rows(bench), None, table, show_progress="hidden", api_visibility="private")
    table.select(read, None, shown, show_progress="hidden", api_visibility="private")


def rows(bench: Workbench) -> list[list[str]]:
    """Return the newest inspections as rows for the table."""
    return [
        [
            str(kept.id),
            kept.inspection.at.replace("T", " ")[:16],
            f"{render.ICONS[kept.inspection.verdict.outcome]} {kept.inspection.verdict.outcome}",
            kept.inspection.photo.name,
            kept.inspection.guide or "by hand",
            str(kept.inspection.step or ""),
        ]
        for kept in bench.records.newest(100)
    ]
