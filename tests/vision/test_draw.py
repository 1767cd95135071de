"""A photo with what was found in it, written whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.schema import Detection, PartLimits
from repairai.vision.draw import draw, save
from repairai.vision.masks import encode

LIMITS = {"screw": PartLimits(0.7, 0.2)}


def test_a_written_photo_can_be_opened(tmp_path: Path):
    save(np.full((80, 120, 3), 90, np.uint8), tmp_path / "new" / "a.jpg")
    assert Image.open(tmp_path / "new" / "a.jpg").size == (120, 80)


def test_on_a_full_disk_the_photo_before_stays(small_disk: Path):
    save(np.zeros((80, 120, 3), np.uint8), small_disk / "a.jpg")
    before = (small_disk / "a.jpg").read_bytes()
    noise = np.frombuffer(os.urandom(1000 * 1000 * 3), np.uint8).reshape(1000, 1000, 3)
    with pytest.raises(RepairError, match="the disk is full"):
        save(noise, small_disk / "a.jpg")
    assert (small_disk / "a.jpg").read_bytes() == before
    assert len(list(small_disk.iterdir())) == 1


def test_where_nothing_can_be_written_and_what_is_no_jpeg(tmp_path: Path):
    with pytest.raises(RepairError, match="cannot be written"):
        save(np.zeros((80, 120, 3), np.uint8), Path("/etc/passwd/a.jpg"))
    with pytest.raises(RepairError, match="cannot be written"):
        save(np.zeros((1, 70_000, 3), np.uint8), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


def test_a_mask_is_coloured_in_and_nothing_else():
    inside = np.zeros((20, 30), bool)
    inside[5:15, 10:20] = True
    plain = Detection("screw", 0.9, (40, 40, 70, 60))
    masked = Detection("screw", 0.9, (40, 40, 70, 60), mask=encode(inside, 40, 40))
    photo = np.full((120, 160, 3), 200, np.uint8)
    changed = np.any(draw(photo, [plain], LIMITS, {}) != draw(photo, [masked], LIMITS, {}), axis=2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (45, 54, 50, 59)
    assert changed.sum() == 100
