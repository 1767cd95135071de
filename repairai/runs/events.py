"""What happened to a run: a line each in its `events.jsonl`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repairai.runs.lines import append_line, tail
from repairai.runs.secrets import without_secrets

TAIL_BYTES = 256 * 1024
"""Of a run's events that are read: thousands of them."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a run.

    Args:
        time: When, seconds since 1970.
        kind: In one word.
        text: In a sentence.
        data: What else is known.
    """

    time: float
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


def add_event(path: Path, kind: str, text: str, **data: Any) -> None:
    """Add an event to a run's `events.jsonl`; nothing where the disk is full: it must not be what ends a run."""
    line = {"time": round(time.time(), 3), "kind": kind, "text": text, **data}
    with suppress(OSError):
        append_line(path, without_secrets(json.dumps(line, ensure_ascii=False, default=str)))


def read_events(path: Path, kinds: tuple[str, ...] = ()) -> list[Event]:
    """Return the events of a run, oldest first; lines that cannot be read are left out.

    Args:
        path: The run's `events.jsonl`; where it is very long, only its end is read.
        kinds: Only events of these; all, if empty.
    """
    return [each for each in _events(path) if not kinds or each.kind in kinds]


def _events(path: Path) -> Iterator[Event]:
    for line in tail(path, TAIL_BYTES).split(b"\n"):
        try:
            data = json.loads(line)
            yield Event(float(data.pop("time")), str(data.pop("kind")), str(data.pop("text")), data)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue
