"""A small sweep: one recipe, several values of some of its settings, a run for each combination."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from math import prod
from typing import Any

from repairai.errors import RepairError
from repairai.files import from_data, to_data
from repairai.hardware.recipe import Recipe
from repairai.runs.checks import ready
from repairai.runs.compare import MOST_RUNS
from repairai.runs.folder import MOST_LETTERS, RunFolder, slug_of
from repairai.runs.launch import start
from repairai.runs.marks import MOST_LETTERS as MOST_TAG
from repairai.runs.marks import Marks, write_marks

MOST = 16
_NOT_TRIED = ("task", "version", "forecast", "step")
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None, "null": None}


@dataclass(frozen=True)
class Trial:
    """One combination.

    Args:
        name: Of its run: what differs.
        recipe: With these values.
    """

    name: str
    recipe: Recipe


def trials(recipe: Recipe, words: Sequence[str], name: str) -> list[Trial]:
    """Return a recipe for each combination of values.

    Args:
        recipe: All else is as it says.
        words: "learning_rate=1e-4,2e-4", "step.rank=8,16", one for each setting.
        name: Of the sweep, with which the runs' names begin.

    Raises:
        RepairError: A setting or a value is none, or there are more than 16 combinations.
    """
    usual = to_data(recipe)
    tried = dict(_read(word, usual) for word in words)
    if len(tried) < len(words):
        raise RepairError("a setting is given twice", "give all of its values behind one `=`, with commas")
    count = prod(len(values) for values in tried.values())
    if count > MOST:
        times = " times ".join(str(len(values)) for values in tried.values())
        raise RepairError(f"{times} values are {count} runs, and {MOST} is the most", "leave some values out")
    found = []
    for values in product(*tried.values()):
        data = to_data(recipe)
        for key, text in zip(tried, values, strict=True):
            head, _, tail = key.rpartition(".")
            (data[head] if head else data)[tail] = _value(text)
        differs = "-".join(f"{key.rpartition('.')[2]}-{text}" for key, text in zip(tried, values, strict=True))
        which = ", ".join(f"{key}={text}" for key, text in zip(tried, values, strict=True))
        found.append(Trial(_named(name, differs), from_data(data, Recipe, f"the recipe with {which}")))
    return found


def sweep(
    recipe: Recipe, words: Sequence[str], name: str, not_before: datetime | None = None
) -> list[RunFolder]:  # fmt: skip
    """Put a run into the queue for each combination of values; all are checked before the first.

    Args:
        recipe: All else is as it says.
        words: See `trials`.
        name: Of the sweep: the runs' names begin with it, and it is their tag.
        not_before: When they may start; None for as soon as it is their turn.

    Raises:
        RepairError: See `trials`; something that a recipe needs is not there; or each run would cost money.
    """
    if recipe.where != "here":
        raise RepairError("each of these runs would be paid for by itself", "start them one by one, or train here")
    if recipe.push:
        raise RepairError(f"all of these runs would be pushed to {recipe.push}", "push the best of them: models push")
    found = [(each.name, ready(each.recipe)) for each in trials(recipe, words, name)]
    made = []
    for own_name, own in found:
        folder = start(own, own_name, not_before, wait=True)
        write_marks(folder.marks, Marks((tag_of(name),)))
        made.append(folder)
    return made


def tag_of(name: str) -> str:
    """Return the tag that the runs of a sweep have."""
    return slug_of(name)[:MOST_TAG]


def looked_at(ids: Sequence[str], name: str) -> str:
    """Return the command that shows the runs of a sweep beside each other, or in their order where they are many."""
    if len(ids) <= MOST_RUNS:
        return f"python -m repairai runs compare {' '.join(ids)}"
    return f"python -m repairai runs list --tag {tag_of(name)} --sort loss"


def _read(word: str, data: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    key, _, listed = word.partition("=")
    values = tuple(each.strip() for each in listed.split(","))
    if not key.strip() or not all(values):
        raise RepairError(f"{word!r:.80} is nothing to try", "write it as learning_rate=1e-4,2e-4")
    if len(set(values)) < len(values):
        raise RepairError(f"{word!r:.80} gives a value twice", "give each once")
    return _key(key.strip(), data), values


def _key(key: str, data: dict[str, Any]) -> str:
    """Return a setting's name in full: people leave the "step." out."""
    for full in (key, f"step.{key}"):
        head, _, tail = full.rpartition(".")
        place = data.get(head) if head else data
        if head != "forecast" and full not in _NOT_TRIED and isinstance(place, dict) and tail in place:
            return full
    raise RepairError(f"{key!r:.60} is no setting of a recipe", "`python -m repairai train --schema` lists them all")


def _value(text: str) -> Any:
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _named(name: str, differs: str) -> str:
    """Return a run's name, short enough; what differs is kept whole where it can be."""
    differs = re.sub(r"[^\w.+-]+", "-", differs)[: MOST_LETTERS - 8]
    return f"{slug_of(name)[: MOST_LETTERS - 1 - len(differs)].rstrip('-._')}-{differs}"
