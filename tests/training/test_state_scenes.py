"""Scenes that show a state: both of them, the same from the same numbers, with the part where it is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from training.scenes.states import SCENES
from training.scenes.surfaces import metal


@pytest.mark.parametrize("kind", SCENES)
@pytest.mark.parametrize("out", [False, True])
def test_a_scene_is_a_photo_with_its_part_in_it(kind: str, out: bool):
    for number in range(6):
        scene, again = (SCENES[kind](np.random.default_rng((number, 3)), out) for _ in range(2))
        height, width, channels = scene.photo.shape
        assert (scene.photo.dtype, channels) == (np.uint8, 3)
        assert min(height, width) >= 300
        assert scene.photo.std() > 5, "it is not all of one colour"
        assert np.array_equal(scene.photo, again.photo)
        assert (scene.box is None) == (kind != "connector"), "of a battery or a lid the whole photo tells"
        if scene.box:
            left, top, right, bottom = scene.box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_scenes_differ_in_light_and_colour():
    tones = [SCENES["connector"](np.random.default_rng(n), n % 2 == 1).photo.mean(axis=(0, 1)) for n in range(12)]
    assert np.std(tones, axis=0).min() > 20


def test_a_rib_may_be_narrower_than_its_corners_are_round():
    for number in range(200):
        metal(np.random.default_rng(number), 41, 33)
