"""The library keeps guides through kills, full disks and two processes at once."""

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.schema import Guide, Line, Step
from repairai.sop.library import Library, LibraryFault, Report
from repairai.sop.samples import samples


def make_guide(number: int, text: str = "Remove the two screws.", **fields: str) -> Guide:
    facts = {"title": f"Fan {number}", "device": "Laptop", "licence": "CC0-1.0", **fields}
    return Guide(f"own-{number}", steps=(Step(1, (Line(text), Line("Mind it.", "caution", 1))),), **facts)


def counts(report: Report) -> tuple[int, int, int]:
    return report.added, report.updated, report.unchanged


def test_a_new_library_holds_the_samples_and_writes_nothing(library: Library):
    assert [guide.id for guide in library.guides()] == [guide.id for guide in samples()]
    assert len(library) == len(samples())
    assert library.guide("sample-practice-block").device == "Practice block"
    assert "Practice block" in library.devices()
    assert {each.id for each in library.summaries("practice BLOCK")} == {"sample-practice-block"}
    assert library.fingerprint().startswith("empty-")
    assert not library.folder.exists()


def test_what_goes_in_comes_out(library: Library):
    guide = replace(make_guide(1), url="https://a.example/1", author="Ann", tools=("Knife",), introduction="Hi.")
    assert library.add([guide]) == Report(added=1, ids=("own-1",))
    assert library.guide("own-1") == guide
    assert library.step("own-1", 1) == guide.steps[0]
    summary = next(each for each in library.summaries() if each.id == "own-1")
    assert (summary.title, summary.n_steps, summary.author) == ("Fan 1", 1, "Ann")
    assert Library(library.folder).guide("own-1") == guide


def test_twice_changes_nothing_and_new_words_update(library: Library):
    guides = [make_guide(number) for number in range(250)]
    assert counts(library.add(guides)) == (250, 0, 0)
    before, kept = library.fingerprint(), library.path.read_bytes()
    assert counts(library.add(guides)) == (0, 0, 250)
    assert library.fingerprint() == before
    assert library.path.read_bytes() == kept
    assert counts(library.add([make_guide(7, "Now three screws.")])) == (0, 1, 0)
    assert library.fingerprint() != before
    assert library.guide("own-7").steps[0].lines[0].text == "Now three screws."
    assert len(library) == 250 + len(samples())
    assert [guide.id for guide in library.guides()][len(samples()) :] == sorted(guide.id for guide in guides)


def test_myfixit_does_not_replace_what_ifixit_gave(library: Library):
    fresh, old = make_guide(1, "Fresh."), make_guide(1, "Old.")
    assert counts(library.add([old], "myfixit")) == (1, 0, 0)
    assert counts(library.add([fresh], "ifixit")) == (0, 1, 0)
    assert counts(library.add([old], "myfixit")) == (0, 0, 1)
    assert library.guide("own-1") == fresh
    assert library.origins() == {"own-1": "ifixit"}


def test_the_same_words_from_ifixit_are_marked_as_such(library: Library):
    library.add([make_guide(1)], "myfixit")
    before = library.fingerprint()
    assert counts(library.add([make_guide(1)], "ifixit")) == (0, 0, 1)
    assert library.origins() == {"own-1": "ifixit"}
    assert library.fingerprint() == before


def test_ids_of_samples_are_taken(library: Library):
    report = library.add([replace(make_guide(1), id="sample-mine"), make_guide(2)])
    assert counts(report) == (1, 0, 0)
    assert "belong to the built-in guides" in str(report.problems[0])
    with pytest.raises(RepairError, match="is built in"):
        library.remove("sample-practice-block")


def test_remove(library: Library):
    library.add([make_guide(1), make_guide(2)])
    before = library.fingerprint()
    library.remove("own-1")
    assert library.fingerprint() != before
    with pytest.raises(RepairError, match="there is no guide 'own-1'") as told:
        library.guide("own-1")
    assert told.value.next_step == "the nearest is 'own-2'"
    with pytest.raises(RepairError, match="there is no guide 'own-1'"):
        library.remove("own-1")


@pytest.mark.parametrize("number", [0, -1, 2, 10**9])
def test_a_step_that_does_not_exist(library: Library, number: int):
    library.add([make_guide(1)])
    with pytest.raises(RepairError, match=f"has no step {number}: its steps go from 1 to 1"):
        library.step("own-1", number)


def test_a_killed_import_leaves_whole_groups(library: Library):
    library.add([make_guide(number) for number in range(100)])
    code = (
        "import os, sys; from pathlib import Path; from repairai.sop.library import Library\n"
        "from tests.sop.test_library import make_guide\n"
        "def guides():\n"
        "    for number in range(100, 350):\n"
        "        yield make_guide(number)\n"
        "    os._exit(9)\n"
        "Library(Path(sys.argv[1])).add(guides())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(library.folder)], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 9
    assert len(library) == 300 + len(samples())
    assert counts(library.add([make_guide(number) for number in range(350)])) == (50, 0, 300)


def test_a_full_disk_leaves_what_was_there(library: Library, monkeypatch: pytest.MonkeyPatch):
    library.add([make_guide(number) for number in range(50)])
    before = library.fingerprint()
    connect = sqlite3.connect

    def small(*args: object, **options: object) -> sqlite3.Connection:
        db = connect(*args, **options)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 1}")
        return db

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(LibraryFault, match="the disk is full: guides.sqlite was not written; free some space"):
        library.add([make_guide(number, f"{number} " * 4000) for number in range(50, 100)])
    monkeypatch.undo()
    assert library.fingerprint() == before
    assert len(library) == 50 + len(samples())


def test_two_writers_at_once_lose_nothing(library: Library):
    def write(start: int) -> None:
        own = Library(library.folder)
        for number in range(start, start + 20):
            own.add([make_guide(number)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(library) == 60 + len(samples())


def test_a_damaged_or_newer_file_is_said_and_left_alone(library: Library):
    library.folder.mkdir(parents=True)
    library.path.write_bytes(b"not a database" * 100)
    with pytest.raises(LibraryFault, match="is damaged .* move this file away and import your guides again"):
        library.add([make_guide(1)])
    assert library.path.read_bytes() == b"not a database" * 100
    library.path.unlink()
    with sqlite3.connect(library.path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryFault, match="made by a newer RepairAI"):
        library.summaries()


def test_a_file_that_was_only_just_begun_counts_as_empty(library: Library):
    library.folder.mkdir(parents=True)
    library.path.touch()
    assert len(library) == len(samples())
    assert counts(library.add([make_guide(1)])) == (1, 0, 0)


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LibraryFault, match="cannot be written"):
        Library(tmp_path / "file" / "library").add([make_guide(1)])
