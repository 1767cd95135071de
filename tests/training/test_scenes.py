"""Rendered scenes and spoiled photos: the boxes must lie where the parts are."""

import numpy as np
import pytest

from training.detector.augment import augment
from training.scenes.scene import LABELS, homography, render
from training.spoil import KINDS, spoil


@pytest.mark.parametrize("kind", ["block", "board", "case", "mat"])
def test_the_same_seed_gives_the_same_scene_and_boxes_lie_in_it(kind):
    for seed in range(6):
        scene = render(np.random.default_rng(seed), kind=kind)
        again = render(np.random.default_rng(seed), kind=kind)
        assert np.array_equal(scene.photo, again.photo)
        height, width = scene.photo.shape[:2]
        assert scene.photo.dtype == np.uint8
        assert len(scene.boxes) == len(scene.labels)
        assert (scene.boxes[:, :2] >= 0).all()
        assert (scene.boxes[:, 2:] <= [width, height]).all()
        assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
        assert set(scene.labels.tolist()) <= set(range(len(LABELS)))


def test_every_label_is_rendered():
    seen = set()
    for seed in range(25):
        seen |= set(render(np.random.default_rng(seed)).labels.tolist())
    assert seen == set(range(len(LABELS)))


def test_a_screw_stands_out_from_its_surroundings_where_its_box_is():
    """Were boxes shifted, a box would be no more different from its neighbourhood than any other spot."""
    inside, moved = [], []
    for seed in range(30):
        scene = render(np.random.default_rng(seed), kind="block")
        grey = scene.photo.mean(axis=2)
        for box, label in zip(scene.boxes, scene.labels, strict=True):
            left, top, right, bottom = (int(edge) for edge in box)
            if label <= 1 and left > 0 and top > 0 and right - left > 20:
                inside.append(grey[top:bottom, left:right].std())
                aside = grey[max(0, top - 2 * (bottom - top)) : max(0, top - (bottom - top)), left:right]
                if aside.size:
                    moved.append(aside.std())
    assert np.median(inside) > 1.7 * np.median(moved)


def test_a_homography_takes_its_points_where_they_belong():
    source = np.array([(0, 0), (10, 0), (10, 20), (0, 20)], float)
    target = np.array([(1, 2), (12, 0), (9, 22), (-1, 18)], float)
    u, v, w = homography(source, target) @ np.column_stack([source, np.ones(4)]).T
    assert np.allclose(np.column_stack([u / w, v / w]), target)


def spot(width=300, height=200) -> tuple[np.ndarray, np.ndarray]:
    photo = np.full((height, width, 3), 60, np.uint8)
    photo[50:90, 100:160] = 220
    return photo, np.array([[100, 50, 160, 90]], np.float32)


@pytest.mark.parametrize("strength", [1, 2, 3])
@pytest.mark.parametrize("kind", ["turn", "zoom"])
def test_boxes_follow_the_parts(kind, strength):
    photo, boxes = spot()
    worse = spoil(photo, boxes, kind, strength, np.random.default_rng(0))
    rows, columns = np.nonzero(worse.photo[:, :, 0] > 140)
    found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.allclose(worse.boxes[0], found, atol=1.6)


@pytest.mark.parametrize("strength", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_spoiling_changes_the_photo_and_stays_in_range(kind, strength):
    photo, boxes = spot()
    worse = spoil(photo, boxes, kind, strength, np.random.default_rng(0))
    assert worse.photo.dtype == np.uint8
    assert worse.photo.shape != photo.shape or not np.array_equal(worse.photo, photo)
    assert ((worse.seen >= 0) & (worse.seen <= 1)).all()


def test_spoiling_grows_with_its_strength():
    photo, boxes = spot()
    for kind in ("blur", "noise", "dark", "cover"):
        harm = [
            np.abs(spoil(photo, boxes, kind, strength, np.random.default_rng(0)).photo.astype(int) - photo).mean()
            for strength in (1, 2, 3)
        ]
        assert harm == sorted(harm)
        assert harm[0] < harm[2]


def test_an_unknown_strength_is_refused():
    with pytest.raises(ValueError, match="need strength 1, 2 or 3, got 4"):
        spoil(*spot(), "blur", 4, np.random.default_rng(0))


@pytest.mark.parametrize("preset", ["none", "bench", "strong"])
def test_augmenting_keeps_boxes_on_their_parts(preset):
    photo, boxes = spot()
    checked = 0
    for seed in range(60):
        worse = augment(photo, boxes, np.random.default_rng(seed), 320, preset)
        if worse.kept[0]:
            left, top, right, bottom = (int(edge) for edge in worse.boxes[0])
            inside = worse.photo[top + 2 : bottom - 2, left + 2 : right - 2].mean()
            assert inside > np.median(worse.photo) or worse.photo.mean() > 150, seed
            checked += 1
    assert checked > 30
