"""An answer with its sources, as it comes and when it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from repairai.sop.index.ranking import Hit
from repairai.sop.prompts import Passage
from repairai.sop.support import Kind


class Writer(Protocol):
    """Who writes answers."""

    @property
    def name(self) -> str:
        """Return who it is, for people."""

    @property
    def length_tokens(self) -> int:
        """Return the longest conversation that it can read and answer; 0: not known."""

    def answer(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """Yield an answer piece by piece, as it is written.

        Raises:
            RepairError: It cannot answer.
        """


@dataclass(frozen=True)
class Cited:
    """A step of a guide."""

    guide_id: str
    step: int


@dataclass(frozen=True)
class Sentence:
    """One sentence of an answer.

    Args:
        text: What it says.
        cited: The steps that say so.
        supported: Whether one does, or nothing is asserted.
        why: What is wrong with it, or what was mended; empty where nothing is.
        kind: What it is.
        item: Which line of the whole answer it belongs to, from 0.
    """

    text: str
    cited: tuple[Cited, ...]
    supported: bool
    why: str = ""
    kind: Kind = "sentence"
    item: int = 0


@dataclass(frozen=True)
class Source:
    """A guide that an answer was made from.

    Args:
        guide_id: Its id.
        title: As its source writes it.
        device: What is repaired.
        url: Where a person can read it; empty for guides written here.
        licence: Of its text.
        author: Empty where the source gives none.
        steps: Those that the writer was given.
    """

    guide_id: str
    title: str
    device: str
    url: str
    licence: str
    author: str
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Warned:
    """A warning of a step."""

    text: str
    cited: Cited


@dataclass(frozen=True)
class Reply:
    """An answer, whole.

    Args:
        question: As it was asked.
        writer: Who wrote it.
        made_from_steps: Whether it is the steps themselves, or a part of it is, without any model.
        sentences: What it says, each held to the steps.
        refused: Whether there is no answer: no guide fits, or the writer says so.
        why: Why no guide fits, in a clause; empty where one does.
        found: The steps that the writer was given.
        unanswered: Those that it made nothing of.
        left_out: Those that the answer passes over, where all were asked for.
        warnings: Of steps that were given, which the answer does not repeat.
        notes: What a person should know of how it came about.
        sources: The guides.
        near: The guides that come nearest, where none fits.
    """

    question: str
    writer: str
    made_from_steps: bool
    sentences: tuple[Sentence, ...] = ()
    refused: bool = False
    why: str = ""
    found: tuple[Passage, ...] = ()
    unanswered: tuple[Passage, ...] = ()
    left_out: tuple[Cited, ...] = ()
    warnings: tuple[Warned, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    near: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Part:
    """What is new.

    Args:
        kind: `found`: the steps are there; `writing`: a line as far as it is; `line`: a line is done and held to the
            steps; `done`: the reply is whole.
        writing: The line as far as it is.
        sentences: Of the line that is done.
        found: The steps that were found.
        reply: The whole.
    """

    kind: Literal["found", "writing", "line", "done"]
    writing: str = ""
    sentences: tuple[Sentence, ...] = ()
    found: tuple[Passage, ...] = ()
    reply: Reply | None = None


def sources(passages: Sequence[Passage]) -> tuple[Source, ...]:
    """Return the guides of passages, each once, with its steps."""
    steps: dict[str, list[int]] = {}
    first: dict[str, Passage] = {}
    for each in passages:
        steps.setdefault(each.guide_id, []).append(each.step)
        first.setdefault(each.guide_id, each)
    return tuple(
        Source(guide, p.title, p.device, p.url, p.licence, p.author, tuple(steps[guide])) for guide, p in first.items()
    )
