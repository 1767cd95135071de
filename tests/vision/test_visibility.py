"""What a photo can show at all, and whether two show the same place."""

import numpy as np
import pytest

from repairai.vision.visibility import look, same_view
from training.scenes.scene import lay_out, photograph, render
from training.spoil import spoil

NO_BOXES = np.zeros((0, 4), np.float32)
SCENES = [render(np.random.default_rng(seed), kind="block").photo for seed in range(6)]


@pytest.mark.parametrize("photo", SCENES)
def test_clean_photos_can_be_judged(photo):
    assert look(photo).problem is None


@pytest.mark.parametrize("photo", SCENES)
def test_a_dark_photo_is_told(photo):
    seen = look((photo * 0.04).astype(np.uint8))
    assert seen.problem == "too_dark"
    assert seen.brightness < look(photo).brightness


@pytest.mark.parametrize("photo", SCENES)
def test_a_blurred_photo_is_told_and_blur_lowers_sharpness(photo):
    seen = [look(spoil(photo, NO_BOXES, "blur", strength, np.random.default_rng(0)).photo) for strength in (1, 2, 3)]
    assert [each.sharpness for each in seen] == sorted((each.sharpness for each in seen), reverse=True)
    twice = spoil(photo, NO_BOXES, "blur", 3, np.random.default_rng(0)).photo
    assert look(spoil(twice, NO_BOXES, "blur", 3, np.random.default_rng(0)).photo).problem == "too_blurred"


def test_a_washed_out_photo_is_told():
    assert look(np.full((200, 300, 3), 255, np.uint8)).problem == "too_bright"


def test_a_photo_of_nothing_is_not_sharp():
    assert look(np.full((200, 300, 3), 128, np.uint8)).problem == "too_blurred"


def test_figures_stay_in_range():
    rng = np.random.default_rng(0)
    for shape in ((64, 64, 3), (64, 4000, 3), (700, 500, 3)):
        seen = look(rng.integers(0, 256, shape, dtype=np.uint8))
        assert 0 <= seen.brightness <= 1
        assert 0 <= seen.glare <= 1
        assert 0 <= seen.sharpness <= 1


def taken(seed: int, side: int) -> tuple[np.ndarray, list[tuple[float, ...]]]:
    """A case as two people would photograph it: from two sides, in two lights."""
    bench = lay_out(np.random.default_rng(seed), kind="case")
    bench.rng = np.random.default_rng([seed, side])
    scene = photograph(bench)
    return scene.photo, [tuple(box) for box in scene.boxes.tolist()]


def test_the_same_place_is_told_from_another():
    seeds = range(12)
    same = [same_view(taken(s, 1)[0], taken(s, 2)[0], taken(s, 1)[1], taken(s, 2)[1]) for s in seeds]
    other = [same_view(taken(s, 1)[0], taken(s + 50, 2)[0], taken(s, 1)[1], taken(s + 50, 2)[1]) for s in seeds]
    assert np.mean(same) >= 0.9
    assert np.mean(other) <= 0.1


def test_photos_of_different_size_can_show_the_same_place():
    photo, _ = taken(3, 1)
    assert same_view(photo, photo[::2, ::2])
