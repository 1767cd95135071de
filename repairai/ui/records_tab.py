"""The Records tab: the kept inspections with their verdicts."""

from __future__ import annotations

from html import escape

import gradio as gr

from repairai.errors import RepairError
from repairai.inspection import open_detector
from repairai.ui import render
from repairai.ui.overlay import figures
from repairai.ui.workbench import Workbench, told

HEAD = ["No.", "When", "Verdict", "Photo", "Guide", "Step"]
ROWS = 100
"""The newest inspections that are listed."""


def build(bench: Workbench, tab: gr.Tab) -> None:
    """Lay out the tab and wire it: it is read anew each time that it is opened."""
    gr.HTML("<h2>Kept inspections</h2>")
    table = gr.Dataframe(headers=HEAD, interactive=False, wrap=True, elem_id="records", max_height=420)
    shown = gr.HTML(elem_id="record")

    def read(event: gr.SelectData) -> str:
        return record(bench, int(event.row_value[0]))

    tab.select(
        told(lambda: (rows(bench), hint(bench))), None, [table, shown], show_progress="hidden", api_visibility="private"
    )
    table.select(told(read), None, shown, show_progress="hidden", api_visibility="private")


def record(bench: Workbench, number: int) -> str:
    """Return a kept inspection as HTML: its verdict, and its photos where copies of them are still there."""
    done = bench.records.get(number).inspection
    try:
        photos = [bench.records.photo(taken) for taken in (done.photo, done.before) if taken]
        limits = open_detector(done.models[0].split("@")[0]).limits
        shown = figures(done, limits, *photos)
    except RepairError as error:
        shown = f'<p class="fine">{escape(str(error))}</p>'
    return render.verdict(done) + shown


def hint(bench: Workbench) -> str:
    """Return what to do in this tab, and what is missing from its list."""
    lost = ", ".join(map(str, bench.records.unreadable(ROWS)))
    missing = f" Not listed, since they cannot be read: {lost}." if lost else ""
    first = "Choose a row to see its verdict." if bench.records.newest(1) else "No inspections are kept yet."
    return f'<p class="fine">{first}{missing}</p>'


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
        for kept in bench.records.newest(ROWS)
    ]
