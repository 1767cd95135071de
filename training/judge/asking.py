"""What a reasoner answers about examples, kept a line each, so that an evaluation goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repairai.errors import RepairError
from repairai.judge.state_set import StateExample
from repairai.runs.judge_scores import Answers
from repairai.schema import Reasoner
from training.judge.pictures import read_picture
from training.kept_lines import KeptLines

ENOUGH = 5
"""Faults one after another after which a question is asked no more: it is down, or was never taught it."""
GREY = np.full((224, 224, 3), 127, np.uint8)
"""In place of a photo: whoever still tells states apart does it from the words."""


@dataclass(frozen=True)
class Kept:
    """One example with what was answered.

    Args:
        photo: Within the set.
        question: That was asked.
        answers: To it and to its opposite; None where it could not answer.
        fault: Why, as a sentence; empty where it could.
        seconds: That both answers took.
    """

    photo: str
    question: str
    answers: Answers | None
    fault: str = ""
    seconds: float = 0.0


class Answered(KeptLines[Kept]):
    """Answers in a file, a line each.

    Args:
        path: The file, which need not exist; None keeps them in memory only.
        key: Of whoever is asked and of what else changes an answer; answers under another key are asked anew.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        super().__init__(path, key, Kept, lambda kept: (kept.photo, kept.question))


def ask_all(
    reasoner: Reasoner, folder: Path, examples: Sequence[StateExample], kept: Answered, tell: Callable[[], None]
) -> list[Kept]:
    """Return what a reasoner answers about examples; what was answered before is not asked again.

    Args:
        reasoner: Any.
        folder: Of the set.
        examples: Of it.
        kept: Where answers are kept.
        tell: Called before each that is asked, and free to raise.

    Raises:
        RepairError: A photo cannot be read.
    """
    found: list[Kept] = []
    faults: dict[str, int] = {}
    for each in examples:
        known = kept.by_name.get((each.photo, each.question))
        if known is None and faults.get(each.question, 0) >= ENOUGH:
            known = Kept(each.photo, each.question, None, f"it failed {ENOUGH} times and was asked no more")
        elif known is None:
            tell()
            known = answer(reasoner, read_picture(folder / each.photo), each)
            kept.add(known)
        found.append(known)
        faults[each.question] = faults.get(each.question, 0) + 1 if known.answers is None else 0
    return found


def answer(reasoner: Reasoner, photo: np.ndarray, example: StateExample) -> Kept:
    """Return what a reasoner answers to a question and to its opposite about a photo."""
    began = time.perf_counter()
    try:
        answers = reasoner.ask(photo, example.question), reasoner.ask(photo, example.opposite)
    except RepairError as error:
        return Kept(example.photo, example.question, None, str(error))
    return Kept(example.photo, example.question, answers, "", time.perf_counter() - began)


def from_words(reasoner: Reasoner, examples: Sequence[StateExample]) -> dict[str, Answers | None]:
    """Return, by question, what a reasoner answers about a grey photo; each is asked once, all photos being alike."""
    found: dict[str, Answers | None] = {}
    for each in examples:
        if each.question not in found:
            found[each.question] = answer(reasoner, GREY, each).answers
    return found


def fingerprint(examples: Sequence[StateExample]) -> str:
    """Return what tells examples from others: a hash of their photos, questions and answers."""
    told = sorted((each.photo, each.question, each.opposite, each.answer) for each in examples)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
