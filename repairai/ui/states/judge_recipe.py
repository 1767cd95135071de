"""The second card for a judge of states: the light classifier at once, or a model of words and photos by a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hardware.recipe import Recipe
from repairai.hardware.ways import DEFAULT
from repairai.ui import recipe_sheet, render
from repairai.ui.hardware_tab import models
from repairai.ui.recipe_sheet import LENGTH_TOKENS, QUIET, Form, Sheet, checked, no_plan, planned, used, with_data
from repairai.ui.recipe_text import changed, shipped
from repairai.ui.states.state_sets import chosen_states
from repairai.ui.workbench import told

PROBE, WORDS = "linear_probe", "words"
KINDS = [("The light classifier: minutes on a processor, for the questions in its data", PROBE),
         ("A model of words and photos: needs a card, can read new questions", WORDS)]  # fmt: skip
BUILTIN = "builtin"
READY = "judge_builtin_linear-probe_cpu.yaml"
FORM = Form(
    "judge",
    {
        "epochs": "Times through the examples", "learning_rate": "Learning rate", "step.batch": "Examples at once",
        "step.rank": "Rank of the adapters (LoRA)",
        "patience": "Looks without getting better until it ends; 0 is never",
    },
    whole=("patience", "step.batch", "step.rank"),
)  # fmt: skip
TITLES = {PROBE: "a light classifier on", "lora": "LoRA of", "qlora": "QLoRA of", "full": "all of"}


@dataclass(frozen=True)
class JudgeRecipe:
    """The components of the card.

    Args:
        kind: One of `KINDS`.
        model: That it begins with.
        size: Of the card in GiB, for models that are planned.
        make: Makes a recipe, or plans one.
        ready: Recipes that lie ready.
        sheet: What fits, and the recipe; a light classifier has no form.
    """

    kind: gr.Radio
    model: gr.Dropdown
    size: gr.Number
    make: gr.Button
    ready: gr.Dropdown
    sheet: Sheet


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
    sheet = recipe_sheet.lay(FORM, "judge", "judge-use-way", "judge")
    return JudgeRecipe(kind, model, size, make, ready, sheet)


def model_choices(kind: str) -> list[tuple[str, str]]:
    """Return the models that are offered for a kind of judge."""
    if kind == PROBE:
        return [("What the built-in detector sees with", BUILTIN)]
    return [(name, name) for name in models("judge")]


def wire(card: JudgeRecipe, data: gr.Dropdown) -> list[Any]:
    """Wire the card; return the events after which the recipe is another one.

    Args:
        card: See `lay`.
        data: Folder of the states that were chosen.
    """
    card.kind.input(_of_kind, card.kind, [card.model, card.size, card.make], **QUIET)
    sheet = card.sheet
    made = card.make.click(
        make, [card.kind, card.model, card.size, data], [sheet.text, *sheet.plan], api_visibility="private",
        show_progress_on=sheet.ways,
    )  # fmt: skip
    return [
        made,
        sheet.use.click(told(used), [sheet.found, sheet.way, data], sheet.text, **QUIET),
        *recipe_sheet.wire(sheet, card.ready, "judge", data, check),
    ]


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
    try:
        words = (model or "").strip()
        if not words:
            raise RepairError(
                "no model is named", f"choose one, such as {BUILTIN if kind == PROBE else DEFAULT['judge']}"
            )
        states = chosen_states(folder)
        if kind == PROBE:
            return [usual(words, str(states.folder) if states else ""), *no_plan()]
    except RepairError as error:
        return [gr.skip(), *no_plan(render.problem(str(error)))]
    examples = states.n_train if states else 1000
    *plan, _ = planned("judge", words, size, LENGTH_TOKENS, max(examples, 1), progress)
    return [gr.skip(), *plan]


def usual(model: str, data: str) -> str:
    """Return the recipe for a light classifier as text: the one that lies ready, for this backbone and these states.

    Args:
        model: `builtin`, or a backbone's folder or name on the Hub.
        data: Folder of the states; empty where none are chosen yet.

    Raises:
        RepairError: No recipe lies ready.
    """
    text = read_text(shipped(READY))
    return with_data(text if model == BUILTIN else changed(text, "step.model", model), data)


def check(text: str, *fields: Any) -> list[Any]:
    """Return whether a text is a judge's recipe, as HTML, and its form; a field that is right is left alone."""
    own = dict(zip(FORM.labels, fields, strict=True))
    return checked(text, own, title_of, "judge", has_form=lambda recipe: recipe.step.method != PROBE)


def title_of(recipe: Recipe) -> str:
    """Return what a recipe does, in a few words: "Training a light classifier on the built-in detector's backbone"."""
    model = recipe.step.model.rstrip("/").rsplit("/", 1)[-1]
    name = "what the built-in detector sees with" if model == BUILTIN else model
    return f"Training {TITLES.get(recipe.step.method, recipe.step.method)} {name}"
