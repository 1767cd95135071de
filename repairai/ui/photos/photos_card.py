"""The first card for a detector: photos are brought in, looked through by the doctor, mended and named."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.ui import deletion, render
from repairai.ui.deletion import Deletion
from repairai.ui.photos import at_rest, photos_render
from repairai.ui.photos.dropped import DROPPED, FROM, HERE, HUB, flags, own_place, sources
from repairai.ui.photos.photos_work import (
    SCRIPT,
    dropdown,
    examine,
    look,
    mend,
    name_parts,
    refused,
    started,
)
from repairai.ui.photos.scripted import Scripted
from repairai.ui.photos.sets import chosen_set, nameless, report_of
from repairai.ui.workbench import live

POLL_SECONDS = 1
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}
PRESS = """
element.addEventListener("click", event => {
  const pressed = event.target.closest("[data-show], [data-mend], [data-photo]");
  if (!pressed) return;
  const {show = "", mend = "", photo = ""} = pressed.dataset;
  trigger("click", {show, mend, photo});
});
"""
"""A press on a finding or a photo becomes an event that names it."""


@dataclass(frozen=True)
class PhotosCard:
    """The components of the card.

    Args:
        chosen: Folder of the set.
        version: Grows when the set has changed, so that what is shown of it is read anew.
        fold: What an import stands in.
        kind: Where photos come from.
        files: That were dropped.
        words: A place on this machine, or a name on the Hub.
        name: Of the new set.
        licence: Of the photos.
        bare: They have no labels yet.
        bring: Imports them.
        cancel: Ends what is going on.
        progress: How far that is.
        clock: Ticks while something is going on.
        report: What is in the set.
        doctor: What the doctor found.
        again: Lets the doctor look again.
        asked: The question for names.
        naming: What the names stand in.
        names: Old and new ones.
        rename: Takes the new ones.
        shown: Id of the finding whose photos are shown.
        delete: Deletes the set.
    """

    chosen: gr.Dropdown
    version: gr.State
    fold: gr.Accordion
    kind: gr.Radio
    files: gr.File
    words: gr.Textbox
    name: gr.Textbox
    licence: gr.Textbox
    bare: gr.Checkbox
    bring: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    clock: gr.Timer
    report: gr.HTML
    doctor: gr.HTML
    again: gr.Button
    asked: gr.HTML
    naming: gr.Accordion
    names: gr.Dataframe
    rename: gr.Button
    shown: gr.State
    delete: Deletion

    @property
    def of_set(self) -> list[Any]:
        """Return what shows a set; see the function of this name."""
        return [
            self.report,
            self.doctor,
            self.asked,
            self.naming,
            self.names,
            self.again,
            self.delete.ask,
            self.delete.row,
        ]


def lay() -> PhotosCard:
    """Lay out the card."""
    gr.HTML('<h2><span class="no">1</span> Which photos does it learn from?</h2>')
    chosen = gr.Dropdown([], label="Photos that were brought in, newest first", elem_id="photos-chosen")
    with gr.Accordion("Bring in photos", open=False, elem_id="fold-photos", elem_classes="fold") as fold:
        kind, files, words, name, licence, bare, bring = _lay_import()
    progress = live("photos-progress")
    cancel = gr.Button("Cancel", visible=False, elem_id="photos-cancel", min_width=160)
    report = gr.HTML(photos_render.NO_PHOTOS, elem_id="photos-report")
    doctor = gr.HTML(elem_id="doctor", js_on_load=PRESS)
    asked = live("names-asked")
    with gr.Accordion(
        "Names of the parts", open=False, visible=False, elem_id="fold-names", elem_classes="fold"
    ) as fold_names:
        names = gr.Dataframe(
            headers=["it is called", "call it"], datatype="str", type="array", interactive=True, static_columns=[0],
            column_count=2, elem_id="part-names", label="One name a part",
        )  # fmt: skip
        take = gr.Button("Take these names", elem_id="names-take")
    with gr.Row(elem_classes="adder"):
        again = gr.Button("Let the doctor look again", visible=False, elem_id="doctor-again", min_width=220)
        ask = deletion.lay_button(deletion.PHOTOS)
    delete = deletion.lay(deletion.PHOTOS, ask)
    return PhotosCard(
        chosen, gr.State(0), fold, kind, files, words, name, licence, bare, bring, cancel, progress,
        gr.Timer(POLL_SECONDS, active=False), report, doctor, again, asked, fold_names, names, take, gr.State(""),
        delete,
    )  # fmt: skip


def _lay_import() -> tuple[gr.Radio, gr.File, gr.Textbox, gr.Textbox, gr.Textbox, gr.Checkbox, gr.Button]:
    kind = gr.Radio(FROM, value=DROPPED, label="From", elem_id="photos-from", elem_classes="list")
    files = gr.File(
        label="A zip, or photos and the files with their labels (COCO, YOLO, Pascal VOC, Roboflow, ImageFolder)",
        file_count="multiple", height=140, elem_id="photos-files",
    )  # fmt: skip
    words = gr.Textbox("", label="Where", visible=False, max_lines=1, elem_id="photos-where")
    with gr.Row():
        name = gr.Textbox(
            "", label="Call them", placeholder="photos", max_lines=1, min_width=200, elem_id="photos-name"
        )
        licence = gr.Textbox(
            "", label="Their licence, if you know it", placeholder="my own", max_lines=1, min_width=200,
            elem_id="photos-licence",
        )  # fmt: skip
    bare = gr.Checkbox(False, label="They have no labels yet: I draw the boxes here", elem_id="photos-bare")
    bring = gr.Button("Bring them in", variant="primary", elem_id="photos-bring")
    return kind, files, words, name, licence, bare, bring


def wire(card: PhotosCard, work: Scripted, recipe: gr.Code) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        work: Runs what takes long.
        recipe: By which will be trained on the set.
    """
    card.kind.input(_where, card.kind, [card.files, card.words], **QUIET)
    card.chosen.focus(lambda folder: dropdown(PHOTO_SETS.kept_or_newest(folder)), card.chosen, card.chosen, **QUIET)
    deletion.wire(card.delete, card.chosen, card.progress, lambda folder: dropdown(PHOTO_SETS.kept_or_newest(folder)))
    _wire_work(card, work, recipe)
    card.shown.change(lambda folder, shown: _doctor(folder, shown), [card.chosen, card.shown], card.doctor, **QUIET)


