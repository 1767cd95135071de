"""Before a detector's training: what its photos go through, on one sheet, and whether eight of them can be learned."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.processes import SOURCES
from repairai.ui import render
from repairai.ui.photos import photos_render
from repairai.ui.photos.detector_recipe import DetectorRecipe, recipe_or_usual
from repairai.ui.photos.scripted import Progress, Scripted, script
from repairai.ui.photos.sets import the_set
from repairai.ui.workbench import live

SCRIPT = "training.detector_train"
SHEET_SECONDS = 180
ROWS = 3
POLL_SECONDS = 1
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class TryCard:
    """The components of the card.

    Args:
        preview: Shows what photos go through.
        test: Lets eight photos be learned by heart.
        cancel: Ends that.
        said: What came of it.
        sheet: The photos.
        clock: Ticks while the test goes on.
    """

    preview: gr.Button
    test: gr.Button
    cancel: gr.Button
    said: gr.HTML
    sheet: gr.HTML
    clock: gr.Timer


def lay() -> TryCard:
    """Lay out the card."""
    with gr.Row(elem_classes="adder"):
        preview = gr.Button("Show what photos go through", elem_id="detector-preview", min_width=240)
        test = gr.Button("Learn 8 photos by heart: are labels right?", elem_id="detector-overfit", min_width=300)
        cancel = gr.Button("Cancel", visible=False, elem_id="overfit-cancel", min_width=100)
    said = live("overfit-said")
    sheet = live("preview-sheet")
    return TryCard(preview, test, cancel, said, sheet, gr.Timer(POLL_SECONDS, active=False))


def wire(card: TryCard, recipe: DetectorRecipe, data: gr.Dropdown, work: Scripted) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        recipe: The card with the recipe.
        data: Folder of the set.
        work: Runs the test.
    """
    given = [data, recipe.sheet.text, recipe.model, recipe.method, recipe.augmentation]
    out = [card.said, card.clock, card.cancel, card.test]

    def preview(*given: Any) -> str:
        try:
            return sheet(*given)
        except RepairError as error:
            return render.problem(str(error))

    def test(folder: str | None, text: str, model: str, method: str, augmentation: str) -> list[Any]:
        try:
            photos = the_set(folder)
            own = recipe_or_usual(text, model, method, augmentation, photos).step.model
            words = ["overfit", photos.name, f"--model={own}", "--progress-json"]
            work.start(f"Learning 8 photos of {photos.name} by heart", photos.name, SCRIPT, words)
        except RepairError as error:
            return [render.problem(str(error)), gr.Timer(active=False), gr.skip(), gr.skip()]
        return look(work)

    def cancel() -> list[Any]:
        work.stop()
        return look(work)

    card.preview.click(preview, given, card.sheet, api_visibility="private", show_progress_on=card.sheet)
    card.test.click(test, given, out, **QUIET)
    card.cancel.click(cancel, None, out, **QUIET)
    card.clock.tick(lambda: look(work), None, out, concurrency_limit=None, **QUIET)
    data.change(lambda: "", None, card.sheet, **QUIET)


def look(work: Scripted) -> list[Any]:
    """Return how far the test is, or what came of it."""
    found = work.progress()
    still = [gr.Timer(active=False), gr.Button(visible=False), gr.Button(interactive=True)]
    if found is None:
        return ["", *still]
    if not found.ended:
        going = [gr.Timer(active=True), gr.Button(visible=not found.cancelled), gr.Button(interactive=False)]
        return [photos_render.progress(found), *going]
    work.forget()
    return [answer(found), *still]


def answer(found: Progress) -> str:
    """Return what came of the test, as HTML."""
    if found.cancelled:
        return photos_render.said(f"{found.title} was cancelled.")
    try:
        said: dict[str, Any] = json.loads(found.said[-1])
        right, sentences = bool(said["right"]), [str(each) for each in said["said"]]
    except (IndexError, ValueError, KeyError, TypeError):
        return render.problem(found.fault or "the test ended without a word; look at the photos and try again.")
    icon, tone, word = ("✓", "pass", "labels and loss are right") if right else ("✕", "fail", "something is wrong")
    lines = "".join(f"<p>{escape(each)}</p>" for each in sentences)
    return (
        f'<section class="decision" data-right="{str(right).lower()}"><span class="badge badge-{tone}">'
        f'<span aria-hidden="true">{icon}</span> {word}</span>{lines}</section>'
    )


def sheet(folder: str | None, text: str, model: str, method: str, augmentation: str) -> str:
    """Return photos as they are trained on, as HTML.

    Raises:
        RepairError: There are none, or they cannot be shown.
    """
    photos = the_set(folder)
    recipe = recipe_or_usual(text, model, method, augmentation, photos)
    with tempfile.TemporaryDirectory(prefix="repairai-") as place:
        words = [photos.name, f"--preset={augmentation}", f"--out={place}", f"--image-px={recipe.step.image_px}"]
        _run(script(SCRIPT, ["preview", *words, f"--photos={ROWS}"]))
        try:
            content = (Path(place) / "preview.jpg").read_bytes()
        except OSError:
            raise RepairError("no sheet was made", "look at the photos, and try again") from None
    address = base64.b64encode(content).decode()
    return (
        f'<figure class="sheet"><img src="data:image/jpeg;base64,{address}" alt="Photos with their boxes, as they are '
        f'and as they are trained on"><figcaption class="fine">Each row: a photo as it is, then as it is trained on.'
        "</figcaption></figure>"
    )


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, cwd=SOURCES, capture_output=True, timeout=SHEET_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RepairError(f"it took more than {SHEET_SECONDS} s", "try again when the machine has less to do") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise RepairError(lines[-1].partition(": ")[2][:300] if lines else "no sheet was made", "look at the photos")
