"""Looks through a set of states for what would spoil a training or what is measured of it, and writes its report."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from repairai.files import to_data, write_whole
from repairai.judge.questions import key, observable
from repairai.judge.state_set import REPORT, SPLITS, Split, StateExample, StateSource, summary
from training.detector.findings import Finding, Severity, few, finding, n

ENOUGH_SOURCES, LEAST_SOURCES = 45, 22
"""Independent photos of a state of which at most 5 % pass wrongly, or 10 %, with a confidence of 90 %: see
`training/detector/tolerated.py`."""
FEW_TO_TRAIN = 10
LOPSIDED = 3.0
"""Times as many of one answer as of the other, from which on it is worth a word."""


@dataclass
class Seen:
    """What a build saw that its examples no longer show.

    Args:
        unreadable: Photos that cannot be read, and why.
        left: Photos that were left out for other reasons, and why.
        doubled: Photos that came more than once.
        differing: Photos that came with both answers to one question.
        small: Pictures with hardly a px.
        whole: Photos that are shown whole, since the place that the question means was not found.
        leaks: Sources that came with more than one split.
        moved: How many sources were taken out of train for a split that was missing.
        bridges: Photos that look like ones of two splits.
        balanced_out: How many examples were not drawn.
        taken: How many examples are new.
        answered_anew: How many answers a person has changed.
        seconds: That the build took.
    """

    unreadable: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    small: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    leaks: tuple[str, ...] = ()
    moved: int = 0
    bridges: tuple[str, ...] = ()
    balanced_out: int = 0
    taken: int = 0
    answered_anew: int = 0
    seconds: float = 0.0


def write_report(
    folder: Path, name: str, examples: Sequence[StateExample], sources: Sequence[StateSource], seen: Seen
) -> None:
    """Write what is in a set and what is wrong with it.

    Args:
        folder: Where it is written.
        name: Of the set.
        examples: All of it.
        sources: Where they come from.
        seen: By the build.
    """
    found = [*of_build(seen), *of_examples(examples)]
    order = {"stop": 0, "warn": 1, "note": 2}
    report: dict[str, Any] = {
        **to_data(summary(name, examples)),
        "from": [to_data(each) for each in sources],
        "new": seen.taken,
        "answered_anew": seen.answered_anew,
        "findings": [asdict(each) for each in sorted(found, key=lambda each: order[each.severity])],
        "seconds": seen.seconds,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    write_whole(folder / REPORT, (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode())


# ---- what the build saw


def of_build(seen: Seen) -> Iterator[Finding]:
    """Yield what a build saw that its examples no longer show."""
    told: tuple[tuple[str, Severity, Collection[str], str, str], ...] = (
        ("unreadable", "warn", seen.unreadable, "photo", "cannot be read and {are} left out" + _why(seen.unreadable)),
        ("left", "warn", seen.left, "photo", "{are} left out" + _why(seen.left)),
        ("differing", "warn", seen.differing, "photo",
         "came with both answers to one question; what a person said last counts, else neither is taken"),
        ("bridges", "warn", seen.bridges, "photo", "look{s} like ones of two splits and {are} left out"),
        ("small", "warn", seen.small, "picture", "{are} so small that hardly a state shows: come closer"),
        ("doubled", "note", seen.doubled, "photo", "came more than once and {are} taken once"),
        ("whole", "note", seen.whole, "photo", "{are} shown whole, since the place that is meant was not found"),
        ("leaks", "note", seen.leaks, "source", "came with more than one split; all of it is trained on"),
    )  # fmt: skip
    for kind, severity, names, noun, said in told:
        if names:
            yield _of(kind, severity, names, noun, said)
    if seen.moved:
        said = f"{n(seen.moved, 'source')} moved out of train, since a question came without that split"
        yield finding("moved", "note", said, count=seen.moved)
    if seen.balanced_out:
        said = f"{n(seen.balanced_out, 'example')} left out, so that yes and no are trained on alike"
        yield finding("balanced", "note", said, count=seen.balanced_out)


def _why(names: Mapping[str, str]) -> str:
    """Return what is wrong with most of some photos."""
    return f": {Counter(names.values()).most_common(1)[0][0]}" if names else ""


def _of(kind: str, severity: Severity, names: Collection[str], noun: str, said: str) -> Finding:
    """Return a finding about named photos; `are` and `s` in what is said follow their number."""
    listed = list(dict.fromkeys(names))
    one = len(listed) == 1
    said = said.replace("{are}", "is" if one else "are").replace("{s}", "s" if one else "")
    return finding(kind, severity, f"{n(len(listed), noun)} {said} ({few(listed)})", listed)


# ---- what the examples show


def of_examples(examples: Sequence[StateExample]) -> Iterator[Finding]:
    """Yield what is wrong with a set, question by question."""
    asked: dict[str, list[StateExample]] = defaultdict(list)
    for each in examples:
        asked[key(each.question)].append(each)
    times: Counter[str] = Counter()
    for group in asked.values():
        said = Counter(each.question for each in group).most_common(1)[0][0]
        for each in _of_question(said, group):
            times[each.kind] += 1
            yield replace(each, id=each.kind if times[each.kind] == 1 else f"{each.kind}-{times[each.kind]}")


def _of_question(said: str, group: Sequence[StateExample]) -> Iterator[Finding]:
    why = observable(said) or observable(group[0].opposite)
    if why:
        yield finding("not-observable", "stop", f'"{said}": {why}, so no judge is ever asked it', count=len(group))
    answers = Counter(each.answer for each in group)
    if len(answers) == 1:
        only = next(iter(answers))
        yield finding(
            "one-answer", "stop",
            f"\"{said}\": every answer is {only}, from which nothing is learned; add photos of the other state",
            count=len(group),
        )  # fmt: skip
        return
    yield from _of_train(said, [each for each in group if each.split == "train"])
    for split in SPLITS[1:]:
        yield from _of_measured(said, split, [each for each in group if each.split == split])


def _of_train(said: str, group: Sequence[StateExample]) -> Iterator[Finding]:
    answers = Counter(each.answer for each in group)
    if len(answers) < 2:
        what = f"only {next(iter(answers))} in it" if answers else "nothing of it"
        yield finding("train-one-answer", "stop", f'"{said}": train has {what}; add photos', count=len(group))
        return
    sources = {answer: len({each.source for each in group if each.answer == answer}) for answer in answers}
    least = min(sources, key=lambda answer: sources[answer])
    if sources[least] < FEW_TO_TRAIN:
        of = n(sources[least], "independent photo")
        said_few = f'"{said}": {of} to train on with {least}; {FEW_TO_TRAIN} or more teach more'
        yield finding("few-to-train", "warn", said_few, count=sources[least])
    (most, many), (other, fewer) = answers.most_common()
    if many >= LOPSIDED * fewer:
        yield finding(
            "lopsided", "note", f'"{said}": {many:,} {most} to {fewer:,} {other} in train; --balance evens that out'
        )


def _of_measured(said: str, split: Split, group: Sequence[StateExample]) -> Iterator[Finding]:
    use = "thresholds are chosen" if split == "val" else "it is measured"
    answers = Counter(each.answer for each in group)
    if len(answers) < 2:
        what = f"only {next(iter(answers))}" if answers else "nothing"
        yield finding(
            f"{split}-one-answer", "warn", f'"{said}": {split}, on which {use}, has {what} of it', count=len(group)
        )
        return
    if all(each.made_by == "rendered" for each in group):
        said_drawn = f'"{said}": {split}, on which {use}, is all drawn, which says nothing of photos'
        yield finding(f"{split}-drawn", "warn", said_drawn, count=len(group))
    sources = min(len({each.source for each in group if each.answer == answer}) for answer in answers)
    if sources < ENOUGH_SOURCES:
        said_few = f'"{said}": {n(sources, "independent photo")} of one answer in {split}, on which {use}'
        yield finding(
            f"few-in-{split}",
            "warn",
            f"{said_few}; it takes {ENOUGH_SOURCES} to let at most 5 % of wrong states pass, {LEAST_SOURCES} for 10 %",
            count=sources,
        )
