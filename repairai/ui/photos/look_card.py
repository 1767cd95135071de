"""Photos of a set with their boxes: chosen, leafed through, and one at a time corrected by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.context import Context

from repairai.errors import RepairError
from repairai.ui import box_editor, render
from repairai.ui.photos import choice, photo_editor, photos_render
from repairai.ui.photos.corrected import Drawn
from repairai.ui.photos.opened import Opened, keep, next_opened
from repairai.ui.photos.photos_card import PRESS, PhotosCard, of_set
from repairai.ui.photos.sets import chosen_set, report_of, the_set
from repairai.ui.photos.small import large
from repairai.ui.workbench import live
from repairai.vision.photo_set import SPLITS, LabelledPhoto, PhotoSet

ANY = ""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class LookCard:
    """The components of the card.

    Args:
        all: What it all stands in.
        part: Photos that show it.
        split: Photos that are for it.
        state: One of `choice.STATES`.
        grid: The photos.
        before: Leafs back.
        forth: Leafs on.
        at: Number of the page.
        editor: What the open photo stands in.
        opened: What is open.
        drawn: Grows when another photo is opened, or the same one anew.
        said: What became of the last one.
    """

    all: gr.Accordion
    part: gr.Dropdown
    split: gr.Dropdown
    state: gr.Dropdown
    grid: gr.HTML
    before: gr.Button
    forth: gr.Button
    at: gr.State
    editor: gr.Column
    opened: gr.State
    drawn: gr.State
    said: gr.HTML


def lay() -> LookCard:
    """Lay out the card."""
    with gr.Accordion(
        "The photos and their boxes", open=True, visible=False, elem_id="fold-look", elem_classes="fold"
    ) as whole:
        with gr.Row():
            state = gr.Dropdown(choice.STATES, value=choice.ALL, label="Show", elem_id="look-state", min_width=180)
            part = gr.Dropdown(
                [("Any part", ANY)], value=ANY, label="With the part", elem_id="look-part", min_width=160
            )
            split = gr.Dropdown(
                [("Anything", ANY), *((f"{photos_render.SIDES[each]} ({each})", each) for each in SPLITS)], value=ANY,
                label="That are", elem_id="look-split", min_width=160,
            )  # fmt: skip
        grid = gr.HTML(elem_id="photos", js_on_load=PRESS)
        with gr.Row(elem_classes="adder"):
            before = gr.Button("Photos before", elem_id="look-before", min_width=140)
            forth = gr.Button("Next photos", elem_id="look-next", min_width=140)
    said = live("photo-said")
    editor = gr.Column(visible=False, elem_id="photo-editor", elem_classes="editor")
    return LookCard(
        whole, part, split, state, grid, before, forth, gr.State(0), editor, gr.State(Opened()), gr.State(0), said
    )


def wire(card: LookCard, photos: PhotosCard) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        photos: The card with the set.
    """
    wanted = [photos.chosen, card.part, card.split, card.state, photos.shown]
    seen = [card.grid, card.before, card.forth, card.at]
    for event in (card.part.input, card.split.input, card.state.input, photos.shown.change):
        event(lambda *given: _page(given[:5], 0, given[5]), [*wanted, card.opened], seen, **QUIET)
    # One event for all that a set shows: the page asks for one after the other.
    shown = photos.of_set
    photos.chosen.change(
        _chosen_anew, wanted, [*shown, card.all, card.part, *seen, card.opened, card.editor, card.said, photos.shown],
        **QUIET,
    )  # fmt: skip
    photos.version.change(
        lambda *given: [*of_set(given[0], given[4]), *_of_set(*given)], [*wanted, card.at, card.opened],
        [*shown, card.all, card.part, *seen], **QUIET,
    )  # fmt: skip
    now = [*wanted, card.at, card.opened]
    card.before.click(lambda *given: _page(given[:5], given[5] - 1, given[6]), now, seen, **QUIET)
    card.forth.click(lambda *given: _page(given[:5], given[5] + 1, given[6]), now, seen, **QUIET)
    card.grid.click(
        _opened, [*wanted, card.at, card.drawn], [card.opened, card.drawn, card.editor, card.said, *seen], **QUIET
    )  # fmt: skip
    _wire_editor(card, photos, wanted, seen)


def _chosen_anew(folder: str | None, part: str, split: str, state: str, *_: Any) -> list[Any]:
    """Return what shows another set: nothing of the one before stays open."""
    seen = _of_set(folder, part, split, state, "", 0, Opened())
    return [*of_set(folder, ""), *seen, Opened(), gr.Column(visible=False), "", ""]


def _opened(
    folder: str | None, part: str, split: str, state: str, finding: str, at: int, drawn: int, event: gr.EventData
) -> list[Any]:  # fmt: skip
    opened = Opened(str(event.photo))
    seen = _page((folder, part, split, state, finding), at, opened)
    return [opened, drawn + 1, gr.Column(visible=True), "", *seen]


def _of_set(folder: str | None, part: str, split: str, state: str, finding: str, at: int, opened: Opened) -> list[Any]:
    """Return what the card shows of a set that was chosen or has changed."""
    try:
        photos = chosen_set(folder)
    except RepairError:  # the card above says it
        photos = None
    if photos is None:
        return [gr.Accordion(visible=False), gr.skip(), "", gr.skip(), gr.skip(), 0]
    part = part if part in photos.parts else ANY
    parts = gr.Dropdown([("Any part", ANY), *((each, each) for each in photos.parts)], value=part)
    return [gr.Accordion(visible=True), parts, *_page((folder, part, split, state, finding), at, opened)]


