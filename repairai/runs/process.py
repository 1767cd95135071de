"""Which process works on a run, and whether it still does."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path

from repairai.files import write_whole
from repairai.processes import Process, lives, process_in
from repairai.runs.folder import RunFolder, read_json

SILENT_SECONDS = 60.0
"""Without a sign of life, after which a process of another machine is taken for dead."""


def write_process(folder: RunFolder, process: Process) -> None:
    """Write down which process works on a run.

    Raises:
        RepairError: The disk is full.
    """
    write_whole(folder.process, json.dumps(asdict(process)).encode())


def read_process(path: Path) -> Process | None:
    """Return the process that a file tells of, or None where it tells of none."""
    return process_in(read_json(path))


def is_alive(folder: RunFolder) -> bool:
    """Return whether a process works on a run."""
    process = read_process(folder.process)
    return process is not None and works(process, folder)


def works(process: Process, folder: RunFolder) -> bool:
    """Return whether a run's process still lives; for one of another machine, on a shared disk, its signs of life tell.

    Args:
        process: As the run's folder tells it.
        folder: Of the run.
    """
    if process.host == socket.gethostname():
        return lives(process)
    return abs(_age(folder.heartbeat)) < SILENT_SECONDS


def _age(path: Path) -> float:
    try:
        return time.time() - os.stat(path).st_mtime
    except OSError:
        return float("inf")
