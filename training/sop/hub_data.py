"""Datasets of others -> guides and conversations: from the Hub, or from .jsonl, .json, .csv and .parquet files.

What a row is, is told by its columns: `messages`, `conversations`, `prompt` and `completion`, `instruction`, `input`
and `output`, `question` and `answer`; or rows of guides, as in `AS-Robotics/LeRepairBot-repairdataset-mini`, of which
each is a line of a guide. Columns of other names are named with `--column ours=theirs`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.schema import Guide, Line, Step
from repairai.sop.library import Problem
from repairai.sop.prompts import Message
from training.sop.examples import ROLES, TASKS, Example, Source, from_data
from training.sop.hub_rows import HUB, Row, json_rows, open_file, open_hub

SHAPES = (
    ("messages",),
    ("conversations",),
    ("guide_id", "title", "text"),
    ("prompt", "completion"),
    ("instruction", "output"),
    ("question", "answer"),
)
"""Columns that must be there, by which a dataset is told; the first that fits."""
MORE = ("input", "system", "device", "step", "type", "tools", "url", "licence", "author")
"""Columns that are used where they are there."""
SYNONYMS = {"task_title": "title", "device_name": "device", "license": "licence", "guideid": "guide_id"}
_SPEAKERS = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "prompter": "user"}
_KINDS = {"note": "note", "caution": "caution", "warning": "caution", "reminder": "reminder"}
_UNKNOWN = "unknown"
_MOST_NAMED = 12


@dataclass(frozen=True)
class Contents:
    """What a dataset holds.

    Args:
        guides: That its rows make up.
        chats: One for each turn of an assistant in it.
        problems: Rows that were left out.
    """

    guides: tuple[Guide, ...] = ()
    chats: tuple[Example, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_dataset(source: str, columns: Mapping[str, str], licence: str = "") -> Contents:
    """Return what a dataset holds; rows that say nothing are left out and told.

    Args:
        source: `hub:OWNER/NAME`, with `:CONFIG` and `@REVISION` behind it if need be; or a file.
        columns: Our name of a column -> its name there.
        licence: Of its texts; empty: what its card or its rows say.

    Raises:
        RepairError: It is not there, its columns say nothing, or no row of it holds an answer.
    """
    label, rows, known = open_hub(source) if source.startswith(HUB) else open_file(Path(source))
    first = next(rows, None)
    if first is None:
        raise RepairError(f"{label} is empty", "give a dataset with rows")
    shape, theirs = _shape(label, first[1], columns)
    origin = Source(licence=licence or known, origin=label)
    found = [(where, _renamed(row, theirs)) for where, row in chain([first], rows)]
    contents = _guides(found, origin) if shape[0] == "guide_id" else _chats(found, shape, origin)
    if not contents.guides and not contents.chats:
        worst, more = contents.problems[0], len(contents.problems) - 1
        raise RepairError(worst.what + (f" (and {more} more like it)" if more else ""), worst.next_step)
    return contents


def holds_guides(path: Path) -> bool:
    """Return whether a JSON file holds guides of iFixit, MyFixit or our own, and not rows of a dataset.

    Raises:
        RepairError: It cannot be read, is empty, or not JSON.
    """
    _, first = next(json_rows(path), ("", {}))
    return "Guidid" in first or "guideid" in first or {"id", "steps"} <= first.keys()


# ---- columns


def _shape(label: str, row: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the shape of a dataset's rows, and their name for each of our columns.

    Raises:
        RepairError: A column that was named is not there, or the columns make up no shape.
    """
    ours = sorted({name for shape in SHAPES for name in shape} | set(MORE))
    for name, other in columns.items():
        if name not in ours:
            raise RepairError(f"'{name}' is no column that is asked for", f"give one of {', '.join(ours)}")
        if other not in row:
            raise RepairError(f"{label} has no column '{other}': it has {_named(row)}", "name one of these")
    theirs = {SYNONYMS.get(name, name): name for name in row} | dict(columns)
    for shape in SHAPES:
        if all(name in theirs for name in shape):
            return shape, {name: other for name, other in theirs.items() if name in ours or shape == ("messages",)}
    shapes = "; ".join(" and ".join(shape) for shape in SHAPES)
    raise RepairError(
        f"the columns of {label} are {_named(row)}, and need to be one of: {shapes}",
        "name those that fit, as in --column question=THEIRS --column answer=THEIRS",
    )


def _named(row: Mapping[str, Any]) -> str:
    return ", ".join(list(row)[:_MOST_NAMED]) + (", ..." if len(row) > _MOST_NAMED else "")


def _renamed(row: Mapping[str, Any], theirs: Mapping[str, str]) -> dict[str, Any]:
    return {ours: row.get(name) for ours, name in theirs.items()}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


# ---- conversations


def _chats(rows: Iterable[Row], shape: tuple[str, ...], origin: Source) -> Contents:
    read = {"messages": _of_messages, "conversations": _of_messages}.get(shape[0], _of_pair)
    chats: list[Example] = []
    problems = []
    for where, row in rows:
        try:
            chats += [from_data(_filled(row))] if _is_own(row) else _each_turn(row, read, shape, origin)
        except ValueError as error:
            problems.append(Problem(where, f"{where} is no conversation: {error}", "mend it, or leave it out"))
    return Contents(chats=tuple(chats), problems=tuple(problems))


