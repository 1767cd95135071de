"""Finds the job of Hugging Face that a run has, and ends it, so that it costs no more."""

from __future__ import annotations

import time

from repairai.errors import RepairError
from repairai.hub import jobs, push
from repairai.runs.folder import RunFolder
from repairai.runs.hub_speaking import JOB, Speaking, read_speaking

SHOW_SECONDS, SHOW_POLL_SECONDS = 5.0, 0.5
"""For which a job is looked for that may have been asked for a moment ago."""


def job_of(speaking: Speaking) -> jobs.Job:
    """Return the job whose id is known."""
    return jobs.Job(speaking.id, speaking.owner, speaking.address)


def found(speaking: Speaking) -> jobs.Job | None:
    """Return the job that was begun, also where whoever began it did not live to hear of it; None where there is none.

    Raises:
        RepairError: The Hub does not say.
    """
    if speaking.id:
        return job_of(speaking)
    return jobs.find(speaking.owner, speaking.key) if speaking.key else None


def end(folder: RunFolder) -> None:
    """End a run's job at once, where it has one, and delete the data set through which it was spoken to.

    Whoever listens to the job must be gone before, so that none is begun meanwhile.

    Raises:
        RepairError: The Hub does not answer, or the job has ended by itself, and what it made waits there.
    """
    speaking = read_speaking(folder)
    if speaking is None:
        return
    last = time.monotonic() + SHOW_SECONDS
    while (job := found(speaking)) is None and time.monotonic() < last:
        time.sleep(SHOW_POLL_SECONDS)
    if job and jobs.look(job).has_ended:
        raise RepairError(f"the job of {folder.id} has ended", f"bring back what it made: runs resume {folder.id}")
    if job:
        jobs.cancel(job)
    push.remove(speaking.repo, "dataset")
    (folder.path / JOB).unlink(missing_ok=True)
