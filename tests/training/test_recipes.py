"""Every recipe in the repository can be read, and those for the SOP agent say what they were planned to take."""

from dataclasses import replace
from pathlib import Path

import pytest

import training
from repairai.hardware.recipe import read_recipe
from training.detector_train import refuse

RECIPES = sorted((Path(training.__file__).parent / "recipes").rglob("*.yaml"))
SOP = [path for path in RECIPES if path.name.startswith("sop_")]
DETECTOR = [path for path in RECIPES if path.name.startswith("detector_")]
JUDGE = [path for path in RECIPES if path.name.startswith("judge_")]
MADE_HERE = "detector_rtdetrv2_builtin"


def test_there_are_all_that_were_promised():
    names = {path.stem for path in SOP}
    for model in ("llama3-8b", "mistral-7b"):
        for method in ("full", "lora", "qlora"):
            assert any(name.startswith(f"sop_{model}_{method}_") for name in names)
    assert len(SOP) == 20
    assert len(RECIPES) == len(SOP) + len(DETECTOR) + len(JUDGE)


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


def test_there_is_a_recipe_for_each_detector_and_way():
    names = {path.stem for path in DETECTOR}
    for model in ("rtdetrv2-r50", "rtdetrv2-r18", "rtdetr-r50", "dfine-small", "dfine-nano"):
        for method in ("full", "few-shot"):
            assert f"detector_{model}_{method}_8gib" in names
    assert "detector_grounding-dino-tiny_few-shot_8gib" in names
    assert {"detector_builtin_full_cpu", "detector_builtin_few-shot_cpu"} <= names
    assert {MADE_HERE + "_cpu", MADE_HERE + "_more_cpu"} <= names


@pytest.mark.parametrize("path", DETECTOR, ids=lambda path: path.stem)
def test_a_recipe_of_a_detector_says_what_its_name_says_and_is_trained(path: Path):
    recipe = read_recipe(path)
    refuse(replace(recipe, data=recipe.data or "photos"))
    assert path.name in path.read_text(), "it opens with the command"
    if path.stem.startswith(MADE_HERE):
        return
    _, _, method, memory = path.stem.split("_")
    assert recipe.step.method == method.replace("-", "_")
    assert recipe.detecting.augmentation == "bench"
    assert recipe.clip == 0.1
    if memory != "cpu":
        assert recipe.step.batch * recipe.step.accumulation == 16
        assert recipe.forecast.machine == f"a card with {memory.removesuffix('gib')} GiB"
        assert recipe.forecast.held_gib[1] <= recipe.forecast.free_gib
