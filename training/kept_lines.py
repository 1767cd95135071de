"""What an evaluation has seen or was answered, kept a line each, so that it goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

from repairai.errors import RepairError
from repairai.files import disk_error, from_json, to_json
from repairai.runs.lines import append_line, mend_tail

Record = TypeVar("Record")
Tell = Callable[[str, int, int], None]
"""Is told what is done, how much of it is, and of how much; free to raise."""


class KeptLines(Generic[Record]):
    """Records in a file, a line each, that grows as they come.

    Args:
        path: The file, which need not exist; None keeps them in memory only.
        key: Of whatever changes a record; records under another key are made anew.
        kind: Their class.
        name_of: Returns what one is found by.
    """

    def __init__(
        self, path: Path | None, key: str, kind: type[Record], name_of: Callable[[Record], Hashable]
    ) -> None:  # fmt: skip
        self.path, self.name_of = path, name_of
        self.by_name: dict[Hashable, Record] = {}
        if path is None:
            return
        mend_tail(path)
        first, *rest = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else [""]
        if first != json.dumps({"key": key}):
            path.unlink(missing_ok=True)
            self._append(json.dumps({"key": key}))
            return
        for line in rest:
            try:
                found = from_json(line, kind, path.name)
            except RepairError:  # it was damaged, and is made anew
                continue
            self.by_name[name_of(found)] = found

    def add(self, found: Record) -> None:
        """Keep a record.

        Raises:
            RepairError: The disk is full.
        """
        self._append(to_json(found))
        self.by_name[self.name_of(found)] = found

    def _append(self, line: str) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, line)
        except OSError as error:
            raise disk_error(self.path, error) from error


class Steps:
    """Counts what is done, and says so.

    Args:
        tell: Is told.
        total: How much there will be.
    """

    def __init__(self, tell: Tell, total: int) -> None:
        self.tell, self.total, self.done = tell, total, 0

    def step(self, phase: str) -> None:
        """Say what is done next, and count it."""
        self.tell(phase, self.done, self.total)
        self.done += 1
