"""The schema of recipes fits those that are there, and marks what is wrong."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from repairai.hardware.recipe import Detecting, Job, Recipe
from repairai.hardware.workload import Workload
from repairai.runs.recipe_schema import descriptions, recipe_schema

PLACE = Path(__file__).parents[2] / "training" / "recipes"
RECIPES = sorted(path for path in PLACE.glob("*.yaml") if "task" in yaml.safe_load(path.read_text()))
"""Those of the built-in detector are older, and of a form of their own."""
KINDS = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
    "number": (int, float),
}  # fmt: skip
NUMBERS = ("integer", "number")
KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "default", "type", "properties", "required", "items",
    "additionalProperties", "prefixItems", "minItems", "maxItems", "anyOf", "enum", "const",
    "minimum", "maximum", "exclusiveMinimum",
}  # fmt: skip


def faults(data: Any, schema: Any, whole: Any, at: str = "") -> list[str]:
    """What a validator would say, for the words of JSON Schema that this schema uses."""
    assert set(schema) <= KNOWN, f"the test does not know {set(schema) - KNOWN}"
    if "$ref" in schema:
        return faults(data, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole, at)
    if "anyOf" in schema:
        found = [faults(data, each, whole, at) for each in schema["anyOf"]]
        return [] if [] in found else min(found, key=len)
    kind = schema.get("type")
    if kind and (not isinstance(data, KINDS[kind]) or (isinstance(data, bool) and kind != "boolean")):
        return [f"{at} is no {kind}"]
    if data not in schema.get("enum", [data]) or data != schema.get("const", data):
        return [f"{at} is {data}"]
    if kind in NUMBERS and not schema.get("minimum", data) <= data <= schema.get("maximum", data):
        return [f"{at} is {data}"]
    if kind in NUMBERS and not data > schema.get("exclusiveMinimum", data - 1):
        return [f"{at} is {data}"]
    if isinstance(data, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties", {})
        found = [f"{at}.{key} is missing" for key in schema.get("required", []) if key not in data]
        found += [f"{at}.{key} is unknown" for key in data if key not in known and rest is False]
        each = {key: known.get(key, rest or {}) for key in data}
        return found + [fault for key in data for fault in faults(data[key], each[key], whole, f"{at}.{key}")]
    if isinstance(data, list):
        if not schema.get("minItems", 0) <= len(data) <= schema.get("maxItems", len(data)):
            return [f"{at} has {len(data)}"]
        kinds = schema.get("prefixItems") or [schema.get("items", {})] * len(data)
        return [fault for n, each in enumerate(data) for fault in faults(each, kinds[n], whole, f"{at}[{n}]")]
    return []


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_fits_the_schema(path: Path):
    schema = recipe_schema()
    assert faults(yaml.safe_load(path.read_text()), schema, schema) == []


def test_what_is_wrong_does_not_fit():
    schema = recipe_schema()
    good = yaml.safe_load(next(path for path in RECIPES if "lora" in path.stem).read_text())
    for key, value in (("epochs", "many"), ("schedule", "zigzag"), ("oddkey", 1), ("packing", 3)):
        bad = copy.deepcopy(good)
        bad[key] = value
        assert len(faults(bad, schema, schema)) == 1, key
        bad = copy.deepcopy(good)
        bad["step"] |= {"batch" if key == "epochs" else key: value}
        assert faults(bad, schema, schema), key
    for key, value in (("epochs", 0), ("max_steps", 0), ("dropout", 0.95), ("detecting", {"shares": {"mine": 0}})):
        assert len(faults(good | {key: value}, schema, schema)) == 1, key
    assert faults(good | {"step": good["step"] | {"rank": 4096}}, schema, schema) == [".step.rank is 4096"]
    assert faults(good | {"max_steps": None, "detecting": {"shares": {"mine": 0.1}}}, schema, schema) == []
    del good["task"]
    assert faults(good, schema, schema) == [".task is missing"]


def test_every_number_goes_as_far_as_its_record_takes_it():
    small = Workload("m", length_tokens=1, image_px=1)  # what a batch holds has an end of its own
    records = {"Recipe": Recipe("sop", small, 1.0, 1e-3), "Workload": small, "Detecting": Detecting(), "Job": Job()}
    kinds = recipe_schema()["$defs"]
    assert set(kinds) == {*records, "Forecast"}, "a forecast only tells what was expected"
    for name, record in records.items():
        for key, told in kinds[name]["properties"].items():
            for kind in told.get("anyOf", [told]):
                if kind.get("type") not in NUMBERS:
                    continue
                least, most = kind["minimum"], kind["maximum"]
                assert replace(record, **{key: least}) != replace(record, **{key: most}) or least == most, key
                for beyond in (least - 1e-9, most + 1) if kind["type"] == "number" else (least - 1, most + 1):
                    with pytest.raises(ValueError, match=f"need {key} from"):
                        replace(record, **{key: beyond})


def test_every_setting_is_explained():
    kinds = recipe_schema()["$defs"]
    for name, kind in kinds.items():
        for key, told in kind["properties"].items():
            assert told.get("description"), f"{name}.{key}"
    assert kinds["Recipe"]["properties"]["packing"]["description"].startswith("Several short examples share one row")
    assert descriptions(Recipe)["warmup"] == "Share of the steps in which it rises to it."
    assert kinds["Recipe"]["additionalProperties"] is False
