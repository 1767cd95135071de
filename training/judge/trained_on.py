"""Which states a judge has learned from, kept with its run: a set may grow and be split anew afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repairai.files import read_record, write_record
from repairai.judge.state_set import Split, StateExample

FILE = "trained_on.json"


@dataclass(frozen=True)
class TrainedOn:
    """What a training has seen of a set.

    Args:
        data: The set's folder.
        learned: Photos that the weights were changed by, by name, each with its source.
        judged: Likewise those by which weights or thresholds were chosen.
    """

    data: str
    learned: dict[str, str]
    judged: dict[str, str]


def keep(run: Path, data: Path, examples: Sequence[StateExample]) -> TrainedOn:
    """Write down which states a run is about to learn from, and return it.

    Args:
        run: Its folder.
        data: The set's.
        examples: All of the set.
    """
    now = {split: {each.photo: each.source for each in examples if each.split == split} for split in ("train", "val")}
    before = trained_on(run, data)
    made = TrainedOn(str(data.absolute()), {**before.learned, **now["train"]}, {**before.judged, **now["val"]})
    write_record(run / FILE, made)
    return made


def trained_on(run: Path, data: Path) -> TrainedOn:
    """Return what a run has seen of a set; nothing where it was trained on another one, or kept no list.

    Args:
        run: Its folder, which need not be one.
        data: The set's folder.

    Raises:
        RepairError: The list is damaged.
    """
    if (run / FILE).is_file():
        kept = read_record(run / FILE, TrainedOn)
        if kept.data == str(data.absolute()):
            return kept
    return TrainedOn(str(data.absolute()), {}, {})


def unseen(examples: Sequence[StateExample], on: Split, seen: TrainedOn) -> tuple[tuple[StateExample, ...], int]:
    """Return the examples of a split that a training has not seen, and how many it has."""
    own = [each for each in examples if each.split == on]
    learned = set(seen.learned.values()) | (set() if on == "val" else set(seen.judged.values()))
    left = tuple(each for each in own if each.source not in learned)
    return left, len(own) - len(left)
