"""Named sets lie where they are looked for, are found by name, changed by one at a time, and whole or not there."""

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from repairai import named_sets
from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS, PHOTO_SETS, STATE_SETS, NamedSets, alone, neighbour, put_in_place

KINDS = [DATA_SETS, PHOTO_SETS, STATE_SETS]
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.called)


def a_set(kind: NamedSets, name: str, when: float = 0) -> Path:
    folder = kind.folder(name)
    folder.mkdir(parents=True)
    for file in kind.files[:1]:
        (folder / file).write_text("{}\n")
        os.utime(folder / file, (when, when))
    return folder


@every
def test_names_are_listed_newest_first(kind: NamedSets, home: Path):
    assert kind.names() == ()
    with pytest.raises(RepairError, match=f"names no {kind.called}, and none were {kind.made} yet; .* with `python -m"):
        kind.newest()
    for name, when in (("old", 1000), ("new", 3000), ("older", 500)):
        a_set(kind, name, when)
    for hidden in (".half", ".mine.0123abcd"):
        (kind.place() / hidden).mkdir()
        (kind.place() / hidden / kind.files[0]).write_text("{}")
    (kind.place() / "empty").mkdir()
    assert kind.place().parent == home / "data"
    assert kind.names() == ("new", "old", "older", *(() if kind.needs_file else ("empty",)))
    assert kind.newest() == kind.folder("new")
    assert [kind.kept_or_newest(each) for each in (str(kind.folder("old")), "gone", None)] == [
        str(kind.folder(name)) for name in ("old", "new", "new")
    ]


def test_the_changes_beside_photos_make_them_newer():
    a_set(PHOTO_SETS, "first", 1000)
    a_set(PHOTO_SETS, "second", 2000)
    assert PHOTO_SETS.names() == ("second", "first")
    (PHOTO_SETS.folder("first") / "changes.jsonl").write_text("")
    assert PHOTO_SETS.names() == ("first", "second")


@every
@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\\b", ".x", "x" * 65, ".hidden", "x.", "x ", "x\n"])
def test_a_name_that_is_none_is_one_sentence(kind: NamedSets, name: str):
    with pytest.raises(RepairError, match=f"is no name for {kind.called}; take letters"):
        kind.folder(name)


@every
def test_a_new_set_gets_a_name_that_is_free(kind: NamedSets):
    assert kind.name_of_new("") == kind.usual
    a_set(kind, kind.usual)
    assert kind.name_of_new(" ") == f"{kind.usual}-2"
    assert kind.name_of_new(" mine ") == kind.free_name("mine") == "mine"
    with pytest.raises(RepairError, match=f"there are {kind.called} named {kind.usual} already; choose another name"):
        kind.name_of_new(kind.usual)
    for wanted in ("../x", "a."):
        with pytest.raises(RepairError, match=f"no name for {kind.called}"):
            kind.name_of_new(wanted)


@every
@pytest.mark.parametrize("name", ["../x", "", ".", "mime", "/etc"])
def test_what_is_not_there_is_told_with_the_nearest(kind: NamedSets, name: str):
    folder = a_set(kind, "mine")
    assert kind.known("mine") == folder
    with pytest.raises(RepairError, match=f"there are no {kind.called} named .*python -m repairai {kind.called} list"):
        kind.known(name)
    with pytest.raises(RepairError, match="did you mean 'mine'"):
        kind.known("mime")


@every
def test_a_folder_comes_before_a_name(kind: NamedSets, tmp_path: Path):
    there = a_set(kind, "mine")
    assert kind.given("mine", tmp_path) == kind.given("", tmp_path) == kind.meant("mine", tmp_path) == there
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / kind.files[0]).write_text("")
    for data in ("mine", str(tmp_path / "mine")):
        assert kind.given(data, tmp_path) == kind.meant(data, tmp_path) == tmp_path / "mine"
    with pytest.raises(
        RepairError, match=f"there are no {kind.in_full} at .*nowhere; check the name, or {kind.begin[:5]}"
    ):
        kind.given("nowhere", tmp_path)
    assert kind.meant("nowhere", tmp_path) == kind.folder("nowhere")


@every
def test_whoever_is_long_at_a_set_is_told_of(kind: NamedSets, monkeypatch: pytest.MonkeyPatch):
    folder = a_set(kind, "bench")
    monkeypatch.setattr(named_sets, "LOCK_SECONDS", 0.05)
    with alone(folder), pytest.raises(RepairError, match="bench is being changed; try again"), alone(folder):
        pass
    with FileLock(folder / ".looked.lock"), alone(folder):
        pass


# ---- halves


@every
def test_halves_are_cleared_and_what_was_being_replaced_comes_back(
    kind: NamedSets, monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    place = a_set(kind, "mine").parent
    for name in (".mine.0123abcd", ".lost.0123abcd.old", ".mine.0123abce.old", ".deleted-1"):
        (place / name).mkdir()
    kind.clear_halves()
    assert len(list(place.glob(".*"))) == 4, "whoever builds may still be at it"
    kind.clear_halves("mine")
    assert sorted(path.name for path in place.iterdir()) == [".deleted-1", ".lost.0123abcd.old", "mine"]
    kind.clear_halves("lost")
    assert sorted(path.name for path in place.iterdir()) == [".deleted-1", "lost", "mine"]
    monkeypatch.setattr(named_sets, "STALE_SECONDS", -1)
    kind.clear_halves()
    assert sorted(path.name for path in place.iterdir()) == ["lost", "mine"]


@every
def test_halves_of_an_hour_ago_are_cleared(kind: NamedSets):
    place = a_set(kind, "mine").parent
    half, moved = place / ".old.0123abcd", place / ".mine.0123abcd.old"
    for each in (half, moved):
        each.mkdir()
    kind.clear_halves()
    assert half.exists(), "it may still be at work"
    for each in (half, moved):
        os.utime(each, (time.time() - 4000,) * 2)
    kind.clear_halves()
    assert (half.exists(), moved.exists()) == (False, True), "what was moved just now is as old as it was before"
    assert kind.names() == ("mine",)


@every
def test_a_set_is_replaced_whole_or_comes_back(kind: NamedSets, monkeypatch: pytest.MonkeyPatch):
    folder = a_set(kind, "mine")
    whole = neighbour(folder)
    with pytest.raises(FileNotFoundError):
        put_in_place(whole, folder)
    assert kind.names() == ("mine",)
    whole.mkdir()
    (whole / "new").write_text("")
    with monkeypatch.context() as gone_down:
        gone_down.setattr(named_sets.shutil, "rmtree", lambda *_, **__: None)
        put_in_place(whole, folder)
    assert [path.name for path in folder.iterdir()] == ["new"]
    (old,) = kind.place().glob(".*")
    folder.rename(folder.with_name("else"))
    kind.clear_halves("mine")
    assert not old.exists(), "what was replaced is known by its name"
    assert (folder / kind.files[0]).is_file()
