"""`photos propose`, `photos accept`, `photos paste` in a terminal."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.cli import main
from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import (
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    read_photo_set,
    write_photo_set,
)
from training.scenes.scene import render

BY = "model:tiny"
SCREW = LabelledBox("screw", (10, 10, 40, 40), BY, False, 0.9)
HOLE = LabelledBox("hole", (60, 10, 90, 40), BY, False, 0.4)


@pytest.fixture
def bench(home) -> PhotoSet:
    folder = PHOTO_SETS.folder("bench")
    photos = [
        LabelledPhoto(name, 200, 100, boxes, labelled=False)
        for name, boxes in (("a.jpg", (SCREW,)), ("b.jpg", (SCREW, HOLE)), ("c.jpg", ()))
    ]
    made = PhotoSet(folder, ("screw", "hole"), tuple(photos))
    write_photo_set(made)
    return made


def now(bench: PhotoSet) -> PhotoSet:
    return read_photo_set(bench.folder)


def test_a_person_accepts_photos_as_they_are_or_as_a_file_says(bench, tmp_path, capsys):
    assert main(["photos", "accept", "bench", "a.jpg", "c.jpg", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"accepted": ["a.jpg", "c.jpg"], "waiting": 1}
    assert now(bench).photo("a.jpg").boxes == (LabelledBox("screw", SCREW.box, BY, True, 0.9),)
    left = tmp_path / "left.json"
    left.write_text('[{"part": "screw", "box": [10, 10, 40, 40]}, {"part": "hole", "box": [70, 10, 95, 40]}]')
    assert main(["photos", "accept", "bench", "b.jpg", "--boxes", str(left)]) == 0
    assert [(box.part, box.by, box.checked) for box in now(bench).photo("b.jpg").boxes] == [
        ("screw", BY, True), ("hole", "person", True),
    ]  # fmt: skip


def test_accepted_by_their_score(bench, capsys):
    assert main(["photos", "accept", "bench", "--above", "0.8"]) == 0
    assert "1 photos are labelled now; 2 of bench wait" in capsys.readouterr().out
    assert [each.labelled for each in now(bench).photos] == [True, False, False]
    assert not now(bench).photo("a.jpg").boxes[0].checked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["accept", "bench"], "nothing says which photos are right"),
        (["accept", "bench", "a.jpg", "--above", "0.5"], "and not both"),
        (["accept", "bench", "z.jpg"], "bench holds no photo z.jpg"),
        (["accept", "nobody", "a.jpg"], "there are no photos named 'nobody'"),
        (["accept", "bench", "a.jpg", "--boxes", "/nowhere.json"], "does not exist"),
        (["accept", "bench", "--above", "2"], "need a score from 0 to 1"),
        (["propose", "bench"], "required: --model"),
        (["paste", "bench", "--scenes", "0"], "need a whole number from 1"),
    ],
)
def test_bad_words_are_one_sentence_and_change_nothing(bench, words, said, capsys):
    assert main(["photos", *words]) == 2
    assert said in capsys.readouterr().err
    assert now(bench) == bench


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1]",
        '[{"part": " ", "box": [1, 2, 3, 4]}]',
        '[{"part": null, "box": [1, 2, 3, 4]}]',
        '[{"part": "screw", "box": [1, 2]}]',
        '[{"part": "x", "box": [5, 5, 1, 1]}]',
    ],
)
def test_a_file_without_boxes_is_one_sentence(bench, tmp_path: Path, content, capsys):
    (tmp_path / "left.json").write_text(content)
    assert main(["photos", "accept", "bench", "a.jpg", "--boxes", str(tmp_path / "left.json")]) == 2
    assert "left.json holds no boxes" in capsys.readouterr().err


def test_proposed_accepted_and_pasted_from_a_terminal(home, capfd):
    folder = PHOTO_SETS.folder("blocks")
    (folder / "photos").mkdir(parents=True)
    pixels = render(np.random.default_rng(1), kind="block").photo
    Image.fromarray(pixels).save(folder / "photos" / "a.jpg")
    write_photo_set(PhotoSet(folder, (), (LabelledPhoto("a.jpg", pixels.shape[1], pixels.shape[0], labelled=False),)))
    assert main(["photos", "propose", "blocks", "--model", "builtin", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["photos"] == 1
    assert main(["photos", "accept", "blocks", "a.jpg"]) == 0
    boxes = read_photo_set(folder).photo("a.jpg").boxes
    assert boxes
    assert main(["photos", "paste", "blocks", "--rendered", "2"]) == 0
    assert len(read_photo_set(folder).photos) == 3
    assert main(["photos", "paste", "blocks", "--remove"]) == 0
    assert len(read_photo_set(folder).photos) == 1
