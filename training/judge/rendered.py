"""Drawn scenes of states: a connector plugged or not, a battery in or out, a lid on or off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from repairai.errors import RepairError
from repairai.judge.region import padded
from repairai.schema import Box
from training.judge.shown import Answer, Offered, Shown, Task, as_file, cut
from training.judge.wanted import WAYS, Source
from training.scenes.states import SCENES

LOOSE = 0.07
"""How far an edge of what a detector finds lies from the true one, as a share of the part's side."""

OUT = frozenset(
    (
        "unplugged", "disconnected", "detached", "unseated", "lifted", "out", "off", "removed", "missing", "gone",
        "absent", "open", "opened", "unclipped", "empty",
    )
)  # fmt: skip
"""Words by which a question asks whether a part is out, off or unplugged."""


def offered(wanted: Source, seed: int) -> Offered:
    """Return scenes that are to be drawn, one half of each state; each shows a thing of its own.

    The same number of scenes with the same seed gives the same pictures.

    Raises:
        RepairError: The question does not tell which of the two states it asks for.
    """
    if asks_for_out(wanted.question) == asks_for_out(wanted.opposite):
        question, opposite = WAYS[wanted.rendered or "connector"]
        raise RepairError(
            f"neither {wanted.question!r:.80} nor its opposite says that the {wanted.rendered} is out or off",
            f"ask as in {question!r} and {opposite!r}",
        )
    tasks: Sequence[Task] = [
        Task(f"{wanted.rendered}-{seed}-{number}", partial(_drawn, wanted, seed, number))
        for number in range(wanted.scenes)
    ]
    return Offered(f"{wanted.rendered} scenes", tasks, licence="Apache-2.0")


def _drawn(wanted: Source, seed: int, number: int) -> tuple[Shown, ...]:
    out = number % 2 == 1
    rng = np.random.default_rng((seed, number, sorted(SCENES).index(wanted.rendered)))
    scene = SCENES[wanted.rendered](rng, out)
    region = _region(rng, scene.photo.shape[1], scene.photo.shape[0], scene.box)
    pixels = cut(scene.photo, region)
    content, suffix = as_file(pixels)
    name = f"{wanted.rendered}-{seed}-{number}"
    split = {"": "train", "shared": ""}.get(wanted.split, wanted.split)
    answer: Answer = "yes" if out == asks_for_out(wanted.question) else "no"
    return (
        Shown(
            name, f"rendered:{name}", content, suffix, (pixels.shape[1], pixels.shape[0]), f"rendered/{name}", None,
            wanted.question, wanted.opposite, answer, split, "rendered",
        ),
    )  # fmt: skip


def asks_for_out(question: str) -> bool:
    """Tell whether yes to a question means that a part is out, off or unplugged."""
    words = frozenset(question.lower().rstrip("?").split())
    return bool(words & OUT)


def _region(rng: np.random.Generator, width: int, height: int, box: Box | None) -> Box | None:
    """Return where a reasoner would look if a detector had found the part, about as well as detectors do."""
    if box is None:
        return None
    left, top, right, bottom = box
    across, down = (right - left) * LOOSE, (bottom - top) * LOOSE
    moved = rng.uniform(-1, 1, 4) * (across, down, across, down)
    return padded((left + moved[0], top + moved[1], right + moved[2], bottom + moved[3]), width, height)
