"""What a recipe's `push` asks for: whether it can be is seen before the training, and it is done behind it.

python -m repairai.runs.pushing RUN_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hub import push, pushes
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder
from repairai.runs.parcels import of_run
from repairai.runs.sharing.origins import hub_name


def check_push(recipe: Recipe) -> None:
    """Refuse a push that would be refused when the training is over.

    Raises:
        RepairError: Nobody is logged in who may write there, the name is taken by something else, or an adapter stands
            on a model that only this machine has.
    """
    if recipe.task == "sop" and recipe.step.method != "full" and not hub_name(recipe.step.model):
        raise RepairError(
            f"an adapter on {recipe.step.model}, which only this machine has, is of no use on the Hub",
            "let the recipe name its model as the Hub does, or leave out `push` and use `models push --base` later",
        )
    if recipe.backend != "trl":
        raise RepairError(
            f"what {recipe.backend} trains is not put on the Hub by its own environment",
            f"leave out `push`, and say `models push RUN {recipe.push}` when it is trained",
        )
    push.check(recipe.push, "model", private=True)


def push_trained(folder: RunFolder) -> None:
    """Send a trained model where its recipe says, private, in a process of its own; what goes wrong is an event.

    Args:
        folder: Of a run that has made a model.
    """
    try:
        repo = read_recipe(folder.recipe).push
        if not repo:
            return
        begun = pushes.begin(of_run(folder.id, repo), repo, message=f"Trained by RepairAI as {folder.id}")
    except RepairError as error:
        add_event(folder.events, "push", f"the model stays here: {error.what}; {error.next_step}")
        return
    add_event(
        folder.events, "push", f"the model goes to {repo} on the Hub: `hub pushes` says how far it is", id=begun.id
    )


if __name__ == "__main__":
    push_trained(RunFolder(Path(sys.argv[1])))
