"""The panel's handlers, as plain functions."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repairai.errors import RepairError
from repairai.processes import own
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import write_process
from repairai.runs.words import cost_of_asking
from repairai.sop import agents
from repairai.sop.agents import Agent
from repairai.sop.reply import Writer
from repairai.ui import run_actions
from repairai.ui import writers as writers_module
from repairai.ui.ask_panel import ACTIVE, ALL_DEVICES, answered, choices
from repairai.ui.run_actions import resume
from repairai.ui.workbench import Workbench
from repairai.ui.writers import LOADING, PUT_AWAY, Writers, make_room
from tests.sop.chat_server import ChatServer
from tests.sop.tiny_llama import save_tiny_llama

QUESTION = "How do I change the carbon brushes of a cordless drill?"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    chat = ChatServer()
    yield chat
    chat.close()


def asked(question: str, agent: str = ACTIVE, address: str = "", model: str = "", device: str = ALL_DEVICES) -> Any:
    return list(answered(Workbench(), Writers(), question, device, agent, address, model))


def test_an_answer_from_the_steps():
    shown = asked(QUESTION)
    assert "reads 7 steps" in shown[1][0]
    assert 'data-state="answered"' in shown[-2][1]
    assert "The answer is there." in shown[-2][0]


def test_nothing_asked():
    assert "Write a question first" in asked("  ")[0][0]


def test_a_device():
    assert "E-reader battery replacement" in asked("battery", device="E-reader")[-2][1]


def test_an_address_is_asked(chat: ChatServer):
    shown = asked(QUESTION, address=chat.url.removeprefix("http://"), model="llama")
    assert "Written by llama at 127.0.0.1" in shown[-2][1]
    assert chat.asked[0]["model"] == "llama"


def test_an_address_elsewhere_is_told_before_and_after():
    shown = asked(QUESTION, address="http://repairai.invalid:9", model="llama")
    assert "sent to repairai.invalid, which is not this machine" in shown[-2][1]
    assert "could not answer, so the steps themselves do" in shown[-2][1]


@pytest.mark.parametrize("address", ["ftp://x", "http://"])
def test_what_is_no_address_is_told(address: str):
    told = "".join(str(each) for shown in asked(QUESTION, address=address) for each in shown)
    assert "no registered agent" in told or "no web address" in told


def test_an_agent_that_is_not_there_any_more():
    assert "there is no agent &#x27;gone&#x27; any more" in asked(QUESTION, "gone")[-1][1]


def test_an_active_agent_whose_folder_is_gone_leaves_the_steps(tmp_path: Path):
    folder = tmp_path / "gone"
    folder.mkdir()
    agents.use(Agent("mine", "local", str(folder)))
    folder.rmdir()
    html = asked(QUESTION)[-2][1]
    assert "mine cannot answer, so the steps themselves do: the folder of mine is gone" in html
    assert 'data-state="answered"' in html


def test_a_damaged_register_leaves_the_steps():
    agents.register_path().parent.mkdir(parents=True)
    agents.register_path().write_text("[]")
    assert choices()[0] == ("The active one: the steps themselves, no model", ACTIVE)
    assert "register of agents is damaged" in asked(QUESTION)[-2][1]


def test_a_model_is_loaded_once_and_let_go(tmp_path: Path):
    agent = agents.use(Agent("tiny", "local", str(save_tiny_llama(tmp_path / "tiny"))))
    other = Agent("other", "local", str(save_tiny_llama(tmp_path / "other")))
    writers = Writers()

    def opened(who: Agent) -> Writer:
        words: list[Any] = list(writers.open(who))
        return words[-1]

    said = [each for each in writers.open(agent) if isinstance(each, str)]
    assert "loading" in " ".join(said)
    first = opened(agent)
    assert opened(agent) is first
    assert writers.kept == "tiny"
    assert opened(other) is not first
    assert writers.kept == "other"
    with pytest.raises(RepairError, match="was let go"):
        list(first.answer(QUESTION, []))
    writers.close()
    assert writers.kept == ""
    with pytest.raises(RepairError, match="cannot be opened"):
        list(writers.open(Agent("empty", "local", str(tmp_path))))


class Kept:
    """A model that takes no memory."""

    name, closed = "kept", False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Writers, Kept]]:
    """Writers that keep a model loaded."""
    model, writers = Kept(), Writers()
    monkeypatch.setattr(writers_module, "open_writer", lambda agent, tell=None: model)
    list(writers.open(Agent("kept", "local", str(tmp_path))))
    assert writers.kept == "kept"
    yield writers, model
    writers.close()


def working(name: str) -> RunFolder:
    """A run on which this very process seems to work."""
    folder = new_run(name, "train", ["python"], text="task: sop\n")
    write_process(folder, replace(own(), started=time.time()))
    return folder


def test_a_run_that_starts_gets_the_memory(kept: tuple[Writers, Kept], monkeypatch: pytest.MonkeyPatch):
    writers, model = kept
    assert make_room() == PUT_AWAY
    assert (writers.kept, model.closed) == ("", True)
    assert make_room() == ""
    folder = new_run("lamps", "train", ["python"], text="task: sop\n")
    list(writers.open(Agent("kept", "local", str(folder.path))))
    monkeypatch.setattr(run_actions.launch, "resume", lambda run_id: folder)
    assert resume("lamps") == f"lamps goes on from its beginning. {PUT_AWAY}"
    with writers._opening:
        monkeypatch.setattr(writers_module, "BUSY_SECONDS", 0.01)
        assert make_room() == LOADING


def test_a_run_that_starts_by_itself_gets_it_too(kept: tuple[Writers, Kept], monkeypatch: pytest.MonkeyPatch):
    writers, _ = kept
    monkeypatch.setattr(writers_module, "alive_runs", lambda: ["lamps"])
    working("lamps")
    writers._asked = time.time() + 60  # asked while it is at work: that is allowed
    writers._look()
    assert writers.kept
    writers._asked = time.time() - 60
    writers._look()
    assert not writers.kept


def test_asking_a_model_beside_a_run_says_what_it_costs(tmp_path: Path):
    agents.use(Agent("tiny", "local", str(save_tiny_llama(tmp_path / "tiny", silent=True))))
    folder = new_run("lamps", "train", ["python"], text="task: sop\n")
    write_process(folder, own())
    add_metric(folder.metrics, Metric(1, time.time(), loss=1.0, memory_gib=3.14))
    said = "lamps is at work on this machine and holds 3.1 GiB"
    shown = asked(QUESTION)
    assert said in shown[1][0], "before it is loaded"
    assert "The steps themselves, under Who answers, take none." in shown[1][0]
    assert said in shown[-2][1]
    assert said not in str(asked(QUESTION, "steps"))
    folder.process.unlink()
    assert cost_of_asking() == ""


def test_who_can_be_asked(tmp_path: Path):
    agents.use(Agent("tiny", "local", str(tmp_path)))
    assert choices() == [
        ("The active one: tiny", ACTIVE),
        ("The steps themselves, no model", "steps"),
        ("tiny", "tiny"),
    ]
