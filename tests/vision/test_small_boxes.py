"""Boxes that are too small are told for the closest look that a detector takes at a photo."""

import pytest

from repairai.vision.photo_set import LabelledBox, LabelledPhoto
from repairai.vision.small_boxes import better_px, said, small_boxes


def photo(width: int, height: int, *sides: float) -> LabelledPhoto:
    boxes = tuple(LabelledBox("screw", (5.0, 5.0, 5.0 + side, 5.0 + side)) for side in sides)
    return LabelledPhoto(f"{width}.jpg", width, height, boxes)


@pytest.mark.parametrize(
    ("width", "height", "image_px", "least"),
    [
        (640, 640, 640, 16), (320, 320, 640, 8), (1280, 640, 640, 32),  # looked at whole, and stretched
        (1000, 1000, 320, 24), (2560, 1920, 320, 24), (4000, 3000, 640, 24),  # looked at through tiles
    ],
)  # fmt: skip
def test_what_is_too_small_hangs_on_the_closest_look(width: int, height: int, image_px: int, least: float):
    found = small_boxes([photo(width, height, least - 0.1, least + 0.1)], image_px)
    assert (found.tiny, found.boxes, found.photos) == (1, 2, (f"{width}.jpg",))


def test_few_are_not_worth_a_word():
    assert not small_boxes([photo(640, 640, 8, *[40] * 19)], 640).many
    assert small_boxes([photo(640, 640, 8, *[40] * 18)], 640).many
    assert small_boxes([], 640).share == 0


def test_a_larger_input_is_proposed_where_it_helps():
    photos = [photo(1280, 1280, 30, 40)]
    found = small_boxes(photos, 640)
    assert better_px(photos, found) == 800
    assert said(photos, found) == (
        "1 box is under 16 px at the closest look of a detector with an input of 640 px, 50% of all: go closer, or "
        "train with `image_px: 800`"
    )
    none = [photo(320, 320, 2, 40)]
    assert said(none, small_boxes(none, 320)).endswith("50% of all: go closer")
