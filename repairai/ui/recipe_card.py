"""The second card of the Train tab: a recipe, planned for this machine, taken as it lies ready, or written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.hardware.recipe import Recipe
from repairai.hardware.ways import DEFAULT
from repairai.ui import recipe_sheet
from repairai.ui.data_card import chosen_data
from repairai.ui.hardware_tab import LENGTHS, models
from repairai.ui.recipe_sheet import QUIET, Form, Sheet, checked, planned, taken, used
from repairai.ui.recipe_text import TITLES
from repairai.ui.workbench import told

BACKENDS = [("TRL, in this environment", "trl"), ("Unsloth, in one of its own", "unsloth"),
            ("Axolotl, in one of its own", "axolotl")]  # fmt: skip
FORM = Form(
    "form",
    {
        "epochs": "Times through the data", "learning_rate": "Learning rate", "step.batch": "Examples at once",
        "step.length_tokens": "Longest example, in tokens", "step.rank": "Rank of the adapters (LoRA)",
        "patience": "Looks without getting better until it ends; 0 is never", "backend": "Trained by",
    },
    whole=("patience", "step.batch", "step.length_tokens", "step.rank"),
    choices={"backend": BACKENDS},
)  # fmt: skip


@dataclass(frozen=True)
class RecipeCard:
    """The components of the card.

    Args:
        model: That is planned for.
        size: Of the card in GiB.
        length: Of an example.
        make: Works out what fits.
        note: What became of it.
        ready: Recipes that lie ready.
        dropped: A file with one.
        sheet: What fits, and the recipe.
    """

    model: gr.Dropdown
    size: gr.Number
    length: gr.Dropdown
    make: gr.Button
    note: gr.HTML
    ready: gr.Dropdown
    dropped: gr.File
    sheet: Sheet


def lay() -> RecipeCard:
    """Lay out the card."""
    gr.HTML('<h2><span class="no">2</span> Which model, and how?</h2>')
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            model = gr.Dropdown(
                models("sop"), value=DEFAULT["sop"], label="Let it be planned, for a model on the Hub or in a folder",
                allow_custom_value=True, elem_id="train-model",
            )  # fmt: skip
            with gr.Row():
                size = gr.Number(label="Card in GiB; 0 is this machine", minimum=0, min_width=150, elem_id="train-size")
                length = gr.Dropdown(
                    [str(n) for n in LENGTHS],
                    value="1024",
                    label="Longest example",
                    min_width=120,
                    elem_id="train-length",
                )
            make = gr.Button("What fits?", elem_id="train-plan")
        with gr.Column(min_width=300):
            ready = gr.Dropdown([], label="Or take a recipe that lies ready", elem_id="ready")
            dropped = gr.File(
                label="Or drop one: .yaml", file_types=[".yaml", ".yml"], height=150, elem_id="recipe-file"
            )
    sheet = recipe_sheet.lay(FORM, "train", "use-way", "recipe")
    return RecipeCard(model, size, length, make, gr.HTML(visible=False), ready, dropped, sheet)


def wire(card: RecipeCard, data: gr.Dropdown) -> list[Any]:
    """Wire the card; return the events after which the recipe is another one.

    Args:
        card: See `lay`.
        data: Folder of the data that were chosen: the recipe names it.
    """
    examples = gr.State(1000)
    data.change(lambda folder: _examples(folder), data, examples, **QUIET)
    sheet = card.sheet
    card.make.click(
        planned, [gr.State("sop"), card.model, card.size, card.length, examples], [*sheet.plan, card.note],
        api_visibility="private",
    )  # fmt: skip
    return [
        sheet.use.click(told(used), [sheet.found, sheet.way, data], sheet.text, **QUIET),
        card.dropped.upload(taken, [card.dropped, data, sheet.text], [sheet.text, sheet.said], **QUIET),
        *recipe_sheet.wire(sheet, card.ready, "sop", data, check),
    ]


def check(text: str, *fields: Any) -> list[Any]:
    """Return whether a text is a recipe, as HTML, and its form; a field that is right is left alone."""
    return checked(text, dict(zip(FORM.labels, fields, strict=True)), title_of)


def title_of(recipe: Recipe) -> str:
    """Return what a recipe does, in a few words."""
    method, model = recipe.step.method, recipe.step.model.rstrip("/").rsplit("/", 1)[-1]
    return f"{TITLES.get(method, method)} of {model}" if method != "full" else f"All of {model}"


def _examples(folder: str | None) -> int:
    data = chosen_data(folder)
    return max(data.train_examples, 1) if data else 1000
