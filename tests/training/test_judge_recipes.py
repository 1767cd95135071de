"""The recipes for judges that see are what their script writes, and say what the planner makes of them."""

from dataclasses import replace
from pathlib import Path

import pytest

import training
from repairai.hardware.recipe import read_recipe, saved
from training.judge.vision_language import refuse
from training.write_judge_recipes import CARDS_GIB, MODELS, recipe_of, steps_of

FOLDER = Path(training.__file__).parent / "recipes"
NAMES = [f"judge_{short}_{work.method}_{gib}gib" for short, work in MODELS.items() for gib in CARDS_GIB]


def test_there_is_one_for_each_model_and_card():
    assert len(NAMES) == 9
    assert {f"judge_paligemma-3b_qlora_{gib}gib" for gib in (6, 8, 12)} <= set(NAMES)
    assert {f"judge_smolvlm-{n}m_lora_{gib}gib" for n in (256, 500) for gib in (6, 8, 12)} <= set(NAMES)
    found = {path.stem for short in MODELS for path in FOLDER.glob(f"judge_{short}_*.yaml")}
    assert found == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_what_the_script_writes(tmp_path: Path, name: str):
    recipe = read_recipe(FOLDER / f"{name}.yaml")
    _, short, _, memory = name.split("_")
    assert recipe.step in steps_of(MODELS[short]), "a step that the script tries"
    forecast = recipe.forecast
    assert forecast.machine == f"a card with {memory.removesuffix('gib')} GiB"
    assert forecast.held_gib[1] <= forecast.free_gib
    written = saved(tmp_path / f"{name}.yaml", recipe_of(recipe.step, forecast))
    assert (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") == written, (
        "run python -m training.write_judge_recipes"
    )
    refuse(replace(recipe, data="states"))


def test_every_step_learns_from_as_many_rows():
    for work in MODELS.values():
        steps = steps_of(work)
        assert {each.batch * each.accumulation for each in steps} == {16}
        assert not steps[0].checkpointing, "the fastest is tried first"
        assert steps[-1] == replace(work, batch=1, accumulation=16)
