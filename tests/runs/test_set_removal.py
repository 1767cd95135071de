"""A set that is deleted is gone at once; one that is still needed stays, and it is told by whom."""

from pathlib import Path

import pytest
from filelock import FileLock

from repairai import named_sets
from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS, PHOTO_SETS, STATE_SETS, NamedSets
from repairai.processes import own
from repairai.runs.folder import new_run
from repairai.runs.process import write_process
from repairai.runs.queue import put
from repairai.runs.set_removal import delete_set, users

every = pytest.mark.parametrize("kind", [DATA_SETS, PHOTO_SETS, STATE_SETS], ids=lambda kind: kind.called)


def a_set(kind: NamedSets, name: str = "mine") -> Path:
    folder = kind.folder(name)
    folder.mkdir(parents=True)
    (folder / kind.files[0]).write_text("{}\n")
    return folder


def run_on(folder: Path | str, name: str = "lamps"):
    text = f"task: sop\nstep: {{model: Some/Model}}\nepochs: 1\nlearning_rate: 0.001\ndata: {folder}\n"
    return new_run(name, "train", ["python", "{run}"], text=text)


@every
def test_a_set_that_nobody_needs_is_deleted(kind: NamedSets):
    a_set(kind)
    other = a_set(kind, "other")
    run_on(other)
    assert delete_set(kind, "mine") == []
    assert [path.name for path in kind.place().iterdir()] == ["other"]


@every
def test_a_set_of_a_run_that_waits_or_works_stays(kind: NamedSets, monkeypatch: pytest.MonkeyPatch):
    folder = a_set(kind)
    monkeypatch.chdir(folder.parent)  # a recipe may name it from where it was started
    waits = run_on("mine", "waits")
    put(waits)
    with pytest.raises(RepairError, match=f"waits needs the {kind.called} mine still; wait for it, or stop it"):
        delete_set(kind, "mine")
    waits.queued.unlink()
    assert users(folder) == ([], ["waits"])
    evaluation = new_run("waits-eval", "evaluate", ["python"], text="run: waits\n", parent="waits")
    write_process(evaluation, own())
    with pytest.raises(RepairError, match=f"waits-eval needs the {kind.called}"):
        delete_set(kind, "mine")
    evaluation.process.unlink()
    assert delete_set(kind, "mine") == ["waits"]
    assert not folder.exists()


@every
def test_a_set_is_not_deleted_while_somebody_changes_it(kind: NamedSets, monkeypatch: pytest.MonkeyPatch):
    folder = a_set(kind, "bench")
    monkeypatch.setattr(named_sets, "LOCK_SECONDS", 0.1)
    with FileLock(folder / ".lock"), pytest.raises(RepairError, match="bench is being changed; try again"):
        delete_set(kind, "bench")
    assert kind.names() == ("bench",)
    delete_set(kind, "bench")
    assert not list(kind.place().iterdir())


@every
@pytest.mark.parametrize("name", ["../x", "", ".", "mime", "/etc"])
def test_what_is_no_name_of_a_set_is_refused(kind: NamedSets, name: str):
    folder = a_set(kind)
    with pytest.raises(RepairError, match=f"there are no {kind.called} named"):
        delete_set(kind, name)
    assert folder.is_dir()


def test_data_that_were_built_in_vain_are_deleted():
    folder = a_set(DATA_SETS)
    (folder / "train.jsonl").unlink()
    assert delete_set(DATA_SETS, "mine") == []
    assert not folder.exists()
