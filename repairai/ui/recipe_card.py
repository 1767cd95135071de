"""The second card of the Train tab: a recipe, planned for this machine, taken as it lies ready, or written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hardware.plan import TrainingPlan
from repairai.hardware.recipe import Recipe
from repairai.hardware.ways import DEFAULT
from repairai.ui import render, train_render
from repairai.ui.data_card import chosen_data
from repairai.ui.hardware_tab import LENGTHS, models, work_out
from repairai.ui.recipe_text import TITLES, changed, parsed, problems, ready_recipes, value_of, written
from repairai.ui.workbench import live, told

BACKENDS = [("TRL, in this environment", "trl"), ("Unsloth, in one of its own", "unsloth"),
            ("Axolotl, in one of its own", "axolotl")]  # fmt: skip
FIELDS = {
    "epochs": "Times through the data", "learning_rate": "Learning rate", "step.batch": "Examples at once",
    "step.length_tokens": "Longest example, in tokens", "step.rank": "Rank of the adapters (LoRA)",
    "patience": "Looks without getting better until it ends; 0 is never", "backend": "Trained by",
}  # fmt: skip
WHOLE = ("patience", "step.batch", "step.length_tokens", "step.rank")
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class RecipeCard:
    """The components of the card.

    Args:
        model: That is planned for.
        size: Of the card in GiB.
        length: Of an example.
        plan: Works out what fits.
        ways: What fits.
        found: The plan itself.
        keep: Where one of the ways is taken.
        way: Which one.
        use: Takes it.
        note: What became of it.
        ready: Recipes that lie ready.
        dropped: A file with one.
        text: The recipe.
        said: Whether it is whole, or what is wrong with it.
        side: What the form stands in; it is there where there is a recipe.
        form: By key: the values that people change most.
    """

    model: gr.Dropdown
    size: gr.Number
    length: gr.Dropdown
    plan: gr.Button
    ways: gr.HTML
    found: gr.State
    keep: gr.Row
    way: gr.Dropdown
    use: gr.Button
    note: gr.HTML
    ready: gr.Dropdown
    dropped: gr.File
    text: gr.Code
    said: gr.HTML
    side: gr.Column
    form: dict[str, Any]


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
            plan = gr.Button("What fits?", elem_id="train-plan")
        with gr.Column(min_width=300):
            ready = gr.Dropdown([], label="Or take a recipe that lies ready", elem_id="ready")
            dropped = gr.File(
                label="Or drop one: .yaml", file_types=[".yaml", ".yml"], height=150, elem_id="recipe-file"
            )
    ways = live("train-ways")
    with gr.Row(visible=False, elem_classes="adder") as keep:
        way = gr.Dropdown([], label="Way", elem_id="train-way", min_width=280, scale=3)
        use = gr.Button("Use this way", variant="primary", elem_id="use-way", min_width=160, scale=1)
    note = gr.HTML(visible=False)
    said = live("recipe-said", train_render.NO_RECIPE)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=3):
            text = gr.Code(
                "", language="yaml", label="The recipe; change it as you like (Esc, then Tab leaves it)", lines=6,
                max_lines=28, interactive=True, elem_id="recipe-text",
            )  # fmt: skip
        with gr.Column(min_width=280, scale=2, visible=False, elem_classes="form") as side:
            form = {key: _field(key) for key in FIELDS}
    return RecipeCard(
        model, size, length, plan, ways, gr.State(None), keep, way, use, note, ready, dropped, text, said, side, form
    )


def _field(key: str) -> Any:
    elem_id = f"form-{key.rpartition('.')[2].replace('_', '-')}"
    if key == "backend":
        return gr.Dropdown(BACKENDS, value=None, label=FIELDS[key], elem_id=elem_id)
    return gr.Number(label=FIELDS[key], precision=0 if key in WHOLE else None, elem_id=elem_id, minimum=0)


def wire(card: RecipeCard, data: gr.Dropdown) -> list[Any]:
    """Wire the card; return the events after which the recipe is another one.

    Args:
        card: See `lay`.
        data: Folder of the data that were chosen: the recipe names it.
    """
    examples = gr.State(1000)
    data.change(lambda folder: _examples(folder), data, examples, **QUIET)
    card.plan.click(
        planned, [gr.State("sop"), card.model, card.size, card.length, examples],
        [card.ways, card.found, card.keep, card.way, card.note], api_visibility="private",
    )  # fmt: skip
    card.ready.focus(lambda: gr.Dropdown([(each.title, str(each.path)) for each in ready_recipes()]), None, card.ready,
                     **QUIET)  # fmt: skip
    loads = [
        card.use.click(told(used), [card.found, card.way, data], card.text, **QUIET),
        card.ready.input(taken, [card.ready, data, card.text], [card.text, card.said], **QUIET),
        card.dropped.upload(taken, [card.dropped, data, card.text], [card.text, card.said], **QUIET),
        data.change(renamed, [card.text, data], card.text, **QUIET),
    ]
    fields = list(card.form.values())
    card.text.change(check, [card.text, *fields], [card.said, card.side, *fields], trigger_mode="always_last", **QUIET)
    for key, field in card.form.items():
        events = (field.input,) if key == "backend" else (field.blur, field.submit)
        loads += [event(setter(key, WHOLE), [card.text, field], card.text, **QUIET) for event in events]
    return loads


def setter(key: str, whole: Sequence[str], may_be_none: Sequence[str] = ()) -> Any:
    """Return what puts a field's value into a recipe's text.

    Args:
        key: Of the setting.
        whole: Keys of those that are whole numbers.
        may_be_none: Keys of those that are left out where the field holds nothing, or 0.
    """

    def set_value(text: str, value: Any) -> Any:
        """Return the text with a field's value, or nothing where it says that already."""
        if key in may_be_none:
            value = value or None
        elif value is None:
            return gr.skip()
        try:
            if value_of(parsed(text), key) == value:
                return gr.skip()
        except RepairError:  # it is wrong elsewhere: this value is set all the same
            pass
        try:
            return changed(text, key, int(value) if key in whole and value is not None else value)
        except RepairError:
            return gr.skip()

    return set_value


