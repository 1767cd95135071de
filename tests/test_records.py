"""Inspections are kept whole, listed newest first, and survive a full disk and two processes at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.records import Records
from tests.ui.test_render import inspection


def test_what_was_kept_comes_back_as_it_was(home: Path):
    records = Records()
    first, second = records.keep(inspection()), records.keep(inspection("UNCERTAIN", "Look again."))
    assert [each.id for each in records.newest()] == [second.id, first.id]
    assert records.get(first.id).inspection == inspection()
    assert (home / "records.sqlite").is_file()
    assert Records().newest(1) == (second,), "a new process sees the same records"


def test_an_unknown_number_is_told():
    with pytest.raises(RepairError, match="no inspection number 7"):
        Records().get(7)


def test_a_damaged_file_is_told_and_left_as_it_is(home: Path):
    home.mkdir()
    (home / "records.sqlite").write_bytes(b"not a database, but somebody's notes" * 50)
    with pytest.raises(RepairError, match="cannot be used"):
        Records()
    assert (home / "records.sqlite").read_bytes().startswith(b"not a database")


def test_any_database_url_will_do(tmp_path: Path):
    records = Records(f"sqlite:///{tmp_path / 'shop.sqlite'}")
    assert records.keep(inspection()).id == 1


def test_a_database_that_cannot_be_reached_is_told_without_its_password():
    with pytest.raises(RepairError, match="check") as refused:
        Records("postgresql://me:secret@127.0.0.1:1/shop")
    assert "secret" not in str(refused.value)


def test_two_processes_write_at_once(home: Path):
    code = (
        "from repairai.records import Records; from tests.ui.test_render import inspection; r = Records();"
        "[r.keep(inspection()) for _ in range(25)]"
    )
    root = Path(__file__).parents[1]
    writers = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(Records().newest(100)) == 50


def test_on_a_full_disk_the_records_before_stay(small_disk: Path, monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk / "home"))
    records = Records()
    kept = 0
    with pytest.raises(RepairError, match="the disk is full"):  # noqa: PT012 - it fills up on the way
        for _ in range(2000):
            records.keep(inspection())
            kept += 1
    assert kept > 0
    assert len(Records().newest(5000)) == kept
