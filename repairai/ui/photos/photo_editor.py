"""One photo with its boxes, open to be corrected: the drawing, the buttons, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr
from PIL import Image

from repairai.ui import box_editor
from repairai.ui.photos import photos_render
from repairai.ui.photos.corrected import shown
from repairai.vision.photo_set import LabelledPhoto

KEYS = """
const show = tries => setTimeout(() => {
  const editor = document.getElementById("photo-editor");
  const canvas = document.querySelector("#box-editor .annotator-container");
  const height = document.querySelector("#box-editor canvas")?.offsetHeight || 0;
  if (!editor || !editor.offsetParent) return;
  if ((!canvas || height < 50) && tries) return show(tries - 1);  // the photo is still fetched
  if (canvas && !editor.contains(document.activeElement)) canvas.focus({preventScroll: true});
  editor.style.scrollMarginTop = "4rem";  // what became of the last photo stands over it
  const place = editor.getBoundingClientRect();
  if (place.top < 0 || place.bottom > innerHeight) editor.scrollIntoView({block: "start"});
}, 150);
show(40);
if (window.repairaiKeys) return;
window.repairaiKeys = true;
document.addEventListener("keydown", event => {
  const open = document.getElementById("photo-editor");
  if (!open || !open.offsetParent || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("#box-editor .modal")) return;  // Enter answers its question
  if (event.target.closest("input, textarea, select, [contenteditable=true], [role=listbox], [role=dialog]")) return;
  const names = {Enter: "photo-save-next", ArrowRight: "photo-next", ArrowLeft: "photo-before", n: "photo-nothing"};
  if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
  const button = document.getElementById(names[event.key]);
  if (!button || button.disabled) return;
  event.preventDefault();
  button.click();
});
"""
"""Keys for the open photo; the editor has its own for the boxes, while it has the focus."""
BUTTONS = (
    ("save-next", "Save and next", 180), ("nothing", "Nothing to see here", 180), ("save", "Save", 100),
    ("before", "Before", 100), ("next", "Next", 100), ("close", "Close", 100),
)  # fmt: skip


def lay(photo: LabelledPhoto, picture: Image.Image, parts: Sequence[str]) -> tuple[Any, dict[str, gr.Button]]:
    """Lay out a photo; return what its boxes are drawn in, and the buttons by name.

    Args:
        photo: With the boxes that are shown.
        picture: The photo as it is shown.
        parts: That a box may show.
    """
    gr.HTML(f"<h3>{escape(photo.name)}</h3>")
    drawn, label = shown(photo, picture.size), "Draw a box round each part, and choose what it is"
    boxes = box_editor.box_editor(picture, drawn, parts or ("part",), label)
    with gr.Row(elem_classes="adder"):
        buttons = {
            name: gr.Button(
                text,
                elem_id=f"photo-{name}",
                min_width=width,
                variant="primary" if name == "save-next" else "secondary",
            )
            for name, text, width in BUTTONS
        }
    gr.HTML(photos_render.who_drew(photo), elem_id="who-drew")
    keys = f"{box_editor.KEYS} Enter saves and goes on, N says there is nothing, the arrows leaf without saving."
    gr.HTML(f'<p class="fine">{escape(keys.strip())}</p>', js_on_load=KEYS)
    return boxes, buttons
