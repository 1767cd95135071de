"""What a writer streams, as lines: without its thoughts, and stopped where it does not stop by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

from repairai.sop.prompts import Passage

_OPENS, _CLOSES = "<think>", "</think>"
_LEAST_CHARACTERS = 1500
_TIMES = 3
"""An answer that is so many times as long as the steps that it is made from is none."""
_REPEATED = 3
_LONGEST_THOUGHT = 40_000


@dataclass
class Limit:
    """How much a writer may write.

    Args:
        characters: Of its answer; thoughts have a limit of their own.
        stopped: Why it was stopped, in a clause; empty while it was not.
    """

    characters: int
    stopped: str = ""

    @staticmethod
    def of(passages: Sequence[Passage]) -> Limit:
        """Return what an answer from these passages may need."""
        return Limit(max(_LEAST_CHARACTERS, _TIMES * sum(len(each.text) for each in passages)))


def read_lines(pieces: Iterable[str], limit: Limit) -> Iterator[tuple[str, bool]]:
    """Yield the lines of an answer as they grow, with whether each is whole; the writer is closed at the end.

    Args:
        pieces: From a writer.
        limit: Is told why, where the writer is stopped: it wrote too much, or the same line for the third time.
    """
    line, n_characters, seen = "", 0, Counter[str]()
    with _closed(pieces):
        for piece in _without_thoughts(pieces, limit):
            n_characters += len(piece)
            *whole, line = (line + piece.replace("\r", "")).split("\n")
            for each in whole:
                seen[each.strip()] += 1
                if each.strip() and seen[each.strip()] == _REPEATED:
                    limit.stopped = "it repeated itself"
                    return
                if each.strip():
                    yield each, True
            if n_characters > limit.characters:
                limit.stopped = "it did not come to an end"
                break
            if line.strip():
                yield line, False
    if line.strip():
        yield line, True


def _without_thoughts(pieces: Iterable[str], limit: Limit) -> Iterator[str]:
    """Yield an answer without the thoughts that some models write in front of it."""
    held, answering = "", False
    for piece in pieces:
        if answering:
            yield piece
            continue
        held += piece
        start = held.lstrip()
        if start.startswith(_OPENS):
            _, closes, rest = start.partition(_CLOSES)
            if closes:
                answering, held = True, ""
                yield rest.lstrip()
            elif len(held) > _LONGEST_THOUGHT:
                limit.stopped = "it did not come to an end"
                return
        elif not _OPENS.startswith(start):
            answering = True
            yield held
    if not answering and held and not held.lstrip().startswith(_OPENS):
        yield held


def _closed(pieces: Iterable[str]) -> Any:
    """Return what closes a generator, so that a model that still writes is stopped; others need nothing."""
    return closing(pieces) if hasattr(pieces, "close") else nullcontext()
