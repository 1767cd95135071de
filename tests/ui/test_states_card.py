"""The first card for a judge: what is built of what is given, and what is shown of a set."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.judge.state_set import StateExample, StateSource, state_set_folder, write_examples, write_sources
from repairai.ui.states import states_card, states_render, wished
from repairai.ui.states.state_sets import chosen_states, kept_or_newest, listed
from repairai.ui.states.wished import name_of, piles
from tests.ui.test_render import HOSTILE

QUESTION, OPPOSITE = "Is the lid open?", "Is the lid closed?"


def a_set(name: str = "lids", question: str = QUESTION) -> Path:
    folder = state_set_folder(name)
    (folder / "photos").mkdir(parents=True)
    examples = []
    for number in range(12):
        at = f"photos/{number}.jpg"
        Image.fromarray(np.full((40, 40, 3), number * 20, np.uint8)).save(folder / at)
        split = ("train", "train", "val", "test")[number % 4]
        examples.append(StateExample(at, question, OPPOSITE, "yes" if number % 3 else "no", f"s{number}", split))
    write_examples(folder, examples)
    write_sources(folder, [StateSource("my lids", "CC0-1.0", photos=12)])
    return folder


def given(kind: str, **changed) -> list:
    words = {
        "kind": kind, "question": QUESTION, "opposite": "", "yes": None, "no": None, "photos": None, "yes_part": None,
        "no_part": None, "positions": False, "scene": "lid", "scenes": 20, "licence": "", "add": False,
    }  # fmt: skip
    return list((words | changed).values())


def test_a_set_is_shown_with_its_answers_its_source_and_some_photos(home: Path):
    folder = a_set()
    states = chosen_states(str(folder))
    assert states is not None
    assert states.n_train == 6
    html = states_render.report(states)
    assert 'data-examples="12"' in html
    assert QUESTION in html
    assert OPPOSITE in html
    assert "my lids (CC0-1.0, 12)" in html
    assert html.count("data:image/jpeg") >= 8
    assert listed() == [("lids · 8 yes, 4 no · 1 question", str(folder))]
    assert kept_or_newest("gone") == str(folder)
    assert states_card.of_set(str(folder))[0] == html
    assert states_card.of_set(None)[0] == states_render.NO_STATES


def test_a_hostile_question_never_becomes_live(home: Path):
    states = chosen_states(str(a_set(question=f"{HOSTILE}?")))
    assert states is not None
    html = states_render.report(states)
    assert "<script" not in html
    assert "onerror=alert(1)>" not in html


def test_a_damaged_set_is_told_and_stays_in_the_list(home: Path):
    folder = a_set()
    (folder / "examples.jsonl").write_text("{}\n")
    assert "damaged" in listed()[0][0]
    assert 'data-outcome="problem"' in states_card.of_set(str(folder))[0]


def test_new_sets_get_a_free_name(home: Path):
    assert name_of("", None, False) == "states"
    a_set("states")
    assert name_of(" ", None, False) == "states-2"
    with pytest.raises(RepairError, match="already"):
        name_of("states", None, False)


def test_more_states_go_into_the_chosen_set(home: Path):
    folder = a_set()
    assert wished.name_of("other", str(folder), add=True) == "lids"
    assert wished.name_of("other", str(folder), add=False) == "other"
    with pytest.raises(RepairError, match="no states are chosen"):
        wished.name_of("other", None, add=True)


def test_what_the_build_found_is_shown(home: Path):
    folder = a_set()
    found = {"id": "few", "severity": "warn", "said": f"too few {HOSTILE}", "photos": ["a"], "mend": "x"}
    (folder / "report.json").write_text(json.dumps({"findings": [found]}))
    html = states_card.of_set(str(folder))[0]
    assert "Too few" in html
    assert "<script" not in html
    assert "<button" not in html


def test_two_piles_become_two_folders(tmp_path: Path):
    files = {}
    for name in ("yes", "no"):
        (tmp_path / f"up-{name}").mkdir()
        path = tmp_path / f"up-{name}" / "same.jpg"
        path.write_bytes(name.encode())
        files[name] = [str(path)]
    (beside := tmp_path / "beside").mkdir()
    words = wished.words_of(beside, *given(wished.PILES, licence=" CC0-1.0 ", **files))
    assert words == [
        f"--yes={beside / 'yes'}", f"--no={beside / 'no'}", f"--question={QUESTION}", "--licence=CC0-1.0",
    ]  # fmt: skip
    assert (beside / "no" / "same.jpg").read_bytes() == b"no"


def test_what_a_person_left_out_is_said(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(RepairError, match="no photos for no"):
        piles([str(tmp_path / "a.jpg")], [], tmp_path)
    with pytest.raises(RepairError, match="no question yet"):
        wished.words_of(tmp_path, *given(wished.PILES, question=""))
    with pytest.raises(RepairError, match="no labelled photos"):
        wished.words_of(tmp_path, *given(wished.LABELLED))


def test_other_kinds_become_words_for_the_script(tmp_path: Path):
    assert wished.words_of(tmp_path, *given(wished.ANSWERS)) == ["--records"]
    drawn = ["--rendered=lid", "--scenes=20"]
    assert wished.words_of(tmp_path, *given(wished.DRAWN)) == [*drawn, "--split=shared"]
    assert wished.words_of(tmp_path, *given(wished.DRAWN, add=True)) == ["--add", *drawn]
    words = given(wished.LABELLED, photos="bench", yes_part="screw", no_part="screw_hole", positions=True)
    assert wished.words_of(tmp_path, *words) == [
        "--photos=bench", "--yes-part=screw", "--no-part=screw_hole", "--positions", f"--question={QUESTION}",
    ]  # fmt: skip
