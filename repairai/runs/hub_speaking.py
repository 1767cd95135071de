"""Which job of Hugging Face a run has, kept in the run's folder; and how it is cancelled."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from repairai.files import write_whole
from repairai.hub import jobs
from repairai.runs.folder import RunFolder, read_json

JOB = "job.json"
"""In the run's folder: which job it is, where it speaks, and what was heard last."""


@dataclass(frozen=True)
class Speaking:
    """What is known of a run's job.

    Args:
        repo: The private data set through which both speak.
        id: Of the job; empty: it was not started yet.
        owner: Who pays.
        address: Where it can be looked at in a browser.
        heard: Number of the last line that was heard of it.
    """

    repo: str
    id: str = ""
    owner: str = ""
    address: str = ""
    heard: int = 0

    @property
    def job(self) -> jobs.Job:
        """The job itself."""
        return jobs.Job(self.id, self.owner, self.address)


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


def cancel(folder: RunFolder) -> None:
    """End a run's job at once, where it has one that still costs.

    Raises:
        RepairError: The Hub does not answer.
    """
    speaking = read_speaking(folder)
    if speaking and speaking.id and not jobs.look(speaking.job).has_ended:
        jobs.cancel(speaking.job)
