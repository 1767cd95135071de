"""The Records tab: the kept inspections with their verdicts, and the person's answers to questions of state."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.inspection import open_detector
from repairai.records import Kept
from repairai.ui import render
from repairai.ui.overlay import figures
from repairai.ui.state_answers import Judged, answered, crops_of
from repairai.ui.state_render import PRESS
from repairai.ui.workbench import Workbench, live, told

HEAD = ["No.", "When", "Verdict", "Photo", "Guide", "Step"]
ROWS = 100
"""The newest inspections that are listed."""


def build(bench: Workbench, tab: gr.Tab) -> None:
    """Lay out the tab and wire it: it is read anew each time that it is opened."""
    gr.HTML("<h2>Kept inspections</h2>")
    table = gr.Dataframe(headers=HEAD, interactive=False, wrap=True, elem_id="records", max_height=420)
    verdict = live("record", hears=PRESS)
    shown = gr.HTML(elem_id="record-photo")
    judged = gr.State(None)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def read(event: gr.SelectData) -> tuple[str, str, Judged]:
        return record(bench, int(event.row_value[0]))

    def take(now: Judged | None, event: gr.EventData) -> tuple[Judged | None, str, list[list[str]]]:
        return *answered(bench.records, now, event.at, event.answer), rows(bench)

    tab.select(told(lambda: (rows(bench), hint(bench), "", None)), None, [table, verdict, shown, judged], **quiet)
    table.select(told(read), None, [verdict, shown, judged], **quiet)
    verdict.click(told(take), judged, [judged, verdict, table], **quiet)


def record(bench: Workbench, number: int) -> tuple[str, str, Judged]:
    """Return a kept inspection as HTML: its verdict, and its photos where copies of them are still there.

    Questions of state in it can be answered, now or once more, by what comes third.
    """
    kept = bench.records.get(number)
    done = kept.inspection
    crops: dict[int, str] = {}
    try:
        photos = [bench.records.photo(taken) for taken in (done.photo, done.before) if taken]
        limits = open_detector(done.models[0].split("@")[0]).limits
        shown = figures(done, limits, *photos)
        crops = crops_of(done, photos[0])
    except RepairError as error:
        shown = f'<p class="fine">{escape(str(error))}</p>'
    judged = Judged(kept, crops)
    return judged.html, shown, judged


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
            _outcome(kept),
            kept.inspection.photo.name,
            kept.inspection.guide or "by hand",
            str(kept.inspection.step or ""),
        ]
        for kept in bench.records.newest(ROWS)
    ]


def _outcome(kept: Kept) -> str:
    """Return the outcome as the person's answers leave it, and that there are such."""
    outcome = kept.verdict.outcome
    return f"{render.ICONS[outcome]} {outcome}{', answered' if kept.answers else ''}"
