"""`data` on the command line: builds are started by name, listed and shown."""

import json
from pathlib import Path

import pytest

from repairai import cli
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
