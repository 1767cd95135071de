"""What was pulled goes whole and for good; what is still needed stays, and the mend is named."""

import json
import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from repairai.errors import RepairError
from repairai.files import PULLED, home, write_record
from repairai.hub.pulled import Pulled, half_of
from repairai.judge import judges
from repairai.judge.judges import NOBODY, Judge
from repairai.processes import own
from repairai.runs.folder import new_run
from repairai.runs.process import write_process
from repairai.runs.pulled_removal import clear_gone, delete_fetched, doomed, is_fetched_data
from repairai.runs.pulled_use import fetched, let_another, on_disk
from repairai.runs.queue import put
from repairai.sop import agents
from repairai.sop.agents import STEPS, Agent
from repairai.vision import detectors
from repairai.vision.detectors import BUILTIN, Inspector

WEIGHTS = b"x" * 10_000


def pulled(repo: str = "maker/base", what: str = "agent", base: str = "", under: str = "models") -> Path:
    """Something as a pull leaves it: a whole model, an adapter where it names a base, or data."""
    folder = home() / under / repo.replace("/", "--")
    folder.mkdir(parents=True)
    if base:
        adapter(folder, base)
    else:
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(WEIGHTS)
    kind = "model" if under == "models" else "dataset"
    when = f"2026-01-01T00:00:{len(list(folder.parent.iterdir())):02d}+00:00"
    write_record(folder / PULLED, Pulled(repo, kind, "0" * 40, what, "mit", when, (), base))  # type: ignore[arg-type]
    return folder


