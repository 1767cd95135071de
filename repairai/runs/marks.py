"""What a person notes on a run: tags, a star, a note. They lie in the run's folder, and nothing else touches them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import write_whole

MOST_TAGS, MOST_LETTERS, MOST_NOTE = 20, 40, 1000
_TAG = re.compile(r"[\w.+-]+")


@dataclass(frozen=True)
class Marks:
    """What a person noted on a run.

    Args:
        tags: Words to find it by, each once, in small letters.
        star: It is one of the good ones.
        note: In the person's own words.
    """

    tags: tuple[str, ...] = ()
    star: bool = False
    note: str = ""


def marks_in(data: dict[str, Any]) -> Marks:
    """Return the marks that JSON describes; what is damaged in it counts as not noted."""
    tags, note = data.get("tags"), data.get("note")
    words = [each for each in tags if isinstance(each, str) and _TAG.fullmatch(each)] if isinstance(tags, list) else []
    return Marks(tuple(dict.fromkeys(words)), data.get("star") is True, note if isinstance(note, str) else "")


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: in small letters, each once, without the # that some people write.

    Args:
        words: As a person gave them.

    Raises:
        RepairError: One is no word, or they are too many.
    """
    found = tuple(dict.fromkeys(word.lstrip("#").casefold() for word in words if word.strip("# ")))
    for tag in found:
        if not _TAG.fullmatch(tag) or len(tag) > MOST_LETTERS:
            raise RepairError(
                f"{tag!r:.60} is no tag", f"take letters, digits, dots and dashes, {MOST_LETTERS} at most"
            )
    if len(found) > MOST_TAGS:
        raise RepairError(f"a run has {MOST_TAGS} tags at most, and these are {len(found)}", "leave some out")
    return found


def write_marks(path: Path, marks: Marks) -> Marks:
    """Write marks, whole or not at all, and return them.

    Args:
        path: The file in the run's folder.
        marks: All that is to stand there from now on.

    Raises:
        RepairError: A tag is none, the note is too long, or the disk is full.
    """
    note = " ".join(marks.note.split())
    if len(note) > MOST_NOTE:
        raise RepairError(f"a note has {MOST_NOTE} letters at most, and this one has {len(note)}", "give a shorter one")
    marks = replace(marks, tags=tags_of(marks.tags), note=note)
    write_whole(path, json.dumps(asdict(marks), ensure_ascii=False).encode() + b"\n")
    return marks
