"""`photos` on the command line: the script is started by name, sets are listed, shown and deleted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from repairai import cli
from repairai.named_sets import PHOTO_SETS
from repairai.runs.folder import new_run
from repairai.runs.queue import put

from .training.labelled_photos import WIDTH, as_bytes, photo, write, yolo


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["photos", *words])
    seen = capfd.readouterr()
    return code, seen.out, seen.err


def test_photos_are_imported_examined_mended_named_shown_and_deleted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], home: Path
):
    folder = write(tmp_path / "bench", yolo(8, names="names: ['0', '1', dust]"))
    code, out, err = run(
        capfd, "import", str(folder), "--rename", "0=screw", "--licence", "MIT", "--seed", "3", "--json"
    )
    assert (code, json.loads(out)["folder"]) == (0, str(home / "data" / "detector" / "bench"))
    assert "photos: 8 of 8" in err
    assert json.loads(run(capfd, "list", "--json")[1])[0]["name"] == "bench"
    assert run(capfd, "list")[1].startswith("bench  8 photos (")
    code, out, _ = run(capfd, "doctor", "bench")
    assert code == 0
    assert "`photos names bench 1=NAME`" in out
    assert "`photos mend bench empty-part`: drop what has no box" in out
    assert run(capfd, "mend", "bench", "empty-part")[0] == 0
    code, out, _ = run(capfd, "names", "bench", "1=hole", "--json")
    assert list(json.loads(out)["parts"]) == ["screw", "hole"]
    out = run(capfd, "show", "bench")[1]
    assert "screw: 4 boxes on 4 photos" in out
    assert "from bench: 8 photos, MIT" in out
    assert "few: few photos show" in out
    assert "screw: 12, 9, 48, 45, by import" in run(capfd, "show", "bench", "p0.jpg")[1]
    assert json.loads(run(capfd, "show", "bench", "p0.jpg", "--json")[1])["width"] == WIDTH
    assert run(capfd, "delete", "bench") == (0, "bench is deleted\n", "")
    assert run(capfd, "list")[1] == "there are no photos yet: `photos import SOURCE`\n"
    assert not list((home / "data" / "detector").iterdir())


def test_a_set_that_was_never_examined_is_listed_and_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    run(capfd, "import", str(write(tmp_path / "bench", yolo())))
    (PHOTO_SETS.folder("bench") / "report.json").unlink()
    assert "not looked through yet" in run(capfd, "list")[1]
    assert "hole: 3 boxes on 3 photos" in run(capfd, "show", "bench")[1]


def test_photos_that_a_run_needs_stay(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    run(capfd, "import", str(write(tmp_path / "bench", yolo())))
    waiting = new_run("waits", "train", ["python"], text=f"task: detector\ndata: {PHOTO_SETS.folder('bench')}\n")
    put(waiting)
    code, _, err = run(capfd, "delete", "bench")
    assert (code, PHOTO_SETS.folder("bench").is_dir()) == (2, True)
    assert f"{waiting.id} needs the photos bench still" in err


def test_bad_input_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    for words, said in (
        (["doctor", "bnch"], "there are no photos named 'bnch'; list them with `python -m repairai photos list`"),
        (["delete", "../x"], "there are no photos named '../x'"),
        (["show", "x"], "there are no photos named 'x'"),
        (["import", str(tmp_path / "no.zip")], "there is nothing at"),
        (["import", str(tmp_path), "--rename", "screw"], "need OLD=NEW, got screw"),
        (["import", str(tmp_path), "--format", "tfrecord"], "invalid choice: 'tfrecord'"),
        (["import", str(tmp_path), "--name", "a", "--add", "b"], "not allowed with argument"),
    ):
        code, _, err = run(capfd, *words)
        assert code == 2
        assert said in err
        assert err.count("\n") - err.count("labels\n") == 1


def test_an_import_that_is_stopped_by_the_keyboard_leaves_nothing(tmp_path: Path, home: Path):
    folder, large = write(tmp_path / "bench", yolo(300)), as_bytes(photo(0, (1600, 1200)))
    for number in range(300):  # which take seconds, and are not the same bytes
        (folder / f"images/p{number}.jpg").write_bytes(large + number.to_bytes(2, "big"))
    words = [sys.executable, "-m", "repairai", "photos", "import", str(folder), "--progress-json"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    while '"what": "photos"' not in process.stderr.readline():
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    said = process.stderr.read()  # until whoever can write there is gone, the script itself among them
    watchdog.cancel()
    assert process.wait() == 130
    assert "Traceback" not in said
    assert said.endswith("repairai: stopped\n")
    assert list((home / "data" / "detector").iterdir()) == []


def test_a_set_that_was_changed_since_the_doctor_looked_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    folder = write(tmp_path / "bench", yolo(8))
    assert run(capfd, "import", str(folder))[0] == 0
    assert json.loads(run(capfd, "show", "bench", "--json")[1])["stale"] is False
    assert run(capfd, "accept", "bench", "p0.jpg")[0] == 0
    assert "changed since the doctor looked" in run(capfd, "list")[1]
    assert "`photos doctor bench` looks again" in run(capfd, "show", "bench")[1]
    assert run(capfd, "doctor", "bench")[0] == 0
    assert "changed since" not in run(capfd, "list")[1] + run(capfd, "show", "bench")[1]


def test_a_damaged_set_or_report_hides_no_other_set(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    for name in ("one", "two"):
        assert run(capfd, "import", str(write(tmp_path / name, yolo(4))))[0] == 0
    (PHOTO_SETS.folder("one") / "report.json").write_text("[1]")
    (PHOTO_SETS.folder("two") / "annotations.coco.json").write_text("[]")
    code, out, err = run(capfd, "list")
    assert (code, out.startswith("one  4 photos")) == (0, True)
    assert "is damaged" in err
