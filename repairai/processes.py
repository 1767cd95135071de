"""Processes that outlive whoever started them, and whether one still lives: a number alone does not say."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from repairai.files import home

DETACHED = "REPAIRAI_DETACHED"
"""In the environment of processes that were started with a group of their own."""
SAME_SECONDS = 2.0
"""Between two readings of when one process began: the kernel tells its own start to the second."""
CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS = 0x00000200, 0x00000008
"""Source: Microsoft, "Process Creation Flags"; Python has their names on Windows only."""
SOURCES = Path(__file__).parents[1]
"""Where `repairai` and `training` lie."""


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


def spawned(command: list[str], log: BinaryIO, directory: Path) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, its words going into a file and never through a pipe.

    Args:
        command: Its words.
        log: Open for writing; may be closed afterwards.
        directory: In which it starts.
    """
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=directory, env=_environment(),
        **options(sys.platform),
    )  # fmt: skip


def options(platform: str) -> dict[str, Any]:
    """Return what makes a process independent of the one that starts it.

    Args:
        platform: As `sys.platform` names it.
    """
    if platform == "win32":
        return {"creationflags": CREATE_NEW_PROCESS_GROUP | DETACHED_PROCESS}
    return {"start_new_session": True}


def _environment() -> dict[str, str]:
    """Return this process's environment with what its child needs; nothing of it is written down anywhere."""
    own = {
        # Threads that spin while they wait make a training several times slower where anything else runs beside it.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "REPAIRAI_HOME": str(home().absolute()),
        DETACHED: "1",
    }
    if str(SOURCES) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        own["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SOURCES), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, **own}
