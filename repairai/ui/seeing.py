"""Which detector and judge inspect on the page, and whether masks are shown: one fold of the Inspect tab."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.judge import judges
from repairai.judge.limits import is_address
from repairai.judge.server import sent_away
from repairai.schema import Inspection
from repairai.ui import render
from repairai.ui.workbench import live
from repairai.vision import detectors
from repairai.vision.photo import read_photo

ACTIVE = ""
"""Stands for the detector that inspects, or the judge that answers, unless another is chosen."""
TITLE = "Which detector looks, which judge answers, and masks"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Seeing:
    """The components.

    Args:
        detector: Name of the detector; `ACTIVE` for the one that inspects.
        masks: A SAM 2 model; empty for none.
        judge: Name of the judge of states, its folder or address; `ACTIVE` for the one in use.
        leaves: That its photos leave this machine, where they do.
    """

    detector: gr.Dropdown
    masks: gr.Textbox
    judge: gr.Dropdown
    leaves: gr.HTML


def lay() -> Seeing:
    """Lay out the fold and let its list be read anew when it is opened."""
    with gr.Accordion(TITLE, open=False, elem_id="fold-seeing", elem_classes="fold"):
        detector = gr.Dropdown(
            choices(), value=ACTIVE, label="Detector: one that was trained here, or a folder",
            allow_custom_value=True, elem_id="inspect-detector",
        )  # fmt: skip
        judge = gr.Dropdown(
            judge_choices(), value=ACTIVE, allow_custom_value=True, elem_id="inspect-judge",
            label="Judge of states: one that was trained here, a folder, a name on the Hub, or a server's address",
        )  # fmt: skip
        leaves = live("judge-away", away(ACTIVE))
        masks = gr.Textbox(
            "", label="Masks by SAM 2: its name on the Hub or its folder; empty for none", max_lines=1,
            placeholder="facebook/sam2.1-hiera-tiny", elem_id="inspect-masks",
        )  # fmt: skip
    detector.focus(lambda: gr.Dropdown(choices()), None, detector, **QUIET)
    judge.focus(lambda: gr.Dropdown(judge_choices()), None, judge, **QUIET)
    judge.change(away, judge, leaves, **QUIET)
    return Seeing(detector, masks, judge, leaves)


def choices() -> list[tuple[str, str]]:
    """Return the detectors that can be chosen: first the one that inspects anyway."""
    try:
        active, known = detectors.active(), detectors.inspectors()
    except RepairError:  # whoever checks a photo is told
        return [("The one that inspects", ACTIVE), ("The detector that comes with RepairAI", detectors.BUILTIN.name)]
    names = [(titled(each), each.name) for each in known if not detectors.missing(each)]
    return [(f"The one that inspects: {titled(active)}", ACTIVE), *names]


def titled(inspector: detectors.Inspector) -> str:
    """Return a detector's name for people."""
    return inspector.name if inspector.path else "the detector that comes with RepairAI"


def judge_choices() -> list[tuple[str, str]]:
    """Return the judges of states that can be chosen: first the one in use."""
    try:
        active, known = judges.active(), judges.judges()
    except RepairError:  # whoever checks a photo is told
        return [("The one in use", ACTIVE), ("Nobody: I look for myself", judges.NOBODY.name)]
    names = [(judge_titled(each), each.name) for each in known if not judges.missing(each)]
    return [(f"The one in use: {judge_titled(active)}", ACTIVE), *names]


def judge_titled(judge: judges.Judge) -> str:
    """Return a judge's name for people."""
    return "nobody, I look for myself" if judge.kind == "nobody" else judge.name


def away(name: str | None) -> str:
    """Return that what a judge is asked leaves this machine, as HTML; empty where it does not."""
    said = sent_away(address_of(name))
    return f'<p class="answer" data-away="true">{escape(said)}</p>' if said else ""


def address_of(name: str | None) -> str:
    """Return the address of a judge that was chosen; empty where it is no server."""
    words = (name or ACTIVE).strip()
    if is_address(words):
        return words
    try:
        chosen = judges.active() if not words else next((each for each in judges.judges() if each.name == words), None)
    except RepairError:  # whoever checks a photo is told
        return ""
    return chosen.path if chosen and chosen.kind == "server" else ""


def with_masks(done: Inspection, photo: Path, model: str) -> tuple[Inspection, str]:
    """Return an inspection with a mask for each part of its photo, and what is wrong as HTML; no verdict hangs on it.

    Args:
        done: The inspection.
        photo: Its photo.
        model: A SAM 2 model, by folder or Hub name; empty for no masks.
    """
    if not model.strip():
        return done, ""
    from repairai.vision import segmenter  # noqa: PLC0415  torch takes seconds

    try:
        sam = _segmenter(model.strip())
        seen = segmenter.with_masks(read_photo(photo).pixels, done.detections, sam)
    except RepairError as error:
        return done, render.problem(str(error))
    return replace(done, detections=seen, models=(*done.models, sam.name)), ""


@lru_cache(maxsize=1)
def _segmenter(model: str) -> Any:
    from repairai.vision.segmenter import load_segmenter  # noqa: PLC0415  torch takes seconds

    return load_segmenter(model)
