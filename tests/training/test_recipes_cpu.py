"""The recipes for a processor say what they take there, and that is little enough."""

from pathlib import Path

import training
from repairai.hardware.recipe import read_recipe

FOUND = sorted((Path(training.__file__).parent / "recipes").glob("sop_*_cpu.yaml"))


def test_a_recipe_for_a_processor_fits_a_machine_with_8_gb():
    assert len(FOUND) == 2
    for path in FOUND:
        recipe = read_recipe(path)
        assert recipe.step.batch * recipe.step.accumulation == 8
        assert recipe.forecast.held_gib[1] < 6, "beside it a system and a browser take 1.5 GiB"
