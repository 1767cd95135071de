"""Builds data for the SOP agent on behalf of the page, in a process of its own, and knows what was built."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.processes import SOURCES, spawned
from repairai.runs.lines import tail
from repairai.runs.removal import clear_halves, data_place

SAID_BYTES = 64 * 1024
SAMPLES = 12
END_SECONDS = 10.0
"""That a build may take to end when it is told to."""
SAMPLE_SECONDS = 180
"""That a model's tokenizer may take to come from the Hub."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
OURS = "repairai: "
"""With which the script says what is wrong."""


@dataclass(frozen=True)
class Built:
    """Data that were built.

    Args:
        folder: Where they lie.
        report: What is in them, see `training/sop/data_report.py`.
    """

    folder: Path
    report: dict[str, Any]

    @property
    def said(self) -> str:
        """Return what they are, in a line."""
        counts = ", ".join(f"{sum(tasks.values()):,} {side}" for side, tasks in self.report["examples"].items())
        return f"{self.folder.name} · {counts} · {str(self.report['made'])[:16].replace('T', ' ')}"

    @property
    def train_examples(self) -> int:
        """Return how many examples there are to train on."""
        return sum(self.report["examples"].get("train", {}).values())


def built() -> list[Built]:
    """Return what was built, newest first; what is damaged is left out."""
    clear_halves()
    found = [one for path in data_place().glob("[!.]*/report.json") if (one := built_in(path.parent)) is not None]
    return sorted(found, key=lambda each: str(each.report["made"]), reverse=True)


def built_in(folder: Path) -> Built | None:
    """Return what was built in a folder, or None where that cannot be read."""
    try:
        report = json.loads((folder / "report.json").read_text("utf-8"))
        one = Built(folder, report)
        return one if one.said else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def free_name(wanted: str) -> str:
    """Return the name that a build gets: the one that is wanted, else `guides`, `guides-2` and so on.

    Raises:
        RepairError: It is none for a folder, or it is taken.
    """
    wanted = wanted.strip()
    if not wanted:
        number = 1
        while (data_place() / (name := "guides" if number == 1 else f"guides-{number}")).exists():
            number += 1
        return name
    if not NAME.fullmatch(wanted) or wanted.endswith("."):
        raise RepairError(f"'{wanted:.80}' is no name for data", "take letters, digits, dots, dashes and underscores")
    if (data_place() / wanted).exists():
        raise RepairError(f"there are data named {wanted} already", "choose another name")
    return wanted


@dataclass(frozen=True)
class Progress:
    """How far a build is.

    Args:
        name: Of the data.
        what: Is being done.
        done: Of it.
        total: Of it; None where that is not known.
        ended: Whether it is over.
        fault: Why it failed, in a sentence; empty where it did not.
        cancelled: It was told to end; where it has ended without a fault, nothing of it is left.
    """

    name: str
    what: str = "starting"
    done: int = 0
    total: int | None = None
    ended: bool = False
    fault: str = ""
    cancelled: bool = False


class Builder:
    """Builds one set of data at a time; whoever looks sees the same, also after a reload of the page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._name = ""
        self._log = Path()
        self._cancelled = False

    def start(self, name: str, words: Sequence[str]) -> None:
        """Start a build.

        Args:
            name: Of the data, see `free_name`.
            words: For `python -m training.sop_data`.

        Raises:
            RepairError: One is going on, or the script is not there.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise RepairError(f"{self._name} is being built", "wait until it is done")
            command = script("training.sop_data", ["--progress-json", f"--name={name}", *words])
            self._forget()
            self._cancelled = False
            self._name, self._log = name, Path(tempfile.mkdtemp(prefix="repairai-")) / "log"
            with self._log.open("wb") as log:
                self._process = spawned(command, log, SOURCES)

    def progress(self) -> Progress | None:
        """Return how far the build is, or None where there was none."""
        process = self._process
        if process is None:
            return None
        code = process.poll()
        lines = tail(self._log, SAID_BYTES).decode(errors="replace").splitlines()
        told = next((found for line in reversed(lines) if (found := _told(line))), {})
        what, done, total = str(told.get("what", "starting")), told.get("done", 0), told.get("total")
        cancelled = self._cancelled and code != 0  # it may have been done before it heard of that
        fault = _fault(lines, code) if code and not cancelled else ""
        return Progress(self._name, what, done, total, code is not None, fault, cancelled)

    def stop(self) -> None:
        """End the build; nothing of it is left. It is told to at once, and ended by force where it does not hear."""
        with self._lock:
            process, name = self._process, self._name
            if process is None or process.poll() is not None or self._cancelled:
                return
            self._cancelled = True
            process.terminate()
        threading.Thread(target=_see_it_end, args=(process, name), name="end of a build", daemon=True).start()

    def forget(self) -> None:
        """Forget a build that is over."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self._forget()

    def _forget(self) -> None:
        if self._process is not None:
            self._process = None
            shutil.rmtree(self._log.parent, ignore_errors=True)


def _see_it_end(process: subprocess.Popen[bytes], name: str) -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    clear_halves(name)


def _told(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict) and "what" in found:
            return found
    return {}


def _fault(lines: Sequence[str], code: int) -> str:
    own = next((line for line in reversed(lines) if line.startswith(OURS)), "")
    if own:
        return own.removeprefix(OURS)
    if code < 0:
        return "it was stopped; nothing was written"
    last = next((line for line in reversed(lines) if line.strip()), "")
    return f"it ended with code {code}: {last[:300]}"


def script(module: str, words: Sequence[str]) -> list[str]:
    """Return the command for a script of `training`.

    Raises:
        RepairError: The folder is not there.
    """
    if find_spec("training") is None:
        raise RepairError("the folder `training` is not there", "run this where RepairAI was cloned")
    return [sys.executable, "-m", module, *words]


def samples(folder: Path, model: str) -> list[dict[str, Any]]:
    """Return examples of built data as a model sees them: {task, device, guide_id, source, spans of {text, trained}}.

    Args:
        folder: Of the data.
        model: Whose chat template is used; empty: the turns as they are.

    Raises:
        RepairError: There are none, or the model is not there.
    """
    command = script("training.sop_samples", [str(folder), f"--n={SAMPLES}", f"--model={model}", "--json"])
    try:
        done = subprocess.run(command, cwd=SOURCES, capture_output=True, timeout=SAMPLE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RepairError(f"{model} did not come within {SAMPLE_SECONDS} s", "try again, or look without it") from None
    if done.returncode:
        fault = _fault(done.stderr.decode(errors="replace").splitlines(), done.returncode)
        what, _, mend = fault.removesuffix(".").rpartition("; ")
        raise RepairError(what or fault, mend if what else "take another model, or look without one")
    found: list[dict[str, Any]] = json.loads(done.stdout)["samples"]
    return found
