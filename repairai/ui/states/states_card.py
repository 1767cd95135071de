"""The first card for a judge of states: examples are built from piles of photos, answers, labelled or drawn photos."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS, STATE_SETS
from repairai.ui import deletion, render
from repairai.ui.deletion import Deletion
from repairai.ui.photos import photos_render
from repairai.ui.photos.dropped import own_place
from repairai.ui.photos.photos_work import while_going
from repairai.ui.photos.scripted import Scripted
from repairai.ui.photos.sets import chosen_set
from repairai.ui.question_fold import propose
from repairai.ui.states import states_render
from repairai.ui.states.state_sets import chosen_states, dropdown
from repairai.ui.states.wished import DRAWN, FROM, LABELLED, PILES, name_of, words_of
from repairai.ui.workbench import live

SCRIPT = "training.judge_data"
SCENES = [("Is the connector unplugged?", "connector"), ("Is the battery removed?", "battery"),
          ("Is the lid removed?", "lid")]  # fmt: skip
POLL_SECONDS = 1
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
POLL: dict[str, Any] = {"concurrency_limit": None, **QUIET}


@dataclass(frozen=True)
class StatesCard:
    """The components of the card.

    Args:
        chosen: Folder of the set.
        version: Grows when a set was built, so that what is shown of it is read anew.
        fold: What a build stands in.
        kind: One of `FROM`.
        asked: What the question stands in.
        question: That the photos answer.
        opposite: The same the other way round.
        piles: What the two piles stand in.
        yes: Photos of which the answer is yes.
        no: Likewise.
        labelled: What the set of photos stands in.
        photos: Its name.
        yes_part: The part whose boxes answer yes.
        no_part: Likewise.
        positions: Whether the question names the place of a box.
        drawn: What the scenes stand in.
        scene: What is drawn.
        scenes: How many.
        name: Of the new set.
        licence: Of the photos.
        add: They go into the set that is chosen.
        build: Builds it.
        cancel: Ends that.
        progress: How far it is.
        clock: Ticks while it goes on.
        report: What is in the set.
        delete: Deletes the set.
    """

    chosen: gr.Dropdown
    version: gr.State
    fold: gr.Accordion
    kind: gr.Radio
    asked: gr.Row
    question: gr.Textbox
    opposite: gr.Textbox
    piles: gr.Row
    yes: gr.File
    no: gr.File
    labelled: gr.Column
    photos: gr.Dropdown
    yes_part: gr.Dropdown
    no_part: gr.Dropdown
    positions: gr.Checkbox
    drawn: gr.Row
    scene: gr.Dropdown
    scenes: gr.Number
    name: gr.Textbox
    licence: gr.Textbox
    add: gr.Checkbox
    build: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    clock: gr.Timer
    report: gr.HTML
    delete: Deletion

    @property
    def given(self) -> list[Any]:
        """Return what says what is built."""
        return [
            self.kind, self.question, self.opposite, self.yes, self.no, self.photos, self.yes_part, self.no_part,
            self.positions, self.scene, self.scenes, self.licence, self.add,
        ]  # fmt: skip

    @property
    def of_set(self) -> list[Any]:
        """Return what shows a set; see the function of this name."""
        return [self.report, self.delete.ask, self.delete.row]


def lay() -> StatesCard:
    """Lay out the card."""
    gr.HTML('<h2><span class="no">1</span> Which answers does it learn from?</h2>')
    chosen = gr.Dropdown([], label="States that were built, newest first", elem_id="states-chosen")
    with gr.Accordion("Build states", open=False, elem_id="fold-states", elem_classes="fold") as fold:
        kind = gr.Radio(FROM, value=PILES, label="From", elem_id="states-from", elem_classes="list")
        with gr.Row() as asked:
            question = gr.Textbox(
                "", label="The question that the photos answer", placeholder="Is the battery connector unplugged?",
                max_lines=1, elem_id="states-question", min_width=260,
            )  # fmt: skip
            opposite = gr.Textbox(
                "", label="The same the other way round", placeholder="Is the battery connector plugged in?",
                max_lines=1, elem_id="states-opposite", min_width=260,
            )  # fmt: skip
        with gr.Row() as two:
            yes, no = (
                gr.File(
                    label=f"Photos where the answer is {answer}", file_count="multiple", file_types=["image"],
                    height=140, min_width=240, elem_id=f"states-{answer}",
                )
                for answer in ("yes", "no")
            )  # fmt: skip
        labelled = _lay_labelled()
        with gr.Row(visible=False) as drawn:
            scene = gr.Dropdown(SCENES, value="connector", label="What is drawn", elem_id="states-scene")
            scenes = gr.Number(200, label="How many", minimum=1, precision=0, elem_id="states-scenes")
        with gr.Row():
            name = gr.Textbox(
                "", label="Call them", placeholder="states", max_lines=1, min_width=200, elem_id="states-name"
            )  # fmt: skip
            licence = gr.Textbox(
                "", label="The photos' licence, if you know it", placeholder="my own", max_lines=1, min_width=200,
                elem_id="states-licence",
            )  # fmt: skip
        add = gr.Checkbox(False, label="Add them to the states that are chosen above", elem_id="states-add")
        build = gr.Button("Build them", variant="primary", elem_id="states-build")
    progress = live("states-progress")
    cancel = gr.Button("Cancel", visible=False, elem_id="states-cancel", min_width=160)
    report = gr.HTML(states_render.NO_STATES, elem_id="states-report")
    with gr.Row(elem_classes="adder"):
        ask = deletion.lay_button(deletion.STATES)
    delete = deletion.lay(deletion.STATES, ask)
    return StatesCard(
        chosen, gr.State(0), fold, kind, asked, question, opposite, two, yes, no, *labelled, drawn, scene, scenes, name,
        licence, add, build, cancel, progress, gr.Timer(POLL_SECONDS, active=False), report, delete,
    )  # fmt: skip


def _lay_labelled() -> tuple[gr.Column, gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Checkbox]:
    with gr.Column(visible=False) as whole:
        photos = gr.Dropdown([], label="Labelled photos", elem_id="states-photos")
        with gr.Row():
            yes_part = gr.Dropdown([], label="Boxes that answer yes", elem_id="states-yes-part", min_width=200)
            no_part = gr.Dropdown([], label="Boxes that answer no", elem_id="states-no-part", min_width=200)
        positions = gr.Checkbox(
            False, label="Each box has its place: ask for the top-left one, the bottom-right one",
            elem_id="states-positions",
        )  # fmt: skip
    return whole, photos, yes_part, no_part, positions


def wire(card: StatesCard, work: Scripted) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        work: Runs the build.
    """
    card.kind.input(_where, card.kind, [card.asked, card.piles, card.labelled, card.drawn, card.licence], **QUIET)
    propose(card.question, card.opposite)
    card.photos.focus(_photo_sets, card.photos, card.photos, **QUIET)
    card.photos.change(_parts, card.photos, [card.yes_part, card.no_part], **QUIET)
    card.chosen.focus(lambda folder: dropdown(STATE_SETS.kept_or_newest(folder)), card.chosen, card.chosen, **QUIET)
    deletion.wire(card.delete, card.chosen, card.progress, lambda folder: dropdown(STATE_SETS.kept_or_newest(folder)))
    _wire_work(card, work)
    for changed in (card.chosen.change, card.version.change):
        changed(of_set, card.chosen, card.of_set, trigger_mode="always_last", **QUIET)


