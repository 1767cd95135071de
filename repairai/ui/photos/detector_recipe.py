"""The second card for a detector: which model, how much of it, and what its photos go through; as one recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.hardware.ways import DEFAULT
from repairai.ui import recipe_sheet, render
from repairai.ui.hardware_tab import models
from repairai.ui.photos import photos_render
from repairai.ui.photos.sets import chosen_set
from repairai.ui.photos.usual import BUILTIN, is_small, usual
from repairai.ui.recipe_sheet import LENGTH_TOKENS, QUIET, Form, Sheet, checked, no_plan, planned, used, with_data
from repairai.ui.recipe_text import changed, parsed, written
from repairai.ui.workbench import told
from repairai.vision.photo_set import PhotoSet
from repairai.vision.small_boxes import said as said_of_small
from repairai.vision.small_boxes import small_boxes

METHODS = [("The whole model: a larger card, more photos", "full"),
           ("With its backbone frozen: 8 GB, few photos", "few_shot")]  # fmt: skip
AUGMENTATIONS = [("As on a bench: light, blur, turns, distance", "bench"),
                 ("Strong: also hands, glare, noise", "strong"), ("None", "none")]  # fmt: skip
JUDGED = [("Parts counted exactly", "exact"), ("Average precision", "ap")]
METHOD, AUGMENTATION, JUDGE = "step.method", "detecting.augmentation", "detecting.judged"
FORM = Form(
    "detector",
    {
        "epochs": "Times through the photos", "max_steps": "Steps at most; 0 is no such end",
        "learning_rate": "Learning rate", "step.batch": "Photos at once", "step.image_px": "Side of a photo, in px",
        "eval_steps": "Steps between looks", "patience": "Looks without getting better until it ends; 0 is never",
        JUDGE: "The best is told by",
    },
    whole=("max_steps", "step.batch", "step.image_px", "eval_steps", "patience"),
    may_be_none=("max_steps",),
    choices={JUDGE: JUDGED},
)  # fmt: skip
KEYS = (METHOD, AUGMENTATION, *FORM.labels)
TITLES = {"full": "all of", "few_shot": "the head of"}


@dataclass(frozen=True)
class DetectorRecipe:
    """The components of the card.

    Args:
        model: That is trained.
        size: Of the card in GiB, for models that are planned.
        method: How much of it is trained.
        augmentation: What photos go through.
        make: Makes a recipe, or plans one.
        ready: Recipes that lie ready.
        sheet: What fits, and the recipe.
    """

    model: gr.Dropdown
    size: gr.Number
    method: gr.Radio
    augmentation: gr.Radio
    make: gr.Button
    ready: gr.Dropdown
    sheet: Sheet


def lay() -> DetectorRecipe:
    """Lay out the card."""
    gr.HTML('<h2><span class="no">2</span> Which detector, and how?</h2>')
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            model = gr.Dropdown(
                model_choices(), value=BUILTIN, label="Begin with: a name on the Hub, or a folder",
                allow_custom_value=True, elem_id="detector-model",
            )  # fmt: skip
            size = gr.Number(
                label="Card in GiB; 0 is this machine", minimum=0, visible=False, elem_id="detector-size"
            )  # fmt: skip
            make = gr.Button("Make a recipe", elem_id="detector-make")
            ready = gr.Dropdown([], label="Or take one that lies ready", elem_id="detector-ready")
        with gr.Column(min_width=300):
            method = gr.Radio(METHODS, value="full", label="Train", elem_id="detector-method", elem_classes="list")
            augmentation = gr.Radio(
                AUGMENTATIONS, value="bench", label="Each time, a photo is changed", elem_id="detector-augmentation",
                elem_classes="list",
            )  # fmt: skip
    sheet = recipe_sheet.lay(FORM, "detector", "detector-use-way", "detector")
    return DetectorRecipe(model, size, method, augmentation, make, ready, sheet)


def model_choices() -> list[tuple[str, str]]:
    """Return the detectors that are offered: ours first."""
    return [("The detector that comes with RepairAI", BUILTIN), *((name, name) for name in models("detector"))]


def wire(card: DetectorRecipe, data: gr.Dropdown) -> list[Any]:
    """Wire the card; return the events after which the recipe is another one.

    Args:
        card: See `lay`.
        data: Folder of the set that was chosen.
    """
    card.model.change(
        lambda model: [
            gr.Number(visible=not is_own(model)),
            gr.Button("Make a recipe" if is_own(model) else "What fits?"),
        ],
        card.model, [card.size, card.make], **QUIET,
    )  # fmt: skip
    sheet = card.sheet
    made = card.make.click(
        make, [card.model, card.size, card.method, card.augmentation, data], [sheet.text, *sheet.plan],
        api_visibility="private", show_progress_on=sheet.ways,
    )  # fmt: skip
    way = [sheet.found, sheet.way, card.augmentation, data]
    above = {METHOD: card.method, AUGMENTATION: card.augmentation}
    return [
        made,
        sheet.use.click(told(_used), way, sheet.text, **QUIET),
        *recipe_sheet.wire(sheet, card.ready, "detector", data, check, above),
    ]


def is_own(model: str | None) -> bool:
    """Return whether a model needs no plan."""
    try:
        return isinstance(model, str) and bool(model.strip()) and is_small(model.strip())
    except RepairError:
        return False


def make(
    model: str | None, size: float | None, method: str, augmentation: str, folder: str | None,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio finds it as a default
) -> list[Any]:  # fmt: skip
    """Return a recipe for a small detector; for others, what fits."""
    try:
        photos = chosen_set(folder)
        if not (model or "").strip():
            raise RepairError("no model is named", f"choose one, such as {DEFAULT['detector']}")
        if is_own(model):
            recipe = usual(str(model).strip(), method, augmentation, photos)  # type: ignore[arg-type]
            return [written(recipe), *no_plan()]
    except RepairError as error:
        return [gr.skip(), *no_plan(render.problem(str(error)))]
    examples = len(photos.of("train")) if photos else 1000
    *plan, _ = planned("detector", str(model), size, LENGTH_TOKENS, max(examples, 1), progress)
    return [gr.skip(), *plan]


def _used(found: Any, way: int | None, augmentation: str, folder: str | None) -> str:
    return changed(used(found, way, folder), AUGMENTATION, augmentation)


def check(text: str, *fields: Any) -> list[Any]:
    """Return whether a text is a detector's recipe, as HTML, and its form; a field that is right is left alone."""
    return checked(text, dict(zip(KEYS, fields, strict=True)), title_of, "detector", too_small)


