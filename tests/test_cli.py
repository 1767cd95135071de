"""The command line: verdicts as exit codes, JSON for scripts, and one clear sentence for bad input."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repairai.cli import main

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
    assert (tmp_path / "out" / "block-three-screws_inspected.jpg").stat().st_size > 10_000
    record = json.loads((tmp_path / "out" / "block-three-screws_inspected.json").read_text())
    assert record["verdict"]["outcome"] == "FAIL"
    assert record["photo"]["sha256"]


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
        (["inspect", str(ROOT), "--require", "4 screw"], "is a folder"),
        (["inspect", str(ROOT / "README.md"), "--require", "4 screw"], "README.md is not a photo"),
        (["guides", "show", "nobody"], "no guide 'nobody'"),
        (["guides", "import", "absent.json"], "absent.json"),
        (["guides", "import", str(ROOT / "README.md")], "README.md"),
        (["guides", "requirements"], "no guide and no text"),
        (["guides", "remove", "sample-practice-block"], "built in"),
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
