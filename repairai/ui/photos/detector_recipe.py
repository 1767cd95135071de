"""The second card for a detector: which model, how much of it, and what its photos go through; as one recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.hardware.ways import DEFAULT
from repairai.ui import render, train_render
from repairai.ui.hardware_tab import models
from repairai.ui.photos import photos_render
from repairai.ui.photos.sets import chosen_set
from repairai.ui.photos.usual import BUILTIN, is_small, usual
from repairai.ui.recipe_card import planned, renamed, setter, taken, used, with_data
from repairai.ui.recipe_text import changed, parsed, problems, ready_recipes, value_of, written
from repairai.ui.workbench import live, told
from repairai.vision.photo_set import PhotoSet
from repairai.vision.small_boxes import said as said_of_small
from repairai.vision.small_boxes import small_boxes

METHODS = [("The whole model: a larger card, more photos", "full"),
           ("With its backbone frozen: 8 GB, few photos", "few_shot")]  # fmt: skip
AUGMENTATIONS = [("As on a bench: light, blur, turns, distance", "bench"),
                 ("Strong: also hands, glare, noise", "strong"), ("None", "none")]  # fmt: skip
JUDGED = [("Parts counted exactly", "exact"), ("Average precision", "ap")]
METHOD, AUGMENTATION, JUDGE = "step.method", "detecting.augmentation", "detecting.judged"
FIELDS = {
    "epochs": "Times through the photos", "max_steps": "Steps at most; 0 is no such end",
    "learning_rate": "Learning rate", "step.batch": "Photos at once", "step.image_px": "Side of a photo, in px",
    "eval_steps": "Steps between looks", "patience": "Looks without getting better until it ends; 0 is never",
    JUDGE: "The best is told by",
}  # fmt: skip
WHOLE = ("max_steps", "step.batch", "step.image_px", "eval_steps", "patience")
NONE = ("max_steps",)
TITLES = {"full": "all of", "few_shot": "the head of"}
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class DetectorRecipe:
    """The components of the card.

    Args:
        model: That is trained.
        size: Of the card in GiB, for models that are planned.
        method: How much of it is trained.
        augmentation: What photos go through.
        make: Makes a recipe, or plans one.
        ways: What fits.
        found: The plan itself.
        keep: Where one of the ways is taken.
        way: Which one.
        use: Takes it.
        ready: Recipes that lie ready.
        text: The recipe.
        said: Whether it is whole, or what is wrong with it.
        side: What the form stands in.
        form: By key: the values that people change most.
    """

    model: gr.Dropdown
    size: gr.Number
    method: gr.Radio
    augmentation: gr.Radio
    make: gr.Button
    ways: gr.HTML
    found: gr.State
    keep: gr.Row
    way: gr.Dropdown
    use: gr.Button
    ready: gr.Dropdown
    text: gr.Code
    said: gr.HTML
    side: gr.Column
    form: dict[str, Any]


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
    ways = live("detector-ways")
    with gr.Row(visible=False, elem_classes="adder") as keep:
        way = gr.Dropdown([], label="Way", elem_id="detector-way", min_width=280, scale=3)
        use = gr.Button("Use this way", variant="primary", elem_id="detector-use-way", min_width=160, scale=1)
    said = live("detector-said", train_render.NO_RECIPE)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=3):
            text = gr.Code(
                "", language="yaml", label="The recipe; change it as you like (Esc, then Tab leaves it)", lines=6,
                max_lines=28, interactive=True, elem_id="detector-text",
            )  # fmt: skip
        with gr.Column(min_width=280, scale=2, visible=False, elem_classes="form") as side:
            form = {key: _field(key) for key in FIELDS}
    return DetectorRecipe(
        model, size, method, augmentation, make, ways, gr.State(None), keep, way, use, ready, text, said, side, form
    )


def model_choices() -> list[tuple[str, str]]:
    """Return the detectors that are offered: ours first."""
    return [("The detector that comes with RepairAI", BUILTIN), *((name, name) for name in models("detector"))]


def _field(key: str) -> Any:
    elem_id = f"detector-{key.rpartition('.')[2].replace('_', '-')}"
    if key == JUDGE:
        return gr.Dropdown(JUDGED, value=None, label=FIELDS[key], elem_id=elem_id)
    return gr.Number(label=FIELDS[key], precision=0 if key in WHOLE else None, elem_id=elem_id, minimum=0)


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
    card.ready.focus(
        lambda: gr.Dropdown([(each.title, str(each.path)) for each in ready_recipes("detector")]), None, card.ready,
        **QUIET,
    )  # fmt: skip
    made = card.make.click(
        make, [card.model, card.size, card.method, card.augmentation, data, card.text],
        [card.text, card.ways, card.found, card.keep, card.way], api_visibility="private", show_progress_on=card.ways,
    )  # fmt: skip
    way = [card.found, card.way, card.method, card.augmentation, data]
    loads = [
        made,
        card.use.click(told(_used), way, card.text, **QUIET),
        card.ready.input(taken, [card.ready, data, card.text], [card.text, card.said], **QUIET),
        data.change(renamed, [card.text, data], card.text, **QUIET),
    ]
    fields = list(card.form.values())
    card.text.change(
        check, [card.text, card.method, card.augmentation, *fields],
        [card.said, card.side, card.method, card.augmentation, *fields], trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    for key, field in card.form.items():
        events = (field.input,) if key == JUDGE else (field.blur, field.submit)
        loads += [event(setter(key, WHOLE, NONE), [card.text, field], card.text, **QUIET) for event in events]
    for key, radio in ((METHOD, card.method), (AUGMENTATION, card.augmentation)):
        loads.append(radio.input(setter(key, WHOLE), [card.text, radio], card.text, **QUIET))
    return loads


def is_own(model: str | None) -> bool:
    """Return whether a model needs no plan."""
    try:
        return isinstance(model, str) and bool(model.strip()) and is_small(model.strip())
    except RepairError:
        return False


def make(
    model: str | None, size: float | None, method: str, augmentation: str, folder: str | None, text: str,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio finds it as a default
) -> list[Any]:  # fmt: skip
    """Return a recipe for a small detector; for others, what fits."""
    none = ["", None, gr.Row(visible=False), gr.skip()]
    try:
        photos = chosen_set(folder)
        if not (model or "").strip():
            raise RepairError("no model is named", f"choose one, such as {DEFAULT['detector']}")
        if is_own(model):
            recipe = usual(str(model).strip(), method, augmentation, photos)  # type: ignore[arg-type]
            return [written(recipe), *none]
    except RepairError as error:
        return [gr.skip(), render.problem(str(error)), *none[1:]]
    examples = len(photos.of("train")) if photos else 1000
    ways, found, keep, way, _ = planned("detector", str(model), size, "1024", max(examples, 1), progress)
    return [gr.skip(), ways, found, keep, way]


def _used(found: Any, way: int | None, method: str, augmentation: str, folder: str | None) -> str:
    text = used(found, way, folder)
    return changed(text, AUGMENTATION, augmentation)


def check(text: str, *fields: Any) -> list[Any]:
    """Return whether a text is a detector's recipe, as HTML, and its form; a field that is right is left alone."""
    same = [gr.skip()] * len(fields)
    if not text.strip():
        return [train_render.NO_RECIPE, gr.Column(visible=False), *same]
    try:
        recipe = parsed(text)
    except RepairError as error:
        return [train_render.problems(problems(error)), gr.skip(), *same]
    if recipe.task != "detector":
        said = f"this recipe trains another model: its task is {recipe.task}, not detector"
        return [train_render.problems([said]), gr.skip(), *same]
    values = [value_of(recipe, key) for key in (METHOD, AUGMENTATION, *FIELDS)]
    shown = [gr.skip() if value == field else value for value, field in zip(values, fields, strict=True)]
    said = train_render.recipe(title_of(recipe), Path(recipe.data).name) + too_small(recipe)
    return [said, gr.Column(visible=True), *shown]


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
