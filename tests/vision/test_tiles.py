"""Nothing counts twice and nothing is lost, wherever it lies on the grid of tiles."""

import numpy as np
import pytest

from repairai.schema import PartLimits
from repairai.vision import tiles
from repairai.vision.detector import RTDetrDetector

SIZE = 64
LIMITS = {"screw": PartLimits(0.5, 0.5, empty_place="screw_hole"), "screw_hole": PartLimits(0.5, 0.5)}


def find_bright(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A perfect detector of the one bright thing in view, which also reports what a border leaves of it."""
    logits, boxes = np.full((len(pixels), 4, 2), -9.0, np.float32), np.zeros((len(pixels), 4, 4), np.float32)
    for n, photo in enumerate(pixels):
        rows, columns = np.nonzero(photo[:, :, 0] > 127)
        if len(rows):
            top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
            boxes[n, 0] = np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]) / SIZE
            logits[n, 0] = (4.0, -9.0)
            # It also claims the same box under the other label, a little less sure.
            boxes[n, 1], logits[n, 1] = boxes[n, 0], (-9.0, 3.0)
    return logits, boxes


DETECTOR = RTDetrDetector("ideal@0", ("screw", "screw_hole"), LIMITS, SIZE, find_bright)


@pytest.mark.parametrize("side", [6, 14, 24, 32])
def test_an_object_swept_over_the_grid_counts_once(side):
    photo = np.zeros((330, 410, 3), np.uint8)
    assert len(tiles.windows(410, 330, SIZE)) > 10
    for x in range(0, 410 - side, 7):
        y = (x * 3) % (330 - side)
        photo[:] = 0
        photo[y : y + side, x : x + side] = 255
        found = DETECTOR.detect(photo)
        assert len(found) == 1, f"{len(found)} at {x}, {y}: {found}"
        assert found[0].label == "screw"
        # Whichever look found it best: one px of the coarsest is 6.4 px of the photo.
        assert np.allclose(found[0].box, (x, y, x + side, y + side), atol=7)


@pytest.mark.parametrize(("width", "height"), [(96, 96), (191, 50), (192, 64), (1000, 750), (4000, 3000), (7300, 5500)])
def test_every_spot_is_seen_whole_by_a_tile_of_its_level(width, height):
    windows = tiles.windows(width, height, SIZE)
    assert windows[0].tolist() == [0, 0, width, height]
    assert (windows[:, :2] >= 0).all()
    assert (windows[:, 2:] <= [width, height]).all()
    rng = np.random.default_rng(0)
    for side in {int(w[2] - w[0]) for w in windows[1:]}:
        level = windows[[w[2] - w[0] == side or w[3] - w[1] == side for w in windows]]
        part = int(side * tiles.OVERLAP)
        for _ in range(200):
            x, y = rng.integers(0, max(1, width - part)), rng.integers(0, max(1, height - part))
            holds = (level[:, :2] <= [x, y]).all(axis=1) & (level[:, 2:] >= [x + part, y + part]).all(axis=1)
            assert holds.any()


def test_small_photos_are_looked_at_once():
    assert len(tiles.windows(600, 789, 320)) == 1
    assert len(tiles.windows(960, 720, 320)) == 1
    assert len(tiles.windows(1280, 720, 320)) > 1


def test_one_box_under_two_labels_counts_once():
    photo = np.zeros((90, 90, 3), np.uint8)
    photo[20:50, 30:60] = 255
    assert [each.label for each in DETECTOR.detect(photo)] == ["screw"]


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_two_long_screws_side_by_side_are_two_but_a_fragment_is_none():
    beside = boxes((0, 0, 100, 100), (18, -18, 118, 82))
    scores, kinds = np.array([0.9, 0.8], np.float32), np.zeros(2, int)
    assert tiles.merge(beside, scores, kinds, np.array([3, 3])) == [0, 1]
    fragment = boxes((0, 0, 100, 100), (0, 0, 100, 45))
    assert tiles.merge(fragment, scores, kinds, np.array([0, 4])) == [0]
    # A screw on a battery is two things, and a screw in its hole one.
    inside = boxes((0, 0, 100, 100), (40, 40, 60, 60))
    assert tiles.merge(inside, scores, np.array([0, 2]), np.array([0, 0])) == [0, 1]
    assert tiles.merge(inside, scores, kinds, np.array([0, 0])) == [0]


def test_the_order_of_equal_scores_does_not_depend_on_the_order_of_boxes():
    pair = boxes((0, 0, 10, 10), (1, 0, 11, 10))
    scores, kinds, passes = np.array([0.9, 0.9], np.float32), np.zeros(2, int), np.zeros(2, int)
    first = pair[tiles.merge(pair, scores, kinds, passes)]
    second = pair[::-1][tiles.merge(pair[::-1], scores, kinds, passes)]
    assert np.array_equal(first, second)
