"""Masks are kept as COCO keeps them, and drawn as polygons."""

import numpy as np
import pytest
from faster_coco_eval.core import mask as coco
from PIL import Image, ImageDraw

from repairai import files
from repairai.schema import Detection, Mask
from repairai.vision.masks import box_of, decode, encode, polygons, whole


def blob(seed: int, height: int = 60, width: int = 90) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (7, 9), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)) > 140


@pytest.mark.parametrize("inside", [blob(1), blob(2, 1, 40), ~blob(3), np.zeros((4, 5), bool), np.ones((4, 5), bool)])
def test_what_is_kept_is_read_back_and_is_coco(inside):
    mask = encode(inside, 3, 4)
    assert np.array_equal(decode(mask), inside)
    theirs = {"size": list(inside.shape), "counts": mask.counts}
    assert np.array_equal(coco.decode(theirs).astype(bool), inside)
    assert coco.encode(np.asfortranarray(inside.astype(np.uint8)))["counts"] in (mask.counts, mask.counts.encode())


def test_a_detection_with_its_mask_is_json():
    with_mask = Detection("screw", 0.5, (3, 4, 93, 64), mask=encode(blob(1), 3, 4))
    assert files.from_json(files.to_json(with_mask), Detection, "x") == with_mask
    old = '{"label": "screw", "score": 0.5, "box": [1, 2, 3, 4], "small": false}'
    assert files.from_json(old, Detection, "x").mask is None


def test_the_box_round_the_px_and_the_place_in_the_photo():
    inside = np.zeros((10, 10), bool)
    inside[2:5, 3:7] = True
    mask = encode(inside, 100, 50)
    assert box_of(mask) == (103, 52, 107, 55)
    assert box_of(encode(np.zeros((3, 3), bool))) is None
    assert np.argwhere(whole(mask, 200, 100)).min(axis=0).tolist() == [52, 103]


def test_runs_that_do_not_fill_the_window_are_refused():
    with pytest.raises(ValueError, match="need runs of 12 px"):
        decode(Mask(0, 0, 3, 4, "52"))
    with pytest.raises(ValueError, match="need a window"):
        Mask(-1, 0, 3, 4, "52")


@pytest.mark.parametrize("seed", range(5))
def test_polygons_cover_the_same_px(seed):
    inside = blob(seed)
    drawn = np.zeros(inside.shape, bool)
    for ring in polygons(encode(inside, 10, 20), 0.0):
        canvas = Image.new("1", (inside.shape[1] * 4, inside.shape[0] * 4))
        ImageDraw.Draw(canvas).polygon([((x - 10) * 4, (y - 20) * 4) for x, y in ring], fill=1)
        drawn ^= np.asarray(canvas)[2::4, 2::4]
    assert np.array_equal(drawn, inside)
    exact, smooth = (sum(map(len, polygons(encode(inside), each))) for each in (0.0, 0.75))
    assert smooth < exact / 2
