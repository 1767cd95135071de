"""The first card of the Train tab: data that were built, how they are built, and a look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from huggingface_hub import try_to_load_from_cache

from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS
from repairai.sop.library import Library
from repairai.ui import deletion, render, train_render
from repairai.ui.data_build import Builder, Built, built, built_in, samples
from repairai.ui.deletion import Deletion
from repairai.ui.recipe_text import parsed
from repairai.ui.workbench import Workbench, live

LIBRARY, DEVICES, FILES, HUB = "library", "devices", "files", "hub"
SOURCES = [
    ("All guides that were brought in", LIBRARY), ("Guides for some devices", DEVICES), ("Files", FILES),
    ("A dataset on the Hub", HUB),
]  # fmt: skip
TYPES = [".json", ".jsonl", ".csv", ".parquet"]
POLL_SECONDS = 1
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}


@dataclass(frozen=True)
class DataCard:
    """The components of the card.

    Args:
        chosen: Folder of the data.
        report: What is in them.
        source: What new ones are built from.
        words: Of the devices.
        files: That were dropped.
        dataset: On the Hub.
        name: Of new data.
        without: Leave guides out that were read from iFixit itself.
        exam: Keep the exam as the person's own.
        most: Examples to train on.
        fold: What all these stand in.
        build: Builds them.
        cancel: Ends that.
        progress: How far that is.
        clock: Ticks while they are built.
        look: Shows an example.
        sample: It.
        back: The one before.
        forth: The next.
        at: Which one is shown.
        delete: Deletes the chosen ones.
    """

    chosen: gr.Dropdown
    report: gr.HTML
    source: gr.Radio
    words: gr.Textbox
    files: gr.File
    dataset: gr.Textbox
    name: gr.Textbox
    without: gr.Checkbox
    exam: gr.Checkbox
    most: gr.Number
    fold: gr.Accordion
    build: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    clock: gr.Timer
    look: gr.Button
    sample: gr.HTML
    back: gr.Button
    forth: gr.Button
    at: gr.State
    delete: Deletion


def lay() -> DataCard:
    """Lay out the card."""
    gr.HTML('<h2><span class="no">1</span> What does it learn from?</h2>')
    chosen = gr.Dropdown([], label="Data that were built, newest first", elem_id="data-chosen")
    with gr.Accordion("Build new data", open=False, elem_id="fold-build", elem_classes="fold") as fold:
        source = gr.Radio(SOURCES, value=LIBRARY, label="From", elem_id="data-source", elem_classes="list")
        words = gr.Textbox(
            "", label="Devices whose name holds", placeholder="iphone", visible=False, max_lines=1, elem_id="data-words"
        )
        files = gr.File(
            label="Guides or datasets: .json, .jsonl, .csv, .parquet", file_count="multiple", file_types=TYPES,
            visible=False, height=140, elem_id="data-files",
        )  # fmt: skip
        dataset = gr.Textbox(
            "", label="Name of the dataset", placeholder="owner/name", visible=False, max_lines=1, elem_id="data-hub"
        )
        with gr.Row():
            name = gr.Textbox(
                "", label="Call them", placeholder="guides", max_lines=1, min_width=200, elem_id="data-name"
            )
            most = gr.Number(
                label="Examples to learn from, at most; 0 is all",
                minimum=0,
                precision=0,
                min_width=200,
                elem_id="data-most",
            )
        with gr.Row():
            without = gr.Checkbox(False, label="Leave out guides fetched from iFixit itself", elem_id="data-without")
            exam = gr.Checkbox(False, label="Keep its exam as my fixed exam", elem_id="data-exam")
        build = gr.Button("Build the data", variant="primary", elem_id="data-build")
    progress = live("data-progress")
    with gr.Row(elem_classes="run-buttons"):
        cancel = gr.Button("Cancel the build", visible=False, elem_id="data-cancel", min_width=160)
    report = gr.HTML(train_render.NO_DATA, elem_id="data-report")
    with gr.Row(elem_classes="adder"):
        look = gr.Button(
            "Look at examples as the model sees them", visible=False, elem_id="sample-look", min_width=280, scale=3
        )
        back = gr.Button("Before", visible=False, elem_id="sample-back", min_width=90, scale=1)
        forth = gr.Button("Next", visible=False, elem_id="sample-forth", min_width=90, scale=1)
        ask = deletion.lay_button(deletion.DATA, scale=1)
    delete = deletion.lay(deletion.DATA, ask)
    sample = live("sample")
    clock = gr.Timer(POLL_SECONDS, active=False)
    return DataCard(
        chosen, report, source, words, files, dataset, name, without, exam, most, fold, build, cancel, progress, clock,
        look, sample, back, forth, gr.State(0), delete,
    )  # fmt: skip


def wire(bench: Workbench, builder: Builder, card: DataCard, recipe: gr.Code) -> None:
    """Wire the card.

    Args:
        bench: Whose library is built from.
        builder: Of the app.
        card: See `lay`.
        recipe: Text of the recipe, whose model looks at examples.
    """
    card.source.input(
        lambda source: [gr.update(visible=source == each) for each in (DEVICES, FILES, HUB)],
        card.source, [card.words, card.files, card.dataset], **QUIET,
    )  # fmt: skip
    card.chosen.change(
        lambda folder: [_report(folder), "", *[gr.Button(visible=bool(folder))] * 2, *_steps(False)],
        card.chosen, [card.report, card.sample, card.look, card.delete.ask, card.back, card.forth], **QUIET,
    )  # fmt: skip
    card.chosen.focus(listed, card.chosen, card.chosen, **QUIET)
    deletion.wire(card.delete, card.chosen, card.progress, listed)
    _wire_build(bench, builder, card, recipe)

    def shown(folder: str | None, text: str, at: int) -> list[Any]:
        return [at, *look_at(folder, text, at)]

    now, then = [card.chosen, recipe, card.at], [card.at, card.sample, card.back, card.forth]
    card.look.click(lambda folder, text: shown(folder, text, 0), now[:2], then, show_progress_on=card.sample,
                    api_visibility="private")  # fmt: skip
    card.back.click(lambda folder, text, at: shown(folder, text, at - 1), now, then, **QUIET)
    card.forth.click(lambda folder, text, at: shown(folder, text, at + 1), now, then, **QUIET)


def _wire_build(bench: Workbench, builder: Builder, card: DataCard, recipe: gr.Code) -> None:
    def start(
        source: str, words: str, files: list[str] | None, dataset: str, name: str, most: float | None, without: bool,
        exam: bool, text: str,
    ) -> list[Any]:  # fmt: skip
        try:
            given = sources(bench.library, source, words, files or [], dataset)
            flags = ["--without-ifixit"] if without else []
            flags += ["--keep-exam"] if exam else []
            flags += [f"--limit-examples={int(most)}"] if most else []
            builder.build(DATA_SETS.name_of_new(name), [*flags, *_counted(text), *given])
        except RepairError as error:
            going = builder.progress() is not None  # from another browser tab: it was refused for that
            return [render.problem(str(error)), gr.Timer(active=False), gr.skip(), gr.skip(), *_while(going)]
        return look()

    def cancel() -> list[Any]:
        builder.stop()
        return look()

    def look() -> list[Any]:
        found = builder.progress()
        still: list[Any] = [gr.Timer(active=False), gr.skip(), gr.skip(), *_while(False)]
        if found is None:
            return ["", *still]
        if not found.ended:
            said = _said(f"Ending the build of {found.subject} …") if found.cancelled else train_render.building(found)
            return [said, gr.Timer(active=True), gr.skip(), gr.skip(), *_while(True, found.cancelled)]
        builder.forget()
        if found.fault:
            return [render.problem(found.fault), *still]
        if found.cancelled:
            return [_said(f"The build of {found.subject} was cancelled; nothing of it is left."), *still]
        said = _said(f"{found.subject} is built.")
        return [said, gr.Timer(active=False), listed(None), gr.Accordion(open=False), *_while(False)]

    given = [card.source, card.words, card.files, card.dataset, card.name, card.most, card.without, card.exam, recipe]
    out = [card.progress, card.clock, card.chosen, card.fold, card.build, card.cancel]
    card.build.click(start, given, out, **QUIET)
    card.cancel.click(cancel, None, out, **QUIET)
    card.clock.tick(look, None, out, **POLL)


def _while(going: bool, cancelled: bool = False) -> list[Any]:
    """Return the buttons that build and cancel, as they are while a build goes on or not."""
    return [gr.Button(interactive=not going), gr.Button(visible=going and not cancelled)]


def _said(sentence: str) -> str:
    return f'<p class="answer">{escape(sentence)}</p>'


def _counted(text: str) -> list[str]:
    """Return with what tokens are counted, and where they are cut: as the recipe says, if there is one already."""
    try:
        step = parsed(text).step
    except RepairError:
        return []
    here = Path(step.model).is_dir() or isinstance(try_to_load_from_cache(step.model, "tokenizer_config.json"), str)
    return [f"--length-tokens={max(step.length_tokens, 64)}", *([f"--model={step.model}"] if here else [])]


def listed(chosen: str | None) -> Any:
    """Return the list of data, with the chosen one kept, or the newest chosen."""
    found = built()
    folders = [str(each.folder) for each in found]
    value = chosen if chosen in folders else next(iter(folders), None)
    return gr.Dropdown([(each.said, str(each.folder)) for each in found], value=value)


def sources(library: Library, source: str, words: str, files: Sequence[str], dataset: str) -> list[str]:
    """Return what `python -m training.sop_data` is to build from, as its words.

    Raises:
        RepairError: Nothing was given, or nothing fits.
    """
    if source == DEVICES:
        if not words.strip():
            raise RepairError("no device is named", "write a word of its name")
        names = [name for name in library.devices() if words.strip().lower() in name.lower()]
        if not names:
            raise RepairError(f"no device in the library has '{words.strip():.60}' in its name", "try another word")
        return [*(f"--device={name}" for name in names), "library"]
    if source == FILES:
        if not files:
            raise RepairError("no file was given", "drop one, or choose another source")
        return [str(path) for path in files]
    if source == HUB:
        if not dataset.strip():
            raise RepairError("no dataset is named", "write its name on the Hub, owner/name")
        return [f"hub:{dataset.strip().removeprefix('hub:')}"]
    return ["library"]


def chosen_data(folder: str | None) -> Built | None:
    """Return the data in a folder that was chosen, or None where there are none."""
    return built_in(Path(folder)) if folder else None


def look_at(folder: str | None, text: str, at: int) -> list[Any]:
    """Return an example as HTML, and whether there is one before and behind it."""
    data = chosen_data(folder)
    if data is None:
        return [render.problem("There are no data to look at; build some first."), *_steps(False)]
    try:
        model = parsed(text).step.model
    except RepairError:  # there is no recipe yet, which is no fault here
        model = ""
    made = str(data.report["made"])
    try:
        found, said = _samples(data.folder, model, made), ""
    except RepairError as error:
        said, model = render.problem(str(error)), ""
        try:
            found = _samples(data.folder, "", made)
        except RepairError as other:
            return [render.problem(str(other)), *_steps(False)]
    return [said + train_render.sample(found, at, model), *_steps(len(found) > 1)]


@lru_cache(maxsize=8)
def _samples(folder: Path, model: str, made: str) -> tuple[dict[str, Any], ...]:
    return tuple(samples(folder, model))


def _steps(visible: bool) -> list[Any]:
    return [gr.Button(visible=visible), gr.Button(visible=visible)]


def _report(folder: str | None) -> str:
    data = chosen_data(folder)
    if data is None:
        return train_render.NO_DATA
    try:
        return train_render.report(data.report)
    except (LookupError, TypeError, ValueError, AttributeError):
        return render.problem(f"the report of {data.folder.name} is damaged; build these data again.")
