"""Examples of the SOP agent: what one line of `train.jsonl`, `val.jsonl` and `exam.jsonl` holds, read and written.

A line is `{"task", "device", "guide_id", "messages": [{"role", "content"}, ...], "passages": [[guide_id, step], ...],
"source": {"url", "licence", "author", "origin"}}`. Only `messages` must be there. Its last turn is the assistant's: it
alone is trained on; the turns before it are the prompt.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from repairai import files
from repairai.errors import RepairError
from repairai.sop.prompts import Message

Task = Literal["how_to", "next_step", "tools", "requirements", "refusal", "chat"]
"""What an example asks; `chat` is whatever a dataset of others brought."""
TASKS: tuple[Task, ...] = get_args(Task)
ROLES = ("system", "user", "assistant")
WHAT_A_LINE_IS = 'a line is {"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}]}'


@dataclass(frozen=True)
class Source:
    """Where an example comes from; it goes with it into every file and onto the model's card.

    Args:
        url: Where a person can read it; empty for what was written here.
        licence: Of its text; empty where the source says none.
        author: Empty where the source gives none.
        origin: `ifixit`, `myfixit`, `file`, or `hub:ID` and a file's name for datasets.
    """

    url: str = ""
    licence: str = ""
    author: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Example:
    """One conversation to learn from.

    Args:
        task: What it asks.
        device: What is repaired; examples of one device are always on one side of the split. May be empty for `chat`.
        guide_id: The guide that it was made from; empty for `chat`.
        messages: At least one turn before the answer; the last is the assistant's, and holds words.
        passages: (guide, step) of each passage in the prompt, in order.
        source: Where it comes from.
    """

    task: Task
    device: str
    guide_id: str
    messages: tuple[Message, ...]
    passages: tuple[tuple[str, int], ...] = ()
    source: Source = field(default_factory=Source)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"need task to be one of {', '.join(TASKS)}, got {self.task!r}")
        roles = [message["role"] for message in self.messages]
        if "assistant" not in roles:
            raise ValueError(f"need an assistant's turn, got {_listed(roles)}")
        if roles[-1] != "assistant":
            raise ValueError(f"need the last turn to be the assistant's, got {_listed(roles)}")
        if len(roles) < 2:
            raise ValueError("need a turn before the assistant's, got none")
        if not self.messages[-1]["content"].strip():
            raise ValueError("need words in the assistant's last turn, got none")

    @property
    def prompt(self) -> list[Message]:
        """Return the turns before the answer."""
        return list(self.messages[:-1])

    @property
    def answer(self) -> str:
        """Return the assistant's last turn."""
        return self.messages[-1]["content"]


@dataclass(frozen=True)
class Span:
    """A run of an example's text, all of it trained on or none."""

    text: str
    trained: bool


def read_examples(path: Path, limit: int | None = None) -> list[Example]:
    """Return the examples in a file of JSON lines, in order.

    Args:
        path: The file.
        limit: How many to read at most; None: all.

    Raises:
        RepairError: The file is not there, holds nothing, or a line is no example; the first such line is named.
    """
    found: list[Example] = []
    for number, line in _lines(path):
        if limit is not None and len(found) >= limit:
            break
        found.append(_read_line(line, f"line {number} of {path.name}"))
    if not found and limit != 0:
        raise RepairError(f"{path} is empty", f"give a file of examples: {WHAT_A_LINE_IS}")
    return found


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples, one a line.

    Raises:
        RepairError: The disk is full or the folder cannot be written; what is there of the file is then not whole.
    """
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for example in examples:
                file.write(as_line(example))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise files.disk_error(path, error) from None


def as_line(example: Example) -> str:
    """Return an example as its line of JSON, with the line's end."""
    return json.dumps(as_data(example), ensure_ascii=False) + "\n"


def as_data(example: Example) -> dict[str, Any]:
    """Return an example as plain dicts and lists."""
    return {
        "task": example.task,
        "device": example.device,
        "guide_id": example.guide_id,
        "messages": [dict(message) for message in example.messages],
        "passages": [list(passage) for passage in example.passages],
        "source": asdict(example.source),
    }


def from_data(data: dict[str, Any]) -> Example:
    """Return the example that a line holds; the other way round than `as_data`.

    Raises:
        ValueError: It holds none: what was wanted and what was got.
    """
    known = [each.name for each in fields(Example)]
    if "messages" not in data:
        raise ValueError(f"need the key 'messages', got {_listed(data)}")
    for name in data:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f", did you mean '{near[0]}'?" if near else f"; the keys are {', '.join(known)}"
            raise ValueError(f"got the unknown key '{name}'{guess}")
    return Example(
        data.get("task", "chat"),
        _text(data, "device"),
        _text(data, "guide_id"),
        tuple(_message(each) for each in _list(data, "messages")),
        tuple(_passage(each) for each in _list(data, "passages")),
        _source(data.get("source", {})),
    )


# ---- one line


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold something, with their numbers from 1."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise RepairError(f"{path} does not exist", "check the name, or build the data first") from None
    except UnicodeDecodeError:
        raise RepairError(f"{path.name} is not UTF-8 text", "give a file of JSON lines, saved as UTF-8") from None
    except OSError as error:
        raise RepairError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from None


def _read_line(line: str, where: str) -> Example:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = f"{error.msg.lower()} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise RepairError(f"{where} is not JSON: {said}", f"mend the line: {WHAT_A_LINE_IS}") from None
    if not isinstance(data, dict):
        raise RepairError(f"{where} holds no object but {json.dumps(data):.40}", f"mend the line: {WHAT_A_LINE_IS}")
    try:
        return from_data(data)
    except ValueError as error:
        raise RepairError(f"{where} is no example: {error}", f"mend the line: {WHAT_A_LINE_IS}") from None


def _message(data: object) -> Message:
    wanted = "need each turn to be an object with role and content"
    if not isinstance(data, dict) or not {"role", "content"} <= data.keys():
        raise ValueError(f"{wanted}, got {_listed(data) if isinstance(data, dict) else type(data).__name__}")
    if data["role"] not in ROLES:
        raise ValueError(f"need role to be one of {', '.join(ROLES)}, got {data['role']!r:.40}")
    if not isinstance(data["content"], str):
        raise ValueError(f"need content to be text, got {type(data['content']).__name__}")
    return {"role": data["role"], "content": data["content"]}


def _passage(data: object) -> tuple[str, int]:
    match data:
        case [str(guide_id), int(step)]:
            return guide_id, step
    raise ValueError(f"need each passage to be [guide_id, step], got {data!r:.60}")


def _source(data: object) -> Source:
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise ValueError(f"need source to be an object of texts, got {data!r:.60}")
    known = [each.name for each in fields(Source)]
    strange = [name for name in data if name not in known]
    if strange:
        raise ValueError(f"need source to have only {', '.join(known)}, got {_listed(strange)}")
    return Source(**data)


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"need {name} to be text, got {type(value).__name__}")
    return value


def _list(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"need {name} to be a list, got {type(value).__name__}")
    return value


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return (", ".join(found[:8]) + (", ..." if len(found) > 8 else "")) or "nothing"
