"""Trainings on few photos: drawn by source, nested, never done twice, told as mean and spread."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import home
from repairai.hardware.recipe import Detecting, Recipe, saved
from repairai.hardware.workload import Workload
from repairai.vision.photo_set import PhotoSet, read_photo_set, write_photo_set
from tests.training.tiny_detectors import SIZE, save_tiny_detector, write_photos
from training import detector_few_shot
from training.detector.spread import Trained, as_table
from training.detector_few_shot import few, main


@pytest.fixture
def photos(tmp_path: Path) -> PhotoSet:
    """Eight photos to train on, two of them of one source; four each to choose and to test with."""
    made = read_photo_set(write_photos(tmp_path / "bench", n=8, val=8))
    own = list(made.photos)
    for at, each in enumerate(own):
        split = "train" if at < 8 else "val" if at < 12 else "test"
        own[at] = replace(each, split=split, source="twice" if at in (2, 3) else f"one {at}")
    made = replace(made, photos=tuple(own))
    write_photo_set(made)
    return made


def test_fewer_photos_are_among_the_more_and_no_two_show_the_same(photos: PhotoSet, tmp_path: Path):
    drawn = {n: few(photos, n, 7, tmp_path / str(n)) for n in (2, 4, 7)}
    names = {n: {each.name for each in own.of("train")} for n, own in drawn.items()}
    assert [len(each) for each in names.values()] == [2, 4, 7]
    assert names[2] < names[4] < names[7]
    assert len({each.source for each in drawn[7].of("train")}) == 7
    assert drawn[2].of("test") == photos.of("test")
    assert drawn[2].path(drawn[2].photos[0]).is_file()
    assert {each.name for each in few(photos, 4, 8, tmp_path / "other").of("train")} != names[4]
    with pytest.raises(RepairError, match="bench has 7 independent photos for training, and 8 are asked for"):
        few(photos, 8, 7, tmp_path / "8")


def test_mean_and_spread():
    shots = [
        Trained(5, seed, f"r{seed}", 0.0, value, 0.0, 0.0, 0.0, value, 0.0) for seed, value in ((1, 0.5), (2, 0.7))
    ]
    row = as_table([*shots, replace(shots[0], photos=10)]).splitlines()
    assert row[2].startswith("| 5 | 2 | 0.0 ± 0.0 % | 60.0 ± 14.1 % |")
    assert "| 0.600 ± 0.141 |" in row[2]
    assert row[3].startswith("| 10 | 1 | 0.0 ± 0.0 % | 50.0 ± 0.0 % |")


@pytest.mark.parametrize("words", [["--escape", "0"], ["--escape", "0.6"], ["--photos", "5", "0"], ["--seeds", "0"]])
def test_what_cannot_be_measured_is_refused_before_it_is_trained(words, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["bench", *words])
    assert "need --escape above 0 and at most 0.5, and one photo and one seed at least" in capsys.readouterr().err


@pytest.mark.slow
def test_a_tiny_curve(photos: PhotoSet, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("training.detector.trainer.loaders", lambda: 0)
    step = Workload(
        str(save_tiny_detector(tmp_path / "m", names=("screw", "bar"))), "full", batch=2, image_px=SIZE,
        precision="fp32", optimizer="adamw", checkpointing=False,
    )  # fmt: skip
    recipe = Recipe("detector", step, 1.0, 2e-3, eval_steps=2, patience=0, detecting=Detecting(ema=0.9))
    path = tmp_path / "tiny.yaml"
    saved(path, recipe)
    words = [str(photos.folder), "--photos", "2", "--seeds", "1", "--recipe", str(path), "--steps", "2"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "| 2 | 1 | " in told
    rows = json.loads((home() / "few_shot" / "few-bench.json").read_text())
    assert [(row["photos"], row["seed"]) for row in rows] == [(2, 7)]
    monkeypatch.setattr(detector_few_shot, "train", lambda folder, journal: pytest.fail("it is trained already"))
    assert main(words) == 0
    assert main([*words[:-1], "3"]) == 2
    assert "was trained by another recipe" in capsys.readouterr().err
