"""Photos as a detector is trained on them, the head for new parts, and what a detector is told to be worth."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from repairai.errors import RepairError
from repairai.vision.checkpoint import prompt_of
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, edit, read_photo_set, write_photo_set
from tests.training.tiny_detectors import save_tiny_detector, write_photos
from training.detector.judged import Found, average_precision, chosen_of, exact_counts
from training.detector.model import load_detector_model
from training.detector.needed import warn
from training.detector.photos import Drawn, Photos, chances, check

NUMBERS = {"screw": 0, "bar": 1}


@pytest.fixture
def photos(tmp_path: Path) -> PhotoSet:
    return read_photo_set(write_photos(tmp_path / "data"))


def of_train(photos: PhotoSet, preset="bench", size: int = 64, keep: bool = True) -> Photos:
    return Photos(photos, photos.of("train"), NUMBERS, size, preset, 5, keep)


def test_a_photo_is_the_same_whenever_it_is_loaded_and_another_each_time(photos: PhotoSet):
    first, again = of_train(photos), of_train(photos, keep=False)
    for key in [(0, 0), (3, 17), (0, 12)]:
        for name in ("pixel_values",):
            assert torch.equal(first[key][name], again[key][name])
        assert torch.equal(first[key]["labels"]["boxes"], again[key]["labels"]["boxes"])
    assert not torch.equal(first[0, 0]["pixel_values"], first[0, 12]["pixel_values"])
    assert first[0, 0]["pixel_values"].shape == (64, 64, 3)
    assert len(first[1, 0]["labels"]["boxes"]) == 0, "a photo without parts is background, and stays"


def test_small_photos_are_read_once(photos: PhotoSet, monkeypatch):
    own = of_train(photos, "none")
    before = own[0]["pixel_values"]
    monkeypatch.setattr("training.detector.photos._read", lambda *_: pytest.fail("it was read again"))
    assert torch.equal(own[0]["pixel_values"], before)


@pytest.mark.parametrize("preset", ["none", "bench", "strong"])
def test_boxes_lie_on_their_parts(photos: PhotoSet, preset: str):
    own, right, seen = of_train(photos, preset, 96), 0, 0
    for drawn in range(12):
        item = own[0, drawn]
        pixels = item["pixel_values"].numpy().astype(float).mean(axis=2)
        for (x, y, w, h), label in zip(item["labels"]["boxes"].tolist(), item["labels"]["class_labels"], strict=True):
            inside = pixels[
                int((y - h / 4) * 96) : int((y + h / 4) * 96) + 1, int((x - w / 4) * 96) : int((x + w / 4) * 96) + 1
            ]
            right += (inside.mean() > np.median(pixels)) == (int(label) == 0)
            seen += 1
    assert seen > 3
    assert right >= 0.9 * seen


def test_each_epoch_has_its_order_and_goes_on_counting():
    drawn = Drawn([], 7, 3)
    orders = []
    for epoch in (0, 1, 0):
        drawn.set_epoch(epoch)
        orders.append(list(drawn))
    assert orders[0] == orders[2] != orders[1]
    assert sorted(index for index, _ in orders[0]) == list(range(7))
    assert [number for _, number in orders[1]] == list(range(7, 14))


def test_sources_are_drawn_by_their_shares():
    chosen = [LabelledPhoto(f"{n}.jpg", 9, 9, source=f"scenes/{n}" if n < 9 else "block/1") for n in range(10)]
    own = chances(chosen, {"scenes": 0.5, "block": 0.5})
    counts = np.bincount([index for index, _ in Drawn(own, 10, 0)], minlength=10)
    many = Drawn(own, 10, 0)
    for epoch in range(1, 60):
        many.set_epoch(epoch)
        counts += np.bincount([index for index, _ in many], minlength=10)
    assert 0.4 < counts[9] / counts.sum() < 0.6
    with pytest.raises(RepairError, match="differ by block"):
        chances(chosen, {"scenes": 1.0})


def test_large_photos_are_seen_through_tiles_and_turned_as_exif_says(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    pixels = np.full((900, 1200, 3), 90, np.uint8)
    pixels[700:760, 1000:1060] = 250
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: shown as 900 x 1200
    Image.fromarray(pixels).save(tmp_path / "photos" / "a.jpg", exif=exif)
    box = LabelledBox("screw", (900 - 760, 1000, 900 - 700, 1060))
    write_photo_set(PhotoSet(tmp_path, ("screw",), (LabelledPhoto("a.jpg", 900, 1200, (box,)),)))
    own = Photos(read_photo_set(tmp_path), read_photo_set(tmp_path).photos, {"screw": 0}, 64, "none")
    window = own.tile(0, np.random.default_rng(0), always=True)
    assert window is not None
    whole, tile = own.item(0, np.random.default_rng(0)), own.item(0, np.random.default_rng(0), window)
    for item in (whole, tile):
        ((x, y, w, h),) = item["labels"]["boxes"].tolist()
        assert item["pixel_values"][int(y * 64), int(x * 64)].min() > 180
    assert tile["labels"]["boxes"][0, 2] > 2 * whole["labels"]["boxes"][0, 2], "a tile shows it larger"


def test_photos_that_are_not_those_of_their_boxes_are_told(photos: PhotoSet):
    told = []
    check(photos, photos.photos, lambda: told.append(1))
    assert told
    Image.new("RGB", (80, 90)).save(photos.path(photos.photos[2]))
    with pytest.raises(RepairError, match="is 80 x 90 px, and its boxes are for 112 x 96"):
        check(photos, photos.photos)
    photos.path(photos.photos[2]).write_bytes(b"no photo")
    with pytest.raises(RepairError, match="not a photo"):
        check(photos, photos.photos)
    edit(photos.folder, lambda own: replace(own, photos=own.photos[:2]))
    check(read_photo_set(photos.folder), read_photo_set(photos.folder).photos)


@pytest.mark.slow
def test_a_new_head_keeps_what_the_old_one_knows(tmp_path: Path):
    from transformers import AutoModelForObjectDetection

    folder = save_tiny_detector(tmp_path / "m", names=("washer", "screw hole", "screw"))
    old = AutoModelForObjectDetection.from_pretrained(folder).state_dict()
    model, parts = load_detector_model(folder, ("Screw_Hole", "bar", "screw", "nut"))
    new = model.state_dict()
    assert (parts.kept, parts.fresh, parts.left_out) == (("Screw_Hole", "screw"), ("bar", "nut"), ("washer",))
    for name in ("class_embed.1.weight", "model.enc_score_head.bias", "model.denoising_class_embed.weight"):
        assert torch.equal(new[name][0], old[name][1])
        assert torch.equal(new[name][2], old[name][2])
    assert not torch.equal(new["class_embed.1.weight"][1], old["class_embed.1.weight"][0])
    same = [name for name in new if "class_embed" not in name and "score_head" not in name]
    assert all(torch.equal(new[name], old[name]) for name in same)
    assert model.config.id2label == {0: "Screw_Hole", 1: "bar", 2: "screw", 3: "nut"}


def test_a_prompt_names_each_part_in_its_order():
    assert prompt_of(["Screw_hole", "battery 3.7V"]) == "screw hole. battery 3 7v."
    with pytest.raises(RepairError, match="called as another"):
        prompt_of(["screw_hole", "screw hole"])
    with pytest.raises(RepairError, match="has no words"):
        prompt_of(["?"])


def test_what_is_found_and_counted():
    boxes = np.array([[0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.2, 0.2], [0.1, 0.1, 0.1, 0.1]], np.float32)
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.6]], np.float32)
    found = chosen_of(boxes, scores, (100.0, 50.0))
    assert found.labels.tolist() == [0, 1], "the same thing twice is one thing"
    assert np.allclose(found.boxes[0], [40, 20, 60, 30])
    nothing = Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
    shares, edges = exact_counts([np.array([0]), np.array([], np.int64)], [found, nothing], 2)
    assert shares == [1.0, 1.0]
    assert edges[1] > 0.6, "no second part is there, so its threshold lies above what was found"
    truth = [(boxes[:1], np.array([0])), (np.zeros((0, 4), np.float32), np.array([], np.int64))]
    ap, ap50 = average_precision(truth, [found, nothing], [(100.0, 50.0), (10.0, 10.0)], 2)
    assert ap50 == pytest.approx(1.0, abs=1e-3)
    assert ap == pytest.approx(1.0, abs=1e-3)
    assert average_precision(truth, [nothing, nothing], [(100.0, 50.0), (10.0, 10.0)], 2) == (0.0, 0.0)


def test_a_training_says_which_boxes_are_too_small_for_it(photos: PhotoSet):
    said: list[str] = []
    journal = SimpleNamespace(event=lambda kind, text: said.append(text))
    model = SimpleNamespace(config=SimpleNamespace(num_queries=300))
    for size in (640, 32):
        warn(journal, model, of_train(photos, size=size), photos)  # type: ignore[arg-type]
    assert len(said) == 1
    assert "under 16 px at the closest look of a detector with an input of 32 px" in said[0]
