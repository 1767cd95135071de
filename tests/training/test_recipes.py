"""Every recipe in the repository can be read, and those for the SOP agent say what they were planned to take."""

from pathlib import Path

import pytest

import training
from repairai.files import read_record
from repairai.hardware.recipe import read_recipe
from training.detector_train import Recipe as DetectorRecipe

RECIPES = sorted((Path(training.__file__).parent / "recipes").rglob("*.yaml"))
SOP = [path for path in RECIPES if path.name.startswith("sop_")]


def test_there_are_all_that_were_promised():
    names = {path.stem for path in SOP}
    for model in ("llama3-8b", "mistral-7b"):
        for method in ("full", "lora", "qlora"):
            assert any(name.startswith(f"sop_{model}_{method}_") for name in names)
    assert len(SOP) == 20
    assert len(RECIPES) == len(SOP) + 2


@pytest.mark.parametrize("path", SOP, ids=lambda path: path.stem)
def test_a_recipe_says_what_its_name_says(path: Path):
    recipe = read_recipe(path)
    _, _, method, memory = path.stem.split("_")
    assert recipe.task == "sop"
    assert recipe.step.method == method
    assert recipe.rslora
    assert recipe.packing == (memory != "cpu"), "on a processor rows of like length are faster"
    if memory != "cpu":
        assert recipe.forecast.machine == f"a card with {memory.removesuffix('gib')} GiB"
        assert recipe.forecast.held_gib[1] <= recipe.forecast.free_gib
        assert recipe.step.precision == "bf16"


@pytest.mark.parametrize("path", [path for path in RECIPES if path not in SOP], ids=lambda path: path.stem)
def test_a_recipe_of_the_detector_can_be_read(path: Path):
    assert path.stem.startswith("detector_")
    read_record(path, DetectorRecipe)
