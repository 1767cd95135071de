"""Runs a script of `training` for the page, one at a time, in a process of its own that can be watched and ended."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.processes import SOURCES, spawned
from repairai.runs.lines import tail

SAID_BYTES = 64 * 1024
END_SECONDS = 10.0
"""That a script may take to end when it is told to."""
BAR = re.compile(r"\d+%\|.*\|")
"""What libraries draw while they load a model: nothing for a person to read."""
OURS = ("repairai: ", "training.detector_train: ")
"""With which scripts say what is wrong."""


@dataclass(frozen=True)
class Progress:
    """How far a script is.

    Args:
        title: What it does, as the page says it: "Importing bench".
        subject: What it is done to: the name of a set.
        what: Is being done.
        done: Of it.
        total: Of it; None where that is not known.
        ended: Whether it is over.
        fault: Why it failed, in a sentence; empty where it did not.
        cancelled: It was told to end.
        said: What it said besides, a line each.
        tells: Whether what it said is for the person.
    """

    title: str
    subject: str = ""
    what: str = "starting"
    done: int = 0
    total: int | None = None
    ended: bool = False
    fault: str = ""
    cancelled: bool = False
    said: tuple[str, ...] = ()
    tells: bool = False


class Scripted:
    """Runs one script at a time; whoever looks sees the same, also after a reload of the page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._title = self._subject = ""
        self._tells = False
        self._place = Path()
        self._cancelled = False
        self._cleared: Callable[[], None] = _nothing

    def start(
        self, title: str, subject: str, module: str, words: Sequence[str], beside: Path | None = None,
        tells: bool = False, cleared: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Start a script.

        Args:
            title: What it does: "Importing bench".
            subject: What it is done to: "bench".
            module: Its name: "training.detector_data".
            words: For it.
            beside: A folder that is deleted when the script is over, such as one with what was dropped.
            tells: Whether what it says at its end is for the person.
            cleared: Takes away what it leaves half-done where it is cancelled; it is called once the script is gone.

        Raises:
            RepairError: One is going on, or the script is not there.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise RepairError(f"something else is going on: {self._title}", "wait until it is done, or cancel it")
            command = script(module, words)
            self._forget()
            self._cancelled, self._cleared = False, cleared or _nothing
            self._title, self._subject, self._tells = title, subject, tells
            self._place = beside or Path(tempfile.mkdtemp(prefix="repairai-"))
            with (self._place / "log").open("wb") as log:
                self._process = spawned(command, log, SOURCES)

    def progress(self) -> Progress | None:
        """Return how far the script is, or None where there was none."""
        process = self._process
        if process is None:
            return None
        code = process.poll()
        lines = tail(self._place / "log", SAID_BYTES).decode(errors="replace").splitlines()
        told = next((found for line in reversed(lines) if (found := _told(line))), {})
        said = tuple(line for line in lines if line.strip() and not _told(line) and not BAR.search(line))
        cancelled = self._cancelled and code != 0  # it may have been done before it heard of that
        return Progress(
            self._title, self._subject, str(told.get("what", "starting")), _count(told.get("done")) or 0,
            _count(told.get("total")), code is not None, fault(said, code) if code and not cancelled else "",
            cancelled, said, self._tells,
        )  # fmt: skip

    def stop(self) -> None:
        """End the script: it is told to at once, and ended by force where it does not hear."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None or self._cancelled:
                return
            self._cancelled = True
            process.terminate()
            end = (process, self._cleared)
        threading.Thread(target=_see_it_end, args=end, name="end of a script", daemon=True).start()

    def forget(self) -> None:
        """Forget a script that is over."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self._forget()

    def _forget(self) -> None:
        if self._process is not None:
            self._process = None
            shutil.rmtree(self._place, ignore_errors=True)


def _nothing() -> None:
    """Take nothing away."""


def _see_it_end(process: subprocess.Popen[bytes], cleared: Callable[[], None]) -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    cleared()


def _told(line: str) -> dict[str, Any]:
    with suppress(ValueError, TypeError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict) and "what" in found:
            return found
        if isinstance(found, dict) and "step" in found:
            return {"what": f"step {found['step']}, loss {found.get('loss', 0):.2f}"}
    return {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def fault(lines: Sequence[str], code: int) -> str:
    """Return why a script failed, in a sentence.

    Args:
        lines: That it said, but for progress.
        code: With which it ended.
    """
    own = next((line for line in reversed(lines) if line.startswith(OURS)), "")
    if own:
        return own.partition(": ")[2]
    if code < 0:
        return "it was stopped from outside"
    return f"it ended with code {code}: {lines[-1][:300] if lines else 'it said nothing'}"


def script(module: str, words: Sequence[str]) -> list[str]:
    """Return the command for a script of `training`.

    Raises:
        RepairError: It is not there.
    """
    if find_spec("training") is None or find_spec(module) is None:
        raise RepairError(f"the script `{module}` is not there", "run this where RepairAI was cloned")
    return [sys.executable, "-m", module, *words]
