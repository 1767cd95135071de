"""What the second card has for every kind of model: ways that fit, ready recipes, one as text, and its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hardware.plan import TrainingPlan
from repairai.hardware.recipe import Recipe, Task
from repairai.ui import render, train_render
from repairai.ui.hardware_tab import work_out
from repairai.ui.recipe_text import changed, parsed, problems, ready_recipes, value_of, written
from repairai.ui.workbench import live

LENGTH_TOKENS = "1024"
"""Of an example, where a plan is for photos."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Form:
    """The values of a recipe that people change most.

    Args:
        prefix: Of their names on the page.
        labels: By key, in their order.
        whole: Keys of those that are whole numbers.
        may_be_none: Keys of those that are left out where the field holds nothing, or 0.
        choices: By key, of those that are chosen from a list.
    """

    prefix: str
    labels: Mapping[str, str]
    whole: Sequence[str] = ()
    may_be_none: Sequence[str] = ()
    choices: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """What every second card has.

    Args:
        ways: What fits.
        found: The plan itself.
        keep: Where one of the ways is taken.
        way: Which one.
        use: Takes it.
        text: The recipe.
        said: Whether it is whole, or what is wrong with it.
        side: What the form stands in; it is there where there is a recipe.
        form: What the fields are for.
        fields: By key.
    """

    ways: gr.HTML
    found: gr.State
    keep: gr.Row
    way: gr.Dropdown
    use: gr.Button
    text: gr.Code
    said: gr.HTML
    side: gr.Column
    form: Form
    fields: dict[str, Any]

    @property
    def plan(self) -> list[Any]:
        """Return what shows a plan, in the order of `no_plan`."""
        return [self.ways, self.found, self.keep, self.way]


def lay(form: Form, ways: str, use: str, text: str) -> Sheet:
    """Lay out the lower part of the card.

    Args:
        form: What stands beside the recipe.
        ways: Begins the names, on the page, of what belongs to the plan.
        use: Name of the button that takes a way.
        text: Begins the names of what belongs to the recipe.
    """
    fits = live(f"{ways}-ways")
    with gr.Row(visible=False, elem_classes="adder") as keep:
        way = gr.Dropdown([], label="Way", elem_id=f"{ways}-way", min_width=280, scale=3)
        button = gr.Button("Use this way", variant="primary", elem_id=use, min_width=160, scale=1)
    said = live(f"{text}-said", train_render.NO_RECIPE)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=3):
            recipe = gr.Code(
                "", language="yaml", label="The recipe; change it as you like (Esc, then Tab leaves it)", lines=6,
                max_lines=28, interactive=True, elem_id=f"{text}-text",
            )  # fmt: skip
        with gr.Column(min_width=280, scale=2, visible=False, elem_classes="form") as side:
            fields = {key: _field(form, key) for key in form.labels}
    return Sheet(fits, gr.State(None), keep, way, button, recipe, said, side, form, fields)


def _field(form: Form, key: str) -> Any:
    elem_id = f"{form.prefix}-{key.rpartition('.')[2].replace('_', '-')}"
    if key in form.choices:
        return gr.Dropdown(form.choices[key], value=None, label=form.labels[key], elem_id=elem_id)
    precision = 0 if key in form.whole else None
    return gr.Number(label=form.labels[key], precision=precision, elem_id=elem_id, minimum=0)


def wire(
    sheet: Sheet, ready: gr.Dropdown, task: Task, data: gr.Dropdown, check: Callable[..., list[Any]],
    more: Mapping[str, Any] | None = None,
) -> list[Any]:  # fmt: skip
    """Wire it, but for the plan; return the events after which the recipe is another one.

    Args:
        sheet: See `lay`.
        ready: Recipes that lie ready.
        task: What they train.
        data: Folder of the data that were chosen: the recipe names it.
        check: Told the text and what is in the fields, returns what is said and shown of them, see `checked`.
        more: By key: fields that stand above, put before the others.
    """
    ready.focus(lambda: gr.Dropdown([(each.title, str(each.path)) for each in ready_recipes(task)]), None, ready,
                **QUIET)  # fmt: skip
    loads = [
        ready.input(taken, [ready, data, sheet.text], [sheet.text, sheet.said], **QUIET),
        data.change(renamed, [sheet.text, data], sheet.text, **QUIET),
    ]
    fields = {**(more or {}), **sheet.fields}
    shown = list(fields.values())
    sheet.text.change(
        check, [sheet.text, *shown], [sheet.said, sheet.side, *shown], trigger_mode="always_last", **QUIET
    )  # fmt: skip
    for key, each in fields.items():
        put = setter(key, sheet.form.whole, sheet.form.may_be_none)
        events = (each.blur, each.submit) if isinstance(each, gr.Number) else (each.input,)
        loads += [event(put, [sheet.text, each], sheet.text, **QUIET) for event in events]
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


def checked(
    text: str, fields: Mapping[str, Any], title: Callable[[Recipe], str], task: Task | None = None,
    remark: Callable[[Recipe], str] = lambda _: "", has_form: Callable[[Recipe], bool] = lambda _: True,
) -> list[Any]:  # fmt: skip
    """Return whether a text is a recipe, as HTML, and its form; a field that is right is left alone.

    Args:
        text: Of the editor.
        fields: By key, what they hold.
        title: Returns what a recipe does.
        task: That it has to train; None: whatever it trains.
        remark: Returns what else is to be said, as HTML.
        has_form: Tells whether fields stand beside it.
    """
    same = [gr.skip()] * len(fields)
    if not text.strip():
        return [train_render.NO_RECIPE, gr.Column(visible=False), *same]
    try:
        recipe = parsed(text)
    except RepairError as error:
        return [train_render.problems(problems(error)), gr.skip(), *same]
    if task and recipe.task != task:
        said = f"this recipe trains another model: its task is {recipe.task}, not {task}"
        return [train_render.problems([said]), gr.skip(), *same]
    values = ((value_of(recipe, key), shown) for key, shown in fields.items())
    said = train_render.recipe(title(recipe), Path(recipe.data).name) + remark(recipe)
    return [said, gr.Column(visible=has_form(recipe)), *(gr.skip() if new == old else new for new, old in values)]


# ---- a plan


def no_plan(said: str = "") -> list[Any]:
    """Return what stands where nothing is planned, in the order of `Sheet.plan`.

    Args:
        said: Why, as HTML; empty where no plan is needed.
    """
    return [said, None, gr.Row(visible=False), gr.skip()]


@wraps(work_out)
def planned(*given: Any, **named: Any) -> Sequence[Any]:
    """Return what fits, as `work_out` does; or what is wrong, in its place."""
    try:
        return work_out(*given, **named)
    except RepairError as error:
        return *no_plan(render.problem(str(error))), ""


def used(found: TrainingPlan | None, way: int | None, folder: str | None) -> str:
    """Return a way of a plan as the text of a recipe.

    Raises:
        RepairError: Nothing is planned, or the way does not fit.
    """
    if found is None or not way:
        raise RepairError("nothing is planned yet", "press the button above first")
    return with_data(written(found.recipe(int(way) - 1)), folder)


# ---- the text


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
