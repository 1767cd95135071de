"""Guides out of files: iFixit's JSON, MyFixit's JSON lines and our own records, told apart by what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repairai import files
from repairai.errors import RepairError
from repairai.schema import Guide
from repairai.sop.library import Origin, Problem
from repairai.sop.sources.ifixit import read_ifixit
from repairai.sop.sources.myfixit import read_myfixit

WHAT_TO_GIVE = "give iFixit's JSON, MyFixit's JSON lines, a list of web addresses or a guide of your own"
_BLOCK_BYTES = 2**20
_LINES_TO_TRY = 100


@dataclass(frozen=True)
class GuideFile:
    """A file that is being read.

    Args:
        total: How many lines or entries it has.
        entries: For each: its place from 1, and the guide with its origin or what was wrong with it. Read on demand.
    """

    total: int
    entries: Iterator[tuple[int, tuple[Guide, Origin] | Problem]]


def open_guide_file(path: Path, label: str) -> GuideFile:
    """Return what a JSON file holds, one object or list, or an object a line; lines are read one at a time.

    Args:
        path: The file.
        label: What errors call it.

    Raises:
        RepairError: It cannot be read, is empty or is not JSON at all.
    """
    first = first_line(path)
    if not first:
        raise RepairError(f"{label} is empty", WHAT_TO_GIVE)
    if _is_record(first):
        return _by_line(path, label)
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        with path.open("rb") as file:
            if any(_is_record(line) for line, _ in zip(file, range(_LINES_TO_TRY), strict=False)):
                return _by_line(path, label)
        raise RepairError(f"{label} is not JSON: {_in_short(error)}", WHAT_TO_GIVE) from None
    records = data if isinstance(data, list) else [data]
    names = [f"entry {n} of {label}" for n in range(1, len(records) + 1)] if isinstance(data, list) else [label]
    read = (_try_guide(record, name) for record, name in zip(records, names, strict=True))
    return GuideFile(len(records), enumerate(read, 1))


def read_guide(data: object, where: str) -> tuple[Guide, Origin]:
    """Return the guide that JSON describes in any of the shapes we know, and which shape it was.

    Args:
        data: What JSON held.
        where: Named in the error.

    Raises:
        RepairError: It is no guide, or one without a title or steps.
    """
    if isinstance(data, dict) and "Guidid" in data:
        return read_myfixit(data, where), "myfixit"
    if isinstance(data, dict) and "guideid" in data:
        return read_ifixit(data, where), "ifixit"
    if isinstance(data, dict) and {"id", "steps"} <= data.keys():
        return files.from_data(data, Guide, where), "file"
    # Its type and keys alone: the file may be somebody's letter, and the page may be shared.
    seen = f"an object with {', '.join(sorted(data)[:5]) or 'nothing'}" if isinstance(data, dict) else _type(data)
    raise RepairError(f"{where} is not a guide: it holds {seen}", WHAT_TO_GIVE)


def first_line(path: Path) -> bytes:
    """Return the first line of a file that is neither blank nor a comment (#), without its ends; else nothing.

    Raises:
        RepairError: The file is not there or cannot be read.
    """
    try:
        with path.open("rb") as file:
            lines = (line.removeprefix(b"\xef\xbb\xbf").strip() for line in file)
            return next((line for line in lines if line and not line.startswith(b"#")), b"")
    except FileNotFoundError:
        raise RepairError(f"{path} does not exist", "check the name") from None
    except OSError as error:
        raise RepairError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None


def _by_line(path: Path, label: str) -> GuideFile:
    with path.open("rb") as file:
        total, last = 0, b"\n"
        while block := file.read(_BLOCK_BYTES):
            total, last = total + block.count(b"\n"), block[-1:]
    return GuideFile(total + (last != b"\n"), _read_lines(path, label))


def _read_lines(path: Path, label: str) -> Iterator[tuple[int, tuple[Guide, Origin] | Problem]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"line {number} of {label}"
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, Problem(where, f"{where} is not JSON: {_in_short(error)}", "mend the line")
                continue
            for record in data if isinstance(data, list) else [data]:
                yield number, _try_guide(record, where)


def _try_guide(record: object, where: str) -> tuple[Guide, Origin] | Problem:
    try:
        return read_guide(record, where)
    except RepairError as error:
        return Problem(where, error.what, error.next_step)


def _is_record(line: bytes) -> bool:
    """Return whether a line alone is a JSON object or list."""
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _type(data: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(data), "a number")


def _in_short(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        return f"{error.msg.removesuffix(' at').lower()} at {line}column {error.colno}"
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "it is nested too deep"
