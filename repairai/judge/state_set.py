"""State examples: photos with a question and its answer, in one folder, that a judge of states learns from.

    <home>/data/judge/<name>/photos/*.jpg
    <home>/data/judge/<name>/examples.jsonl      one `StateExample` a line
    <home>/data/judge/<name>/sources.json        where they come from, with licences: a list of `StateSource`
    <home>/data/judge/<name>/report.json         what the build found, see `training/judge/doctor.py`

A photo is what a reasoner is shown: the region that the question is about, already cut out, or a whole photo.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from repairai.errors import RepairError
from repairai.files import from_data, from_json, read_text, to_data, to_json, write_whole
from repairai.named_sets import STATE_SETS

Split = Literal["train", "val", "test"]
MadeBy = Literal["person", "import", "rendered"]
"""A person answered it at the bench, it was imported with its answer, or it was drawn."""
EXAMPLES, PHOTOS, SOURCES, REPORT = STATE_SETS.files[0], "photos", "sources.json", "report.json"
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class StateExample:
    """A photo, a question about it and the right answer.

    Args:
        photo: Within the set's folder: `photos/0012.jpg`.
        question: Ends in a question mark.
        opposite: The same question the other way round; its right answer is the other one.
        answer: To `question`.
        source: What the photo was made from: examples of one source lie in one split, and count as one.
        split: `train` is learned from, thresholds are chosen on `val`, figures come from `test`.
        made_by: Who knew the answer.
    """

    photo: str
    question: str
    opposite: str
    answer: Literal["yes", "no"]
    source: str
    split: Split
    made_by: MadeBy = "import"

    def __post_init__(self) -> None:
        if not self.question.endswith("?") or not self.opposite.endswith("?"):
            raise ValueError(f"need two questions that end in '?', got {self.question!r} and {self.opposite!r}")
        for name, choices in (("answer", ("yes", "no")), ("split", get_args(Split)), ("made_by", get_args(MadeBy))):
            if getattr(self, name) not in choices:
                raise ValueError(f"need {name} to be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        if self.photo.startswith(("/", "~")) or ".." in self.photo.split("/") or "\\" in self.photo:
            raise ValueError(f"need a photo within the set's folder, got {self.photo!r}")
        if not self.source:
            raise ValueError("need the source of the photo, got none")


@dataclass(frozen=True)
class StateSource:
    """Where photos of a set came from, as it goes into the card of whatever is trained on them.

    Args:
        name: Of the folders, the set of photos, or what was drawn.
        licence: As it is given; empty where nobody said.
        url: Where it can be found; empty for a person's own.
        photos: How many.
        made_by: Who knew the answers.
    """

    name: str
    licence: str = ""
    url: str = ""
    photos: int = 0
    made_by: MadeBy = "import"


@dataclass(frozen=True)
class AnswerCounts:
    """How many examples of a question lie in one split.

    Args:
        yes: With this answer to the question.
        no: Likewise.
        sources: From so many independent photos.
    """

    yes: int = 0
    no: int = 0
    sources: int = 0


@dataclass(frozen=True)
class QuestionSummary:
    """What a set holds of one question.

    Args:
        question: As it is asked.
        opposite: The same the other way round.
        splits: Each of the three.
        made_by: Who knew the answers, with the number of examples.
    """

    question: str
    opposite: str
    splits: dict[Split, AnswerCounts]
    made_by: dict[str, int] = field(default_factory=dict)

    @property
    def yes(self) -> int:
        """Return how many examples answer yes."""
        return sum(each.yes for each in self.splits.values())

    @property
    def no(self) -> int:
        """Return how many examples answer no."""
        return sum(each.no for each in self.splits.values())


@dataclass(frozen=True)
class StateSummary:
    """What a set holds.

    Args:
        name: Of the set.
        examples: How many.
        photos: So many different ones.
        sources: So many independent ones.
        questions: The one with the most examples first.
        splits: Examples in each.
    """

    name: str
    examples: int
    photos: int
    sources: int
    questions: tuple[QuestionSummary, ...]
    splits: dict[Split, int]


# ---- read and written


def read_state_set(folder: Path) -> tuple[StateExample, ...]:
    """Return the examples of a set.

    Raises:
        RepairError: There is no such set, or a line of it is none.
    """
    path = folder / EXAMPLES
    if not path.is_file():
        raise RepairError(f"there are no states at {folder}", STATE_SETS.begin)
    lines = enumerate(read_text(path).splitlines(), 1)
    return tuple(from_json(line, StateExample, f"{path.name}, line {number}") for number, line in lines if line.strip())


def write_examples(folder: Path, examples: Iterable[StateExample]) -> None:
    """Write the examples of a set, whole or not at all; their photos lie there already."""
    write_whole(folder / EXAMPLES, "".join(to_json(each) + "\n" for each in examples).encode())


def read_sources(folder: Path) -> tuple[StateSource, ...]:
    """Return where the photos of a set came from; nothing where that was not written down.

    Raises:
        RepairError: The file is damaged.
    """
    path = folder / SOURCES
    if not path.is_file():
        return ()
    try:
        data = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{path} is not JSON: {error}", "build the states again") from None
    if not isinstance(data, list):
        raise RepairError(f"{path} is no list", "build the states again")
    return tuple(from_data(each, StateSource, SOURCES) for each in data)


def write_sources(folder: Path, sources: Iterable[StateSource]) -> None:
    """Write where the photos of a set came from, whole or not at all."""
    data = [to_data(each) for each in sources]
    write_whole(folder / SOURCES, (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode())


# ---- what is in them


def summary(name: str, examples: Sequence[StateExample]) -> StateSummary:
    """Return what a set holds, question by question."""
    asked: dict[tuple[str, str], list[StateExample]] = defaultdict(list)
    for each in examples:
        asked[each.question, each.opposite].append(each)
    questions = sorted((_question(*pair, group) for pair, group in asked.items()), key=_most_first)
    splits = Counter(each.split for each in examples)
    return StateSummary(
        name, len(examples), len({each.photo for each in examples}), len({each.source for each in examples}),
        tuple(questions), {split: splits[split] for split in SPLITS},
    )  # fmt: skip


def _most_first(each: QuestionSummary) -> tuple[int, str]:
    return -each.yes - each.no, each.question


def _question(question: str, opposite: str, examples: Sequence[StateExample]) -> QuestionSummary:
    splits: dict[Split, AnswerCounts] = {}
    for split in SPLITS:
        of = [each for each in examples if each.split == split]
        yes = sum(each.answer == "yes" for each in of)
        splits[split] = AnswerCounts(yes, len(of) - yes, len({each.source for each in of}))
    return QuestionSummary(question, opposite, splits, dict(Counter(each.made_by for each in examples)))
