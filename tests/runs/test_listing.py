"""What a person notes on a run is kept, and runs are found and put into an order by it."""

import json
import time
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.runs import listing
from repairai.runs.folder import RunFolder, new_run, read_json
from repairai.runs.launch import ask, launch, resume
from repairai.runs.listing import found
from repairai.runs.marks import Marks, marks_in, tags_of, write_marks
from repairai.runs.scores import Compared
from repairai.runs.state import all_runs, read_run
from tests.runs.conftest import until
from tests.ui.test_runs_render import scores


def run(name: str, model: str = "Some/Model-1B") -> RunFolder:
    return new_run(name, "train", ["python"], text=f"task: sop\nstep: {{model: {model}, method: lora}}\n")


@pytest.mark.parametrize("words", [["a b"], ["x/y"], ["<b>"], ["a" * 41], [f"t{n}" for n in range(21)]])
def test_what_is_no_tag_is_refused(words: list[str]):
    with pytest.raises(RepairError, match="tag"):
        tags_of(words)


def test_marks_are_kept_whole_and_damage_stops_nothing():
    folder = run("lamps")
    assert read_run(folder).tags == ()
    write_marks(folder.marks, Marks(("Lämp", "lämp", "#v2"), True, "good\n one"))
    seen = read_run(folder)
    assert (seen.tags, seen.star, seen.note) == (("lämp", "v2"), True, "good one")
    with pytest.raises(RepairError, match="1000 letters at most"):
        write_marks(folder.marks, Marks(note="a" * 1001))
    assert read_run(folder).star
    for text in ("[]", "{", json.dumps({"tags": ["ok", 3, "<b>"], "star": "yes", "note": 4})):
        folder.marks.write_text(text)
        assert not read_run(folder).star
    assert marks_in(read_json(folder.marks)) == Marks(("ok",))


def test_marks_outlive_a_stop_and_a_new_start(made):
    folder = made("lamps", steps=3000, step_seconds=0.05)
    write_marks(folder.marks, Marks(("shop",), True, "kept"))
    for begin in (lambda: launch(folder), lambda: resume("lamps")):
        begin()
        until(lambda: read_run(folder).state == "running", "it works")
        ask("lamps", "stop")
        until(lambda: read_run(folder).state == "stopped", "it stops")
    assert (read_run(folder).tags, read_run(folder).note) == (("shop",), "kept")


def test_every_word_has_to_fit():
    write_marks(run("lamps").marks, Marks(("shop",), note="the Good one"))
    run("fans", "Other/Tiny")
    new_run("lamps-eval", "evaluate", ["python"], text="run: lamps\n", parent="lamps")
    runs = all_runs()

    def ids(words: str = "", tag: str = "") -> set[str]:
        return {each.id for each in found(runs, words, tag)}

    assert ids("LAMPS") == {"lamps", "lamps-eval"}
    assert ids("lamps good") == {"lamps"}
    assert ids("tiny") == {"fans"}
    assert ids("#shop") == ids(tag="Shop") == ids(tag="#shop") == {"lamps"}
    assert ids("#sho") == ids("★") == set()
    assert ids("") == {"lamps", "fans", "lamps-eval"}


def test_the_best_score_comes_first(monkeypatch: pytest.MonkeyPatch):
    reads: list[Path] = []

    def read(path: Path):
        reads.append(path)
        mean = float(path.read_text())
        return scores(overall=Compared(20, 0.1, mean, mean - 0.1, 0.0, 0.5, 1, 0, 19))

    monkeypatch.setattr(listing, "read_scores", read)
    for name, mean in (("a", "0.4"), ("b", "0.9"), ("c", "")):
        folder = run(name)
        if mean:
            folder.scores.write_text(mean)
        time.sleep(0.002)
    for _ in range(3):
        assert [each.id for each in found(all_runs(), order="score")] == ["b", "a", "c"]
    assert len(reads) == 2, "a file is read once"
    assert [each.id for each in found(all_runs(), order="name")] == ["a", "b", "c"]
    assert [each.id for each in found(all_runs())] == ["c", "b", "a"]
