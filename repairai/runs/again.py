"""A new run from the recipe of another, with its seed and its data, and what has changed since then."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.checks import ready
from repairai.runs.events import add_event, read_events
from repairai.runs.folder import RunFolder, packages, read_json, run_folder, runs_folder
from repairai.runs.launch import start
from repairai.runs.state import read_run

_SIDES = ("train", "val")
_READ = {"sop": "{}.jsonl", "detector": "annotations.coco.json", "judge": "examples.jsonl"}
"""By task: which file of the data holds a side."""


@dataclass(frozen=True)
class Again:
    """A run that was started again.

    Args:
        folder: Of the new run.
        changed: What is not as it was, a clause each: "peft is 0.18.0 and was 0.17.1". Empty: nothing that is known.
    """

    folder: RunFolder
    changed: tuple[str, ...]

    @property
    def said(self) -> str:
        """Return what has changed, in a sentence."""
        if not self.changed:
            return "Its data and all packages are as they were."
        return f"Not as it was: {'; '.join(self.changed)}."


def again(run_id: str, name: str = "", not_before: datetime | None = None, wait: bool = False) -> Again:
    """Start a new run from the recipe of another; the other one stays as it is.

    Args:
        run_id: The other.
        name: Of the new one; empty: as the other, with a number.
        not_before: When it may start; None for as soon as it can.
        wait: Put it at the end of the queue in any case.

    Raises:
        RepairError: There is no such run, it is no training, or something that its recipe names is gone.
    """
    folder = run_folder(run_id)
    run = read_run(folder)
    if run.kind != "train":
        raise RepairError(f"{run_id} is an evaluation", f"evaluate again with `runs evaluate {run.parent}`")
    base = Path(str(read_json(folder.about).get("directory", "")) or ".")
    recipe = ready(read_recipe(folder.recipe), base)
    changed = changes(folder, recipe)
    new = start(recipe, name or _first_name(run_id), not_before, wait=wait)
    found = Again(new, changed)
    add_event(new.events, "again", f"started again from {run_id}. {found.said}", parent=run_id, changed=list(changed))
    return found


def changes(folder: RunFolder, recipe: Recipe) -> tuple[str, ...]:
    """Return what is not as it was when a run was made: versions of packages, and its data.

    Args:
        folder: Of the run.
        recipe: Its own, with the paths in full.
    """
    before, now = read_json(folder.about).get("packages"), packages()
    before = before if isinstance(before, dict) else {}
    found = [
        f"{name} is {now.get(name, 'gone')} and was {before.get(name, 'not there')}"
        for name in dict.fromkeys([*before, *now])
        if before and before.get(name) != now.get(name)
    ]
    return (*found, *_changed_data(folder, Path(expanded(recipe.data)), _READ[recipe.task]))


def _changed_data(folder: RunFolder, data: Path, held: str) -> list[str]:
    read: dict[str, str] = {}
    for event in read_events(folder.events):
        side, sha = event.text.partition(":")[0], event.data.get("sha256")
        if event.kind == "data" and side in _SIDES and isinstance(sha, str):
            read[held.format(side)] = sha  # the last time that it was read counts
    found = []
    for name, sha in read.items():
        path = data / name
        try:
            is_same = hashlib.sha256(path.read_bytes()).hexdigest() == sha
        except OSError:
            found.append(f"{path.name} of its data is gone")
            continue
        if not is_same:
            found.append(f"{path.name} of its data was written anew")
    return found


def _first_name(run_id: str) -> str:
    """Return the name that a run's id was made of: "lamps" for "lamps-3" where there is a "lamps", too."""
    numbered = re.fullmatch(r"(.+)-\d{1,4}", run_id)
    return numbered[1] if numbered and (runs_folder() / numbered[1]).is_dir() else run_id