def _page(wanted: Sequence[Any], at: int, opened: Opened) -> list[Any]:
    """Return a page of the chosen photos, whether there are others before and behind, and its number.

    Args:
        wanted: Folder of the set; part, split, state and finding by which photos are chosen.
        at: Number of the page.
        opened: What is open.
    """
    try:
        photos = the_set(wanted[0])
    except RepairError as error:
        return [render.problem(str(error)), gr.Button(interactive=False), gr.Button(interactive=False), 0]
    found = _chosen(photos, *wanted[1:])
    page, at = choice.page_of(found, at)
    more = (at + 1) * choice.PAGE_SIZE < len(found)
    html = photos_render.grid(photos, page, at, len(found), opened.name)
    return [html, gr.Button(interactive=at > 0), gr.Button(interactive=more), at]


def _chosen(photos: PhotoSet, part: str, split: str, state: str, finding: str) -> list[LabelledPhoto]:
    wanted = choice.Wanted(part or "", split or "", state or choice.ALL, finding or "")
    return choice.chosen(photos, wanted, report_of(photos.folder).findings if finding else ())


# ---- one photo


def _wire_editor(card: LookCard, photos: PhotosCard, wanted: list[Any], seen: list[Any]) -> None:
    gone = [card.opened, card.drawn, card.editor, card.said, photos.version, *seen]
    now = [*wanted, card.at, card.opened, card.drawn, photos.version]

    rendered: Any = gr.render(inputs=[photos.chosen, card.opened], triggers=[card.drawn.change], show_progress="hidden")

    def editor(folder: str | None, opened: Opened) -> None:
        if not opened.name:
            return
        try:
            own = the_set(folder)
            photo = opened.photo(own)
            picture = large(own.path(photo))
        except RepairError as error:
            gr.HTML(render.problem(str(error)))
            return
        boxes, buttons = photo_editor.lay(photo, picture, own.parts)
        for button, by, empty in (("save-next", 1, False), ("save", 0, False), ("nothing", 1, True)):
            buttons[button].click(_keeper(by, empty, picture.size), [boxes, *now], gone, **QUIET)
        for button, by in (("before", -1), ("next", 1)):
            buttons[button].click(_leafer(by), now, gone, **QUIET)
        buttons["close"].click(lambda *given: _shown(Opened(), "", *given), now, gone, **QUIET)

    with card.editor:
        rendered(editor)
    root = Context.root_block
    if root is not None:  # gr.render cannot be told that its event is nobody else's business
        max(root.fns.items())[1].api_visibility = "private"


def _keeper(by: int, empty: bool, size: tuple[int, int]) -> Any:
    def keep(value: Any, *given: Any) -> list[Any]:
        return _kept(by, [] if empty else None, value, size, *given)

    return keep


def _leafer(by: int) -> Any:
    def leaf(*given: Any) -> list[Any]:
        """Open the photo before or behind, with nothing saved."""
        return _next(by, *given)

    return leaf


def _kept(by: int, empty: list[Drawn] | None, value: Any, size: tuple[int, int], *given: Any) -> list[Any]:
    """Save the boxes of the open photo, and open the next one.

    Args:
        by: How many photos to go on.
        empty: No boxes, where there is nothing to see; None takes those that are drawn.
        value: Of the editor.
        size: Of the photo as it is shown.
        *given: Folder, part, split, state and finding; page; what is open; how often it was opened; version.
    """
    opened: Opened = given[6]
    try:
        photos = the_set(given[0])
        # The next one is known before: what is saved may no longer be among those that are shown.
        after = opened.after or (choice.beside(_chosen(photos, *given[1:5]), opened.name, by) if by else opened.name)
        said = keep(photos, opened, box_editor.drawn_in(value) if empty is None else empty, size)
        then = next_opened(the_set(given[0]), opened, after) if by else Opened(after)
    except RepairError as error:
        return _refused(error)
    end = "" if then.name else ". That was the last one"
    return _shown(then, f"{said}{end}.", *given, changed=True)


def _next(by: int, *given: Any) -> list[Any]:
    opened: Opened = given[6]
    try:
        after = opened.after or choice.beside(_chosen(the_set(given[0]), *given[1:5]), opened.name, by)
    except RepairError as error:
        return _refused(error)
    return _shown(Opened(after) if after else opened, "" if after else "There is none beyond it.", *given)


def _refused(error: RepairError) -> list[Any]:
    return [gr.skip(), gr.skip(), gr.skip(), render.problem(str(error)), gr.skip(), *[gr.skip()] * 4]


def _shown(opened: Opened, said: str, *given: Any, changed: bool = False) -> list[Any]:
    """Return what shows another photo, on the page of photos on which it is."""
    *wanted, at, _, drawn, version = given
    words = photos_render.said(said) if said else ""
    try:
        found = _chosen(the_set(wanted[0]), *wanted[1:])
        place = next((number for number, each in enumerate(found) if each.name == opened.name), None)
    except RepairError:
        place = None
    at = at if place is None else place // choice.PAGE_SIZE
    seen = [gr.skip(), gr.skip(), gr.skip(), at] if changed else _page(wanted, at, opened)
    return [
        opened,
        drawn + 1,
        gr.Column(visible=bool(opened.name)),
        words,
        version + 1 if changed else gr.skip(),
        *seen,
    ]
