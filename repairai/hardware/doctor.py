"""Says what is installed, what is missing, and the one line that mends it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal

from packaging.requirements import Requirement
from packaging.version import Version

from repairai.files import home

OLDEST_PYTHON = (3, 11)
ROOM_GIB = 1.0
"""Free disk under which guides, records and models will soon not fit."""


@dataclass(frozen=True)
class Check:
    """One thing that RepairAI needs.

    Args:
        name: What it is.
        state: `missing` and `broken` keep something from working; `note` is only good to know.
        seen: What was found.
        mend: The one line that mends it; empty where nothing needs mending.
    """

    name: str
    state: Literal["ok", "note", "missing", "broken"]
    seen: str
    mend: str = ""


def examine() -> tuple[Check, ...]:
    """Return all checks, in the order in which they are best mended."""
    return (_python(), *_packages(), *_torchvision(), *_home())


def _python() -> Check:
    seen = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "broken", seen, "install Python 3.11 or newer, delete .venv and run `make run`")
    return Check("python", "ok", seen)


def _packages() -> Iterator[Check]:
    """Yield a check for each package that RepairAI asks for."""
    try:
        wanted = [Requirement(line) for line in requires("repairai") or []]
    except PackageNotFoundError:
        yield Check("repairai", "missing", "not installed, only its source", "pip install -e .")
        return
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate():
            yield _package(requirement)


def _package(requirement: Requirement) -> Check:
    mend = f"pip install '{requirement.name}{requirement.specifier}'"
    try:
        seen = version(requirement.name)
    except PackageNotFoundError:
        return Check(requirement.name, "missing", "not installed", mend)
    if Version(seen) not in requirement.specifier:
        return Check(requirement.name, "broken", f"{seen}, but {requirement.specifier} is needed", mend)
    return Check(requirement.name, "ok", seen)


def _torchvision() -> Iterator[Check]:
    """Yield a check of the pair torch and torchvision: one that does not fit breaks every import of transformers.

    RepairAI does not need torchvision. Whether it fits is seen by importing it, in a process of its own.
    """
    try:
        seen = f"{version('torchvision')} beside torch {version('torch')}"
    except PackageNotFoundError:
        yield Check("torchvision", "ok", "not installed, and not needed")
        return
    probe = subprocess.run(
        [sys.executable, "-c", "import torchvision"], capture_output=True, text=True, timeout=120, check=False
    )
    if probe.returncode == 0:
        yield Check("torchvision", "ok", seen)
    else:
        why = (probe.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
        yield Check("torchvision", "broken", f"{seen} do not fit: {why}", "pip uninstall -y torchvision")


def _home() -> Iterator[Check]:
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / ".doctor"
        trial.write_text("ok")
        trial.unlink()
    except OSError as error:
        mend = "set REPAIRAI_HOME to a folder that you may write to"
        yield Check("home", "broken", f"{folder} cannot be written: {error.strerror}", mend)
        return
    free_gib = shutil.disk_usage(folder).free / 2**30
    if free_gib < ROOM_GIB:
        yield Check(
            "home", "broken", f"{folder}, {free_gib:.1f} GiB free", "free some disk, or set REPAIRAI_HOME elsewhere"
        )
    else:
        yield Check("home", "ok", f"{folder}, {free_gib:.0f} GiB free")
