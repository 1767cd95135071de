"""`states` on the command line: the script is started by name; sets are listed, shown and deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repairai import cli
from repairai.named_sets import STATE_SETS
from repairai.runs.folder import new_run
from repairai.runs.queue import put

from .training.labelled_photos import as_bytes, photo, write


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["states", *words])
    seen = capfd.readouterr()
    return code, seen.out, seen.err


def folders(tmp_path: Path) -> list[str]:
    write(tmp_path / "open", {f"o{n}.jpg": as_bytes(photo(n)) for n in range(6)})
    write(tmp_path / "closed", {f"c{n}.jpg": as_bytes(photo(50 + n)) for n in range(6)})
    return ["--yes", str(tmp_path / "open"), "--no", str(tmp_path / "closed"), "--question", "Is the latch open?"]


def test_states_are_built_added_to_listed_shown_and_deleted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], home: Path
):
    assert run(capfd, "list")[1].startswith("there are no states yet")
    code, out, err = run(capfd, "build", "latch", *folders(tmp_path), "--licence", "MIT", "--progress-json", "--json")
    assert (code, json.loads(out)["folder"]) == (0, str(home / "data" / "judge" / "latch"))
    assert json.loads(err.splitlines()[-1]) == {"done": 0, "total": None, "what": "doctor"}
    more = ("--rendered", "lid", "--scenes", "4", "--rendered", "battery", "--scenes", "2")
    code, out, _ = run(capfd, "build", "latch", "--add", *more, "--seed", "3", "--balance")
    assert code == 0
    assert "Is the lid removed? / Is the lid in place?" in out
    (each,) = json.loads(run(capfd, "list", "--json")[1])
    assert (each["name"], each["examples"], each["questions"][0]["question"]) == ("latch", 18, "Is the latch open?")
    assert "latch  18 examples (" in run(capfd, "list")[1]
    out = run(capfd, "show", "latch")[1]
    assert "Is the latch open? / Is the latch closed?\n  train       4 yes       4 no  of 8 photos" in out
    assert f"from {tmp_path.name}: 12 photos, MIT" in out
    assert "warn  " in out
    shown = json.loads(run(capfd, "show", "latch", "--json")[1])
    assert [source["made_by"] for source in shown["from"]] == ["import", "rendered", "rendered"]
    assert run(capfd, "delete", "latch") == (0, "latch is deleted\n", "")
    assert not list((home / "data" / "judge").iterdir())


def test_states_that_a_run_needs_stay(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    run(capfd, "build", "latch", *folders(tmp_path))
    waiting = new_run("waits", "train", ["python"], text=f"task: judge\ndata: {STATE_SETS.folder('latch')}\n")
    put(waiting)
    code, _, err = run(capfd, "delete", "latch")
    assert (code, STATE_SETS.folder("latch").is_dir()) == (2, True)
    assert f"{waiting.id} needs the states latch still" in err


def test_a_set_that_is_damaged_hides_no_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    run(capfd, "build", "latch", *folders(tmp_path))
    run(capfd, "build", "other", *folders(tmp_path))
    (STATE_SETS.folder("latch") / "examples.jsonl").write_text("{")
    (STATE_SETS.folder("other") / "report.json").write_text("{")
    code, out, err = run(capfd, "list")
    assert (code, out.startswith("other  12 examples"), "not looked through" in out) == (0, True, True)
    assert "examples.jsonl, line 1 is not JSON" in err


def test_bad_input_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    for words, said in (
        (["show", "latsh"], "there are no states named 'latsh'; list them with `python -m repairai states list`"),
        (["delete", "../x"], "there are no states named '../x'"),
        (["build", "latch"], "need a source of examples"),
        (["build", "latch", "--rendered", "fan"], "invalid choice"),
        (["build", "latch", "--records"], "nobody has answered a question of state"),
        (["build", "-x"], "see `python -m repairai states build --help`"),
    ):
        code, out, err = run(capfd, *words)
        assert (code, out) == (2, "")
        assert said in err
        assert err.splitlines()[-1].startswith("repairai: ")
