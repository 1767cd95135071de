"""Deals photos out to train, val and test, whole sources at a time, so that no split has seen another's.

What is fixed stays: sources of a set that is there already, and those that came with a split. Others are dealt out so
that each split gets its part of the yes and of the no of every question, the rarest first.

Source:
    Sechidis, Tsoumakas, Vlahavas: On the Stratification of Multi-Label Data, ECML PKDD 2011, with groups.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repairai.judge.questions import key
from repairai.judge.state_set import SPLITS, Split
from training.detector.splits import SHARES

_FIRST: tuple[Split, ...] = ("train", "test", "val")
"""Which split gets the first source of a kind, the second, the third."""


@dataclass(frozen=True)
class Dealt:
    """What became of a source's example before it has a split.

    Args:
        source: What its photo was made from.
        question: As it is asked.
        answer: To it.
        split: That it came with; empty for none.
        drawn: Whether no camera took it.
    """

    source: str
    question: str
    answer: str
    split: str = ""
    drawn: bool = False


@dataclass(frozen=True)
class Shares:
    """Sources in their splits.

    Args:
        splits: Of each source.
        leaks: Sources that came with more than one split; all of them are trained on.
        moved: Sources that were taken out of train for a split that a question did not come with.
    """

    splits: dict[str, Split]
    leaks: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


Kind = tuple[str, str]
"""A question's key and an answer."""


def deal(examples: Sequence[Dealt], fixed: Mapping[str, Split], seed: int) -> Shares:
    """Return the split of each source.

    Args:
        examples: All of the set, those that are there already with them.
        fixed: Sources whose split must not change.
        seed: Of the choice.
    """
    holds: dict[str, set[Kind]] = defaultdict(set)
    wishes: dict[str, set[str]] = defaultdict(set)
    for each in examples:
        holds[each.source].add((key(each.question), each.answer))
        if each.split:
            wishes[each.source].add(each.split)
    splits: dict[str, Split] = dict(fixed)
    leaks = []
    for source, wished in wishes.items():
        if source in splits:
            continue
        if len(wished) > 1:
            leaks.append(source)
        splits[source] = _only(wished)
    drawn = {each.source for each in examples if each.drawn}
    movable = [source for source in wishes if source not in fixed and source not in leaks and source not in drawn]
    moved = _fill(splits, holds, movable, seed)
    _share(splits, holds, [source for source in holds if source not in splits], seed)
    return Shares(splits, tuple(leaks), tuple(moved))


def _only(wished: set[str]) -> Split:
    """Return the split that is wished; train, where several are."""
    return next((split for split in SPLITS if wished == {split}), "train")


def _fill(splits: dict[str, Split], holds: Mapping[str, set[Kind]], movable: Sequence[str], seed: int) -> list[str]:
    """Take sources out of train for questions that came with train and one other split, but without the third.

    A question that came with one split alone stays in it: that was meant.
    """
    absent: dict[str, Split] = {}
    for question in sorted({kind[0] for source in movable for kind in holds[source]}):
        there = {splits[source] for source, kinds in holds.items() if source in splits and _about(kinds, question)}
        if "train" in there and len(there) == len(SPLITS) - 1:
            absent[question] = next(split for split in SPLITS if split not in there)
    moved: list[str] = []
    chosen = random.Random(seed)
    for question, split in absent.items():
        for answer in ("yes", "no"):
            own = sorted(each for each in movable if splits[each] == "train" and (question, answer) in holds[each])
            n = min(max(1, round(SHARES[split] * len(own))), len(own) - 1)
            for source in chosen.sample(own, max(0, n)):
                splits[source] = split
                moved.append(source)
    return moved


def _about(kinds: set[Kind], question: str) -> bool:
    return any(kind[0] == question for kind in kinds)


def _share(splits: dict[str, Split], holds: Mapping[str, set[Kind]], free: Sequence[str], seed: int) -> None:
    """Deal out sources that have no split: each split gets its part of each kind, the rarest kind first."""
    left = sorted(free)
    random.Random(seed).shuffle(left)
    rarest = sorted(Counter(kind for source in left for kind in holds[source]).items(), key=lambda each: each[::-1])
    for kind, _ in rarest:
        had = Counter(splits[source] for source, kinds in holds.items() if source in splits and kind in kinds)
        own = [source for source in left if source not in splits and kind in holds[source]]
        total = had.total() + len(own)
        for source in own:
            bare = [split for split in _FIRST if not had[split]] if total >= len(SPLITS) else []
            split = bare[0] if bare else max(SPLITS, key=lambda each: SHARES[each] * total - had[each])
            splits[source] = split
            had[split] += 1