def _is_own(row: Mapping[str, Any]) -> bool:
    """Return whether a row is a line of data that were built here before."""
    return row.get("task") in TASKS and set(row) <= {each.name for each in fields(Example)}


def _filled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _each_turn(
    row: dict[str, Any], read: Callable[..., list[Message]], shape: tuple[str, ...], origin: Source
) -> list[Example]:
    """Return one example for each turn of the assistant, with all that was said before it as its prompt."""
    turns = read(row, shape)
    if shape != ("messages",) and (system := _text(row, "system")):
        turns = [{"role": "system", "content": system}, *turns]
    roles = [turn["role"] for turn in turns]
    if "assistant" not in roles:
        raise ValueError(f"need an assistant's turn, got {', '.join(roles) or 'no turn'}")
    told = Source(
        _text(row, "url"), _text(row, "licence") or origin.licence or _UNKNOWN, _text(row, "author"), origin.origin
    )
    ends = [place for place, turn in enumerate(turns) if turn["role"] == "assistant" and turn["content"].strip()]
    found = [
        Example("chat", _text(row, "device"), "", tuple(turns[: place + 1]), (), told)
        for place in ends
        if "user" in roles[:place]
    ]
    if not found:
        raise ValueError("need words of the assistant behind words of a user, got none")
    return found


def _of_messages(row: Mapping[str, Any], shape: tuple[str, ...]) -> list[Message]:
    turns = row[shape[0]]
    if not isinstance(turns, list):
        raise ValueError(f"need {shape[0]} to be a list of turns, got {type(turns).__name__}")
    return [_turn(turn) for turn in turns]


def _turn(turn: object) -> Message:
    """Return a turn, written as {role, content} or as {from, value}."""
    if not isinstance(turn, dict):
        raise ValueError(f"need each turn to be an object, got {type(turn).__name__}")
    speaker = turn.get("role", turn.get("from"))
    role: Any = _SPEAKERS.get(str(speaker), speaker)
    if role not in ROLES:
        raise ValueError(f"need each turn to be of {', '.join(ROLES)}, got {speaker!r:.40}")
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):  # parts, as models that see take them
        if any(not isinstance(part, dict) or part.get("type") != "text" for part in content):
            raise ValueError("need words alone in each turn, got a photo or the like")
        content = "\n".join(str(part["text"]) for part in content)
    if not isinstance(content, str):
        raise ValueError(f"need words in each turn, got {type(content).__name__}")
    return {"role": role, "content": content.strip()}


def _of_pair(row: Mapping[str, Any], shape: tuple[str, ...]) -> list[Message]:
    asked, said = shape
    if isinstance(row[asked], list) and isinstance(row[said], list):  # as TRL takes a prompt and a completion
        return [_turn(turn) for turn in (*row[asked], *row[said])]
    words = [_text(row, name) for name in (asked, "input") if _text(row, name)]
    if not words or not _text(row, said):
        raise ValueError(f"need words in {asked} and {said}, got none in {said if words else asked}")
    return [{"role": "user", "content": "\n\n".join(words)}, {"role": "assistant", "content": _text(row, said)}]


# ---- guides


def _guides(rows: Iterable[Row], origin: Source) -> Contents:
    """Return the guides whose lines or steps the rows are, in the order of the rows or of their column `step`."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    problems = []
    for where, row in rows:
        name = _text(row, "guide_id")
        if name and _text(row, "text") and _text(row, "title"):
            grouped.setdefault(name, []).append(row)
        else:
            seen = ", ".join(each for each in ("guide_id", "title", "text") if not _text(row, each))
            problems.append(Problem(where, f"{where} is no step of a guide: it has no {seen}", "leave it out"))
    return Contents(
        guides=tuple(_guide(name, lines, origin) for name, lines in grouped.items()), problems=tuple(problems)
    )


def _guide(name: str, rows: list[dict[str, Any]], origin: Source) -> Guide:
    if all(_text(row, "step").isdecimal() for row in rows):
        rows = sorted(rows, key=lambda row: int(_text(row, "step")))
    steps = tuple(Step(number, _lines(row)) for number, row in enumerate(rows, 1))
    first = rows[0]
    slug = re.sub(r"[^a-z0-9]+", "-", origin.origin.lower()).strip("-")
    return Guide(
        id=f"{slug}-{name}",
        title=_text(first, "title"),
        device=_text(first, "device"),
        licence=_text(first, "licence") or origin.licence or _UNKNOWN,
        steps=steps,
        url=_text(first, "url"),
        author=_text(first, "author"),
        tools=tuple(dict.fromkeys(tool for row in rows for tool in _listed(row.get("tools")))),
    )


def _lines(row: Mapping[str, Any]) -> tuple[Line, ...]:
    kind: Any = _KINDS.get(_text(row, "type").lower(), "step")
    return tuple(Line(line.strip(), kind) for line in _text(row, "text").splitlines() if line.strip())


def _listed(value: object) -> list[str]:
    """Return names from a list, or from a text that holds one as Python, JSON or a person writes it."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return []
    names = re.split(r"[,;]", value) if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [name for each in names if (name := str(each).strip())]
