"""`ask` and `models` on the command line."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from repairai.cli import main
from repairai.processes import own
from repairai.runs.folder import new_run
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import write_process
from repairai.sop import agents
from repairai.sop.agents import Agent
from tests.sop.chat_server import ChatServer
from tests.sop.tiny_llama import save_tiny_llama

ROOT = Path(__file__).parents[1]
DRILL = "How do I change the carbon brushes of a cordless drill?"
GUIDE = "sample-cordless-drill-brushes"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    chat = ChatServer()
    yield chat
    chat.close()


def test_without_a_model_the_steps_answer(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", DRILL]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Tools: Torx T10 screwdriver, Flat screwdriver, Plastic opening tool"
    assert said[1].startswith("1. Remove the battery pack from the drill.")
    assert said[1].endswith(f"[{GUIDE}#1]")
    assert "Made by: the steps themselves, without any model" in said
    assert (
        said[-1] == f"Source: {GUIDE} · Cordless drill carbon brush replacement (Cordless drill) · RepairAI · CC0-1.0"
    )


def test_words_need_no_quotes(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", "iphone", "99", "battery"]) == 0, "no guide is an answer too"
    said = capsys.readouterr().out
    assert "I have no guide for that: no guide of the library is for “99”." in said
    assert "near: sample-phone-battery" in said


def test_json(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", DRILL, "--json"]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["made_from_steps"] is True
    assert reply["refused"] is False
    assert reply["sentences"][3]["cited"] == [{"guide_id": GUIDE, "step": 1}]
    assert reply["sources"][0]["licence"] == "CC0-1.0"
    assert main(["ask", "iPhone 99 battery", "--json"]) == 0
    refused = json.loads(capsys.readouterr().out)
    assert refused["refused"] is True
    assert refused["near"]


def test_a_device(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", "battery", "--device", "e-reader"]) == 0
    assert "sample-e-reader-battery#1" in capsys.readouterr().out
    assert main(["ask", "battery", "--device", "Toaster 9000"]) == 0
    assert "there is no guide for the device “Toaster 9000”" in capsys.readouterr().out


def test_a_server_answers_and_what_no_step_says_is_marked(chat: ChatServer, capsys: pytest.CaptureFixture[str]):
    chat.pieces = ["1. Remove the battery pack [1]\n2. Remove the four 16 mm ", "Torx screws. [2]\n3. Sing. [1]"]
    assert main(["ask", DRILL, "--model", chat.url, "--server-model", "llama"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == f"1. Remove the battery pack [{GUIDE}#1]"
    assert "[NOT IN THE STEPS: " in lines[1]
    assert "four" in lines[1]
    assert "[NOT IN THE STEPS: " in lines[2]
    assert f"Left out: [{GUIDE}#2, {GUIDE}#3" in said.out
    assert "Caution: With the pack in place the chuck can start and break a finger." in said.out
    assert "is not this machine" not in said.err
    assert chat.asked[0]["model"] == "llama"


def test_a_server_that_is_not_there_is_told_and_the_steps_answer(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", DRILL, "--model", "http://127.0.0.1:9"]) == 2
    said = capsys.readouterr()
    assert f"[{GUIDE}#7]" in said.out
    assert "cannot be reached" in said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", " "], "no question was asked"),
        (["ask"], "QUESTION"),
        (["ask", DRILL, "--model", "/nowhere/at/all"], "no registered agent"),
        (["ask", DRILL, "--model", "ftp://x"], "no registered agent"),
        (["ask", DRILL, "--server-model", "llama"], "needs the server's address"),
        (["models", "use", "../x"], "no registered agent"),
        (["models", "back"], "no agent was in use before"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_a_folder_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("repairai.sop.writer.MOST_TOKENS", 128)  # rubbish has no end of its own
    folder = save_tiny_llama(tmp_path / "tiny")
    assert main(["ask", DRILL, "--model", str(folder), "--json"]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["writer"] == "tiny"
    assert not reply["made_from_steps"]


def test_asking_a_model_beside_a_run_says_what_it_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = new_run("lamps", "train", ["python"], text="task: sop\n")
    write_process(folder, own())
    add_metric(folder.metrics, Metric(1, time.time(), loss=1.0, memory_gib=3.14))
    model = str(save_tiny_llama(tmp_path / "tiny", silent=True))
    main(["ask", DRILL, "--model", model, "--json"])
    said = capsys.readouterr()
    assert "lamps is at work on this machine and holds 3.1 GiB" in said.err
    assert "`--model steps` takes none." in said.err
    assert json.loads(said.out)["question"] == DRILL
    assert main(["ask", DRILL, "--model", "steps"]) == 0
    assert capsys.readouterr().err == ""
    folder.process.unlink()
    main(["ask", DRILL, "--model", model])
    assert "is at work" not in capsys.readouterr().err


def test_models_are_chosen_and_given_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = save_tiny_llama(tmp_path / "tiny", silent=True)
    assert main(["models", "use", str(folder)]) == 0
    assert capsys.readouterr().out == f"active now: tiny: {folder}\n"
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    kinds = [(each["name"], each["kind"], each["active"]) for each in listed]
    assert kinds == [("steps", "steps", False), ("tiny", "local", True), ("builtin", "detector", True)]
    assert main(["ask", DRILL]) == 0
    assert "tiny made nothing of these steps:" in capsys.readouterr().out
    assert main(["models", "back"]) == 0
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["* steps: the steps themselves, no model", f"  tiny: {folder}"]


def test_an_active_agent_that_is_gone_leaves_the_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "gone"
    folder.mkdir()
    agents.use(Agent("gone", "local", str(folder)))
    folder.rmdir()
    assert main(["ask", DRILL]) == 0
    said = capsys.readouterr().out
    assert "Note: gone cannot answer, so the steps themselves do: the folder of gone is gone" in said
    assert f"[{GUIDE}#7]" in said


def test_a_damaged_register_leaves_the_steps(capsys: pytest.CaptureFixture[str]):
    agents.register_path().parent.mkdir(parents=True)
    agents.register_path().write_text("{")
    assert main(["ask", DRILL]) == 0
    assert "Note: the register of agents is damaged" in capsys.readouterr().out
    assert main(["models", "list"]) == 2


def test_a_run_goes_through_the_gate(home: Path, capsys: pytest.CaptureFixture[str]):
    (home / "runs" / "first").mkdir(parents=True)
    assert main(["models", "use", "first"]) == 2
    assert "has made no model yet" in capsys.readouterr().err


def test_asking_the_steps_loads_no_model():
    code = "import sys; from repairai.cli import main; main(['ask', 'laptop fan']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "False"