def _where(kind: str) -> list[Any]:
    label, hint = (
        ("Name of the dataset", "owner/name") if kind == HUB else ("Folder or zip on this machine", "~/photos/bench")
    )
    return [gr.File(visible=kind == DROPPED), gr.Textbox(visible=kind in (HERE, HUB), label=label, placeholder=hint)]


def _wire_work(card: PhotosCard, work: Scripted, recipe: gr.Code) -> None:
    now = [card.chosen, card.version]
    out = [card.progress, card.clock, card.cancel, card.bring, card.chosen, card.fold, card.version]

    def bring(
        kind: str,
        files: list[str] | None,
        words: str,
        name: str,
        licence: str,
        bare: bool,
        chosen: str | None,
        version: int,
    ) -> list[Any]:
        beside = own_place()
        try:
            free = PHOTO_SETS.name_of_new(name)
            given = [*sources(kind, files or [], words, beside), *flags(free, licence, bare)]
            work.start(f"Bringing in {free}", free, SCRIPT, given, beside)
        except RepairError as error:
            shutil.rmtree(beside, ignore_errors=True)
            return refused(work, error)
        return look(work, chosen, version)

    def heal(chosen: str | None, version: int, event: gr.EventData) -> list[Any]:
        if not str(event.mend):
            return [gr.skip()] * len(out)
        return started(work, chosen, version, lambda: mend(work, chosen, str(event.mend)))

    def cancel(chosen: str | None, version: int) -> list[Any]:
        work.stop()
        return look(work, chosen, version)

    given = [card.kind, card.files, card.words, card.name, card.licence, card.bare, *now]
    card.bring.click(bring, given, out, **QUIET)
    card.cancel.click(cancel, now, out, **QUIET)
    card.clock.tick(lambda chosen, version: look(work, chosen, version), now, out, **POLL)
    card.doctor.click(heal, now, out, **QUIET)
    card.doctor.click(_shown, card.shown, card.shown, **QUIET)
    card.rename.click(
        lambda chosen, version, rows: started(work, chosen, version, lambda: name_parts(work, chosen, rows)),
        [*now, card.names], out, **QUIET,
    )  # fmt: skip
    card.again.click(
        lambda chosen, version, text: started(work, chosen, version, lambda: examine(work, chosen, text)),
        [*now, recipe], out, **QUIET,
    )  # fmt: skip


def _shown(shown: str, event: gr.EventData) -> Any:
    """Return the finding whose photos are shown; the one that is pressed again no more."""
    pressed = str(event.show)
    if not pressed:
        return gr.skip()
    return "" if pressed == shown else pressed


# ---- what is shown of a set


def of_set(folder: str | None, shown: str) -> list[Any]:
    """Return what the card shows of a set."""
    gone = [gr.Accordion(visible=False), gr.skip(), *[gr.Button(visible=False)] * 2, gr.Column(visible=False)]
    try:
        photos = chosen_set(folder)
    except RepairError as error:
        return [render.problem(str(error)), "", "", *gone]
    if photos is None:
        return [photos_render.NO_PHOTOS, "", "", *gone]
    at_rest.later(photos.folder)  # whoever changed it last may have gone down
    found = report_of(photos.folder)
    bare = nameless(photos)
    again = gr.Button(visible=True, variant="primary" if found.stale else "secondary")
    return [
        photos_render.report(photos, found), photos_render.doctor(found, shown), photos_render.names_asked(photos),
        gr.Accordion(visible=bool(photos.parts), open=bool(bare)),
        [[part, "" if part in bare else part] for part in photos.parts], again, gr.Button(visible=True),
        gr.Column(visible=False),
    ]  # fmt: skip


def _doctor(folder: str | None, shown: str) -> str:
    try:
        photos = chosen_set(folder)
    except RepairError:
        return ""
    return photos_render.doctor(report_of(photos.folder), shown) if photos else ""
