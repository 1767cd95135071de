"""Splits photos into train, val and test by what they were made from, so that no split has seen another's."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from repairai.vision.photo_set import SPLITS, LabelledPhoto, Split
from training.detector.labels import SaidSplit

SHARES: Mapping[Split, float] = {"train": 0.70, "val": 0.15, "test": 0.15}
_ROBOFLOW = re.compile(r"[._-](?:jpe?g|png|bmp|webp|tiff?|heic)\.rf\.[0-9a-z]{6,}$", re.IGNORECASE)
_FIRST: tuple[Split, ...] = ("train", "test", "val")


@dataclass(frozen=True)
class Parted:
    """Photos in their splits.

    Args:
        photos: In the order in which they came.
        leaks: Names of photos whose source stood in more than one of the splits that they came with.
        filled: Splits that they did not come with, and that were taken out of `train` or out of all.
    """

    photos: tuple[LabelledPhoto, ...]
    leaks: tuple[str, ...] = ()
    filled: tuple[Split, ...] = ()


def base_name(stem: str) -> str:
    """Return what a photo was made from, by its name: Roboflow writes `a_jpg.rf.<hash>` for each version of `a.jpg`."""
    return _ROBOFLOW.sub("", stem)


def leaking(photos: Sequence[LabelledPhoto]) -> tuple[LabelledPhoto, ...]:
    """Return the labelled photos whose source stands in more than one split."""
    seen: dict[str, set[str]] = defaultdict(set)
    for photo in photos:
        if photo.labelled and not photo.made:
            seen[photo.source].add(photo.split)
    return tuple(each for each in photos if each.labelled and len(seen[each.source]) > 1)


def part(photos: Sequence[LabelledPhoto], own: Sequence[SaidSplit], seed: int) -> Parted:
    """Return photos in splits: those that they came with where these are two or more and leak nothing, else new ones.

    Made photos are always to train on.

    Args:
        photos: With their sources.
        own: The split that each came with; empty for none.
        seed: Of the choice.
    """
    marked = [
        replace(photo, split="train" if photo.made else split or "train")
        for photo, split in zip(photos, own, strict=True)
    ]
    if len({split for split in own if split}) < 2:
        return Parted(_shared(marked, seed, SPLITS))
    leaks = leaking(marked)
    lost = {photo.source for photo in leaks}
    marked = [replace(photo, split="train") if photo.source in lost else photo for photo in marked]
    counted = [photo for photo in marked if photo.labelled and not photo.made] or marked
    there = Counter(photo.split for photo in counted)
    filled = tuple(split for split in SPLITS if not there[split])
    if "train" in filled:
        return Parted(_shared(marked, seed, SPLITS), tuple(each.name for each in leaks), SPLITS)
    return Parted(_filled(marked, seed, filled), tuple(each.name for each in leaks), filled)


def anew(photos: Sequence[LabelledPhoto], seed: int) -> tuple[LabelledPhoto, ...]:
    """Return photos split 70/15/15 by their sources, whatever their splits were; made photos are to train on."""
    return _shared(photos, seed, SPLITS)


def _filled(photos: Sequence[LabelledPhoto], seed: int, wanted: tuple[Split, ...]) -> tuple[LabelledPhoto, ...]:
    """Return photos with the splits that are wanted taken out of train."""
    if not wanted:
        return tuple(photos)
    train = [each for each in photos if each.split == "train"]
    moved = {each.name: each for each in _shared(train, seed, ("train", *wanted))}
    return tuple(moved.get(each.name, each) for each in photos)


def _shared(photos: Sequence[LabelledPhoto], seed: int, into: Sequence[Split]) -> tuple[LabelledPhoto, ...]:
    """Return photos shared out among splits, whole sources at a time, so that each split gets its part of every part.

    The rarest part is dealt out first: of three sources or more each split gets one.

    Source: Sechidis, Tsoumakas, Vlahavas: On the Stratification of Multi-Label Data, ECML PKDD 2011, with groups.
    """
    groups: dict[str, list[LabelledPhoto]] = defaultdict(list)
    taken = [photo for photo in photos if not photo.made]
    for photo in taken:
        groups[photo.source].append(photo)
    holds = {name: {box.part for each in group for box in each.boxes} for name, group in groups.items()}
    weight = {split: SHARES[split] / sum(SHARES[each] for each in into) for split in into}
    need = {split: weight[split] * len(taken) for split in into}
    left = list(groups)
    random.Random(seed).shuffle(left)
    chosen: dict[str, Split] = {}

    def deal(name: str, split: Split) -> None:
        chosen[name] = split
        need[split] -= len(groups[name])

    order = sorted(Counter(part for parts in holds.values() for part in parts).items(), key=lambda each: each[1])
    for part_name, count in [*order, ("", 0)]:
        own = [name for name in left if name not in chosen and (not part_name or part_name in holds[name])]
        had = Counter(chosen[name] for name in chosen if part_name in holds[name])
        wants = {split: weight[split] * count - had[split] for split in into}
        for name in own:
            bare = [split for split in _FIRST if split in into and count >= len(into) and not had[split]]
            split = (
                bare[0] if bare else max(into, key=lambda each: (wants[each], need[each]) if part_name else need[each])
            )
            deal(name, split)
            had[split] += 1
            wants[split] -= 1
    _nobody_empty(chosen, into, left)
    return tuple(replace(photo, split="train" if photo.made else chosen[photo.source]) for photo in photos)


def _nobody_empty(chosen: dict[str, Split], into: Sequence[Split], left: Sequence[str]) -> None:
    """Give each split one source at least, where there are enough."""
    for split in into:
        counts = Counter(chosen.values())
        if not counts[split] and len(chosen) >= len(into):
            most = max(into, key=lambda each: counts[each])
            chosen[next(name for name in left if chosen[name] == most)] = split
