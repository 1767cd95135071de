"""What is deleted is gone at once; what is still needed stays, and the mend is named."""

from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.processes import own
from repairai.runs.folder import new_run
from repairai.runs.process import write_process
from repairai.runs.queue import put
from repairai.runs.removal import clear_halves, data_place, delete_data, delete_run, users
from repairai.sop import agents
from repairai.sop.agents import STEPS, Agent
from repairai.vision import detectors
from repairai.vision.detectors import BUILTIN, Inspector


def data(name: str = "mine") -> Path:
    folder = data_place() / name
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text("{}\n")
    return folder


def run_on(folder: Path | str, name: str = "lamps"):
    text = f"task: sop\nstep: {{model: Some/Model}}\nepochs: 1\nlearning_rate: 0.001\ndata: {folder}\n"
    return new_run(name, "train", ["python", "{run}"], text=text)


def answers(run_id: str) -> Agent:
    folder = data_place().parents[1] / "runs" / run_id / "model"
    folder.mkdir(parents=True, exist_ok=True)
    return agents.use(Agent(run_id, "local", str(folder), run_id=run_id))


def test_data_that_nobody_needs_are_deleted():
    data()
    other = data("other")
    run_on(other)
    assert delete_data("mine") == []
    assert [path.name for path in data_place().iterdir()] == ["other"]


def test_data_of_a_run_that_waits_or_works_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = data()
    monkeypatch.chdir(folder.parent)  # a recipe may name them from where it was started
    waits = run_on("mine", "waits")
    put(waits)
    with pytest.raises(RepairError, match="waits needs the data mine still; wait for it, or stop it"):
        delete_data("mine")
    waits.queued.unlink()
    assert users(folder) == ([], ["waits"])
    evaluation = new_run("waits-eval", "evaluate", ["python"], text="run: waits\n", parent="waits")
    write_process(evaluation, own())
    with pytest.raises(RepairError, match="waits-eval needs the data"):
        delete_data("mine")
    evaluation.process.unlink()
    assert delete_data("mine") == ["waits"]
    assert not folder.exists()


@pytest.mark.parametrize("name", ["../x", "", ".", "mime", "/etc"])
def test_what_is_no_name_of_data_is_refused(name: str):
    data()
    with pytest.raises(RepairError, match="there are no data named"):
        delete_data(name)
    with pytest.raises(RepairError, match="did you mean 'mine'"):
        delete_data("mime")


def test_halves_are_cleared_and_what_was_being_replaced_comes_back(monkeypatch: pytest.MonkeyPatch):
    place = data().parent
    for name in (".mine.0123abcd", ".lost.0123abcd.old", ".mine.0123abce.old", ".deleted-1"):
        (place / name).mkdir()
    clear_halves()
    assert len(list(place.glob(".*"))) == 4, "whoever builds may still be at it"
    clear_halves("mine")
    assert sorted(path.name for path in place.iterdir()) == [".deleted-1", ".lost.0123abcd.old", "mine"]
    clear_halves("lost")
    assert sorted(path.name for path in place.iterdir()) == [".deleted-1", "lost", "mine"]
    monkeypatch.setattr("repairai.runs.removal.STALE_SECONDS", -1)
    clear_halves()
    assert sorted(path.name for path in place.iterdir()) == ["lost", "mine"]


def test_the_run_that_answers_stays_and_the_mend_is_named():
    run_on("x", "first")
    run_on("x", "second")
    answers("first")
    with pytest.raises(RepairError, match="first is the active agent.*models back"):
        delete_run("first")
    agents.back()
    answers("first")
    answers("second")
    with pytest.raises(RepairError, match="models back"):
        delete_run("second")
    delete_run("first")
    assert [each.name for each in agents.agents()] == ["steps", "second"]
    assert agents.back() == STEPS, "no step back leads to what is gone"
    delete_run("second")
    assert agents.agents() == (STEPS,)


def test_without_one_before_the_steps_are_named(tmp_path: Path):
    run_on("x", "only")
    (tmp_path / "other").mkdir()
    agents.use(Agent("other", "local", str(tmp_path / "other")))
    answers("only")
    (tmp_path / "other").rmdir()
    with pytest.raises(RepairError, match="models use steps"):
        delete_run("only")
    agents.register_path().write_text("[]")
    delete_run("only")  # a damaged register holds nothing back


def inspects(run_id: str) -> Inspector:
    folder = data_place().parents[1] / "runs" / run_id / "model"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    return detectors.use(Inspector(run_id, str(folder), run_id))


def test_the_run_whose_detector_inspects_stays():
    for name in ("first", "second"):
        run_on("photos", name)
        inspects(name)
    with pytest.raises(RepairError, match=r"second is the active detector.*models back --detector"):
        delete_run("second")
    delete_run("first")
    assert detectors.before() == BUILTIN, "one step back does not lead to what is gone"
    with pytest.raises(RepairError, match=r"models back --detector"):
        delete_run("second")
    detectors.back()
    delete_run("second")
    assert detectors.active() == BUILTIN
