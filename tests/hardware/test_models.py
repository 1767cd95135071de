"""Configurations from folders, from what is built in, and from a Hub on loopback."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from repairai.errors import RepairError
from repairai.hardware.models import built_in, find_config

TINY = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 100, "intermediate_size": 96,
        "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip
ANSWERS = {
    "/tiny/llama/resolve/main/config.json": (200, {}),
    "/tiny/gated/resolve/main/config.json": (403, {"X-Error-Code": "GatedRepo"}),
    "/tiny/bare/resolve/main/config.json": (404, {"X-Error-Code": "EntryNotFound"}),
    "/tiny/broken/resolve/main/config.json": (500, {}),
}


class Hub(BaseHTTPRequestHandler):
    """Just enough of the Hub to give a configuration."""

    def do_GET(self):
        status, headers = ANSWERS.get(self.path, (404, {"X-Error-Code": "RepoNotFound"}))
        self.send_response(status)
        body = json.dumps(TINY).encode() if status == 200 else b"{}"
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(hub: str, home: Path, model: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since the Hub's client reads its address when it is imported."""
    code = (
        "import sys, json; from repairai.hardware.models import find_config; "
        "print(json.dumps(find_config(sys.argv[1])))"
    )
    own = {"HF_ENDPOINT": hub, "HF_HOME": str(home / "hf"), "REPAIRAI_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    env = {name: value for name, value in os.environ.items() if name not in ("HF_HUB_OFFLINE", "HF_TOKEN")}
    return subprocess.run(
        [sys.executable, "-c", code, model], capture_output=True, text=True, env={**env, **own}, check=False
    )


def test_a_configuration_comes_from_the_hub_once(hub: str, home: Path):
    assert json.loads(ask(hub, home, "tiny/llama").stdout) == TINY
    assert json.loads(ask("http://127.0.0.1:9", home, "tiny/llama").stdout) == TINY, "kept from then on"


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
def test_what_the_hub_does_not_give_is_told(hub: str, home: Path, model: str, said: str):
    answer = ask(hub, home, model)
    assert answer.returncode
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(answer.stderr.strip().splitlines()[-1])


def test_without_a_hub_it_is_told_at_once(home: Path):
    answer = ask("http://127.0.0.1:9", home, "meta-llama/Llama-9")
    assert "the Hub cannot be reached; did you mean meta-llama/Llama" in answer.stderr


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
