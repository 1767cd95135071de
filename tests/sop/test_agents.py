import subprocess
import sys
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.sop import agents
from repairai.sop.agents import STEPS, Agent


@pytest.fixture
def trained(tmp_path: Path) -> Agent:
    folder = tmp_path / "runs" / "first" / "model"
    folder.mkdir(parents=True)
    return Agent("first", "local", str(folder), "org/base", "first", 512)


def test_without_any_the_steps_themselves_answer(home: Path):
    assert agents.active() == STEPS
    assert agents.agents() == (STEPS,)
    assert agents.before() is None
    assert not home.exists(), "asking who answers writes nothing"


def test_one_step_back_restores_the_old(trained: Agent):
    first = agents.use(trained)
    assert first.made
    assert agents.active() == first
    second = agents.use(Agent("there", "server", "http://127.0.0.1:8080", "llama"))
    assert agents.agents() == (STEPS, second, first)
    assert agents.before() == first
    assert agents.back() == first
    assert agents.active() == first
    assert agents.back() == STEPS
    assert second in agents.agents(), "it can be chosen again"
    with pytest.raises(RepairError, match="no agent was in use before"):
        agents.back()


def test_the_active_one_chosen_again_changes_nothing(trained: Agent):
    first = agents.use(trained)
    agents.use(first)
    assert agents.back() == STEPS


def test_a_folder_that_is_gone_is_told(trained: Agent):
    agents.use(trained)
    Path(trained.path).rmdir()
    assert "first is gone" in agents.missing(agents.active())
    with pytest.raises(RepairError, match="choose another"):
        agents.use(trained)


def test_a_damaged_register_is_one_sentence(trained: Agent):
    agents.use(trained)
    agents.register_path().write_text('{"active": {"name": "x", "kin')
    with pytest.raises(RepairError, match="register of agents is damaged"):
        agents.active()


def test_names(trained: Agent, tmp_path: Path):
    first = agents.use(trained)
    assert agents.named("first") == first
    assert agents.named("steps") == STEPS
    assert agents.named(str(tmp_path)).kind == "local"
    assert agents.named("org/model") == Agent("org/model", "local", "org/model")
    assert agents.named("http://127.0.0.1:11434", "llama3.2") == Agent(
        "llama3.2 at http://127.0.0.1:11434", "server", "http://127.0.0.1:11434", "llama3.2"
    )
    for wrong in ("", "what", "../up", "a/b/c", "./here/now"):
        with pytest.raises(RepairError, match="no registered agent"):
            agents.named(wrong)


def test_an_agent_needs_a_name_and_a_place():
    with pytest.raises(ValueError, match="need name and path"):
        Agent("", "steps")
    with pytest.raises(ValueError, match="need name and path"):
        Agent("here", "local")


@pytest.mark.parametrize("module", ["repairai.sop.agents", "repairai.sop.ask", "repairai.sop.server_writer"])
def test_import_is_light(module: str):
    code = f"import sys, {module}; print([m for m in ('torch', 'transformers', 'gradio', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
