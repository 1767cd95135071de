"""Which process works on a run, and whether it still lives: a number alone does not say, since numbers come again."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from repairai.files import write_whole
from repairai.runs.folder import RunFolder, read_json

DETACHED = "REPAIRAI_DETACHED"
"""In the environment of processes that were started with a group of their own."""
SAME_SECONDS = 2.0
"""Between two readings of when one process began: the kernel tells its own start to the second."""
SILENT_SECONDS = 60.0
"""Without a sign of life, after which a process of another machine is taken for dead."""


@dataclass(frozen=True)
class Process:
    """A process, told so that no other is taken for it.

    Args:
        pid: Its number.
        started: When it began, seconds since 1970, by the clock of that time.
        boot: When the machine began, by the same clock.
        host: The machine's name.
        boot_id: Of the machine's start, where the kernel has one.
        oom_kills: Processes that the kernel had ended for memory since then; None where it does not count them.
        group: Of processes that it and its children make up by themselves; 0 where others are among them, too.
    """

    pid: int
    started: float
    boot: float
    host: str
    boot_id: str = ""
    oom_kills: int | None = None
    group: int = 0


def told(pid: int, group: int = 0) -> Process:
    """Return what is to be known of a living process.

    Args:
        pid: Its number.
        group: Of it and its children alone; 0 for none.

    Raises:
        psutil.NoSuchProcess: It is gone.
    """
    return Process(
        pid, psutil.Process(pid).create_time(), psutil.boot_time(), socket.gethostname(), boot_id(), oom_kills(), group
    )


def own() -> Process:
    """Return what is to be known of this process."""
    apart = os.name == "posix" and os.environ.get(DETACHED) == "1"
    return told(os.getpid(), os.getpgrp() if apart else 0)


def write_process(folder: RunFolder, process: Process) -> None:
    """Write down which process works on a run.

    Raises:
        RepairError: The disk is full.
    """
    write_whole(folder.process, json.dumps(asdict(process)).encode())


def read_process(path: Path) -> Process | None:
    """Return the process that a file tells of, or None where it tells of none."""
    return process_in(read_json(path))


def process_in(data: dict[str, Any]) -> Process | None:
    """Return the process that JSON describes, or None where it describes none."""
    try:
        kills = data.get("oom_kills")
        return Process(
            int(data["pid"]), float(data["started"]), float(data["boot"]), str(data["host"]),
            str(data.get("boot_id", "")), None if kills is None else int(kills), int(data.get("group", 0)),
        )  # fmt: skip
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


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


def lives(process: Process) -> bool:
    """Return whether a process of this machine still lives: the same one, not another with its number.

    A clock that is set forward or back moves what the kernel says of a start and of the boot alike: then the time
    between the two is still the same.
    """
    if process.boot_id and process.boot_id != boot_id():
        return False
    try:
        found = psutil.Process(process.pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return False
        began = found.create_time()
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False
    except psutil.AccessDenied:  # it is there, and somebody else's: none that we started
        return False
    since_boot = (began - psutil.boot_time()) - (process.started - process.boot)
    return min(abs(began - process.started), abs(since_boot)) < SAME_SECONDS


@cache
def boot_id() -> str:
    """Return a name for this start of the machine; empty where the kernel has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def oom_kills() -> int | None:
    """Return how many processes the kernel has ended for memory since it began; None where it does not say.

    Source: Linux, `/proc/vmstat`, since 4.13.
    """
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def _age(path: Path) -> float:
    try:
        return time.time() - os.stat(path).st_mtime
    except OSError:
        return float("inf")
