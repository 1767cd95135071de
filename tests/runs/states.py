"""A small set of states, for whatever is tested of runs and of the Hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image

from repairai.judge.state_set import PHOTOS, Split, StateExample, write_examples

ASKED, OPPOSITE = "Is the latch open?", "Is the latch closed?"


def write_states(
    folder: Path, n: int = 4, split: Split = "train", answers: Sequence[Literal["yes", "no"]] = ("yes", "no"),
    there: bool = True,
) -> Path:  # fmt: skip
    """Write a set of photos of one colour for each answer, and return its folder."""
    (folder / PHOTOS).mkdir(parents=True)
    found = []
    for at in range(n):
        answer = answers[at % len(answers)]
        if there:
            Image.new("RGB", (32, 32), (40 * at, 200 if answer == "yes" else 20, 90)).save(
                folder / PHOTOS / f"{at}.jpg"
            )
        found.append(StateExample(f"{PHOTOS}/{at}.jpg", ASKED, OPPOSITE, answer, f"s{at}", split))
    write_examples(folder, found)
    return folder
