"""A run that is deleted is gone at once; one that is still needed stays, and the mend is named."""

from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import home
from repairai.runs.folder import new_run
from repairai.runs.removal import delete_run
from repairai.sop import agents
from repairai.sop.agents import STEPS, Agent
from repairai.vision import detectors
from repairai.vision.detectors import BUILTIN, Inspector


def run_on(folder: Path | str, name: str = "lamps"):
    text = f"task: sop\nstep: {{model: Some/Model}}\nepochs: 1\nlearning_rate: 0.001\ndata: {folder}\n"
    return new_run(name, "train", ["python", "{run}"], text=text)


def answers(run_id: str) -> Agent:
    folder = home() / "runs" / run_id / "model"
    folder.mkdir(parents=True, exist_ok=True)
    return agents.use(Agent(run_id, "local", str(folder), run_id=run_id))


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
    folder = home() / "runs" / run_id / "model"
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
