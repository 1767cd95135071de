"""The first card for a detector: photos are brought in, looked through by the doctor, mended and named."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.ui import render
from repairai.ui.photos import photos_render
from repairai.ui.photos.corrected import renamed
from repairai.ui.photos.dropped import DROPPED, FROM, HERE, HUB, own_place, sources
from repairai.ui.photos.scripted import Scripted
from repairai.ui.photos.sets import chosen_set, free_name, listed, nameless, report_of, the_set
from repairai.ui.workbench import live
from repairai.vision.photo_set import photo_set_folder

SCRIPT = "training.detector_data"
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

    @property
    def of_set(self) -> list[Any]:
        """Return what shows a set; see the function of this name."""
        return [self.report, self.doctor, self.asked, self.naming, self.names, self.again]


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
    again = gr.Button("Let the doctor look again", visible=False, elem_id="doctor-again", min_width=220)
    return PhotosCard(
        chosen, gr.State(0), fold, kind, files, words, name, licence, bare, bring, cancel, progress,
        gr.Timer(POLL_SECONDS, active=False), report, doctor, again, asked, fold_names, names, take, gr.State(""),
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


def wire(card: PhotosCard, work: Scripted) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        work: Runs what takes long.
    """
    card.kind.input(_where, card.kind, [card.files, card.words], **QUIET)
    card.chosen.focus(lambda folder: dropdown(kept_or_newest(folder)), card.chosen, card.chosen, **QUIET)
    _wire_work(card, work)
    card.shown.change(lambda folder, shown: _doctor(folder, shown), [card.chosen, card.shown], card.doctor, **QUIET)


def _where(kind: str) -> list[Any]:
    label, hint = (
        ("Name of the dataset", "owner/name") if kind == HUB else ("Folder or zip on this machine", "~/photos/bench")
    )
    return [gr.File(visible=kind == DROPPED), gr.Textbox(visible=kind in (HERE, HUB), label=label, placeholder=hint)]


def _wire_work(card: PhotosCard, work: Scripted) -> None:
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
            free = free_name(name)
            flags = [
                f"--name={free}",
                "--progress-json",
                *([f"--licence={licence.strip()}"] if licence.strip() else []),
            ]
            work.start(
                f"Bringing in {free}", free, SCRIPT, [*sources(kind, files or [], words, beside), *flags], beside
            )
        except RepairError as error:
            shutil.rmtree(beside, ignore_errors=True)
            return refused(work, error)
        return look(work, chosen, version)

    def heal(chosen: str | None, version: int, event: gr.EventData) -> list[Any]:
        if not str(event.mend):
            return [gr.skip()] * len(out)
        return _started(work, chosen, version, lambda: mend(work, chosen, str(event.mend)))

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
        lambda chosen, version, rows: _started(work, chosen, version, lambda: name_parts(work, chosen, rows)),
        [*now, card.names], out, **QUIET,
    )  # fmt: skip
    card.again.click(
        lambda chosen, version: _started(work, chosen, version, lambda: examine(work, chosen)), now, out, **QUIET
    )


def _shown(shown: str, event: gr.EventData) -> Any:
    """Return the finding whose photos are shown; the one that is pressed again no more."""
    pressed = str(event.show)
    if not pressed:
        return gr.skip()
    return "" if pressed == shown else pressed


def _started(work: Scripted, chosen: str | None, version: int, start: Any) -> list[Any]:
    try:
        start()
    except RepairError as error:
        return refused(work, error)
    return look(work, chosen, version)


def mend(work: Scripted, folder: str | None, finding: str) -> None:
    """Let a finding be mended.

    Raises:
        RepairError: There is no such finding, or something else is going on.
    """
    photos = the_set(folder)
    if finding not in {each.id for each in report_of(photos.folder).findings if each.mend}:
        raise RepairError("that is no longer among the findings", "let the doctor look again")
    words = ["mend", photos.name, finding]
    work.start(f"Mending {photos.name}", photos.name, SCRIPT, words)


