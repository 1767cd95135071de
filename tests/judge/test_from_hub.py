"""Judges that lie on the Hub are loaded by name, an adapter with its base, and answer as from a folder of one's own."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi, login
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText

from repairai.errors import RepairError
from repairai.judge.reasoner import load_reasoner
from tests.hub_server.server import HubServer
from tests.judge.tiny_judges import save_tiny

PHOTO = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
QUESTION = "Is the latch open?"


def pushed(folder: Path) -> str:
    """Push a folder with the real client, privately; its name comes back."""
    name = f"me/{folder.name}"
    HfApi().create_repo(name, private=True)
    HfApi().upload_folder(repo_id=name, folder_path=folder)
    return name


def test_a_model_and_an_adapter_are_loaded_by_name(hub: HubServer, tmp_path: Path):
    login(hub.add_user("me"))
    base = save_tiny(tmp_path / "base", "smolvlm")
    made = get_peft_model(
        AutoModelForImageTextToText.from_pretrained(base),
        LoraConfig(target_modules=["q_proj"], init_lora_weights=False),
    )
    made.save_pretrained(tmp_path / "adapter")
    name = pushed(base)
    whole = load_reasoner(name, "")
    assert whole.name.startswith(f"{name}@")
    assert torch.equal(whole.scores(PHOTO, QUESTION), load_reasoner(str(base), "").scores(PHOTO, QUESTION))
    from_folder = load_reasoner(str(tmp_path / "adapter"), "").scores(PHOTO, QUESTION)
    about = tmp_path / "adapter" / "adapter_config.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "base_model_name_or_path": name}))
    (tmp_path / "adapter" / "README.md").unlink()  # it names a folder as the base, which the Hub refuses
    both = load_reasoner(pushed(tmp_path / "adapter"), "mine")
    assert torch.equal(both.scores(PHOTO, QUESTION), from_folder)


def test_what_the_hub_does_not_give_is_one_sentence(hub: HubServer):
    with pytest.raises(RepairError, match="there is no model me/nothing on the Hub, or it is private"):
        load_reasoner("me/nothing", "")


def test_a_hub_that_is_away_is_said(hub: HubServer):
    with (
        hub.away(),
        pytest.raises(RepairError, match="me/nothing is not on this machine, and the Hub cannot be reached"),
    ):
        load_reasoner("me/nothing", "")
