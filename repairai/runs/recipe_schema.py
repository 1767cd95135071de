"""The JSON Schema of a recipe, with which an editor completes it, explains it and marks what is wrong."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from repairai.hardware import recipe as recipes
from repairai.hardware.recipe import DETECTING_SPANS, JOB_SPANS, SPANS, Recipe
from repairai.hardware.workload import MOST

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "Recipe": SPANS, "Workload": {name: (1, most) for name, most in MOST.items()}, "Detecting": DETECTING_SPANS,
    "Job": JOB_SPANS,
}  # fmt: skip
"""From what to what each number goes, by the record that it stands in."""


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe; its descriptions are the sentences of the records' docstrings."""
    # In a list, because pydantic takes a config for plain dataclasses only from what holds them.
    adapter: TypeAdapter[list[Recipe]] = TypeAdapter(list[Recipe], config=ConfigDict(extra="forbid"))
    kinds: dict[str, Any] = adapter.json_schema()["$defs"]
    for name, kind in kinds.items():
        record = getattr(recipes, name)  # where all records of a recipe are named
        kind["description"] = (inspect.getdoc(record) or "").partition("\n")[0]
        described = descriptions(record)
        for key, told in kind["properties"].items():
            told.pop("title", None)  # "Free Gib" says nothing
            told.update({"description": described[key]} if key in described else {})
            _bound(told, RANGES.get(name, {}).get(key))
    kinds["Detecting"]["properties"]["shares"]["additionalProperties"]["exclusiveMinimum"] = 0
    return {"$schema": DIALECT, "title": "A recipe of RepairAI: one training", "$ref": "#/$defs/Recipe", "$defs": kinds}


def _bound(told: dict[str, Any], span: tuple[float, float] | None) -> None:
    """Write from what to what a number goes; one that may be left out has its range where it is none."""
    for kind in told.get("anyOf", [told]):
        if span and kind["type"] in ("integer", "number"):
            kind["minimum"], kind["maximum"] = span


def descriptions(record: type) -> dict[str, str]:
    """Return what a record's docstring says of each of its fields."""
    _, _, listed = (inspect.getdoc(record) or "").partition("Args:\n")
    listed = re.split(r"\n\S", listed)[0]
    found = re.findall(r"^    (\w+): ((?:.|\n     )+)", listed, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