def name_parts(work: Scripted, folder: str | None, rows: list[list[str]]) -> None:
    """Call parts otherwise, as a table of old and new names says.

    Raises:
        RepairError: Nothing is called otherwise, two parts would have one name, or something else is going on.
    """
    photos = the_set(folder)
    wished = renamed(photos.parts, rows)
    if not wished:
        raise RepairError("no part is called otherwise", "write a new name behind an old one")
    pairs = [f"{old}={new}" for old, new in wished.items()]
    work.start(f"Naming the parts of {photos.name}", photos.name, SCRIPT, ["names", "--", photos.name, *pairs])


def examine(work: Scripted, folder: str | None) -> None:
    """Let the doctor look at a set.

    Raises:
        RepairError: There is none, or something else is going on.
    """
    photos = the_set(folder)
    work.start(f"Looking through {photos.name}", photos.name, SCRIPT, ["doctor", photos.name])


def refused(work: Scripted, error: RepairError) -> list[Any]:
    """Return what is shown where something could not be started."""
    going = work.progress() is not None
    return [render.problem(str(error)), gr.Timer(active=going), *_while(going), gr.skip(), gr.skip(), gr.skip()]


def look(work: Scripted, chosen: str | None, version: int) -> list[Any]:
    """Return how far what is going on is; when it is over, the set that it was done to is read anew."""
    found = work.progress()
    still = [gr.Timer(active=False), *_while(False)]
    if found is None:
        return ["", *still, gr.skip(), gr.skip(), gr.skip()]
    if not found.ended:
        words = photos_render.said(f"{found.title}: it is being ended …") if found.cancelled else None
        shown = words or photos_render.progress(found)
        return [shown, gr.Timer(active=True), *_while(True, found.cancelled), gr.skip(), gr.skip(), gr.skip()]
    work.forget()
    if found.fault:
        return [render.problem(found.fault), *still, gr.skip(), gr.skip(), version + 1]
    if found.cancelled:
        return [photos_render.said(f"{found.title} was cancelled."), *still, gr.skip(), gr.skip(), version + 1]
    said = photos_render.said(f"{found.title}: done.{_told(found.said) if found.tells else ''}")
    new = kept_or_newest(str(photo_set_folder(found.subject)))
    return [said, *still, dropdown(new), gr.Accordion(open=False), newer(chosen, new, version)]


def newer(chosen: str | None, now: str | None, version: int) -> Any:
    """Return the version of what is shown, grown where the same set stays chosen: another one is read anew anyway."""
    return version + 1 if now == chosen else gr.skip()


def _told(said: tuple[str, ...]) -> str:
    return " " + " ".join(f"{each.rstrip('.')}." for each in said)[:1000]


def _while(going: bool, cancelled: bool = False) -> list[Any]:
    """Return the buttons that end and start, as they are while something is going on or not."""
    return [gr.Button(visible=going and not cancelled), gr.Button(interactive=not going)]


def kept_or_newest(chosen: str | None) -> str | None:
    """Return the chosen set where it is still there, else the newest; None where there is none."""
    folders = [folder for _, folder in listed()]
    return chosen if chosen in folders else next(iter(folders), None)


def dropdown(chosen: str | None) -> Any:
    """Return the list of sets, with this one chosen."""
    return gr.Dropdown(listed(), value=chosen)


# ---- what is shown of a set


def of_set(folder: str | None, shown: str) -> list[Any]:
    """Return what the card shows of a set."""
    gone = [gr.Accordion(visible=False), gr.skip(), gr.Button(visible=False)]
    try:
        photos = chosen_set(folder)
    except RepairError as error:
        return [render.problem(str(error)), "", "", *gone]
    if photos is None:
        return [photos_render.NO_PHOTOS, "", "", *gone]
    found = report_of(photos.folder)
    bare = nameless(photos)
    doctor = photos_render.findings(found.findings, shown) if found.made or found.findings else ""
    return [
        photos_render.report(photos, found), doctor, photos_render.names_asked(photos),
        gr.Accordion(visible=bool(photos.parts), open=bool(bare)),
        [[part, "" if part in bare else part] for part in photos.parts], gr.Button(visible=True),
    ]  # fmt: skip


def _doctor(folder: str | None, shown: str) -> str:
    try:
        photos = chosen_set(folder)
    except RepairError:
        return ""
    found = report_of(photos.folder) if photos else None
    return photos_render.findings(found.findings, shown) if found and (found.made or found.findings) else ""
