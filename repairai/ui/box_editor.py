"""Boxes on a photo, drawn by hand: the one module that knows `gradio_image_annotation`, and what takes its place.

Where the package is not there, the boxes stand in a table that can be edited, beside the photo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from PIL import Image

from repairai.errors import RepairError
from repairai.ui.photos.corrected import Drawn

try:
    from gradio_image_annotation import image_annotator  # type: ignore[import-untyped,unused-ignore]
except ImportError:  # the page works without it
    image_annotator = None

COLOURS = (
    "#2dd4bf", "#fbbf24", "#c4b5fd", "#f9a8d4", "#86efac", "#fca5a5", "#93c5fd", "#fdba74", "#d9f99d", "#e5e7eb",
)  # fmt: skip
"""Of the parts, in their order: light ones, that stand out on a photo; they are told apart by their names too."""
HANDLE_PX, LINE_PX = (6, 16), 3
"""Smallest and largest side of what a box is drawn larger by, and its line: for gloved hands, where there is room."""
HANDLES = 6
"""So many times as long as a handle is the shorter side of all but the smallest boxes: handles are not to hide them."""
TALLEST = "72vh"
"""Of the photo on the page: it is seen as a whole, with the buttons below it."""
HEAD = ["part", "left", "top", "right", "bottom"]
KEYS = (
    "C draws a box, D moves, E names, Del deletes, the space bar shows the whole photo; the lock keeps a name for the "
    "next boxes."
    if image_annotator
    else ""
)
"""What the keyboard does while the photo has the focus."""
ELEM_ID = "box-editor"


def colour(number: int) -> str:
    """Return the colour of a part by its number."""
    return COLOURS[number % len(COLOURS)]


def box_editor(picture: Image.Image, drawn: Sequence[Drawn], parts: Sequence[str], label: str) -> Any:
    """Return a component in which the boxes of a photo are drawn, moved, named and deleted.

    Args:
        picture: As it is shown; RGB.
        drawn: Boxes in its px.
        parts: That a box may show.
        label: Over the photo.
    """
    if image_annotator is None:
        return _table(picture, drawn, parts, label)
    numbers = {part: number for number, part in enumerate(parts)}
    boxes = [
        {**dict(zip(("xmin", "ymin", "xmax", "ymax"), map(round, each.box), strict=True)), "label": each.part,
         "color": _rgb(colour(numbers.get(each.part, 0)))}
        for each in drawn
    ]  # fmt: skip
    across = f"max(240px, calc({TALLEST} * {picture.width / picture.height:.4f}))"
    return image_annotator(
        {"image": picture, "boxes": boxes}, label_list=list(parts) or None,
        label_colors=[colour(number) for number in range(len(parts))] or None, sources=[], image_type="filepath",
        boxes_alpha=0.15, box_min_size=6, handle_size=handle_px(drawn), box_thickness=LINE_PX,
        box_selected_thickness=2 * LINE_PX,
        show_clear_button=False, show_download_button=False, show_share_button=False, show_remove_button=True,
        use_default_label=len(parts) == 1, label=label, elem_id=ELEM_ID, width=f"min(100%, {across})",
    )  # fmt: skip


def handle_px(drawn: Sequence[Drawn]) -> int:
    """Return the side of what a box is drawn larger by, in px of the page."""
    sides = sorted(min(box[2] - box[0], box[3] - box[1]) for box in (each.box for each in drawn))
    small = sides[len(sides) // 4] / HANDLES if sides else HANDLE_PX[1]
    return round(min(max(small, HANDLE_PX[0]), HANDLE_PX[1]))


def drawn_in(value: Any) -> list[Drawn]:
    """Return the boxes that a component of `box_editor` holds.

    Raises:
        RepairError: The photo was turned, or an edge is no number.
    """
    if image_annotator is None:
        rows = value.values.tolist() if hasattr(value, "values") else list(value or ())
        return [_from_row(row) for row in rows if any(str(cell).strip() for cell in row)]
    if not isinstance(value, Mapping):
        return []
    if value.get("orientation"):
        raise RepairError("the photo was turned, and its boxes with it", "turn it back; it is upright already")
    return [
        Drawn(str(each.get("label") or ""), (each["xmin"], each["ymin"], each["xmax"], each["ymax"]))
        for each in value.get("boxes") or ()
    ]


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


# ---- without the package


def _table(picture: Image.Image, drawn: Sequence[Drawn], parts: Sequence[str], label: str) -> Any:
    gr.AnnotatedImage((picture, [(tuple(map(round, each.box)), each.part) for each in drawn]), label=label)
    rows = [[each.part, *map(round, each.box)] for each in drawn]
    return gr.Dataframe(
        rows or [["", *[""] * 4]], headers=HEAD, interactive=True, type="array", elem_id=ELEM_ID,
        label=f"Boxes in px of this picture, {picture.width} x {picture.height}; the parts are {', '.join(parts)}",
    )  # fmt: skip


def _from_row(row: Sequence[Any]) -> Drawn:
    try:
        left, top, right, bottom = (float(cell) for cell in row[1:5])
    except (TypeError, ValueError):
        raise RepairError(f"a box has an edge that is no number: {row[1:5]}"[:200], "write numbers, in px") from None
    return Drawn(str(row[0] or ""), (left, top, right, bottom))
