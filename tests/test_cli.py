"""The command line: verdicts as exit codes, JSON for scripts, and one clear sentence for bad input."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from repairai.cli import main
from repairai.errors import RepairError

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "repairai" / "builtin" / "photos"
FOUR, THREE, TWO, BLURRED = (
    str(PHOTOS / f"block-{name}.jpg") for name in ("four-screws", "three-screws", "two-screws", "blurred")
)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([FOUR, "--require", "4 screw"], 0),
        ([THREE, "--require", "4 screw"], 1),
        ([BLURRED, "--require", "4 screw"], 3),
        ([FOUR, "--guide", "sample-practice-block", "--step", "2"], 0),
        ([TWO, "--before", FOUR, "--guide", "sample-practice-block", "--step", "3"], 0),
        ([FOUR, "--before", FOUR, "--require", "removed 2 screw"], 1),
        ([FOUR, "--require", "at least 1 fan"], 3),
        # With several photos the worst counts: bad input, then FAIL, then UNCERTAIN.
        ([FOUR, BLURRED, "--require", "4 screw"], 3),
        ([FOUR, BLURRED, THREE, "--require", "4 screw"], 1),
        ([FOUR, "absent.jpg", THREE, "--require", "4 screw"], 2),
    ],
)
def test_the_exit_code_is_the_verdict(arguments, code, capsys):
    assert main(["inspect", *arguments]) == code
    said = capsys.readouterr()
    assert len(said.out.splitlines()) >= 1
    assert ("absent.jpg" in said.err) == (code == 2)


def test_json_is_one_object_a_photo(capsys):
    assert main(["inspect", FOUR, THREE, "--require", "4 screw", "--require", "0 battery", "--json"]) == 1
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["photo"] for answer in answers] == [FOUR, THREE]
    for answer in answers:
        assert {"photo", "outcome", "findings", "detections", "models", "seconds"} <= set(answer)
        assert [finding["part"] for finding in answer["findings"]] == ["screw", "battery"]
        for finding in answer["findings"]:
            assert {"part", "outcome", "expected", "found", "interval", "reason", "next_action"} <= set(finding)
        for detection in answer["detections"]:
            assert {"label", "score", "box"} <= set(detection)
            assert len(detection["box"]) == 4
    assert answers[1]["findings"][0]["interval"] == [3, 3]


def test_the_same_photo_gives_the_same_answer(capsys):
    answers = []
    for _ in range(2):
        main(["inspect", THREE, "--require", "4 screw", "--json"])
        answer = json.loads(capsys.readouterr().out)
        answers.append({key: value for key, value in answer.items() if key != "seconds"})
    assert answers[0] == answers[1]


def test_save_writes_the_photo_with_boxes_and_the_record(tmp_path, capsys):
    main(["inspect", THREE, "--require", "4 screw", "--save", str(tmp_path / "out")])
    (photo,) = (tmp_path / "out").glob("block-three-screws_*_inspected.jpg")
    assert photo.stat().st_size > 10_000
    record = json.loads(photo.with_suffix(".json").read_text())
    assert record["verdict"]["outcome"] == "FAIL"
    assert photo.stem == f"block-three-screws_{record['photo']['sha256'][:8]}_inspected"


def test_photos_of_one_name_are_saved_side_by_side(tmp_path, capsys):
    for folder, photo in (("first", FOUR), ("second", THREE)):
        (tmp_path / folder).mkdir()
        shutil.copy(photo, tmp_path / folder / "block.jpg")
    photos = [str(tmp_path / folder / "block.jpg") for folder in ("first", "second")]
    main(["inspect", *photos, "--require", "4 screw", "--save", str(tmp_path / "out")])
    saved = [json.loads(path.read_text())["verdict"]["outcome"] for path in (tmp_path / "out").glob("*.json")]
    assert sorted(saved) == ["FAIL", "PASS"]


@pytest.mark.parametrize("name", ["x" * 240, "ö" * 120, "bad\udcff"])
def test_names_that_are_long_or_not_utf_8(tmp_path, name, capsys):
    photo = tmp_path / f"{name}.jpg"
    shutil.copy(FOUR, photo)
    assert main(["inspect", str(photo), "--require", "4 screw", "--save", str(tmp_path / "out")]) == 0
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".jpg", ".json"]
    capsys.readouterr()
    assert main(["records", "show", "1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["photo"] == f"{name}.jpg".replace("\udcff", "?")
    assert [Path(copy).read_bytes() for copy in shown["copies"]] == [photo.read_bytes()]


def test_what_cannot_be_saved_is_told_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    assert main(["inspect", FOUR, "--require", "4 screw", "--save", str(tmp_path / "file")]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("PASS")
    assert "cannot be written" in said.err
    assert len(said.err.strip().splitlines()) == 1

    def full(*_: object) -> None:
        raise RepairError("the disk is full", "free some space")

    monkeypatch.setattr("repairai.vision.draw.save", full)
    assert main(["inspect", FOUR, "--require", "4 screw", "--save", str(tmp_path / "out")]) == 2
    assert not list((tmp_path / "out").iterdir()), "no record without its photo"


def test_inspections_are_kept_unless_told_otherwise(capsys):
    main(["inspect", THREE, "--require", "4 screw", "--no-record"])
    main(["inspect", FOUR, "--require", "4 screw"])
    capsys.readouterr()
    assert main(["records", "list"]) == 0
    listed = capsys.readouterr().out
    assert "block-four-screws.jpg" in listed
    assert "block-three-screws.jpg" not in listed
    assert main(["records", "list", "--json"]) == 0
    assert [each["photo"]["name"] for each in json.loads(capsys.readouterr().out)] == ["block-four-screws.jpg"]


def test_a_kept_inspection_is_shown_as_it_was_told(capsys, home: Path):
    main(["inspect", TWO, "--before", FOUR, "--guide", "sample-practice-block", "--step", "3"])
    told = capsys.readouterr().out.replace(TWO, Path(TWO).name)
    assert main(["records", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(told)
    copies = [Path(line.strip()) for line in shown.removeprefix(told).splitlines()]
    assert [copy.read_bytes() for copy in copies] == [Path(TWO).read_bytes(), Path(FOUR).read_bytes()]
    copies[0].unlink()
    assert main(["records", "show", "1", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["id"], data["guide"], data["step"]) == (1, "sample-practice-block", 3)
    assert data["copies"] == [None, str(copies[1])]
    assert {"photo", "outcome", "findings", "detections", "models", "seconds"} <= set(data)


def test_records_that_cannot_be_read_are_counted(capsys, home: Path):
    main(["inspect", FOUR, THREE, "--require", "4 screw"])
    with closing(sqlite3.connect(home / "records.sqlite")) as db, db:
        db.execute("UPDATE inspections SET record = '{' WHERE id = 1")
    capsys.readouterr()
    assert main(["records", "list"]) == 0
    said = capsys.readouterr()
    assert "block-three-screws.jpg" in said.out
    assert said.err == "repairai: 1 of the newest cannot be read and are left out: number 1\n"


def test_empty_lists_say_so(capsys):
    assert main(["records", "list"]) == 0
    assert "no inspections are kept yet" in capsys.readouterr().out
    assert main(["guides", "list", "--device", "Toaster 9000"]) == 0
    assert "no guide for Toaster 9000" in capsys.readouterr().out


def test_a_full_disk_takes_nobodys_verdict_away(small_disk: Path, monkeypatch, capsys):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk / "home"))
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    assert main(["inspect", FOUR, "--require", "4 screw", "--save", str(small_disk / "out")]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("PASS")
    assert "full" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not [path for path in (small_disk / "home").rglob("*") if path.is_file() and path.stat().st_size]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["inspect", FOUR], "nothing says what the photo must show"),
        (["inspect", FOUR, "--require", "some screws?"], "some screws?"),
        (["inspect", FOUR, "--guide", "sample-practice-blok", "--step", "2"], "the nearest is 'sample-practice-block'"),
        (["inspect", FOUR, "--guide", "sample-practice-block", "--step", "99"], "no step 99"),
        (["inspect", FOUR, "--guide", "sample-practice-block", "--step", "5"], "asks nothing"),
        (["inspect", FOUR, "--require", "4 screw", "--detector", "nobodys"], "no detector named nobodys"),
        (["inspect", FOUR, "--require", "4 screw", "--before", "absent.jpg"], "no photo at absent.jpg"),
        (["inspect", FOUR, "--require", "4 screw", "--guide", "nobody", "--step", "2"], "no guide 'nobody'"),
        (["inspect", FOUR, "--require", "4 screw", "--guide", "nobody"], "no guide 'nobody'"),
        (["inspect", FOUR, "--require", "4 screw", "--guide", "sample-practice-block", "--step", "77"], "no step 77"),
        (["inspect", FOUR, "--require", "4 screw", "--step", "77"], "step 77 was given without its guide"),
        (["inspect", TWO, "--require", "4 screw", "--before", FOUR, "--view", "mat"], "--view: not allowed with"),
        (["inspect", FOUR, "--require", "4 screw", "--detector", "x" * 5000], "File name too long"),
        (["inspect", str(ROOT), "--require", "4 screw"], "is a folder"),
        (["inspect", str(ROOT / "README.md"), "--require", "4 screw"], "README.md is not a photo"),
        (["guides", "show", "nobody"], "no guide 'nobody'"),
        (["guides", "import", "absent.json"], "absent.json"),
        (["guides", "import", str(ROOT / "README.md")], "README.md"),
        (["guides", "requirements"], "no guide and no text"),
        (["guides", "remove", "sample-practice-block"], "built in"),
        (["guides", "import", "~nosuch/x"], "a home folder that is not known"),
        (["guides", "search", "x", "--limit", "0"], "need a whole number from 1 to 1000000, got 0"),
        (["records", "list", "--limit", "-1"], "need a whole number from 1 to 1000000, got -1"),
        (["records", "show", "9" * 30], "need a whole number"),
        (["records", "show", "7"], "no inspection number 7"),
        (["guides", "show", "sample-practice-block", "--jsn"], "unrecognized arguments: --jsn"),
        ([], "VERB; see `python -m repairai --help`"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, says, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.strip().splitlines()) == 1, said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_guides_can_be_found_shown_and_asked(capsys):
    assert main(["guides", "search", "iphon", "battry"]) == 0
    assert "sample-phone-battery" in capsys.readouterr().out
    assert main(["guides", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) >= 8
    assert main(["guides", "show", "sample-practice-block"]) == 0
    shown = capsys.readouterr().out
    assert "CC0-1.0" in shown
    assert "[caution]" in shown
    assert main(["guides", "requirements", "--text", "Remove the four 3 mm Phillips screws.", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert asked["actions"][0]["part"] == "screw"
    assert asked["actions"][0]["count"] == 4
    assert asked["actions"][0]["size"] == "3 mm"
    assert {"device", "mat", "before_after"} == set(asked["requirements"])
    assert main(["guides", "requirements", "--text", "Remove the screws.", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["actions"][0]["count"] is None


def test_importing_twice_changes_nothing(tmp_path, capsys):
    guide = {
        "guideid": 7,
        "title": "Fan",
        "category": "Radio",
        "url": "https://www.ifixit.com/Guide/x/7",
        "steps": [{"orderby": 1, "lines": [{"text_raw": "Remove the fan.", "bullet": "black", "level": 0}]}],
    }
    (tmp_path / "7.json").write_text(json.dumps(guide))
    assert main(["guides", "import", str(tmp_path / "7.json")]) == 0
    assert main(["guides", "import", str(tmp_path / "7.json")]) == 0
    assert "0 added, 0 updated, 1 unchanged" in capsys.readouterr().out


def test_an_id_that_is_not_utf_8_is_only_unknown(tmp_path, capsys):
    guide = {"id": "own", "title": "Fan", "device": "x", "licence": "x", "steps": [{"number": 1, "lines": []}]}
    (tmp_path / "a.json").write_text(json.dumps(guide).replace("[]", '[{"text": "Lift."}]'))
    assert main(["guides", "import", str(tmp_path / "a.json")]) == 0
    assert main(["guides", "show", "own\udcff"]) == 2
    assert "the nearest is 'own'" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["70000", "-1", "http"])
def test_the_app_refuses_a_port_that_is_none(port):
    answer = subprocess.run([sys.executable, "app.py", "--port", port], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr.startswith("repairai: argument --port: need a whole number from 1 to 65535, got")
    assert len(answer.stderr.splitlines()) == 1


def test_a_terminal_that_knows_only_ascii_is_no_obstacle():
    for more in ([], ["--json"]):
        command = [sys.executable, "-m", "repairai", "guides", "show", "sample-practice-block", *more]
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert answer.stdout.isascii()


def test_doctor_answers_where_packages_are_missing_and_the_other_verbs_name_it():
    lost = "import sys; sys.modules.update(dict.fromkeys(['pydantic', 'platformdirs', 'packaging', 'yaml']));"
    code = lost + "from repairai.cli import main; sys.exit(main(sys.argv[1:]))"
    doctor, guides = (
        subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
        for words in (["doctor"], ["guides", "list"])
    )
    assert doctor.returncode == 1
    assert "broken   home: not looked at:" in doctor.stdout
    assert doctor.stderr == ""
    assert guides.returncode == 2
    assert guides.stderr.endswith("`python -m repairai doctor` says what is missing.\n")
    assert len(guides.stderr.splitlines()) == 1


def test_doctor_finds_nothing_to_mend_here(capsys):
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["torch"]["state"] == "ok"
    assert checks["home"]["state"] == "ok"


def test_it_runs_as_a_module_and_stops_quietly_behind_head():
    command = f"{sys.executable} -m repairai guides list | head -n 1"
    answer = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("sample-")
    assert answer.stderr == ""


def test_an_inspection_imports_neither_torch_nor_gradio():
    code = (
        "import sys; from repairai.cli import main;"
        f"main(['inspect', {FOUR!r}, '--require', '4 screw']);"
        "print([m for m in ('torch', 'transformers', 'gradio', 'supervision') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip().endswith("[]")
