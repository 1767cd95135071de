"""Reads back what was kept: nothing where it is not there, or was damaged, since all of it can be found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from repairai.errors import RepairError
from repairai.files import from_data

Record = TypeVar("Record")


def recalled(path: Path, kind: type[Record]) -> Record | None:
    """Return the record in a JSON file, or None where there is none that can be read."""
    try:
        return parsed(path.read_bytes(), kind)
    except OSError:
        return None


def parsed(content: bytes, kind: type[Record]) -> Record | None:
    """Return the record that JSON describes, or None where it describes none."""
    try:
        return from_data(json.loads(content), kind, "what was kept")
    except (ValueError, RecursionError, RepairError):
        return None
