"""Configurations from folders, from what is built in, and from a Hub on loopback."""

import json
import os
import re
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.models import built_in, find_config
from tests.hub_server.server import HubServer

TINY = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 100, "intermediate_size": 96,
        "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip


def test_a_configuration_comes_from_the_hub_once(hub: HubServer):
    hub.add_repo("model", "tiny/llama", {"config.json": json.dumps(TINY)})
    assert find_config("tiny/llama") == TINY
    with hub.away():
        assert find_config("tiny/llama") == TINY, "kept from then on"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("tiny/gated", "only to those who asked"),
        ("tiny/bare", "has no config.json"),
        ("tiny/broken", "does not give the config.json of tiny/broken"),
        (
            "mistralai/Mistral-7B-v9",
            "there is no model mistralai/Mistral-7B-v9 on the Hub; did you mean mistralai/Mistral",
        ),
        ("no/such/model", "is no name of a model"),
        ("../..", "no name of a model|does not exist"),
    ],
)
def test_what_the_hub_does_not_give_is_told(hub: HubServer, model: str, said: str):
    hub.add_repo("model", "tiny/gated", {"config.json": "{}"}).gated = "manual"
    hub.add_repo("model", "tiny/bare", {})
    hub.add_repo("model", "tiny/broken", {"config.json": "{}"})
    hub.misbehave(500, "tiny/broken", times=None)
    with pytest.raises(RepairError, match=said):
        find_config(model)


def test_without_a_hub_it_is_told_at_once(hub: HubServer):
    with hub.away(), pytest.raises(RepairError, match="the Hub cannot be reached; did you mean meta-llama/Llama"):
        find_config("meta-llama/Llama-9")


def test_a_folder_and_a_file_are_read(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    assert find_config(str(tmp_path)) == find_config(str(tmp_path / "config.json")) == TINY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "what type"),
        ('{"hidden_size": 3}', "what type"),
        (" " * 2**21, "no model's config"),
    ],
)
def test_what_is_no_configuration_is_told(tmp_path: Path, content: str, said: str):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RepairError, match=said):
        find_config(str(tmp_path))


WHOLE = {**TINY, "num_attention_heads": 4}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_hidden_layers": 10**18}, "num_hidden_layers is 1000000000000000000; it must be a whole number from 1"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"vocab_size": -5}, "vocab_size is -5"),
        ({"hidden_size": "64"}, "hidden_size is '64'"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"text_config": {"hidden_size": 1e9}}, "hidden_size is 1000000000.0"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantised already"),
    ],
)
def test_sizes_that_no_model_has_are_refused(tmp_path: Path, change: dict[str, object], said: str):
    (tmp_path / "config.json").write_text(json.dumps({**WHOLE, **change}))
    with pytest.raises(RepairError, match=re.escape(said)):
        find_config(str(tmp_path))


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(RepairError, match="is no file"):
        find_config(str(tmp_path))


def test_a_folder_without_a_configuration_is_told(tmp_path: Path):
    with pytest.raises(RepairError, match="does not exist"):
        find_config(str(tmp_path))


def test_built_in_names_are_found_however_they_are_written():
    assert find_config("META-LLAMA/meta-llama-3-8b ") is built_in()["meta-llama/Meta-Llama-3-8B"]


def test_each_built_in_model_has_its_published_size_written_beside_it():
    for path in sorted((Path(__file__).parents[2] / "repairai" / "hardware").glob("shapes*.json")):
        for model in json.loads(path.read_text())["models"]:
            assert 0.001 < model["parameters_b"] < 20
            assert model["names"]
            assert all("/" in name for name in model["names"])