def too_small(recipe: Recipe) -> str:
    """Return that many boxes are too small for what a recipe trains, as HTML; empty where they are not."""
    try:
        photos = chosen_set(recipe.data)
    except RepairError:  # the card above says it
        return ""
    small = small_boxes(photos.photos, recipe.step.image_px) if photos else None
    if photos is None or small is None or not small.many:
        return ""
    return photos_render.said(f"{said_of_small(photos.photos, small)}.".replace("`", ""))


def title_of(recipe: Recipe) -> str:
    """Return what a recipe does, in a few words: "Training all of the built-in detector"."""
    model = recipe.step.model.rstrip("/").rsplit("/", 1)[-1]
    name = "the built-in detector" if model == BUILTIN else model
    return f"Training {TITLES.get(recipe.step.method, recipe.step.method)} {name}"


def recipe_or_usual(text: str, model: str | None, method: str, augmentation: str, photos: PhotoSet) -> Recipe:
    """Return the recipe that is shown, for these photos; the usual one where none is shown yet.

    Raises:
        RepairError: What is shown is no recipe.
    """
    if text.strip():
        return parsed(with_data(text, str(photos.folder)))
    own = str(model).strip() if is_own(model) else BUILTIN
    return usual(own, method, augmentation, photos)  # type: ignore[arg-type]
