"""Which detector inspects on the page, and whether masks are shown: one fold of the Inspect tab."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.schema import Inspection
from repairai.ui import render
from repairai.vision import detectors
from repairai.vision.photo import read_photo

ACTIVE = ""
"""Stands for the detector that inspects unless another is chosen."""
TITLE = "Which detector looks, and masks"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Seeing:
    """The components.

    Args:
        detector: Name of the detector; `ACTIVE` for the one that inspects.
        masks: A SAM 2 model; empty for none.
    """

    detector: gr.Dropdown
    masks: gr.Textbox


def lay() -> Seeing:
    """Lay out the fold and let its list be read anew when it is opened."""
    with gr.Accordion(TITLE, open=False, elem_id="fold-seeing", elem_classes="fold"):
        detector = gr.Dropdown(
            choices(), value=ACTIVE, label="Detector: one that was trained here, or a folder",
            allow_custom_value=True, elem_id="inspect-detector",
        )  # fmt: skip
        masks = gr.Textbox(
            "", label="Masks by SAM 2: its name on the Hub or its folder; empty for none", max_lines=1,
            placeholder="facebook/sam2.1-hiera-tiny", elem_id="inspect-masks",
        )  # fmt: skip
    detector.focus(lambda: gr.Dropdown(choices()), None, detector, **QUIET)
    return Seeing(detector, masks)


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