def _where(kind: str) -> list[Any]:
    asks = kind in (PILES, LABELLED)
    return [
        gr.Row(visible=asks),
        gr.Row(visible=kind == PILES),
        gr.Column(visible=kind == LABELLED),
        gr.Row(visible=kind == DRAWN),
        gr.Textbox(visible=asks),
    ]


def _wire_work(card: StatesCard, work: Scripted) -> None:
    now = [card.chosen, card.version]
    out = [card.progress, card.clock, card.cancel, card.build, card.chosen, card.fold, card.version]

    def build(chosen: str | None, version: int, name: str, *given: Any) -> list[Any]:
        beside = own_place()
        try:
            wanted = name_of(name, chosen, bool(given[-1]))
            words = ["build", wanted, "--progress-json", *words_of(beside, *given)]
            work.start(f"Building {wanted}", wanted, SCRIPT, words, beside)
        except RepairError as error:
            shutil.rmtree(beside, ignore_errors=True)
            going = work.progress() is not None
            return [render.problem(str(error)), gr.Timer(active=going), *while_going(going), *[gr.skip()] * 3]
        return look(work, chosen, version)

    def cancel(chosen: str | None, version: int) -> list[Any]:
        work.stop()
        return look(work, chosen, version)

    card.build.click(build, [*now, card.name, *card.given], out, **QUIET)
    card.cancel.click(cancel, now, out, **QUIET)
    card.clock.tick(lambda chosen, version: look(work, chosen, version), now, out, **POLL)


def look(work: Scripted, chosen: str | None, version: int) -> list[Any]:
    """Return how far a build is; when it is over, the set that came of it."""
    found = work.progress()
    still = [gr.Timer(active=False), *while_going(False)]
    same = [gr.skip()] * 3
    if found is None:
        return ["", *still, *same]
    if not found.ended:
        shown = (
            photos_render.said(f"{found.title}: it is being ended …")
            if found.cancelled
            else photos_render.progress(found)
        )
        return [shown, gr.Timer(active=True), *while_going(True, found.cancelled), *same]
    work.forget()
    if found.fault:
        return [render.problem(found.fault), *still, *same]
    if found.cancelled:
        return [photos_render.said(f"{found.title} was cancelled."), *still, *same]
    new = STATE_SETS.kept_or_newest(str(STATE_SETS.folder(found.subject)))
    said = photos_render.said(f"{found.title}: done.")
    return [said, *still, dropdown(new), gr.Accordion(open=False), version + 1]


def of_set(folder: str | None) -> list[Any]:
    """Return what the card shows of a set."""
    gone = [gr.Button(visible=False), gr.Column(visible=False)]
    try:
        states = chosen_states(folder)
    except RepairError as error:
        return [render.problem(str(error)), *gone]
    if states is None:
        return [states_render.NO_STATES, *gone]
    return [states_render.report(states), gr.Button(visible=True), gr.Column(visible=False)]


def _photo_sets(chosen: str | None) -> Any:
    names = list(PHOTO_SETS.names())
    return gr.Dropdown(names, value=chosen if chosen in names else next(iter(names), None))


def _parts(name: str | None) -> list[Any]:
    try:
        found = chosen_set(str(PHOTO_SETS.folder(name))) if name else None
    except RepairError:  # it is told where the set is looked at
        found = None
    parts = list(found.parts) if found else []
    return [gr.Dropdown(parts, value=value) for value in (parts[0] if parts else None, parts[1] if parts[1:] else None)]
