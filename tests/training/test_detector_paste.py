"""Ten labelled photos are enough to begin: scenes of their own parts, to train on and nowhere else."""

import json
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image, ImageDraw

from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import (
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    is_report_stale,
    read_photo_set,
    write_photo_set,
)
from tests.vision.tiny_open_models import sam
from training.detector import making, shots
from training.detector.cutouts import cut_outs, material
from training.detector.paste import Ground, scene
from training.detector_paste import main

RED, BLUE, GREEN, GREY = (215, 40, 40), (40, 60, 215), (20, 130, 30), (150, 150, 150)


def draw(number: int, colours: dict[str, tuple[int, int, int]]) -> tuple[np.ndarray, list[LabelledBox]]:
    """A grey bench with a round and a square part, and the boxes round them."""
    rng = np.random.default_rng(number)
    photo = Image.new("RGB", (400, 300), GREY)
    boxes = []
    for place, (part, colour) in enumerate(colours.items()):
        side = int(rng.integers(40, 60))
        x, y = 40 + 180 * place + int(rng.integers(0, 60)), int(rng.integers(30, 200))
        shape = ImageDraw.Draw(photo).ellipse if part == "screw" else ImageDraw.Draw(photo).rectangle
        shape((x, y, x + side - 1, y + side - 1), fill=colour)
        boxes.append(LabelledBox(part, (x, y, x + side, y + side), "person", True))
    pixels = np.asarray(photo, np.int16) + rng.integers(-6, 7, (300, 400, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8), boxes


@pytest.fixture
def bench(home) -> PhotoSet:
    """Eight photos to train on; what val and test show is green, so that a leak would be seen."""
    folder = PHOTO_SETS.folder("bench")
    (folder / "photos").mkdir(parents=True)
    photos = []
    for number in range(10):
        split = {8: "val", 9: "test"}.get(number, "train")
        colours = {"screw": RED, "clip": BLUE} if split == "train" else {"screw": GREEN, "clip": GREEN}
        pixels, boxes = draw(number, colours)
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.jpg", quality=95)
        photos.append(LabelledPhoto(f"{number}.jpg", 400, 300, tuple(boxes), split, source=f"own/{number}"))
    made = PhotoSet(folder, ("screw", "clip"), tuple(photos), original_ids=(4, 9))
    write_photo_set(made)
    return made


def now(bench: PhotoSet) -> PhotoSet:
    return read_photo_set(bench.folder)


def coloured(pixels: np.ndarray, least: int = 60) -> np.ndarray:
    values = pixels.astype(np.int16)
    return values.max(axis=2) - values.min(axis=2) > least


@pytest.mark.parametrize("part", ["screw", "clip"])
def test_a_part_is_cut_out_at_its_rim(bench, part):
    for photo in bench.of("train"):
        (piece,) = [each for each in cut_outs(bench, photo, None) if each.part == part]
        alpha = np.asarray(piece.picture.getchannel("A")) > 127
        truth = coloured(np.asarray(piece.picture.convert("RGB")))
        assert (alpha & truth).sum() / (alpha | truth).sum() > 0.9
        rows, columns = np.nonzero(alpha)
        box = piece.box.box
        assert abs(columns.max() + 1 - columns.min() - (box[2] - box[0])) <= 3
        assert np.allclose(piece.ground * 255, GREY, atol=6)


def test_only_what_is_certain_whole_and_to_train_on_is_cut_out(bench):
    assert {each.name for each in material(bench)} == {f"{number}.jpg" for number in range(8)}
    photo = bench.photo("0.jpg")
    screw, clip = photo.boxes

    def parts(*boxes: LabelledBox) -> list[str]:
        return [each.part for each in cut_outs(bench, replace(photo, boxes=boxes), None)]

    assert parts(replace(screw, by="model:x", checked=False), clip) == ["clip"]
    assert parts(replace(screw, by="model:x", checked=True), clip) == ["screw", "clip"]
    assert parts(replace(screw, box=(0, 50, 60, 110)), clip) == ["clip"], "cut by the photo's edge"
    assert parts(screw, replace(clip, box=screw.box)) == []
    leak = replace(bench, photos=(*bench.photos[:9], replace(bench.photos[9], source="own/0")))
    assert "0.jpg" not in {each.name for each in material(leak)}, "it shows what the test shows"


def test_boxes_are_exact(bench):
    pieces = [each for photo in bench.of("train") for each in cut_outs(bench, photo, None)]
    ground = Ground(np.full((480, 640, 3), 150, np.uint8), "grey", (LabelledBox("clip", (10, 10, 90, 90)),))
    seen = 0
    for seed in range(6):
        pixels, boxes = scene(np.random.default_rng(seed), ground, pieces, 6)
        assert boxes[0] == ground.boxes[0]
        bright = coloured(pixels)
        assert not bright[10:90, 10:90].any(), "nothing is laid on what is labelled"
        covered = np.zeros(bright.shape, bool)
        for each in boxes[1:]:
            left, top, right, bottom = map(int, each.box)
            inside = bright[top:bottom, left:right]
            covered[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = True
            assert inside.mean() > 0.25
            rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
            assert max(rows[0], columns[0], inside.shape[0] - 1 - rows[-1], inside.shape[1] - 1 - columns[-1]) <= 4
            assert (each.by, each.checked) == ("person", True)
        assert not (bright & ~covered).any(), "and no part without a box"
        seen += len(boxes) - 1
    assert seen > 20
    again = scene(np.random.default_rng(3), ground, pieces, 6)
    assert np.array_equal(again[0], scene(np.random.default_rng(3), ground, pieces, 6)[0])


def test_scenes_go_into_the_set_to_train_on_and_out_again(bench, capsys):
    assert main(["bench", "--scenes", "12", "--json", "--progress-json"]) == 0
    out = capsys.readouterr()
    report = json.loads(out.out)
    assert {"done": 12, "total": 12, "what": "scenes made"} in map(json.loads, out.err.splitlines())
    after = now(bench)
    pasted = [each for each in after.photos if each.source == "pasted"]
    assert (report["pasted"], len(pasted), report["without"]) == (12, 12, [])
    assert {each.split for each in pasted} == {"train"}
    assert [each for each in after.photos if each.source != "pasted"] == list(bench.photos)
    assert (after.parts, after.original_ids) == (bench.parts, bench.original_ids)
    assert min(report["parts"].values()) > 4
    for each in pasted:
        pixels = np.asarray(Image.open(after.path(each)), np.int16)
        assert pixels.shape == (each.height, each.width, 3)
        assert all(0 <= b.box[0] < b.box[2] <= each.width and b.box[3] <= each.height for b in each.boxes)
        if " on drawn " not in each.origin:
            assert not (pixels[..., 1] - pixels[..., [0, 2]].max(axis=2) > 60).any(), "nothing of val or test"
    assert main(["bench", "--scenes", "2"]) == 0
    assert len({each.name for each in now(bench).photos}) == 10 + 14
    assert main(["bench", "--remove"]) == 0
    assert now(bench) == bench
    assert len(list((bench.folder / "photos").iterdir())) == 10


def test_backgrounds_that_show_the_test_are_left_out(bench, tmp_path, capsys):
    folder = tmp_path / "desk"
    folder.mkdir()
    Image.open(bench.folder / "photos" / "9.jpg").resize((800, 600)).save(folder / "copy.jpg", quality=60)
    (folder / "notes.txt").write_text("no photo")
    assert main(["bench", "--scenes", "3", "--backgrounds", str(folder)]) == 2
    assert "holds no photo to lay parts on" in capsys.readouterr().err
    Image.fromarray(np.random.default_rng(0).integers(90, 130, (500, 700, 3), dtype=np.uint8)).save(folder / "desk.jpg")
    assert main(["bench", "--scenes", "6", "--backgrounds", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"] == 2
    assert any(each.origin.endswith("on desk.jpg") for each in now(bench).photos)


def test_masks_cut_out_where_a_model_is_given(bench, tmp_path):
    assert main(["bench", "--scenes", "2", "--masks", str(sam(tmp_path / "sam"))]) == 0
    assert sum(each.source == "pasted" for each in now(bench).photos) == 2


def test_rendered_scenes_for_parts_that_the_renderer_knows(bench, capsys):
    assert main(["bench", "--rendered", "4", "--part", "clip=plugged_connector"]) == 0
    after = now(bench)
    rendered = [each for each in after.photos if each.source == "rendered"]
    assert len(rendered) == 4
    assert after.parts == bench.parts
    assert {box.part for each in rendered for box in each.boxes} <= {"screw", "clip"}
    assert after.sources[-1].photos == 4
    assert main(["bench", "--rendered", "2"]) == 0
    assert now(bench).sources[-1].photos == 6
    assert main(["bench", "--remove"]) == 0
    assert now(bench) == bench


def test_when_it_is_ended_the_set_is_whole_and_strays_go(bench, monkeypatch):
    calls = []

    def ended(*words):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return scene(*words)

    monkeypatch.setattr(making, "BATCH", 5)
    monkeypatch.setattr(shots, "scene", ended)
    assert main(["bench", "--scenes", "9"]) == 130
    after = now(bench)
    assert len(after.photos) == 10 + 7
    assert all(after.path(each).is_file() for each in after.photos)
    stray = bench.folder / "photos" / "pasted-000900.jpg"
    stray.write_bytes(b"half")
    assert main(["bench", "--scenes", "1"]) == 0
    assert not stray.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench"], "nothing says how many scenes"),
        (["nobody", "--scenes", "1"], "there are no photos named 'nobody'"),
        (["bench", "--scenes", "-1"], "need a whole number"),
        (["bench", "--scenes", "1", "--backgrounds", "/nowhere"], "there is no folder /nowhere"),
        (["bench", "--rendered", "1", "--part", "clip=washer"], "the renderer knows no washer"),
        (["bench", "--rendered", "1", "--part", "clip"], "need PART=RENDERED"),
    ],
)
def test_wrong_words_are_one_sentence_and_change_nothing(bench, words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert now(bench) == bench


def test_without_a_labelled_part_there_is_nothing_to_cut_out(bench, capsys):
    write_photo_set(replace(bench, photos=tuple(replace(each, labelled=False) for each in bench.photos)))
    assert main(["bench", "--scenes", "1"]) == 2
    assert "has no part that can be cut out" in capsys.readouterr().err


def test_a_report_follows_what_was_made(bench: PhotoSet):
    report = bench.folder / "report.json"
    assert main(["bench", "--scenes", "2"]) == 0
    assert json.loads(report.read_text())["photos"] == 12
    assert not is_report_stale(bench.folder, json.loads(report.read_text()))
    assert main(["bench", "--remove"]) == 0
    assert json.loads(report.read_text())["photos"] == 10


def test_two_at_once_do_not_take_each_others_photos_away(bench: PhotoSet, capsys):
    with FileLock(bench.folder / ".making.lock"):
        assert main(["bench", "--scenes", "2"]) == 2
        assert main(["bench", "--remove"]) == 2
    assert "photos are being made into bench" in capsys.readouterr().err
    assert main(["bench", "--scenes", "2"]) == 0


def test_a_part_that_the_set_has_not_is_not_begun_by_rendering(bench: PhotoSet, capsys):
    assert main(["bench", "--rendered", "1", "--part", "scrw=screw"]) == 2
    assert "bench has no part 'scrw'" in capsys.readouterr().err
    assert now(bench) == bench
