import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.errors import RepairError
from repairai.files import read_record
from repairai.hardware.recipe import FOR_OTHERS, Forecast, Recipe, read_recipe, saved
from repairai.hardware.workload import Workload

FORECAST = Forecast("a card", 7.7, 6.1, (6.3, 7.3), None, ("because: 'so'",))
SOP = Recipe("sop", Workload("a/b", accumulation=16), 3.0, 2e-4, FORECAST)


def test_a_recipe_is_read_as_it_was_written(tmp_path: Path):
    detector = Workload("c/d", "full", batch=4, precision="fp32", optimizer="adamw", checkpointing=False, image_px=512)
    for recipe in (SOP, replace(SOP, forecast=None), Recipe("detector", detector, 50.0, 1e-4)):
        text = saved(tmp_path / "recipe.yaml", recipe)
        assert read_record(tmp_path / "recipe.yaml", Recipe) == recipe
        assert ("image_px" in text) == (recipe.task == "detector")


@given(st.sampled_from(sorted(FOR_OTHERS)), st.booleans(), st.integers(1, 100))
def test_what_a_task_has_no_use_for_is_only_left_out_where_it_is_as_usual(task: str, checkpointing: bool, boxes: int):
    work = Workload("a/b", checkpointing=checkpointing, boxes=boxes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"
        saved(path, Recipe(task, work, 1.0, 1e-4))
        assert read_record(path, Recipe).step == work


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch": 0}, "batch from 1 to 4096"),
        ({"length_tokens": 10**9}, "length_tokens from 1"),
        ({"method": "magic"}, "method to be one of"),
        ({"model": " "}, "name of a model"),
        ({"layerwise": True, "accumulation": 4}, "accumulation 1 where layerwise"),
        ({"batch": 4096, "length_tokens": 100_000}, "at most 1048576 tokens in a batch"),
        ({"batch": 1000, "image_px": 4096}, "pixels in a batch"),
    ],
)
def test_a_step_that_cannot_be_is_refused(change: dict[str, object], said: str):
    with pytest.raises(ValueError, match=said):
        Workload(**{"model": "a/b", **change})


def test_a_recipe_is_yaml(tmp_path: Path):
    with pytest.raises(RepairError, match="let it end in .yaml"):
        saved(tmp_path / "recipe.json", SOP)


def test_a_misspelt_key_is_told_with_the_one_that_was_meant(tmp_path: Path):
    path = tmp_path / "recipe.yaml"
    path.write_text(saved(path, SOP).replace("accumulation:", "acumulation:"))
    with pytest.raises(RepairError, match="did you mean 'accumulation'"):
        read_record(path, Recipe)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValueError, match=r"backend to be one of trl.*epochs from 0.001 to 1000, got 0; need warmup"):
        replace(SOP, backend="magic", epochs=0, warmup=2.0)


def test_a_recipe_of_a_newer_version_says_so_before_all_else(tmp_path: Path):
    path = tmp_path / "recipe.yaml"
    path.write_text(saved(path, SOP).replace("version: 1", "version: 2\nunheard_of: 3"))
    with pytest.raises(RepairError, match="recipe of version 2, and this RepairAI knows version 1; update"):
        read_recipe(path)