def adapter(folder: Path, base: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    (folder / "adapter_model.safetensors").write_bytes(WEIGHTS)
    return folder


def run_on(model: str, data: str = "/gone", name: str = "lamps"):
    text = f"task: sop\nstep: {{model: {model}}}\nepochs: 1\nlearning_rate: 0.001\ndata: {data}\n"
    return new_run(name, "train", ["python", "{run}"], text=text)


def left(under: str = "models") -> list[str]:
    return sorted(path.name for path in (home() / under).iterdir())


def test_what_nobody_needs_goes_with_what_was_only_begun():
    folder = pulled()
    os.link(folder / "model.safetensors", half(folder) / "oid")  # as a pull of a newer one does it
    (half(folder) / "other.part").write_bytes(WEIGHTS[:3000])
    for name in (".maker--base.0123abcd", ".maker--base.0123abcd.old"):  # of pulls that went down as they ended
        folder.with_name(name).mkdir()
        (folder.with_name(name) / "model.safetensors").write_bytes(WEIGHTS[:100])
    pulled("maker/base-2")
    n_bytes = sum((folder / name).stat().st_size for name in ("config.json", "model.safetensors", PULLED)) + 3200
    freed = delete_fetched("maker/base", "model")
    assert (freed.repo, freed.n_bytes, freed.stuck, freed.base) == ("maker/base", n_bytes, (), "")
    assert left() == ["maker--base-2"]


def half(folder: Path) -> Path:
    work = half_of(folder)
    work.mkdir(parents=True, exist_ok=True)
    return work


def test_what_was_only_begun_is_known_and_goes():
    work = half(home() / "models" / "maker--eyes")
    (work / "0123.part").write_bytes(WEIGHTS)
    half(home() / "data" / "hub" / "hub--squad")  # holds nothing: nobody has to hear of it
    (found,) = fetched()
    assert (found.repo, found.about, on_disk(found)) == ("maker/eyes", None, len(WEIGHTS))
    assert delete_fetched("maker/eyes", "model").n_bytes == len(WEIGHTS)
    assert left() == []


def test_what_stands_elsewhere_too_is_not_counted(tmp_path: Path):
    folder = pulled()
    before = on_disk(fetched()[0])
    os.link(folder / "model.safetensors", tmp_path / "kept")
    assert on_disk(fetched()[0]) == before - len(WEIGHTS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("maker/bse", "no model named 'maker/bse' was pulled, did you mean 'maker/base'?; list them with"),
        ("../../maker--base", "no model named"), ("", "no model named"), ("sop", "no model named"),
        ("maker/chats", "maker/chats is a data set; say `data delete maker/chats`"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(name: str, said: str):
    pulled()
    (home() / "models" / "sop").mkdir()  # of ours
    pulled("maker/chats", "data", under="data/hub")
    with pytest.raises(RepairError) as fault:
        delete_fetched(name, "model")
    assert said in str(fault.value)
    assert left() == ["maker--base", "sop"]


def test_what_does_its_work_now_stays_and_is_forgotten_once_it_does_not():
    folder = str(pulled())
    for register, model, said, back, usual in (
        (agents, Agent("maker/base", "local", folder), "agent, which could then no longer answer", "back", STEPS),
        (agents, Agent("maker/base", "local", "maker/base"), "agent, which", "back", STEPS),
        (detectors, Inspector("maker--base", folder), "detector, which could", "back --detector", BUILTIN),
        (judges, Judge("maker/base", "local", folder), "judge, which could", "back --judge", NOBODY),
    ):  # fmt: skip
        register.use(model)
        for force in (False, True):
            with pytest.raises(RepairError) as fault:
                delete_fetched("maker/base", "model", force)
            assert f"maker/base is the active {said}" in str(fault.value)
            assert f"`python -m repairai models {back}`" in str(fault.value)
        register.back()
        assert register.active() == usual
        register.use(model)
        register.use(usual)
    delete_fetched("maker/base", "model")
    assert agents.agents() == (STEPS,)
    assert judges.judges() == (NOBODY,)
    assert detectors.inspectors() == (BUILTIN,)
    assert detectors.back() == BUILTIN, "no step back leads to what is gone"


def test_another_is_let_do_its_work(tmp_path: Path):
    (tmp_path / "other").mkdir()
    folder = pulled()
    detectors.use(Inspector("maker--base", str(folder)))
    agents.use(Agent("other", "local", str(tmp_path / "other")))
    agents.use(Agent("me/agent", "local", str(pulled("me/agent", "adapter", base="maker/base"))))
    now = let_another(fetched()[-1])
    assert [(each.what, each.name) for each in now] == [("detector", "builtin"), ("agent", "other")]
    assert (detectors.active(), agents.active().name) == (BUILTIN, "other")
    delete_fetched("maker/base", "model", force=True)


def test_without_one_before_the_usual_one_is_named(tmp_path: Path):
    (tmp_path / "other").mkdir()
    agents.use(Agent("other", "local", str(tmp_path / "other")))
    agents.use(Agent("maker/base", "local", str(pulled())))
    (tmp_path / "other").rmdir()
    with pytest.raises(RepairError, match="let another one answer first: `python -m repairai models use steps`"):
        delete_fetched("maker/base", "model")
    agents.register_path().write_text("[]")
    delete_fetched("maker/base", "model")  # a damaged register holds nothing back


def test_what_an_adapter_stands_on_stays_unless_that_is_meant(tmp_path: Path):
    folder = pulled()
    pulled("me/agent", "adapter", base="maker/base")
    run = run_on("maker/base", name="trained")
    adapter(run.model, str(folder))
    adapter(tmp_path / "mine", "/gone/base")
    agents.use(Agent("mine", "local", str(tmp_path / "mine"), "maker--base"))
    with pytest.raises(RepairError, match=r"mine, the active agent, stands on maker/base and could then no longer ans"):
        delete_fetched("maker/base", "model", force=True)
    agents.back()
    with pytest.raises(RepairError) as fault:
        delete_fetched("maker/base", "model")
    assert str(fault.value) == (
        "me/agent, trained and mine stand on maker/base and could then no longer be asked; delete them first, "
        "or say --force."
    )
    assert doomed("maker/base", "model", force=True).use.adapters == ("me/agent", "trained", "mine")
    assert delete_fetched("me/agent", "model").base == "", "others need it still"
    delete_fetched("maker/base", "model", force=True)
    assert not folder.exists()


def test_a_base_that_nobody_needs_any_more_is_named():
    pulled()
    pulled("me/agent", "adapter", base="maker/base")
    assert delete_fetched("me/agent", "model").base == "maker/base"
    assert left() == ["maker--base"]


def test_what_a_run_needs_stays(monkeypatch: pytest.MonkeyPatch):
    folder = pulled()
    waits, path = run_on("maker/base", name="waits"), run_on(str(folder), name="by-path")
    put(waits)
    with pytest.raises(RepairError, match="waits needs the model maker/base still; wait for it, or stop it"):
        delete_fetched("maker/base", "model", force=True)
    waits.queued.unlink()
    evaluation = new_run("by-path-eval", "evaluate", ["python"], text="run: by-path\n", parent="by-path")
    write_process(evaluation, own())
    with pytest.raises(RepairError, match="by-path-eval needs the model"):
        delete_fetched("maker/base", "model")
    evaluation.process.unlink()
    path.exit.write_text(json.dumps({"state": "finished"}))
    run_on(str(folder), name="paused")
    assert delete_fetched("maker/base", "model").stuck == ("paused",), "by its name it would be fetched again"


def test_data_go_too_but_not_while_a_run_needs_them():
    folder = pulled("maker/chats", "data", under="data/hub")
    examples = pulled("maker/lamps", "sop-data", under="data/sop")
    assert is_fetched_data("maker/lamps")
    assert is_fetched_data("maker--chats")
    assert not is_fetched_data("maker/base")
    needs = run_on("some/base", str(examples), "needs")
    put(needs)
    with pytest.raises(RepairError, match="needs needs the data set maker/lamps still"):
        delete_fetched("maker/lamps", "dataset")
    needs.queued.unlink()
    assert delete_fetched("maker/lamps", "dataset").stuck == ("needs",)
    assert delete_fetched("maker--chats", "dataset").repo == "maker/chats"
    assert not folder.exists()
    assert left("data/hub") == left("data/sop") == []


def test_what_is_being_pulled_stays():
    folder = pulled()
    with (
        FileLock(half(folder) / ".lock", timeout=0),
        pytest.raises(RepairError, match="maker/base is being pulled; wait until it is here, or end that first"),
    ):
        delete_fetched("maker/base", "model")
    assert folder.is_dir()
    delete_fetched("maker/base", "model")


def test_what_a_deletion_left_that_went_down_is_taken_away():
    place = home() / "models"
    for name, age in ((".deleted-old", 7200), (".deleted-new", 0)):
        (place / name).mkdir(parents=True)
        os.utime(place / name, (time.time() - age,) * 2)
    clear_gone()
    assert left() == [".deleted-new"]
