"""The rows of a dataset, one by one, each with where it stands: from the Hub, or from a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, load_dataset
from datasets.exceptions import DatasetsError
from huggingface_hub import DatasetCard

from repairai.errors import RepairError
from training.from_hub import fetched

HUB = "hub:"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")
_NAME = re.compile(r"(?P<id>[^:@]+)(:(?P<config>[^@]+))?(@(?P<revision>.+))?")
Row = tuple[str, dict[str, Any]]
"""Where it stands ("line 3 of own.jsonl"), and what it holds."""
_WANT_ROWS = "give a dataset with rows"


def open_hub(source: str) -> tuple[str, Iterator[Row], str]:
    """Return the name of a dataset on the Hub, its rows and the licence on its card.

    Args:
        source: `hub:OWNER/NAME`, with `:CONFIG` and `@REVISION` behind it if need be.

    Raises:
        RepairError: It is not there, or cannot be read.
    """
    named = _NAME.fullmatch(source.removeprefix(HUB))
    if not named:
        raise RepairError(f"'{source}' names no dataset", "write hub:OWNER/NAME, or hub:OWNER/NAME:CONFIG@REVISION")
    name, config, revision = named["id"], named["config"], named["revision"]
    folder = Path(name) if Path(name).is_dir() else fetched(name, ["README.md"], "dataset", revision)
    try:
        loaded = load_dataset(name, config, revision=revision)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise _dataset_fault(name, error) from None
    return source, _rows_of(loaded, source), _card_licence(folder / "README.md")


def _rows_of(loaded: Dataset | DatasetDict, label: str) -> Iterator[Row]:
    """Yield the rows for training; of a dataset without such a part, all: its own tests stay tests."""
    if isinstance(loaded, DatasetDict):
        parts = [loaded["train"]] if "train" in loaded else list(loaded.values())
    else:
        parts = [loaded]
    for number, row in enumerate(chain.from_iterable(parts), 1):
        yield f"row {number} of {label}", row


def _card_licence(path: Path) -> str:
    if not path.is_file():
        return ""
    said = DatasetCard.load(path).data.to_dict().get("license", "")
    return ", ".join(said) if isinstance(said, list) else str(said)


def open_file(path: Path) -> tuple[str, Iterator[Row], str]:
    """Return the name of a file, its rows, and an empty licence: no file says one.

    Raises:
        RepairError: It is not there, or no file of this kind can be read.
    """
    if not path.is_file():
        raise RepairError(f"{path} does not exist", "check the name")
    if path.suffix.lower() not in SUFFIXES:
        raise RepairError(
            f"{path.name} is no dataset that can be read", f"give a file that ends in {', '.join(SUFFIXES)}"
        )
    if path.stat().st_size == 0:
        raise RepairError(f"{path.name} is empty", _WANT_ROWS)
    # JSON is read here and not by `datasets`, which says neither in which line a fault is nor what stands there.
    return path.name, json_rows(path) if "js" in path.suffix.lower() else _table_rows(path), ""


def _table_rows(path: Path) -> Iterator[Row]:
    kind = path.suffix.lower()[1:]
    try:
        rows = load_dataset(kind, data_files=str(path), split="train", streaming=True)
        for number, row in enumerate(rows, 1):
            yield f"row {number} of {path.name}", row
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise _dataset_fault(path.name, error) from None


def json_rows(path: Path) -> Iterator[Row]:
    """Yield the objects in a file of JSON lines, in one list, or the only one.

    Raises:
        RepairError: It cannot be read, is empty, or something in it is no object: its line is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RepairError(f"{path.name} is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        raise RepairError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    if not text.strip():
        raise RepairError(f"{path.name} is empty", _WANT_ROWS)
    for where, row in _listed(text, path.name) if text.lstrip()[0] == "[" else _lined(text, path.name):
        if not isinstance(row, dict):
            raise RepairError(
                f"{where} is no object but {json.dumps(row):.40}", "give one JSON object for each example"
            )
        yield where, row


def _listed(text: str, label: str) -> Iterator[tuple[str, Any]]:
    for number, row in enumerate(_json(text, label), 1):
        yield f"row {number} of {label}", row


def _lined(text: str, label: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        where = f"line {number} of {label}"
        if line.strip() == "{":  # one object, written over many lines
            yield label, _json(text, label)
            return
        if line.strip():
            yield where, _json(line, where)


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        said = f"{error.msg.removesuffix(' at').lower()} at {place}"
    except (ValueError, RecursionError):
        said = "it is nested too deep"
    raise RepairError(f"{where} is not JSON: {said}", "mend it, or give another file")


def _dataset_fault(name: str, error: Exception) -> RepairError:
    said = " ".join(str(error).split())
    parts = re.search(r"among the available configs: (\[.*?\])", said)
    if parts:
        return RepairError(f"{name} has more than one part: {parts[1]:.300}", f"name one, as {HUB}{name}:PART")
    return RepairError(f"{name} cannot be read as a dataset: {said[:300]}", "check its files, or give another")
