"""Strict JSON and YAML to and from records, written whole or not at all; and where RepairAI keeps its files."""

from __future__ import annotations

import difflib
import errno
import importlib
import json
import os
import uuid
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from repairai.errors import RepairError

Record = TypeVar("Record")
ASIDE = ".deleted-"
"""How a folder is called that nobody reads any more; see `set_aside`."""
PULLED = "pulled.json"
"""In the folder of what came from the Hub: from where, and when."""
HALF = ".pulling-"
"""Before the name of a folder that is to come from there: in the one called so it comes, until it is whole."""
_YAML_FAULTS = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)
"""What reading YAML raises: the last four where a text is no date or number, or lists lie in lists without end."""


def home() -> Path:
    """Return the folder for guides, records, runs and models: `REPAIRAI_HOME`, else the platform's user data folder."""
    chosen = os.environ.get("REPAIRAI_HOME")
    return expanded(chosen) if chosen else platformdirs.user_data_path("repairai", appauthor=False)


def expanded(path: str | Path) -> Path:
    """Return a path with the home folder in place of a leading `~` or `~name`.

    Raises:
        RepairError: There is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise RepairError(f"{path} begins with a home folder that is not known", "write the path in full") from None


def pulled(name: str, revision: str | None = None) -> Path | None:
    """Return the folder of a model that was pulled under this name of the Hub; None where it was not.

    Args:
        name: OWNER/NAME.
        revision: Only this commit will do; None for whichever was pulled.
    """
    owner, _, own = name.partition("/")
    if not own or "/" in own or owner.startswith("."):
        return None
    folder = home() / "models" / f"{owner}--{own}"
    try:
        about = json.loads((folder / PULLED).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    known = about.get("revision") if isinstance(about, dict) else None
    return folder if known and revision in (None, known) else None


def to_data(record: object) -> Any:
    """Return a record as plain dicts, lists and scalars, ready for JSON or YAML."""
    return _adapter(cast(Any, type(record))).dump_python([record], mode="json")[0]


def to_json(record: object) -> str:
    """Return a record as one line of JSON."""
    return json.dumps(to_data(record), ensure_ascii=False)


def from_data(data: object, kind: type[Record], where: str) -> Record:
    """Return the record that plain data describe.

    Args:
        data: What JSON or YAML held.
        kind: The record's class.
        where: Named in the error: a file, or a line of it.

    Raises:
        RepairError: All problems at once; an unknown key comes with the nearest known one.
    """
    try:
        return cast(Record, _adapter(cast(Any, kind)).validate_python([data])[0])
    except ValidationError as error:
        problems = "; ".join(_in_words(problem, kind) for problem in error.errors(include_url=False))
        raise RepairError(f"{where} is not a {kind.__name__}: {problems}", "mend what is named and try again") from None


def from_json(text: str, kind: type[Record], where: str) -> Record:
    """Return the record that a JSON text describes; see `from_data`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{where} is not JSON: {error}", "give a file that holds JSON") from None
    return from_data(data, kind, where)


def read_record(path: Path, kind: type[Record]) -> Record:
    """Return the record in a `.json`, `.yaml` or `.yml` file; see `from_data`."""
    if path.suffix == ".json":
        return from_json(read_text(path), kind, path.name)
    return from_data(read_data(path), kind, path.name)


def read_data(path: Path) -> object:
    """Return what a YAML file holds, as plain dicts, lists and scalars.

    Raises:
        RepairError: It cannot be read or is not YAML.
    """
    try:
        return yaml.safe_load(read_text(path))
    except _YAML_FAULTS as error:
        fault = _yaml_fault(error)
        raise RepairError(f"{path.name} is not YAML: {fault}", "mend what is named and try again") from None


def write_record(path: Path, record: object) -> None:
    """Write a record to a `.json`, `.yaml` or `.yml` file, whole or not at all."""
    data = to_data(record)
    if path.suffix == ".json":
        text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    else:
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    write_whole(path, text.encode())


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text.

    Raises:
        RepairError: The file is not there, cannot be read or is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RepairError(f"{path} does not exist", "check the name") from None
    except UnicodeDecodeError:
        raise RepairError(f"{path.name} is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        raise RepairError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: to a neighbour first, which then takes its name.

    Raises:
        RepairError: The disk is full or the folder cannot be written; the old file, if any, is as it was.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid.uuid4().hex}")
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):  # what is told is why the file was not written
                temporary.unlink(missing_ok=True)
        raise disk_error(path, error) from None


def set_aside(path: Path) -> Path:
    """Give a folder a name that nobody reads, and return it: at once, so that no half of it is ever seen.

    Raises:
        RepairError: It cannot be.
    """
    aside = path.with_name(f"{ASIDE}{uuid.uuid4().hex}")
    try:
        path.rename(aside)
        os.utime(aside)
    except OSError as error:
        raise disk_error(path, error) from None
    return aside


def disk_error(path: Path, error: OSError) -> RepairError:
    """Return what a person needs to hear when a file cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RepairError(f"the disk is full: {path.name} was not written", "free some space and try again")
    return RepairError(f"{path} cannot be written: {error.strerror or error}", "check the folder and its permissions")


@cache
def _adapter(kind: type) -> TypeAdapter[list[Any]]:
    # In a list, because pydantic takes a config for plain dataclasses only from what holds them.
    return TypeAdapter(list[kind], config=ConfigDict(extra="forbid"))  # type: ignore[valid-type]


def _yaml_fault(error: Exception) -> str:
    """Return what is wrong and where, in one line and without the lines of the file that YAML would quote."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{error.problem} at line {mark.line + 1}, column {mark.column + 1}"
    if isinstance(error, LookupError | AttributeError):
        return "a value does not fit its tag"
    return " ".join(str(error).split())


def _in_words(problem: Any, kind: type) -> str:
    path = ".".join(str(part) for part in problem["loc"][1:])
    if problem["type"] == "unexpected_keyword_argument":
        near = difflib.get_close_matches(str(problem["loc"][-1]), _keys(kind), n=1)
        return f"unknown key '{path}'" + (f", did you mean '{near[0]}'?" if near else "")
    message = problem["msg"].removeprefix("Value error, ")
    return f"{path}: {message}" if path else message


def _keys(kind: type) -> list[str]:
    """Return the field names of a record and of the records of its module: what a misspelt key may have meant."""
    own = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    module = vars(importlib.import_module(kind.__module__)).values()
    others = [f.name for each in module if is_dataclass(each) and isinstance(each, type) for f in fields(each)]
    return own + others
