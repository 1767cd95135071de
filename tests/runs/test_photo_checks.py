"""Before a detector's training starts: its photos, their boxes and the detector are looked at, and nothing is made."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.hardware.recipe import Detecting, Recipe, read_recipe, saved
from repairai.hardware.workload import Workload
from repairai.named_sets import PHOTO_SETS
from repairai.runs.checks import ready
from repairai.runs.forecast import disk_forecast
from repairai.runs.launch import trainer_command
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, write_photo_set

STEP = Workload("builtin", "full", batch=4, image_px=320, precision="fp32", optimizer="adamw", checkpointing=False)
RECIPE = Recipe("detector", STEP, 10.0, 1e-4, detecting=Detecting())


def photos(folder: Path, boxes: int = 1, split: str = "train", there: bool = True) -> Path:
    (folder / "photos").mkdir(parents=True)
    if there:
        Image.new("RGB", (80, 80)).save(folder / "photos" / "a.jpg")
    own = tuple(LabelledBox("screw", (1, 1, 20 + n, 20)) for n in range(boxes))
    write_photo_set(PhotoSet(folder, ("screw",), (LabelledPhoto("a.jpg", 80, 80, own, split),)))
    return folder


def test_a_good_recipe_is_written_out_in_full(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "mine")
    assert ready(replace(RECIPE, data="mine")).data == str(tmp_path / "mine")
    with pytest.raises(RepairError, match="names no photos, and none were imported yet"):
        ready(RECIPE)
    photos(PHOTO_SETS.folder("bench"))
    for data in ("bench", ""):
        assert ready(replace(RECIPE, data=data)).data == str(PHOTO_SETS.folder("bench"))
    assert ready(replace(RECIPE, data="bench")).step.model == "builtin"
    assert trainer_command(RECIPE) == [sys.executable, "-m", "training.detector_train", "{run}"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "nowhere"}, "no labelled photos at .*nowhere"),
        ({"data": "empty"}, "no photo for training in empty has a box"),
        ({"data": "other"}, "no labelled photo in other is for training"),
        ({"data": "gone"}, "1 photos of gone are not there, a.jpg among them"),
        ({"model": "bert"}, "holds bert, which is no detector"),
        ({"model": "./nowhere"}, "no folder of a detector at .*nowhere"),
        ({"model": "mine"}, "holds no config.json"),
        ({"method": "qlora"}, "method is qlora, which trains no detector"),
        ({"precision": "fp16"}, "fp16 makes a detector's losses overflow"),
        ({"backend": "unsloth"}, "unsloth trains no detectors"),
    ],
)
def test_what_is_wrong_is_told(change, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "mine")
    photos(tmp_path / "empty", boxes=0)
    photos(tmp_path / "other", split="val")
    photos(tmp_path / "gone", there=False)
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text(json.dumps({
        "model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 9, "num_attention_heads": 1,
    }))  # fmt: skip
    step = replace(STEP, **{key: value for key, value in change.items() if key in ("model", "method", "precision")})
    rest = {key: value for key, value in change.items() if key in ("data", "backend")}
    with pytest.raises(RepairError, match=said):
        ready(replace(RECIPE, step=step, **{"data": "mine", **rest}))


def test_the_disk_is_foreseen_from_the_weights(tmp_path):
    found = disk_forecast(RECIPE)
    assert found.checkpoint_gib == pytest.approx(4 * found.model_gib / 2)
    assert 0.01 < found.wanted_gib < 0.2
    assert disk_forecast(replace(RECIPE, step=replace(STEP, model="nobody/nothing"))).checkpoint_gib is None


def test_a_recipe_opens_with_words_that_are_true(tmp_path):
    text = saved(tmp_path / "mine.yaml", RECIPE)
    assert "python -m repairai train mine.yaml" in text.splitlines()[1]
    assert read_recipe(tmp_path / "mine.yaml") == RECIPE
