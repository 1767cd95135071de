"""A set of states that can be seen in a few px: whether a light patch lies on the left or on the right."""

from pathlib import Path

import numpy as np
from PIL import Image

from repairai.judge.state_set import PHOTOS, SOURCES, StateExample, write_examples

QUESTION, OPPOSITE = "Is the light patch on the left?", "Is the light patch on the right?"


def patch(left: bool, seed: int, size: tuple[int, int] = (28, 28)) -> np.ndarray:
    """A dark photo with a light patch, (H, W, 3)."""
    noise = np.random.default_rng(seed)
    photo = noise.integers(20, 70, (*size, 3), dtype=np.uint8)
    top, wide = int(noise.integers(3, 9)), size[1] // 2
    begin = 2 if left else wide + 2
    photo[top : top + 14, begin : begin + wide - 4] = noise.integers(200, 255, (1, 1, 3))
    return photo


def write_states(folder: Path, train: int = 8, val: int = 4, size: tuple[int, int] = (28, 28)) -> Path:
    """A set as `training.judge_data` writes it."""
    (folder / PHOTOS).mkdir(parents=True)
    examples = []
    for at in range(train + val):
        name = f"{PHOTOS}/{at:04}.png"
        Image.fromarray(patch(at % 2 == 0, at, size)).save(folder / name)
        answer = "yes" if at % 2 == 0 else "no"
        split = "train" if at < train else "val"
        examples.append(StateExample(name, QUESTION, OPPOSITE, answer, f"photo {at}", split, "rendered"))  # type: ignore[arg-type]
    write_examples(folder, examples)
    (folder / SOURCES).write_text('{"sources": []}')
    return folder
