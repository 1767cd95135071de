"""A run is started again as it was, and what has changed since is said."""

import hashlib
import json
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.again import again
from repairai.runs.events import add_event, read_events
from repairai.runs.folder import new_run, run_folders
from repairai.runs.queue import unqueue


def read_data(folder, path: Path, side: str = "train") -> None:
    sha = hashlib.sha256((path / f"{side}.jsonl").read_bytes()).hexdigest()
    add_event(folder.events, "data", f"{side}: 3 examples", sha256=sha)


def test_a_run_is_started_again_with_the_same_recipe(made, recipe: Recipe):
    first = made("lamps")
    read_data(first, Path(recipe.data))
    found = again("lamps", wait=True)
    assert (found.folder.id, found.changed) == ("lamps-2", ())
    assert found.said == "Its data and all packages are as they were."
    assert read_recipe(found.folder.recipe) == read_recipe(first.recipe)
    (said,) = read_events(found.folder.events, ("again",))
    assert (said.data["parent"], said.text) == ("lamps", f"started again from lamps. {found.said}")
    third = again("lamps-2", wait=True).folder
    assert third.id == "lamps-3", "no name grows with each"
    for each in (found.folder, third):
        unqueue(each.id)


def test_what_has_changed_since_is_said(made, recipe: Recipe):
    first = made("lamps")
    data = Path(recipe.data)
    (data / "val.jsonl").write_text("{}\n")
    for side in ("train", "val"):
        read_data(first, data, side)
    (data / "train.jsonl").write_text('{"other": 1}\n')
    (data / "val.jsonl").unlink()
    about = json.loads(first.about.read_text())
    about["packages"] |= {"torch": "1.0", "gone-package": "2.0"}
    first.about.write_text(json.dumps(about))
    found = again("lamps", wait=True)
    unqueue(found.folder.id)
    assert found.said.startswith("Not as it was: torch is ")
    assert " and was 1.0; " in found.said
    assert "gone-package is gone and was 2.0; train.jsonl of its data was written anew" in found.said
    assert found.said.endswith("val.jsonl of its data is gone.")


def test_what_cannot_be_started_again_is_refused(made, recipe: Recipe):
    made("lamps")
    new_run("lamps-eval", "evaluate", ["python"], text="run: lamps\n", parent="lamps")
    with pytest.raises(RepairError, match="is an evaluation; evaluate again with `runs evaluate lamps`"):
        again("lamps-eval")
    (Path(recipe.data) / "train.jsonl").unlink()
    with pytest.raises(RepairError, match="holds no train.jsonl"):
        again("lamps")
    with pytest.raises(RepairError, match="there is no run"):
        again("lumps")
    assert len(run_folders()) == 2
