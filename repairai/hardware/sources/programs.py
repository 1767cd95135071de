"""Asks other programs, and waits for none of them long."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PureWindowsPath

from repairai.errors import RepairError

WAIT_SECONDS = 5.0
REST_SECONDS = 60.0
"""How long a program that did not answer is left alone: who looks every two seconds would hang half an hour in all."""

_resting: dict[str, float] = {}
"""Programs that did not answer, and until when they are left alone."""


def ask(command: Sequence[str], wait_seconds: float = WAIT_SECONDS) -> str:
    """Return what a program prints.

    Args:
        command: The program and its words.
        wait_seconds: How long it has.

    Raises:
        RepairError: It is not there, does not answer, or exits with an error; the first line that it said is quoted.
    """
    name = Path(command[0]).name
    if time.monotonic() < _resting.get(command[0], 0):
        raise _silent(name)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise RepairError(f"{name} cannot be run: {error.strerror or error}", "install it, or do without") from None
    try:
        said, complained = process.communicate(timeout=wait_seconds)
    except subprocess.TimeoutExpired:
        _abandon(process)
        _resting[command[0]] = time.monotonic() + REST_SECONDS
        raise _silent(name) from None
    if process.returncode:
        lines = [line.strip() for line in f"{said}\n{complained}".splitlines() if line.strip()]
        why = f"{lines[0]:.200}" if lines else f"exit code {process.returncode}"
        raise RepairError(f"{name} answers with an error ({why})", "mend what it names")
    return said


def _silent(name: str) -> RepairError:
    return RepairError(f"{name} does not answer", "restart the machine if it stays so")


def _abandon(process: subprocess.Popen[str]) -> None:
    """Kill a program without waiting for its end: one that hangs in a driver cannot even be killed."""
    process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.2)


def base_name(command: str) -> str:
    """Return a program's name without its folder, and without the options behind it, on either kind of system."""
    return PureWindowsPath(command.split(" -")[0].strip()).name  # which parts at / as well
