"""Which of the boxes that a model proposes a person gets to see."""

import numpy as np
import pytest

from repairai.vision.proposals import NEGATIVE, Prompt, choose, is_large, plain


def chosen(*rows: tuple[float, float, float, float, float, int]) -> list[int]:
    own = np.array(rows, dtype=np.float32)
    return choose(own[:, :4], own[:, 4], own[:, 5].astype(np.int64))


def test_a_better_negative_claims_a_box():
    screw, hole = (10, 10, 30, 30, 0.5, 0), (11, 10, 31, 30, 0.6, NEGATIVE)
    assert chosen(screw, hole) == []
    assert chosen(screw, (*hole[:4], 0.4, NEGATIVE)) == [0]
    assert chosen(screw, (100, 100, 120, 120, 0.9, NEGATIVE)) == [0]
    assert chosen(screw, (0, 0, 300, 300, 0.9, NEGATIVE)) == [0], "a negative round everything claims nothing"


def test_one_thing_is_one_box_whatever_it_is_called():
    assert chosen((10, 10, 30, 30, 0.5, 0), (11, 11, 31, 30, 0.7, 1)) == [1]


def test_a_screw_on_a_battery_stays():
    assert chosen((0, 0, 200, 100, 0.9, 1), (50, 40, 70, 60, 0.4, 0)) == [0, 1]


def test_a_box_round_several_small_ones_goes():
    assert chosen(
        (0, 0, 200, 100, 0.9, 0), (10, 10, 30, 30, 0.5, 0), (60, 10, 80, 30, 0.4, 0), (11, 10, 31, 30, 0.3, 0)
    ) == [1, 2]


def test_a_piece_of_a_part_is_no_second_part():
    assert chosen((0, 0, 100, 100, 0.9, 0), (20, 20, 50, 50, 0.5, 0)) == [0]


def test_the_order_of_what_comes_in_does_not_matter():
    rng = np.random.default_rng(3)
    corner, side = rng.uniform(0, 300, (60, 2)), rng.uniform(5, 120, (60, 2))
    boxes = np.concatenate([corner, corner + side], axis=1).astype(np.float32)
    scores, kinds = rng.uniform(0.1, 1, 60).astype(np.float32), rng.integers(-1, 3, 60)
    first = {tuple(boxes[i]) for i in choose(boxes, scores, kinds)}
    turn = rng.permutation(60)
    assert {tuple(boxes[turn][i]) for i in choose(boxes[turn], scores[turn], kinds[turn])} == first


def test_what_fills_the_photo_is_suspicious():
    assert is_large((0, 0, 70, 60), 100, 100)
    assert not is_large((0, 0, 60, 60), 100, 100)


def test_words_are_read_as_the_models_read_them():
    assert plain(" A Phillips  screw. ") == "a phillips screw"
    with pytest.raises(ValueError, match="need a part and words"):
        Prompt("screw", " . ")
    with pytest.raises(ValueError, match="at most 200"):
        Prompt("screw", "x" * 201)
