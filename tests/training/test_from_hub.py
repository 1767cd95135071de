"""Why something on the Hub cannot be had, told by the real client from what a server on loopback answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hub_faults import Unreachable
from tests.hub_server.server import HubServer
from training.from_hub import fetched

from .sop_guides import myfixit_file

ROOT = Path(__file__).parents[2]
CARD = b"---\nlicense: cc-by-4.0\n---\n"
ROWS = b"".join(
    json.dumps({"question": f"How do I open {n}?", "answer": f"Pry the lid off number {n}."}).encode() + b"\n"
    for n in range(8)
)
FILES = {"README.md": CARD, "train.jsonl": ROWS}


def build(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.sop_data", *words, "--json", "--progress-json"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_a_dataset_is_fetched_with_the_licence_of_its_card(hub: HubServer):
    hub.add_repo("dataset", "me/open", FILES)
    done = build("hub:me/open")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["licences"] == {"cc-by-4.0": 8}
    assert report["origins"] == {"hub:me/open": 8}
    assert all(json.loads(line) for line in done.stderr.splitlines()), "progress alone"


@pytest.mark.parametrize(
    ("source", "model", "told"),
    [
        ("hub:somebody/gated", "", "somebody/gated is given only to those who asked for it on the Hub; ask for it at HUB/datasets/somebody/gated"),  # noqa: E501
        ("FILE", "somebody/gated", "somebody/gated is given only to those who asked for it on the Hub; ask for it at HUB/somebody/gated"),  # noqa: E501
        ("hub:me/none", "", "there is no data set me/none on the Hub, or it is private"),
        ("FILE", "me/none", "there is no model me/none on the Hub, or it is private"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_one_sentence(
    hub: HubServer, home: Path, tmp_path: Path, source: str, model: str, told: str
):
    for kind in ("model", "dataset"):
        hub.add_repo(kind, "somebody/gated", {**FILES, "tokenizer.json": "{}"}).gated = "manual"
    place = str(myfixit_file(tmp_path / "guides.json", 3)) if source == "FILE" else source
    done = build(place, *(["--model", model] if model else []))
    assert done.returncode == 2
    assert told.replace("HUB", hub.url) in done.stderr.splitlines()[-1]
    assert not (home / "data").exists()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (402, "the Hub wants to be paid for me/rows: Payment required; see what your account allows"),
        (403, "the Hub does not allow this with me/rows"),
        (429, "the Hub asks to be left alone for a while"),
        (500, "the Hub is out of order: it answers 500"),
    ],
)
def test_what_the_hub_answers_is_told_and_not_taken_for_a_lost_network(hub: HubServer, status: int, told: str):
    hub.add_repo("dataset", "me/rows", FILES)
    hub.misbehave(status, "/api/datasets/me/rows", times=None)
    with pytest.raises(RepairError) as refused:
        fetched("me/rows", ["README.md"], "dataset")
    assert str(refused.value).startswith(told)
    with hub.away(), pytest.raises(Unreachable, match="me/rows is not on this machine, and the Hub cannot be reached"):
        fetched("me/rows", ["README.md"], "dataset")
