"""`data` on the command line: builds are started by name, listed and shown."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from repairai import cli
from repairai.runs.folder import new_run
from repairai.runs.queue import put
from repairai.sop.library import Library

from .training.sop_guides import guides


@pytest.fixture(autouse=True)
def library(home: Path) -> None:
    Library().add(guides(5))


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["data", *words])
    seen = capfd.readouterr()
    return code, seen.out, seen.err


def test_data_are_built_listed_and_shown(home: Path, capfd: pytest.CaptureFixture[str]):
    code, out, err = run(capfd, "build", "--name", "mine", "--limit-examples", "12", "--keep-exam", "--json")
    assert (code, json.loads(out)["folder"]) == (0, str(home / "data" / "sop" / "mine"))
    assert "making examples of guides: 10 of 10" in err
    assert (home / "exam" / "sop.jsonl").is_file()
    code, out, _ = run(capfd, "list")
    assert code == 0
    assert out.startswith("mine  12 train, ")
    assert json.loads(run(capfd, "list", "--json")[1])[0]["name"] == "mine"
    code, out, _ = run(capfd, "show", "mine", "--n", "1")
    assert code == 0
    assert "assistant: [[" in out
    assert len(json.loads(run(capfd, "show", str(home / "data/sop/mine"), "--n", "2", "--json")[1])["samples"]) == 2


def test_every_word_reaches_the_script(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    rows = [{"ask": f"How do I open model {n}?", "reply": f"Pry the lid off number {n}."} for n in range(40)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["build", "library", str(tmp_path / "own.jsonl"), "--column", "question=ask", "--column", "answer=reply"]
    words += ["--device", "Maker 1", "--device", "maker 2", "--guide", "maker-3-fan", "--licence", "MIT", "--seed", "3"]
    code, out, _ = run(capfd, *words, "--length-tokens", "300", "--without-ifixit", "--progress-json", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["licences"]["MIT"] == 40
    assert (report["seed"], report["length_tokens"], report["name"]) == (3, 300, "guides")
    assert sum(report["devices"].values()) == 3


def test_bad_input_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    code, _, err = run(capfd, "build", str(tmp_path / "none.json"))
    assert code == 2
    assert err.splitlines()[-1].startswith("repairai: ")
    assert "does not exist" in err
    assert run(capfd, "show", "nothing")[0] == 2
    assert run(capfd, "build", "--length-tokens", "x")[0] == 2
    assert run(capfd, "list")[1] == "nothing was built yet: import guides, then `data build`\n"


def test_a_damaged_build_is_told_and_the_others_listed(home: Path, capfd: pytest.CaptureFixture[str]):
    assert run(capfd, "build", "--name", "good")[0] == 0
    (home / "data" / "sop" / "bad").mkdir()
    (home / "data" / "sop" / "bad" / "report.json").write_text("{")
    code, out, err = run(capfd, "list")
    assert (code, out[:4]) == (0, "good")
    assert "cannot be read" in err


def test_data_are_deleted_but_not_while_a_run_needs_them(home: Path, capfd: pytest.CaptureFixture[str]):
    folder = home / "data" / "sop" / "mine"
    for name in ("mine", "other"):
        assert run(capfd, "build", "--name", name, "--limit-examples", "12")[0] == 0
    text = f"task: sop\nstep: {{model: Some/Model}}\nepochs: 1\nlearning_rate: 0.001\ndata: {folder}\n"
    waits = new_run("waits", "train", ["python"], text=text)
    put(waits)
    code, _, err = run(capfd, "delete", "mine")
    assert (code, err.count("\n")) == (2, 1)
    assert "waits needs the data mine still" in err
    waits.queued.unlink()
    assert json.loads(run(capfd, "delete", "mine", "--json")[1]) == {"deleted": "mine", "cannot_go_on": ["waits"]}
    assert run(capfd, "delete", "other")[1] == "other is deleted\n"
    assert list((home / "data" / "sop").iterdir()) == []
    assert "there are no data named 'mine'" in run(capfd, "delete", "mine")[2]


def test_ctrl_c_ends_a_build_and_nothing_of_it_stays(home: Path):
    Library().add(guides(400))
    words = [sys.executable, "-m", "repairai", "data", "build", "--name", "mine", "--progress-json"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stderr is not None
    assert "done" in process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    said = process.stderr.read()  # until whoever can write there is gone, the script itself among them
    watchdog.cancel()
    assert process.wait() == 130
    assert "Traceback" not in said
    assert said.endswith("repairai: stopped\n")
    assert list((home / "data").glob("sop/*")) == []
