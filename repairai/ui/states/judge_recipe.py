"""The second card for a judge of states: the light classifier at once, or a model of words and photos by a plan."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hardware.recipe import Recipe
from repairai.hardware.ways import DEFAULT
from repairai.ui import render, train_render
from repairai.ui.hardware_tab import models
from repairai.ui.recipe_card import planned, renamed, setter, taken, used, with_data
from repairai.ui.recipe_text import changed, parsed, problems, ready_recipes, value_of
from repairai.ui.states.state_sets import chosen_states
from repairai.ui.workbench import live, told

PROBE, WORDS = "linear_probe", "words"
KINDS = [("The light classifier: minutes on a processor, for the questions in its data", PROBE),
         ("A model of words and photos: needs a card, can read new questions", WORDS)]  # fmt: skip
BUILTIN = "builtin"
READY = "judge_builtin_linear-probe_cpu.yaml"
LENGTH_TOKENS = "1024"
FIELDS = {
    "epochs": "Times through the examples", "learning_rate": "Learning rate", "step.batch": "Examples at once",
    "step.rank": "Rank of the adapters (LoRA)", "patience": "Looks without getting better until it ends; 0 is never",
}  # fmt: skip
WHOLE = ("patience", "step.batch", "step.rank")
TITLES = {PROBE: "a light classifier on", "lora": "LoRA of", "qlora": "QLoRA of", "full": "all of"}
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class JudgeRecipe:
    """The components of the card.

    Args:
        kind: One of `KINDS`.
        model: That it begins with.
        size: Of the card in GiB, for models that are planned.
        make: Makes a recipe, or plans one.
        ways: What fits.
        found: The plan itself.
        keep: Where one of the ways is taken.
        way: Which one.
        use: Takes it.
        ready: Recipes that lie ready.
        text: The recipe.
        said: Whether it is whole, or what is wrong with it.
        side: What the form stands in; a light classifier has none.
        form: By key: the values that people change most.
    """

    kind: gr.Radio
    model: gr.Dropdown
    size: gr.Number
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


def lay() -> JudgeRecipe:
    """Lay out the card."""
    gr.HTML('<h2><span class="no">2</span> Which judge, and how?</h2>')
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            kind = gr.Radio(KINDS, value=PROBE, label="Train", elem_id="judge-kind", elem_classes="list")
        with gr.Column(min_width=300):
            model = gr.Dropdown(
                model_choices(PROBE), value=BUILTIN, label="Begin with: a name on the Hub, or a folder",
                allow_custom_value=True, elem_id="judge-model",
            )  # fmt: skip
            size = gr.Number(label="Card in GiB; 0 is this machine", minimum=0, visible=False, elem_id="judge-size")
            make = gr.Button("Make a recipe", elem_id="judge-make")
            ready = gr.Dropdown([], label="Or take one that lies ready", elem_id="judge-ready")
    ways = live("judge-ways")
    with gr.Row(visible=False, elem_classes="adder") as keep:
        way = gr.Dropdown([], label="Way", elem_id="judge-way", min_width=280, scale=3)
        use = gr.Button("Use this way", variant="primary", elem_id="judge-use-way", min_width=160, scale=1)
    said = live("judge-said", train_render.NO_RECIPE)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=3):
            text = gr.Code(
                "", language="yaml", label="The recipe; change it as you like (Esc, then Tab leaves it)", lines=6,
                max_lines=28, interactive=True, elem_id="judge-text",
            )  # fmt: skip
        with gr.Column(min_width=280, scale=2, visible=False, elem_classes="form") as side:
            form = {key: _field(key) for key in FIELDS}
    return JudgeRecipe(
        kind, model, size, make, ways, gr.State(None), keep, way, use, ready, text, said, side, form
    )  # fmt: skip


def model_choices(kind: str) -> list[tuple[str, str]]:
    """Return the models that are offered for a kind of judge."""
    if kind == PROBE:
        return [("What the built-in detector sees with", BUILTIN)]
    return [(name, name) for name in models("judge")]


def _field(key: str) -> Any:
    elem_id = f"judge-{key.rpartition('.')[2].replace('_', '-')}"
    return gr.Number(label=FIELDS[key], precision=0 if key in WHOLE else None, elem_id=elem_id, minimum=0)


def wire(card: JudgeRecipe, data: gr.Dropdown) -> list[Any]:
    """Wire the card; return the events after which the recipe is another one.

    Args:
        card: See `lay`.
        data: Folder of the states that were chosen.
    """
    card.kind.input(_of_kind, card.kind, [card.model, card.size, card.make], **QUIET)
    card.ready.focus(
        lambda: gr.Dropdown([(each.title, str(each.path)) for each in ready_recipes("judge")]), None, card.ready,
        **QUIET,
    )  # fmt: skip
    made = card.make.click(
        make, [card.kind, card.model, card.size, data], [card.text, card.ways, card.found, card.keep, card.way],
        api_visibility="private", show_progress_on=card.ways,
    )  # fmt: skip
    loads = [
        made,
        card.use.click(told(used), [card.found, card.way, data], card.text, **QUIET),
        card.ready.input(taken, [card.ready, data, card.text], [card.text, card.said], **QUIET),
        data.change(renamed, [card.text, data], card.text, **QUIET),
    ]
    fields = list(card.form.values())
    card.text.change(check, [card.text, *fields], [card.said, card.side, *fields], trigger_mode="always_last", **QUIET)
    for key, field in card.form.items():
        put = setter(key, WHOLE)
        loads += [event(put, [card.text, field], card.text, **QUIET) for event in (field.blur, field.submit)]
    return loads


def _of_kind(kind: str) -> list[Any]:
    value = BUILTIN if kind == PROBE else DEFAULT["judge"]
    return [
        gr.Dropdown(model_choices(kind), value=value),
        gr.Number(visible=kind != PROBE),
        gr.Button("Make a recipe" if kind == PROBE else "What fits?"),
    ]


def make(
    kind: str, model: str | None, size: float | None, folder: str | None,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio finds it as a default
) -> list[Any]:  # fmt: skip
    """Return a recipe for a light classifier; for a model of words and photos, what fits."""
    none = ["", None, gr.Row(visible=False), gr.skip()]
    try:
        words = (model or "").strip()
        if not words:
            raise RepairError(
                "no model is named", f"choose one, such as {BUILTIN if kind == PROBE else DEFAULT['judge']}"
            )
        states = chosen_states(folder)
        if kind == PROBE:
            return [usual(words, str(states.folder) if states else ""), *none]
    except RepairError as error:
        return [gr.skip(), render.problem(str(error)), *none[1:]]
    examples = states.n_train if states else 1000
    ways, found, keep, way, _ = planned("judge", words, size, LENGTH_TOKENS, max(examples, 1), progress)
    return [gr.skip(), ways, found, keep, way]


def usual(model: str, data: str) -> str:
    """Return the recipe for a light classifier as text: the one that lies ready, for this backbone and these states.

    Args:
        model: `builtin`, or a backbone's folder or name on the Hub.
        data: Folder of the states; empty where none are chosen yet.

    Raises:
        RepairError: No recipe lies ready.
    """
    spec = find_spec("training")
    place = next(iter(spec.submodule_search_locations or []), "") if spec else ""
    if not place:
        raise RepairError("the folder `training` is not there", "run this where RepairAI was cloned")
    text = read_text(Path(place) / "recipes" / READY)
    return with_data(text if model == BUILTIN else changed(text, "step.model", model), data)


def check(text: str, *fields: Any) -> list[Any]:
    """Return whether a text is a judge's recipe, as HTML, and its form; a field that is right is left alone."""
    same = [gr.skip()] * len(fields)
    if not text.strip():
        return [train_render.NO_RECIPE, gr.Column(visible=False), *same]
    try:
        recipe = parsed(text)
    except RepairError as error:
        return [train_render.problems(problems(error)), gr.skip(), *same]
    if recipe.task != "judge":
        said = f"this recipe trains another model: its task is {recipe.task}, not judge"
        return [train_render.problems([said]), gr.skip(), *same]
    values = [value_of(recipe, key) for key in FIELDS]
    shown = [gr.skip() if value == field else value for value, field in zip(values, fields, strict=True)]
    said = train_render.recipe(title_of(recipe), Path(recipe.data).name)
    return [said, gr.Column(visible=recipe.step.method != PROBE), *shown]


def title_of(recipe: Recipe) -> str:
    """Return what a recipe does, in a few words: "Training a light classifier on the built-in detector's backbone"."""
    model = recipe.step.model.rstrip("/").rsplit("/", 1)[-1]
    name = "what the built-in detector sees with" if model == BUILTIN else model
    return f"Training {TITLES.get(recipe.step.method, recipe.step.method)} {name}"
