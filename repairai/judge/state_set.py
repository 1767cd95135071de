"""State examples: photos with a question and its answer, in one folder, that a judge of states learns from.

    <home>/data/judge/<name>/photos/*.jpg
    <home>/data/judge/<name>/examples.jsonl      one `StateExample` a line
    <home>/data/judge/<name>/sources.json        where they come from, with licences

A photo is what a reasoner is shown: the region that the question is about, already cut out, or a whole photo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from repairai.errors import RepairError
from repairai.files import from_json, home, read_text, to_json, write_whole

Split = Literal["train", "val", "test"]
MadeBy = Literal["person", "import", "rendered"]
"""A person answered it at the bench, it was imported with its answer, or it was drawn."""
EXAMPLES, PHOTOS, SOURCES = "examples.jsonl", "photos", "sources.json"


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


def state_sets_folder() -> Path:
    """Return the folder of all sets, which need not exist."""
    return home() / "data" / "judge"


def state_set_folder(name: str) -> Path:
    """Return the folder of a set by its name, whether it is there or not.

    Raises:
        RepairError: The name is none.
    """
    if not re.fullmatch(r"[\w][\w. -]{0,63}", name) or name.endswith((".", " ")):
        raise RepairError(f"{name!r:.80} is no name for states", "take letters, digits and hyphens, 64 at most")
    return state_sets_folder() / name


def state_sets() -> tuple[str, ...]:
    """Return the names of all sets, the one that was changed last first."""
    found: list[tuple[int, str]] = []
    for path in state_sets_folder().glob(f"[!.]*/{EXAMPLES}"):
        with suppress(OSError):  # it was deleted meanwhile
            found.append((path.stat().st_mtime_ns, path.parent.name))
    return tuple(name for _, name in sorted(found, reverse=True))


def read_state_set(folder: Path) -> tuple[StateExample, ...]:
    """Return the examples of a set.

    Raises:
        RepairError: There is no such set, or a line of it is none.
    """
    path = folder / EXAMPLES
    if not path.is_file():
        raise RepairError(f"there are no states at {folder}", "build some with `python -m repairai states build`")
    lines = enumerate(read_text(path).splitlines(), 1)
    return tuple(from_json(line, StateExample, f"{path.name}, line {number}") for number, line in lines if line.strip())


def write_examples(folder: Path, examples: Iterable[StateExample]) -> None:
    """Write the examples of a set, whole or not at all; their photos lie there already."""
    write_whole(folder / EXAMPLES, "".join(to_json(each) + "\n" for each in examples).encode())
