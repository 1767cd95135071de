"""Reads an ImageFolder of the Hub: photos, and a `metadata.jsonl` that says what is on each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from repairai.errors import RepairError
from training.detector.labels import Said, split_of, split_of_folder
from training.detector.object_rows import OBJECTS, SIZES, Row, photos_of, pixels
from training.detector.trees import Tree

_FILES = ("file_name", "image", "image_file_name", "path")


def metadata_files(tree: Tree) -> list[str]:
    """Return the names of files of JSON lines that name photos with their objects."""
    return [
        name
        for name in tree.names
        if name.lower().endswith((".jsonl", ".ndjson")) and _column(_first(tree, name), OBJECTS) is not None
    ]


def _first(tree: Tree, name: str) -> dict[str, Any]:
    for line in tree.text(name).splitlines():
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                return {}
            return row if isinstance(row, dict) else {}
    return {}


def _column(row: dict[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in row), None)


def read_image_folder(tree: Tree, files: Sequence[str]) -> Said:
    """Return what `metadata.jsonl` files say of the photos beside them.

    Raises:
        RepairError: A line is no JSON, names no photo, or has boxes that are none.
    """
    rows, absent, seen = [], [], set()
    for name in files:
        for where, row in _rows(tree, name):
            file = _column(row, _FILES)
            if file is None:
                raise RepairError(f"{where} names no photo: it has {', '.join(row)}", "name it as file_name")
            path = tree.photo(str(row[file]), name)
            if not path:
                absent.append(str(row[file]))
                continue
            objects = _column(row, OBJECTS)
            width, height = (pixels(row.get(side)) for side in SIZES)
            split = split_of(str(row.get("split", ""))) or split_of_folder(path)
            seen.add(path)
            found = row[objects] if objects else None
            rows.append(Row(where, path, partial(tree.read, path), found, split, width, height))
    bare = [path for path in tree.photos() if path not in seen]
    rows += [Row(path, path, partial(tree.read, path), None, split_of_folder(path)) for path in bare]
    parts, photos = photos_of(rows)
    return Said(tree.name, "imagefolder", parts, photos, tuple(absent))


def _rows(tree: Tree, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(tree.text(name).splitlines(), 1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RepairError(f"{where} is no JSON: {error!s:.100}", "mend the line, or leave it out") from None
        if not isinstance(row, dict):
            raise RepairError(f"{where} is no object but {line.strip():.40}", "give one object for each photo")
        yield where, row
