"""Sends a trained model where its recipe says; `checks` sees before the training whether that can be.

python -m repairai.runs.pushing RUN_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from repairai.hub import pushes
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder
from repairai.runs.parcels import of_run


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
