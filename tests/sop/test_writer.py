import json
import threading
import time
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from repairai.errors import RepairError
from repairai.sop.agents import Agent
from repairai.sop.ask import answer, open_or_steps, open_writer
from repairai.sop.library import Library
from repairai.sop.prompts import passages_of
from repairai.sop.samples import samples
from repairai.sop.search import Search
from repairai.sop.writer import LocalWriter
from tests.hub_server.server import HubServer
from tests.sop.tiny_llama import save_tiny_llama

STEPS = passages_of(samples()[0])
QUESTION = "How do I replace the battery of the bicycle light?"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def adapter(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "tuned"
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(whole), LoraConfig(r=2, target_modules=["q_proj"]))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 5)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


@pytest.fixture(autouse=True)
def of_few_words(monkeypatch: pytest.MonkeyPatch):
    """Rubbish has no end of its own: some of it is as good as much."""
    monkeypatch.setattr("repairai.sop.writer.MOST_TOKENS", 128)


def test_a_whole_model_streams_and_comes_to_an_end(whole: Path):
    told: list[str] = []
    writer = LocalWriter(str(whole), tell=told.append)
    assert told[0] == "looking for tiny"
    assert told[-1] == "ready"
    pieces = list(writer.answer(QUESTION, STEPS[:2]))
    assert len(pieces) > 3, "it comes piece by piece"
    assert "".join(pieces) == "".join(writer.answer(QUESTION, STEPS[:2])), "the same question has the same answer"
    assert writer.length_tokens == 2048


def test_it_stops_at_its_end_token(tmp_path: Path):
    writer = LocalWriter(str(save_tiny_llama(tmp_path / "silent", silent=True)))
    assert "".join(writer.answer(QUESTION, STEPS)) == ""


def test_whoever_stops_reading_stops_it(whole: Path):
    writer = LocalWriter(str(whole))
    before = set(threading.enumerate())  # one that helped to load may end meanwhile
    pieces = writer.answer(QUESTION, STEPS)
    next(pieces)
    began = time.perf_counter()
    pieces.close()
    assert not set(threading.enumerate()) - before
    assert time.perf_counter() - began < 5


def test_an_adapter_on_its_base(whole: Path, adapter: Path):
    writer = LocalWriter(str(adapter), length_tokens=512)
    assert writer.name == "tuned"
    assert writer.length_tokens == 512
    said = "".join(writer.answer(QUESTION, STEPS[:2]))
    assert said
    assert said != "".join(LocalWriter(str(whole)).answer(QUESTION, STEPS[:2]))


def test_a_base_that_is_gone(whole: Path, adapter: Path, tmp_path: Path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for each in adapter.iterdir():
        (moved / each.name).write_bytes(each.read_bytes())
    config = json.loads((moved / "adapter_config.json").read_text())
    (moved / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "/nowhere/at/all"}))
    with pytest.raises(RepairError, match=r"the base of .* is not there: /nowhere/at/all"):
        LocalWriter(str(moved))
    assert LocalWriter(str(moved), base=str(whole)).name == "moved"


def test_weights_that_can_run_code_are_refused(whole: Path, tmp_path: Path):
    folder = tmp_path / "pickled"
    folder.mkdir()
    for each in whole.iterdir():
        if each.suffix != ".safetensors":
            (folder / each.name).write_bytes(each.read_bytes())
    torch.save(AutoModelForCausalLM.from_pretrained(whole).state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(RepairError, match="pickled"):
        LocalWriter(str(folder))


def test_code_that_comes_with_a_model_is_not_run(whole: Path, tmp_path: Path):
    folder = save_tiny_llama(tmp_path / "own-code")
    config = json.loads((folder / "config.json").read_text())
    own = {"model_type": "ours", "auto_map": {"AutoConfig": "ours.Config", "AutoModelForCausalLM": "ours.Model"}}
    (folder / "config.json").write_text(json.dumps({**config, **own}))
    (folder / "ours.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(RepairError, match="own-code cannot be opened"):
        LocalWriter(str(folder))
    assert not (tmp_path / "ran").exists()


def test_damaged_weights_are_one_sentence(tmp_path: Path):
    folder = save_tiny_llama(tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RepairError, match="cut cannot be opened"):
        LocalWriter(str(folder))


def test_an_empty_folder_is_one_sentence(tmp_path: Path):
    with pytest.raises(RepairError, match="cannot be opened"):
        LocalWriter(str(tmp_path))


def test_a_name_that_is_not_here_and_no_network():
    with pytest.raises(RepairError, match="nobody/nothing is not on this machine, and the Hub cannot be reached"):
        LocalWriter("nobody/nothing")


def test_what_the_hub_answers_is_told_and_not_taken_for_a_lost_network(hub: HubServer, monkeypatch):
    # It keeps the client of the first Hub that it met.
    monkeypatch.setattr(transformers.utils.hub, "_hf_api", None)
    for name, status, said in (
        ("maker/dear", 402, "the Hub wants to be paid for maker/dear"),
        ("maker/shut", 403, "the Hub does not allow this with maker/shut"),
    ):
        hub.add_repo("model", name, {"config.json": "{}"})
        hub.misbehave(status, name, times=None)
        with pytest.raises(RepairError, match=said):
            LocalWriter(name)
    with pytest.raises(RepairError, match="there is no model maker/none on the Hub, or it is private"):
        LocalWriter("maker/none")


def test_steps_that_are_too_long_for_it_are_answered_by_themselves(tmp_path: Path):
    writer = LocalWriter(str(save_tiny_llama(tmp_path / "short", room=40)))
    with pytest.raises(RepairError, match="short reads 40"):
        list(writer.answer(QUESTION, STEPS))
    reply = answer(QUESTION, Search(Library()), writer)
    assert reply.made_from_steps
    assert "short could not answer, so the steps themselves do" in reply.notes[0]
    assert all(each.supported for each in reply.sentences)


def test_rubbish_is_marked(whole: Path):
    reply = answer(QUESTION, Search(Library()), open_writer(Agent("tiny", "local", str(whole))))
    assert not reply.made_from_steps
    assert reply.unanswered or any(not each.supported for each in reply.sentences)


def test_an_agent_that_is_gone_leaves_the_steps(tmp_path: Path):
    writer, why = open_or_steps(Agent("old", "local", str(tmp_path / "gone")))
    assert writer.name == "steps"
    assert "the folder of old is gone" in why
