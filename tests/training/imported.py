"""Imports of photos as a person makes them, and what came of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import PhotoSet, read_photo_set
from training import detector_data

from .labelled_photos import BOX, as_bytes, photo

FILES = {f"p{number}.jpg": as_bytes(photo(number)) for number in range(4)}
ONE = (12.0, 9.0, 36.0, 36.0)
"""BOX as left, top, width and height."""


def taken(*words: object) -> PhotoSet:
    assert detector_data.main([*map(str, words), "--name", "mine"]) == 0
    return read_photo_set(PHOTO_SETS.folder("mine"))


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert detector_data.main([*map(str, words), "--name", "mine"]) == 2
    said = capsys.readouterr().err.split("repairai: ")[-1]
    left = (
        [path for path in PHOTO_SETS.place().glob("*") if path.name != "there"] if PHOTO_SETS.place().exists() else []
    )
    assert not left, "nothing stays behind"
    assert said.count("\n") == 1
    return said


def report() -> dict[str, object]:
    return json.loads((PHOTO_SETS.folder("mine") / "report.json").read_text())


def findings() -> dict[str, dict[str, object]]:
    return {each["id"]: each for each in report()["findings"]}


def boxes(photos: PhotoSet) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    return {Path(each.origin).stem: [(box.part, box.box) for box in each.boxes] for each in photos.photos}


def rows(corners: bool) -> str:
    box = BOX if corners else ONE
    more = (50.0, 40.0, 90.0, 70.0) if corners else (50.0, 40.0, 40.0, 30.0)
    lines = [
        {"file_name": f"p{n}.jpg", "objects": {"bbox": [box, more], "category": ["screw", "hole"]}} for n in range(3)
    ]
    return "\n".join(map(json.dumps, lines))
