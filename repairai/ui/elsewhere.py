"""A fold of the start card: the Hub, as the machine that trains and as the place where the model goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.hardware.recipe import Job, Recipe
from repairai.hub import jobs
from repairai.runs.hub_sent import cost
from repairai.ui import render
from repairai.ui.workbench import live

HERE, JOBS = "here", "hf-jobs"
PLACES = [("On this machine", HERE), ("On a machine of Hugging Face, for money", JOBS)]
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Elsewhere:
    """The components of the fold.

    Args:
        push: Where the model goes on the Hub.
        where: The recipe is trained.
        flavor: Which machine of Hugging Face.
        hours: After which it is ended there.
        price: What that costs.
        pay: The person says yes to it.
    """

    push: gr.Textbox
    where: gr.Radio
    flavor: gr.Dropdown
    hours: gr.Number
    price: gr.HTML
    pay: gr.Checkbox

    @property
    def given(self) -> list[Any]:
        """What `settled` is given behind the recipe."""
        return [self.push, self.where, self.flavor, self.hours, self.pay]


def lay(prefix: str = "") -> Elsewhere:
    """Lay out the fold.

    Args:
        prefix: Of its names on the page, where there is more than one.
    """
    with gr.Accordion("On the Hub", open=False, elem_id=f"{prefix}elsewhere", elem_classes="fold"):
        push = gr.Textbox(
            "", label="Then put the model there, private", placeholder="OWNER/NAME; empty: it stays here",
            max_lines=1, elem_id=f"{prefix}push-to",
        )  # fmt: skip
        where = gr.Radio(PLACES, value=HERE, label="It is trained", elem_id=f"{prefix}where")
        with gr.Row():
            flavor = gr.Dropdown([], label="Machine", visible=False, min_width=260, elem_id=f"{prefix}flavor")
            hours = gr.Number(
                Job.timeout_hours, label="Ended after so many hours", minimum=0.1, maximum=168, visible=False,
                elem_id=f"{prefix}job-hours",
            )  # fmt: skip
        price = live(f"{prefix}price")
        pay = gr.Checkbox(False, label="Yes, I pay that", visible=False, elem_id=f"{prefix}pay")
    return Elsewhere(push, where, flavor, hours, price, pay)


def wire(fold: Elsewhere) -> None:
    """Wire the fold: the machines and their prices are asked for when somebody wants one."""
    shown: Any = [fold.flavor, fold.hours, fold.price, fold.pay]
    given: Any = [fold.where, fold.flavor, fold.hours]
    for event in (fold.where.change, fold.flavor.input, fold.hours.change):
        event(_priced, given, shown, **{**QUIET, "show_progress": "minimal"})


def settled(recipe: Recipe, push: str, where: str, flavor: str | None, hours: float | None, pay: bool) -> Recipe:
    """Return a recipe with what the fold says.

    Raises:
        RepairError: It is to cost money, and nobody said yes to that; or the hours cannot be.
    """
    if push.strip():
        recipe = replace(recipe, push=push.strip())
    if where == JOBS:
        try:
            recipe = replace(recipe, where="hf-jobs", job=Job(flavor or Job.flavor, hours or Job.timeout_hours))
        except ValueError as error:
            raise RepairError(str(error), "give other hours") from None
    if recipe.where == JOBS and not pay:
        raise RepairError(
            "a machine of Hugging Face costs money, and nobody said yes to that",
            "look at the price under 'On the Hub' and tick the box, or train here",
        )
    return recipe


def words(push: str, where: str, flavor: str | None, hours: float | None) -> list[str]:
    """Return what says the same on the command line."""
    said = ["--push", push.strip()] if push.strip() else []
    if where == JOBS:
        said += [
            "--where",
            JOBS,
            "--flavor",
            flavor or Job.flavor,
            "--timeout-hours",
            f"{hours or Job.timeout_hours:g}",
        ]
    return said


def _priced(where: str, flavor: str | None, hours: float | None) -> list[Any]:
    """Return the machines, the hours, the price and its box, as far as they have to be seen. Yes is never kept."""
    if where != JOBS:
        return [gr.Dropdown(visible=False), gr.Number(visible=False), "", gr.Checkbox(False, visible=False)]
    try:
        known = jobs.hardware()
        chosen = flavor or Job.flavor
        told = cost(Job(chosen, hours or Job.timeout_hours))
    except (RepairError, ValueError) as error:
        said = render.problem(str(error))
        return [gr.skip(), gr.Number(visible=True), said, gr.Checkbox(False, visible=False)]
    names = [(f"{each.title}, {each.gpu or each.cpu}: {each.dollars_per_hour:.2f} $/h", each.name) for each in known]
    said = f"<p>{escape(told.said[0].upper() + told.said[1:])}.</p>"
    machine = gr.Dropdown(names, value=chosen, visible=True)
    return [machine, gr.Number(visible=True), said, gr.Checkbox(False, visible=True)]
