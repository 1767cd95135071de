"""`train`: a recipe becomes a run, which goes on whatever becomes of the terminal."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.follow import follow
from repairai.commands.words import as_data, print_json, verb
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.hardware.recipe import Recipe
    from repairai.runs.folder import RunFolder

BACKENDS = ("trl", "unsloth", "axolotl")


def add_words(verbs: Any) -> None:
    """Add `train` to the command line."""
    ask = verb(verbs, "train", _train, "train a model as a recipe says; Ctrl+C asks it to stop, and keeps what it has")
    ask.add_argument("recipe", type=Path, nargs="?", metavar="RECIPE", help="a recipe, as `plan --save` writes it")
    ask.add_argument("--name", default="", help="of the run; else it is called as its recipe")
    ask.add_argument(
        "--data", metavar="NAME|FOLDER", help="what it learns from; else the recipe's, else those that were built last"
    )
    ask.add_argument("--backend", choices=BACKENDS, help="what trains it; else as the recipe says")
    ask.add_argument("--push", metavar="OWNER/NAME", help="where the trained model goes on the Hub, private")
    ask.add_argument("--where", choices=("here", "hf-jobs"), help="hf-jobs: on a machine of Hugging Face, for money")
    ask.add_argument("--flavor", metavar="NAME", help="which machine of Hugging Face; none known shows them all")
    ask.add_argument("--timeout-hours", type=float, metavar="HOURS", help="after which it is ended there")
    ask.add_argument("--yes", action="store_true", help="pay for it without being asked")
    ask.add_argument("--detach", action="store_true", help="start it and come back at once")
    ask.add_argument("--at", metavar="HH:MM|DATE", help="start it then: 22:00, or 2026-03-01T22:00")
    ask.add_argument("--queue", action="store_true", help="put it at the end of the queue and come back at once")
    ask.add_argument("--try", action="append", dest="tried", metavar="KEY=A,B", default=[],
                     help="queue a run for each value, or combination of values where it is given again")  # fmt: skip
    ask.add_argument("--schema", action="store_true", help="print the JSON Schema of recipes, for editors, and end")


def _train(chosen: argparse.Namespace) -> int:
    from repairai.hardware.recipe import read_recipe
    from repairai.runs.launch import start

    if chosen.schema:
        from repairai.runs.recipe_schema import recipe_schema

        print(json.dumps(recipe_schema(), indent=2))
        return 0
    if chosen.recipe is None:
        raise RepairError("no recipe is given", "make one with `python -m repairai plan --save recipe.yaml`")
    not_before = moment(chosen.at) if chosen.at else None
    recipe = _chosen(read_recipe(chosen.recipe), chosen)
    name = chosen.name or chosen.recipe.stem
    if chosen.tried:
        return _sweep(chosen, recipe, name, not_before)
    if recipe.where == "hf-jobs" and not _will_pay(recipe, chosen.yes):
        print("nothing was started")
        return 1
    folder = start(recipe, name, not_before, wait=chosen.queue)
    return attend(folder, chosen.detach or chosen.queue, chosen.json)


def _sweep(chosen: argparse.Namespace, recipe: Recipe, name: str, not_before: datetime | None) -> int:
    from repairai.runs.state import read_run
    from repairai.runs.sweep import looked_at, sweep

    folders = sweep(recipe, chosen.tried, name, not_before)
    ids = [folder.id for folder in folders]
    if chosen.json:
        print_json({"runs": [as_data(read_run(each)) for each in folders], "compare": looked_at(ids, name)})
        return 0
    print("\n".join([f"{len(ids)} runs are in the queue:", *(f"  {each}" for each in ids)]))
    print(f"look at what came of them with `{looked_at(ids, name)}`")
    return 0


def _chosen(recipe: Recipe, chosen: argparse.Namespace) -> Recipe:
    from repairai.hardware.recipe import Job

    given = {name: getattr(chosen, name) for name in ("data", "backend", "push", "where")}
    recipe = replace(recipe, **{name: value for name, value in given.items() if value is not None})
    asked = {name: getattr(chosen, name) for name in ("flavor", "timeout_hours")}
    if asked := {name: value for name, value in asked.items() if value is not None}:
        if recipe.where == "here":
            raise RepairError("a recipe that is trained here has no flavor and no timeout", "add --where hf-jobs")
        try:
            recipe = replace(recipe, job=replace(recipe.job or Job(), **asked))
        except ValueError as error:
            raise RepairError(f"{error}", "give another --timeout-hours") from None
    return recipe


def _will_pay(recipe: Recipe, yes: bool) -> bool:
    """Show what a job costs at most, and return whether it is to begin.

    Raises:
        RepairError: Nobody is there to be asked, or the price is not to be had.
    """
    from repairai.hardware.recipe import Job
    from repairai.runs.hub_sent import cost

    print(f"{cost(recipe.job or Job()).said}.", file=sys.stderr)
    if recipe.forecast and recipe.forecast.hours:
        least, most = recipe.forecast.hours
        print(f"Planned on {recipe.forecast.machine}: {least:.1f} to {most:.1f} hours.", file=sys.stderr)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise RepairError("nobody is there to say yes to the price", "add --yes")
    return input("Start it? [y/N] ").strip().casefold() in ("y", "yes")


def attend(folder: RunFolder, detach: bool, as_json: bool) -> int:
    """Follow a run that was just started until it ends, or say that it waits or works; return the exit code.

    Args:
        folder: Of the run.
        detach: Do not follow it.
        as_json: Answer with JSON.
    """
    try:
        return _attended(folder, detach, as_json)
    except KeyboardInterrupt:  # before it is followed: the run is a process of its own, and goes on
        print(f"{folder.id} is left at work; look at it with `python -m repairai runs show {folder.id}`")
        return 1


def _attended(folder: RunFolder, detach: bool, as_json: bool) -> int:
    from repairai.runs.state import read_run
    from repairai.runs.why import why
    from repairai.runs.words import in_words

    run = read_run(folder)
    if run.state == "queued" or detach:
        if as_json:
            print_json(as_data(run))
        elif run.state == "queued":
            print(f"{run.id} is in the queue. {why(folder)}")
        else:
            print(f"{run.id} is at work. Look at it with `python -m repairai runs show {run.id}`.")
        return 0
    if not as_json:
        print(f"{run.id} is at work, also when this terminal is closed.")
    run = follow(folder, silent=as_json)
    if as_json:
        print_json(as_data(run))
    elif run.state not in ("starting", "running"):
        print(f"{run.id} is {in_words(run.state)}. {why(folder)}")
    return 0 if run.state == "finished" else 1


def moment(text: str, now: datetime | None = None) -> datetime:
    """Return the time that a person means: an hour is the next one of that name.

    Args:
        text: "22:00", or a date and an hour as ISO 8601 has them.
        now: From when on; None for now.

    Raises:
        RepairError: It is none, or lies in the past.
    """
    now = now or datetime.now().astimezone()
    try:
        hour = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        return _date(text, now)
    then = datetime.combine(now.date(), hour).astimezone()
    return then if then > now else datetime.combine(now.date() + timedelta(days=1), hour).astimezone()


def _date(text: str, now: datetime) -> datetime:
    try:
        then = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise RepairError(f"{text!r:.40} is no time", "write 22:00, or 2026-03-01T22:00") from None
    if then <= now:
        raise RepairError(f"{text} is over", "give a time that is still to come")
    return then
