"""The Guides tab: ask the guides, bring guides in from files and from iFixit, see what is there, read a guide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.sop.guides import Progress, fetch_guides, import_guides
from repairai.sop.library import Library, Report
from repairai.ui import ask_panel, render
from repairai.ui.workbench import Workbench, live, told

HEAD = ["Id", "Guide", "Device", "Steps", "Licence"]
WIDTHS = ["25%", "33%", "18%", "9%", "15%"]
SHOWN = 200


def build(bench: Workbench, shared: bool = False) -> None:
    """Lay out the tab and wire it.

    Args:
        bench: What the tabs share.
        shared: The page is reachable from outside.
    """
    asking = ask_panel.lay(bench, shared)
    gr.HTML("<h2>Bring guides in</h2>")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            files = gr.File(
                label="iFixit JSON or MyFixit files", file_count="multiple", elem_id="guide-files", height=140
            )
            from_files = gr.Button("Import the files", elem_id="import-files")
        with gr.Column(min_width=300):
            address = gr.Textbox(
                "",
                label="Web address of an iFixit guide",
                placeholder="https://www.ifixit.com/Guide/...",
                elem_id="guide-address",
                max_lines=1,
            )
            from_web = gr.Button("Fetch the guide", elem_id="fetch-guide")
    report = live("import-report", min_height=60)
    gr.HTML("<h2>The library</h2>")
    with gr.Row():
        device = gr.Textbox("", label="Only devices whose name holds", elem_id="library-device", max_lines=1)
    table = gr.Dataframe(
        headers=HEAD, column_widths=WIDTHS, interactive=False, wrap=True, elem_id="library", max_height=360
    )
    guide = gr.HTML(
        '<p class="fine">Choose a row to read the guide.</p>', elem_id="guide", css_template=ask_panel.CITED_STYLE
    )
    chosen = gr.State("")
    remove = gr.Button("Remove this guide from the library", elem_id="remove-guide", visible=False)
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
    listed = [report, table]

    def take_files(paths: list[str] | None, words: str, progress: gr.Progress = gr.Progress()) -> Sequence[Any]:
        return bring(bench, import_guides, paths or [], words, progress)

    def take_address(url: str, words: str, progress: gr.Progress = gr.Progress()) -> Sequence[Any]:
        return bring(bench, fetch, [url] if url.strip() else [], words, progress)

    from_files.click(told(take_files), [files, device], listed, **private)
    from_web.click(told(take_address), [address, device], listed, **private)
    # Without triggers it runs when the page opens, and when the words change.
    gr.on(fn=told(lambda words: rows(bench, words)), inputs=device, outputs=table, trigger_mode="always_last", **quiet)

    def read(event: gr.SelectData) -> tuple[str, str, Any]:
        guide_id = str(event.row_value[0])
        shown = "".join(
            render.step(found, step, ()) for found in [bench.library.guide(guide_id)] for step in found.steps
        )
        return shown, guide_id, gr.Button(visible=not guide_id.startswith("sample-"))

    def take_out(guide_id: str, words: str, progress: gr.Progress = gr.Progress()) -> Sequence[Any]:
        try:
            bench.library.remove(guide_id)
            said = f"<p>{escape(guide_id)} is removed.</p>" + _make_ready(bench, progress)
        except RepairError as error:
            said = render.problem(str(error))
        return said, rows(bench, words), "", gr.Button(visible=False)

    table.select(told(read), None, [guide, chosen, remove], **quiet)
    ask_panel.wire(bench, asking, guide, chosen, remove)
    remove.click(told(take_out), [chosen, device], [report, table, guide, remove], show_progress_on=report, **private)


def rows(bench: Workbench, words: str) -> list[list[str]]:
    """Return the library as rows for the table: at most `SHOWN`, of devices whose name holds the words."""
    found = [each for each in bench.library.summaries() if words.lower() in each.device.lower()]
    return [[each.id, each.title, each.device, str(each.n_steps), each.licence] for each in found[:SHOWN]]


def bring(
    bench: Workbench,
    read: Callable[[str, Library, Progress], Report],
    sources: list[str],
    words: str,
    progress: gr.Progress,
) -> tuple[str, list[list[str]]]:
    """Bring guides in, telling how far it is; return what came of it, as HTML, and the table."""
    if not sources:
        return render.problem("Nothing was given; choose a file or write an address first."), rows(bench, words)

    def tell(done: int, total: int | None, what: str) -> None:
        progress((done, total) if total else None, desc=what)

    said = []
    for source in sources:
        try:
            said.append(_report(read(source, bench.library, tell)))
        except RepairError as error:
            said.append(render.problem(str(error)))
    said.append(_make_ready(bench, progress))
    return "".join(said), rows(bench, words)


def _make_ready(bench: Workbench, progress: gr.Progress) -> str:
    """Build the index of a changed library while a person looks on, rather than at the first letter of a search."""
    progress(None, desc="making the search ready")
    try:
        bench.search.open()
    except RepairError as error:
        return render.problem(str(error))
    return ""


def fetch(address: str, library: Library, progress: Progress) -> Report:
    """Fetch the guides of a web address into the library; whoever may open the page may not read this machine's files.

    Raises:
        RepairError: It is no web address, or iFixit does not answer.
    """
    if not address.strip().lower().startswith(("https://", "http://")):
        raise RepairError(f"'{address[:200]}' is not a web address", "give one that begins with https://")
    return fetch_guides([address], library, progress)


def _report(report: Report) -> str:
    if not report.ids:
        return "".join(render.problem(str(each)) for each in report.problems)
    counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    problems = "".join(f"<li>{escape(str(each))}</li>" for each in report.problems)
    skipped = f"<p>{len(report.problems)} skipped:</p><ul>{problems}</ul>" if problems else ""
    return f'<section class="report"><p><strong>{counts}.</strong></p>{skipped}</section>'
