"""Step 2 of the judge of states: photos with their answers and a recipe to a model that answers questions of state.

    python -m training.judge_train training/recipes/judge_builtin_linear-probe_cpu.yaml
    python -m training.judge_train RUN

Reads the recipe's set of states, as `judge_data` writes it. Writes a run's folder: figures, log and, at the end,
`model`, which can be asked at once. The method says which model: `linear_probe` is a light classifier on a frozen image
backbone, minutes on any processor; `lora`, `qlora` and `full` train a model of words and photos. Given a run's folder
it goes on from its last whole checkpoint; a light classifier begins anew. It can be watched and steered from the page
and with `python -m repairai runs ...`, whoever started it.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

import transformers

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.judge.state_set import read_state_set
from repairai.named_sets import STATE_SETS
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal
from training.given import push_where_asked, training_run
from training.judge.trained_on import keep

COMMAND = [sys.executable, "-m", "training.judge_train", "{run}"]
TRAINERS = {
    "linear_probe": "training.judge.probe",
    **dict.fromkeys(("lora", "qlora", "full"), "training.judge.vision_language"),
}
"""By method: where `train(folder, recipe, journal)` is, imported where it is wanted; a model of words and photos brings
much along that a light classifier does without."""


def train(folder: RunFolder, journal: Journal) -> None:
    """Train what a run's recipe says.

    Args:
        folder: Of the run.
        journal: Open.

    Raises:
        RepairError: Something is not as the recipe says, or it does not fit.
        Asked: It was asked to stop or pause.
    """
    recipe = read_recipe(folder.recipe)
    refuse(recipe)
    data = STATE_SETS.meant(recipe.data)
    keep(folder.path, data, read_state_set(data))
    import_module(TRAINERS[recipe.step.method]).train(folder, recipe, journal)


def refuse(recipe: Recipe) -> None:
    """Refuse what this script does not train.

    Raises:
        RepairError: The recipe is for something else, or names no states.
    """
    if recipe.task != "judge" or recipe.step.method not in TRAINERS:
        raise RepairError(
            f"the recipe is for {recipe.task} by {recipe.step.method}, and this trains judges of states",
            f"give one with task: judge, and one of the methods {', '.join(TRAINERS)}",
        )
    if not recipe.data:
        raise RepairError("the recipe names no states", "build some with `python -m repairai states build`")


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="RECIPE|RUN", help="a recipe, or a run's folder to go on with")
    parser.add_argument("--name", default="", help="of a new run; else it is called as its recipe")
    chosen = parser.parse_args(arguments)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        folder = training_run(chosen.path, chosen.name, COMMAND, refuse)
        with Journal(folder) as journal:
            train(folder, journal)
    except Asked as asked:
        print(f"it was asked to {asked}")
        return 1
    except (RepairError, MemoryError) as error:
        print(f"training.judge_train: {error}", file=sys.stderr)
        return 2 if isinstance(error, RepairError) else 1
    print(f"the model is in {folder.model}")
    push_where_asked(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
