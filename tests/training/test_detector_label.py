"""Boxes that a model proposes go into a set and wait for a person; nothing is lost when the script is ended."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.named_sets import PHOTO_SETS
from repairai.vision.looked import accept
from repairai.vision.photo_set import (
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    edit,
    is_report_stale,
    read_photo_set,
    write_photo_set,
)
from repairai.vision.proposals import Proposal
from tests.vision.tiny_open_models import grounding, owl, sam
from training.detector import proposing
from training.detector.finders import Asked
from training.detector.proposing import JOURNAL, Order, propose, put
from training.detector_label import main
from training.scenes.scene import LABELS, render

BUILTIN = "model:builtin@"


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [render(np.random.default_rng(seed), kind="block").photo for seed in range(4)]


@pytest.fixture
def bench(home, pictures) -> PhotoSet:
    """Four rendered blocks: one labelled by a person, three by nobody, one of these for the test."""
    folder = PHOTO_SETS.folder("bench")
    (folder / "photos").mkdir(parents=True)
    photos = []
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.jpg", quality=92)
        height, width = pixels.shape[:2]
        boxes = (LabelledBox("screw", (5, 5, 45, 45), "person", True),) if number == 0 else ()
        split = "test" if number == 3 else "train"
        photos.append(LabelledPhoto(f"{number}.jpg", width, height, boxes, split, labelled=number == 0))
    made = PhotoSet(folder, ("screw",), tuple(photos))
    write_photo_set(made)
    return made


def now(bench: PhotoSet) -> PhotoSet:
    return read_photo_set(bench.folder)


def test_our_own_detector_proposes_the_sets_parts_and_a_person_has_the_last_word(bench, capsys):
    assert main(["bench", "--model", "builtin", "--json", "--progress-json"]) == 0
    out = capsys.readouterr()
    report = json.loads(out.out)
    assert {"done": 3, "total": 3, "what": "photos looked at"} in map(json.loads, out.err.splitlines())
    after = now(bench)
    assert after.parts == ("screw",), "a part that the set has not is not looked for"
    assert after.photo("0.jpg") == bench.photo("0.jpg")
    boxes = [box for photo in after.photos[1:] for box in photo.boxes]
    assert report["photos"] == 3
    assert report["boxes"] == len(boxes) > 0
    assert {(box.part, box.checked, box.by[:14]) for box in boxes} == {("screw", False, BUILTIN)}
    assert all(0 < box.score <= 1 for box in boxes)
    assert not any(photo.labelled for photo in after.photos[1:])
    found = next(photo for photo in after.photos[1:] if photo.boxes)
    accepted = accept(after, found.name, found.boxes).photo(found.name)
    assert accepted.labelled
    assert all(box.by.startswith(BUILTIN) and box.checked for box in accepted.boxes)


def test_it_goes_on_where_it_was_and_again_only_when_told(bench, capsys, monkeypatch):
    looked = []
    plain = proposing.read_photo
    monkeypatch.setattr(proposing, "read_photo", lambda path: looked.append(path.name) or plain(path))
    assert main(["bench", "--model", "builtin", "--photo", "2.jpg"]) == 0
    assert main(["bench", "--model", "builtin"]) == 0
    assert looked == ["2.jpg", "1.jpg", "3.jpg"]
    assert main(["bench", "--model", "builtin"]) == 0
    assert len(looked) == 3
    before = now(bench)
    assert main(["bench", "--model", "builtin", "--again"]) == 0
    assert len(looked) == 6
    assert now(bench) == before, "what the same model proposed before makes room"
    assert main(["bench", "--model", "builtin", "--floor", "0.9"]) == 0, "another order looks itself"
    assert len(looked) == 9


def test_when_it_is_ended_what_was_found_is_kept(bench, tmp_path, monkeypatch):
    calls = []

    def read(path):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(path)

    plain = proposing.read_photo
    monkeypatch.setattr(proposing, "read_photo", read)
    assert main(["bench", "--model", "builtin"]) == 130
    assert len((bench.folder / JOURNAL).read_text().splitlines()) == 2
    assert now(bench).photo("1.jpg").boxes


def test_a_signal_ends_it_in_order(bench, home, tmp_path):
    photos = []
    for number in range(400):
        os.link(bench.folder / "photos" / "1.jpg", bench.folder / "photos" / f"x{number}.jpg")
        photos.append(replace(bench.photo("1.jpg"), name=f"x{number}.jpg"))
    edit(bench.folder, lambda each: replace(each, photos=(*each.photos, *photos)))
    process = subprocess.Popen(
        [sys.executable, "-m", "training.detector_label", "bench", "--model", "builtin", "--progress-json"],
        stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        env={**os.environ, "REPAIRAI_HOME": str(home)},
    )  # fmt: skip
    for line in process.stderr:
        if json.loads(line)["done"] >= 3:
            break
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.stderr.read()
    assert process.wait(30) == 143
    assert time.monotonic() - began < 15
    looked = {json.loads(line)["photo"] for line in (bench.folder / JOURNAL).read_text().splitlines()}
    assert len(looked) >= 3
    with_boxes = {photo.name for photo in now(bench).photos if photo.boxes and not photo.labelled}
    assert with_boxes <= looked
    assert with_boxes


def test_accepted_without_a_person_only_to_train_on(bench, capsys):
    assert main(["bench", "--model", "builtin", "--accept-above", "0.0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    after = now(bench)
    labelled = [photo for photo in after.photos[1:] if photo.labelled]
    assert report["accepted"] == len(labelled) > 0
    assert all(photo.split == "train" and not any(box.checked for box in photo.boxes) for photo in labelled)
    assert not after.photo("3.jpg").labelled


def test_labelled_photos_get_what_was_missed_and_then_wait(bench):
    old = LabelledBox("screw", (5, 5, 45, 45), "person", True)
    found = {"0.jpg": (Proposal("screw", 0.9, (6, 6, 44, 46)), Proposal("screw", 0.8, (100, 100, 140, 140)))}
    assert put(bench, found, "model:x", frozenset({"screw"}), False) == bench
    photo = put(bench, found, "model:x", frozenset({"screw"}), True).photo("0.jpg")
    assert photo.boxes == (old, LabelledBox("screw", (100, 100, 140, 140), "model:x", False, 0.8))
    assert not photo.labelled
    same = put(bench, {"0.jpg": found["0.jpg"][:1]}, "model:x", frozenset({"screw"}), True)
    assert same.photo("0.jpg").labelled, "nothing new: it stays labelled"


def test_other_parts_of_the_same_model_stay(bench):
    screws = {"1.jpg": (Proposal("screw", 0.9, (10, 10, 40, 40)),)}
    clips = {"1.jpg": (Proposal("clip", 0.9, (100, 100, 140, 140)),)}
    after = put(
        put(bench, screws, "model:x", frozenset({"screw"}), False), clips, "model:x", frozenset({"clip"}), False
    )
    assert [box.part for box in after.photo("1.jpg").boxes] == ["screw", "clip"]
    assert after.parts == ("screw", "clip")


@pytest.mark.parametrize("make", [grounding, owl])
def test_words_ask_a_model_and_masks_make_its_boxes_tight(bench, tmp_path, make, capsys):
    model, masks = make(tmp_path / "tiny"), sam(tmp_path / "sam")
    order = [
        "bench",
        "--model",
        str(model),
        "--prompt",
        "screw: a screw",
        "--prompt",
        "hole",
        "--floor",
        "0",
        "--whole",
    ]
    assert main([*order, "--without", "battery"]) == 0
    boxes = now(bench).photo("1.jpg").boxes
    assert {box.by for box in boxes} == {"model:tiny"}
    assert {box.part for box in boxes} <= {"screw", "hole"}
    assert main([*order, "--masks", str(masks)]) == 0
    photo = now(bench).photo("1.jpg")
    assert all(0 <= box.box[0] < box.box[2] <= photo.width for box in photo.boxes)


def test_more_like_a_box_of_the_set(bench, tmp_path):
    model = owl(tmp_path / "tiny")
    order = ["bench", "--model", str(model), "--floor", "0", "--whole", "--like", "screw", "0.jpg"]
    assert main([*order, "#1"]) == 0
    assert {box.part for box in now(bench).photo("1.jpg").boxes} == {"screw"}
    assert main([*order, "5,5,45,45", "--photo", "2.jpg"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "--model", "builtin"], "there are no photos named 'nobody'"),
        (["bench", "--model", "builtin", "--photo", "9.jpg"], "bench holds no photo 9.jpg"),
        (["bench", "--model", "builtin", "--prompt", "screw: washer"], "builtin does not know washer"),
        (["bench", "--model", "builtin", "--without", "washer"], "finds the parts that it has learned"),
        (["bench", "--model", "builtin", "--accept-above", "1.5"], "need a score from 0 to 1"),
        (["bench", "--model", "builtin", "--all", "--accept-above", "0.5"], "leave out one of both"),
        (["bench", "--model", "builtin", "--prompt", ":"], "asks for nothing"),
        (["bench", "--model", "builtin", "--like", "screw", "0.jpg", "#7"], "0.jpg has 1 boxes, and no box #7"),
        (["bench", "--model", "builtin", "--like", "screw", "0.jpg", "1,2,3"], "is no box"),
        (["bench", "--model", "builtin", "--like", "screw", "0.jpg", "9,9,3,3"], "a box without px"),
        (["bench"], "the following arguments are required: --model"),
    ],
)
def test_wrong_words_are_one_sentence_and_change_nothing(bench, words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert now(bench) == bench


def test_a_model_has_to_be_told_what_to_find(bench, tmp_path, capsys):
    assert main(["bench", "--model", str(owl(tmp_path / "tiny"))]) == 2
    assert "has to be told what to look for" in capsys.readouterr().err


def test_a_photo_that_cannot_be_read_is_named_and_the_others_go_on(bench, capsys):
    (bench.folder / "photos" / "1.jpg").write_bytes(b"no photo")
    report = propose(Order("bench", Asked("builtin")), lambda done, total, what: None)
    assert (report.unreadable, report.photos) == (["1.jpg"], 2)
    assert LABELS[0] == "screw"


def test_made_photos_are_not_looked_at_unless_named(bench):
    scene = replace(bench.photo("0.jpg"), name="pasted-000000.jpg", source="pasted")
    (bench.folder / "photos" / scene.name).write_bytes((bench.folder / "photos" / "0.jpg").read_bytes())
    write_photo_set(replace(bench, photos=(*bench.photos, scene)))
    report = propose(Order("bench", Asked("builtin"), labelled_too=True), lambda *_: None)
    assert report.photos == 4
    assert now(bench).photo(scene.name) == scene


def test_the_report_follows_what_was_proposed(bench):
    propose(Order("bench", Asked("builtin")), lambda *_: None)
    report = json.loads((bench.folder / "report.json").read_text())
    assert not is_report_stale(bench.folder, report)
    assert "waiting" in {each["id"] for each in report["findings"]}


def test_a_part_that_is_shown_beside_the_photo_is_refused(bench, tmp_path, capsys):
    folder = owl(tmp_path / "owl")
    for part, box, said in (("screw", "9000,9000,9040,9040", "lies outside of 0.jpg"), (" ", "5,5,45,45", "no name")):
        assert main(["bench", "--model", str(folder), "--like", part, "0.jpg", box]) == 2
        assert said in capsys.readouterr().err
