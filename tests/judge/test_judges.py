"""Who answers questions of state: one register, one step back, and what happens when a folder is gone."""

from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.judge import judges
from repairai.judge.judges import NOBODY, Judge


def folder(at: Path, name: str = "config.json") -> Path:
    """A folder that holds a judge, as far as the register looks."""
    at.mkdir(parents=True)
    (at / name).write_text("{}")
    return at


def test_nobody_answers_until_somebody_is_chosen(tmp_path: Path):
    assert judges.active() == NOBODY
    assert judges.before() is None
    used = judges.use(Judge("mine", "local", str(folder(tmp_path / "mine"))))
    assert used.made
    assert judges.use(Judge("mine", "local", str(tmp_path / "mine"))) == used
    assert judges.active() == used
    assert judges.judges() == (NOBODY, used)
    assert judges.before() == NOBODY
    assert judges.back() == NOBODY
    assert judges.judges() == (NOBODY, used), "it can be chosen again"
    with pytest.raises(RepairError, match="no judge was in use before"):
        judges.back()


def test_a_name_is_a_registered_judge_a_folder_an_address_or_one_of_the_hub(tmp_path: Path, home: Path):
    here = folder(tmp_path / "here", "adapter_config.json")
    assert judges.named(str(here)) == Judge("here", "local", str(here.resolve()))
    assert judges.named(str(here), "org/base").base == "org/base"
    mine = folder(home / "models" / "latches")
    assert judges.named("latches") == Judge("latches", "local", str(mine.resolve()))
    served = judges.named("http://127.0.0.1:8080", "llava")
    assert (served.name, served.path) == ("llava at http://127.0.0.1:8080", "http://127.0.0.1:8080#llava")
    assert judges.named("http://127.0.0.1:8080") == Judge(*["http://127.0.0.1:8080", "server"], "http://127.0.0.1:8080")
    assert judges.named("HTTP://box:1", "phi3").name == "phi3 at HTTP://box:1"
    assert judges.named("HuggingFaceTB/SmolVLM-256M-Instruct").kind == "local"
    assert judges.named(" nobody ") == NOBODY
    kept = judges.use(Judge("bench", "server", "http://127.0.0.1:1"))
    assert judges.named("bench") == kept


@pytest.mark.parametrize("name", ["absent", "", "../up/there", "two words", ".hidden/x", "a/b/c"])
def test_a_judge_that_is_not_there(name: str):
    with pytest.raises(RepairError, match="there is no judge of states named"):
        judges.named(name)


def test_a_folder_without_a_model(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RepairError, match="holds no model: there is no config.json"):
        judges.named(str(tmp_path / "empty"))


def test_a_folder_that_is_gone(tmp_path: Path):
    at = folder(tmp_path / "mine")
    judge = judges.use(Judge("mine", "local", str(at)))
    judges.use(NOBODY)
    (at / "config.json").unlink()
    assert "the folder of the judge mine is gone" in judges.missing(judge)
    with pytest.raises(RepairError, match="is gone"):
        judges.use(judge)
    with pytest.raises(RepairError, match="is gone"):
        judges.back()
    assert judges.active() == NOBODY


def test_a_run_that_was_deleted_is_no_step_back(tmp_path: Path):
    judges.use(Judge("run-1", "local", str(folder(tmp_path / "one")), run_id="run-1"))
    judges.use(Judge("run-2", "local", str(folder(tmp_path / "two")), run_id="run-2"))
    judges.forget("run-1")
    assert judges.before() == NOBODY
    assert [each.name for each in judges.judges()] == ["nobody", "run-2"]


def test_a_damaged_register_is_told():
    judges.register_path().parent.mkdir(parents=True)
    judges.register_path().write_text("{")
    with pytest.raises(RepairError, match=r"register of judges is damaged.*choose a judge again"):
        judges.active()


def test_a_judge_needs_a_place():
    with pytest.raises(ValueError, match="need name and path"):
        Judge("mine", "local")
