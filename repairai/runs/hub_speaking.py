"""Which job of Hugging Face a run has, kept in the run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from repairai.files import write_whole
from repairai.runs.folder import RunFolder, read_json

JOB = "job.json"
"""In the run's folder: which job it is, where it speaks, and what was heard last."""


@dataclass(frozen=True)
class Speaking:
    """What is known of a run's job.

    Args:
        repo: The private data set through which both speak.
        id: Of the job; empty: the Hub has not said it yet.
        owner: Who pays.
        address: Where it can be looked at in a browser.
        heard: Number of the last line that was heard of it.
        key: By which the Hub knows it, written down before it is asked for; empty: none was asked for.
    """

    repo: str
    id: str = ""
    owner: str = ""
    address: str = ""
    heard: int = 0
    key: str = ""


def read_speaking(folder: RunFolder) -> Speaking | None:
    """Return what is known of a run's job; None where it has none."""
    data = read_json(folder.path / JOB)
    try:
        return Speaking(**data) if data else None
    except TypeError:
        return None


def write_speaking(folder: RunFolder, speaking: Speaking) -> None:
    """Write down what is known of a run's job.

    Raises:
        RepairError: The disk is full.
    """
    write_whole(folder.path / JOB, json.dumps(asdict(speaking), indent=2).encode())


def may_cost(folder: RunFolder) -> bool:
    """Return whether a job was asked for of which it is not known here that it has ended."""
    speaking = read_speaking(folder)
    return speaking is not None and bool(speaking.id or speaking.key)
