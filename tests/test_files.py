"""Records to files and back: whole or not at all, and every mistake named at once."""

import os
from pathlib import Path

import pytest

from repairai import files
from repairai.errors import RepairError
from repairai.schema import Change, Count, Guide, Line, Requirement, State, Step

GUIDE = Guide("a-1", "Fan replacement", "Laptop", "CC0-1.0", (Step(1, (Line("Remove the fan."),)),))


@pytest.mark.parametrize("name", ["guide.json", "guide.yaml"])
def test_a_record_comes_back_as_it_was(tmp_path, name):
    files.write_record(tmp_path / "new" / name, GUIDE)
    assert files.read_record(tmp_path / "new" / name, Guide) == GUIDE


@pytest.mark.parametrize(
    "requirement",
    [Count("screw", 4, None), Change("screw", "removed", 1, 2), State("Is it open?", "yes", "Is it closed?")],
)
def test_kinds_of_requirement_are_told_apart(requirement):
    assert files.from_data(files.to_data(requirement), Requirement, "here") == requirement  # type: ignore[arg-type]


def test_all_mistakes_are_named_at_once_with_a_suggestion():
    data = {**files.to_data(GUIDE), "lisence": "x"}
    data["steps"][0]["number"] = "one"
    with pytest.raises(RepairError) as refused:
        files.from_data(data, Guide, "mine.json")
    said = str(refused.value)
    assert "unknown key 'lisence', did you mean 'licence'?" in said
    assert "steps.0.number" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1]", "is not a Guide"),
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"9" * 5_000, "is not JSON"),
    ],
)
def test_what_is_no_record_is_told(tmp_path, content, says):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(RepairError, match=says):
        files.read_record(path, Guide)


def test_a_fault_in_yaml_is_one_line_that_quotes_nothing(tmp_path):
    (tmp_path / "x.yaml").write_text("password: secret\nuser: me: you\n")
    with pytest.raises(RepairError) as refused:
        files.read_record(tmp_path / "x.yaml", Guide)
    assert str(refused.value).startswith("x.yaml is not YAML: mapping values are not allowed here at line 2, column 9;")


def test_absent_and_unreadable_files(tmp_path):
    with pytest.raises(RepairError, match="does not exist"):
        files.read_text(tmp_path / "absent.json")
    with pytest.raises(RepairError, match="cannot be read"):
        files.read_text(tmp_path)


def test_a_written_file_has_the_mode_that_others_have(tmp_path):
    files.write_whole(tmp_path / "a", b"1")
    (tmp_path / "b").write_bytes(b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_on_a_full_disk_the_old_file_stays_and_nothing_is_left_behind(small_disk: Path):
    files.write_whole(small_disk / "a.json", b"old")
    with pytest.raises(RepairError, match="the disk is full"):
        files.write_whole(small_disk / "a.json", os.urandom(1_000_000))
    assert (small_disk / "a.json").read_bytes() == b"old"
    assert [each.name for each in small_disk.iterdir()] == ["a.json"]


def test_what_cannot_be_written_is_told_and_not_what_goes_wrong_after(tmp_path):
    with pytest.raises(RepairError, match="cannot be written"):
        files.write_whole(Path("/etc/passwd/x"), b"1")
    with pytest.raises(RepairError, match="cannot be written: File name too long"):
        files.write_whole(tmp_path / ("x" * 300), b"1")
    files.write_whole(tmp_path / ("x" * 255), b"1")
    assert [len(each.name) for each in tmp_path.iterdir()] == [255]


def test_a_home_folder_that_is_not_known(monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", "~nosuch")
    with pytest.raises(RepairError, match="~nosuch begins with a home folder that is not known"):
        files.home()


def test_home_is_where_repairai_home_says(monkeypatch, tmp_path):
    monkeypatch.setenv("REPAIRAI_HOME", str(tmp_path / "mine"))
    assert files.home() == tmp_path / "mine"
    monkeypatch.delenv("REPAIRAI_HOME")
    assert files.home().name == "repairai"
