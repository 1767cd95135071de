"""Inspections are kept whole, listed newest first, and survive a full disk and two processes at once."""

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
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


@pytest.mark.parametrize("url", ["postgresql://me:secret@127.0.0.1:port/shop", "nosuch://me:secret@x/shop", "secret"])
def test_an_address_that_is_none_is_told_without_its_password(url):
    with pytest.raises(RepairError, match="check its URL") as refused:
        Records(url)
    assert "secret" not in str(refused.value)


def test_the_environment_may_name_the_database(tmp_path: Path, monkeypatch, home: Path):
    monkeypatch.setenv("REPAIRAI_DATABASE", f"sqlite:///{tmp_path / 'shop.sqlite'}")
    Records().keep(inspection())
    assert (tmp_path / "shop.sqlite").is_file()
    assert not (home / "records.sqlite").exists()
    monkeypatch.setenv("REPAIRAI_DATABASE", "")
    assert Records().newest() == ()


def test_a_home_with_a_question_mark_in_its_name(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(tmp_path / "why?x=1#%41"))
    Records().keep(inspection())
    assert (tmp_path / "why?x=1#%41" / "records.sqlite").is_file()


def test_one_record_that_cannot_be_read_hides_no_other(home: Path):
    records = Records()
    good, *bad = (records.keep(inspection()) for _ in range(4))
    with closing(sqlite3.connect(home / "records.sqlite")) as db, db:
        for kept, text in zip(bad, ("{", "[" * 100_000, '{"newer": 1}'), strict=True):
            db.execute("UPDATE inspections SET record = ? WHERE id = ?", (text, kept.id))
    assert records.newest() == (good,)
    assert records.unreadable() == tuple(kept.id for kept in reversed(bad))
    with pytest.raises(RepairError, match=f"inspection number {bad[0].id} is not JSON"):
        records.get(bad[0].id)


def test_what_is_not_kept_leaves_no_copy_of_its_photo(home: Path, tmp_path: Path):
    records = Records()
    photo, other = tmp_path / "a.jpg", tmp_path / "other.jpg"
    photo.write_bytes(b"photo")
    with pytest.raises(RepairError, match="absent"):
        records.keep(inspection(), photo, tmp_path / "absent.jpg")
    assert not list((home / "photos").iterdir())
    records.keep(inspection(), photo)
    other.write_bytes(b"other")
    with closing(sqlite3.connect(home / "records.sqlite")) as db:
        db.execute("DROP TABLE inspections")
    with pytest.raises(RepairError, match="cannot be used"):
        records.keep(inspection(), photo, other)
    kept = [path.read_bytes() for path in (home / "photos").iterdir()]
    assert kept == [b"photo"], "the copy that was there before stays"


@pytest.mark.parametrize("name", ["IMG", "a.JPG", "a." + "x" * 240])
def test_the_copy_of_a_photo_is_found_whatever_its_name(tmp_path: Path, name: str):
    records = Records()
    (tmp_path / name).write_bytes(b"photo")
    taken = replace(inspection().photo, sha256=hashlib.sha256(b"photo").hexdigest())
    records.keep(replace(inspection(), photo=taken), tmp_path / name)
    assert records.photo(taken).read_bytes() == b"photo"


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
