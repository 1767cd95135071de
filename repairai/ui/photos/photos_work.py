"""What goes on with a set of photos in a process of its own, and what the page shows of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.ui import render
from repairai.ui.photos import photos_render
from repairai.ui.photos.corrected import renamed
from repairai.ui.photos.scripted import Scripted
from repairai.ui.photos.sets import listed, report_of, the_set
from repairai.ui.recipe_text import parsed

SCRIPT = "training.detector_data"


def started(work: Scripted, chosen: str | None, version: int, start: Any) -> list[Any]:
    """Start something, and return what is shown of it; `start` is called to do so."""
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


def examine(work: Scripted, folder: str | None, recipe: str = "") -> None:
    """Let the doctor look at a set.

    Args:
        work: Runs it.
        folder: Of the set.
        recipe: By which it will be trained on, as text: what is too small hangs on it; empty, or wrong, for none.

    Raises:
        RepairError: There is no set, or something else is going on.
    """
    photos = the_set(folder)
    side = []
    with suppress(RepairError):  # what is wrong with it stands beside it
        step = parsed(recipe).step if recipe.strip() else None
        side = [f"--image-px={step.image_px}"] if step and step.image_px else []
    work.start(f"Looking through {photos.name}", photos.name, SCRIPT, ["doctor", *side, photos.name])


def refused(work: Scripted, error: RepairError) -> list[Any]:
    """Return what is shown where something could not be started."""
    going = work.progress() is not None
    return [render.problem(str(error)), gr.Timer(active=going), *while_going(going), gr.skip(), gr.skip(), gr.skip()]


def look(work: Scripted, chosen: str | None, version: int) -> list[Any]:
    """Return how far what is going on is; when it is over, the set that it was done to is read anew."""
    found = work.progress()
    still = [gr.Timer(active=False), *while_going(False)]
    if found is None:
        return ["", *still, gr.skip(), gr.skip(), gr.skip()]
    if not found.ended:
        words = photos_render.said(f"{found.title}: it is being ended …") if found.cancelled else None
        shown = words or photos_render.progress(found)
        return [shown, gr.Timer(active=True), *while_going(True, found.cancelled), gr.skip(), gr.skip(), gr.skip()]
    work.forget()
    if found.fault:
        return [render.problem(found.fault), *still, gr.skip(), gr.skip(), version + 1]
    if found.cancelled:
        return [photos_render.said(f"{found.title} was cancelled."), *still, gr.skip(), gr.skip(), version + 1]
    said = photos_render.said(f"{found.title}: done.{_told(found.said) if found.tells else ''}")
    new = PHOTO_SETS.kept_or_newest(str(PHOTO_SETS.folder(found.subject)))
    return [said, *still, dropdown(new), gr.Accordion(open=False), newer(chosen, new, version)]


def newer(chosen: str | None, now: str | None, version: int) -> Any:
    """Return the version of what is shown, grown where the same set stays chosen: another one is read anew anyway."""
    return version + 1 if now == chosen else gr.skip()


def _told(said: tuple[str, ...]) -> str:
    return " " + " ".join(f"{each.rstrip('.')}." for each in said)[:1000]


def while_going(going: bool, cancelled: bool = False) -> list[Any]:
    """Return the buttons that end and start, as they are while something is going on or not."""
    return [gr.Button(visible=going and not cancelled), gr.Button(interactive=not going)]


def dropdown(chosen: str | None) -> Any:
    """Return the list of sets, with this one chosen."""
    return gr.Dropdown(listed(), value=chosen)