def check(text: str, *fields: Any) -> list[Any]:
    """Return whether a text is a recipe, as HTML, and its form; a field that is right is left alone."""
    if not text.strip():
        return [train_render.NO_RECIPE, gr.Column(visible=False), *[gr.skip()] * len(fields)]
    try:
        recipe = parsed(text)
    except RepairError as error:
        return [train_render.problems(problems(error)), gr.skip(), *[gr.skip()] * len(fields)]
    values = [value_of(recipe, key) for key in FIELDS]
    shown = [gr.skip() if value == field else value for value, field in zip(values, fields, strict=True)]
    said = train_render.recipe(title_of(recipe), Path(recipe.data).name)
    return [said, gr.Column(visible=True), *shown]


def title_of(recipe: Recipe) -> str:
    """Return what a recipe does, in a few words."""
    method, model = recipe.step.method, recipe.step.model.rstrip("/").rsplit("/", 1)[-1]
    return f"{TITLES.get(method, method)} of {model}" if method != "full" else f"All of {model}"


def used(found: TrainingPlan | None, way: int | None, folder: str | None) -> str:
    """Return a way of a plan as the text of a recipe.

    Raises:
        RepairError: Nothing is planned, or the way does not fit.
    """
    if found is None or not way:
        raise RepairError("nothing is planned yet", "press the button above first")
    return with_data(written(found.recipe(int(way) - 1)), folder)


@wraps(work_out)
def planned(*given: Any, **named: Any) -> Sequence[Any]:
    """Return what fits, as `work_out` does; or what is wrong, in its place."""
    try:
        return work_out(*given, **named)
    except RepairError as error:
        return render.problem(str(error)), None, gr.Row(visible=False), gr.skip(), ""


def taken(path: str | None, folder: str | None, text: str) -> list[Any]:
    """Return the text of a recipe that lies ready or was dropped; what is wrong with it, in its place."""
    try:
        return [with_data(read_text(Path(path)), folder) if path else text, gr.skip()]
    except RepairError as error:
        return [gr.skip(), render.problem(str(error))]


def with_data(text: str, folder: str | None) -> str:
    """Return a recipe's text with the data that were chosen; as it is where it is no recipe."""
    if not folder or not text.strip():
        return text
    try:
        return changed(text, "data", folder)
    except RepairError:
        return text


def renamed(text: str, folder: str | None) -> Any:
    """Return a recipe's text with other data; nothing where it is as before, so that it is never written over late."""
    new = with_data(text, folder)
    return gr.skip() if new == text else new


def _examples(folder: str | None) -> int:
    data = chosen_data(folder)
    return max(data.train_examples, 1) if data else 1000
