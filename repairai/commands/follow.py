"""Follows a run in a terminal: what it says, and a line with how far it is."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repairai.runs.folder import RunFolder
    from repairai.runs.state import Run

POLL_SECONDS = 0.3
QUIET_SECONDS = 15.0
"""Between lines of progress where no terminal shows them one over the other."""
ENDING_SECONDS = 15.0
"""That a process may take to leave once it has said how it ended."""
CLEAR = "\r\033[K"
NOT_ENDED = ("queued", "starting", "running")


def follow(folder: RunFolder, silent: bool = False) -> Run:
    """Show what a run says and how far it is until it ends; return how it stands then.

    Ctrl+C asks it to stop; pressed again it leaves the run at work.

    Args:
        folder: Of the run.
        silent: Show nothing, only wait.
    """
    from repairai.runs.state import read_run

    shown = _Shown(folder, silent)
    presses, heard = 0, 0
    while presses < 2:
        try:
            if presses > heard:
                heard = presses
                _ask_to_stop(folder, shown)
            return _followed(folder, shown)
        except KeyboardInterrupt:
            presses += 1
    shown.say(f"{folder.id} is left at work; look at it with `python -m repairai runs show {folder.id}`")
    return read_run(folder)


def _ask_to_stop(folder: RunFolder, shown: _Shown) -> None:
    from repairai.errors import RepairError
    from repairai.runs.launch import ask

    try:
        ask(folder.id, "stop")
    except RepairError as error:  # it has just ended, or waits for its turn
        shown.say(str(error))
        return
    shown.say("asked it to stop: it makes a checkpoint and ends; Ctrl+C once more leaves it at work")


def _followed(folder: RunFolder, shown: _Shown) -> Run:
    from repairai.runs.process import is_alive
    from repairai.runs.state import read_run

    run = read_run(folder)
    while run.state in NOT_ENDED:
        shown.update(run)
        time.sleep(POLL_SECONDS)
        run = read_run(folder)
    last = time.monotonic() + ENDING_SECONDS
    while is_alive(folder) and time.monotonic() < last:
        time.sleep(POLL_SECONDS)
    shown.update(run, ended=True)
    return run


class _Shown:
    """What was shown of a run so far."""

    def __init__(self, folder: RunFolder, silent: bool) -> None:
        self._folder = folder
        self._silent = silent
        self._offset = folder.log.stat().st_size if folder.log.exists() and folder.exit.exists() else 0
        self._over = sys.stderr.isatty()
        self._said = 0.0

    def update(self, run: Run, ended: bool = False) -> None:
        """Show what is new."""
        if self._silent:
            return
        words = self._new_words()
        if words:
            self._clear()
            sys.stdout.write(words)
            sys.stdout.flush()
        if ended:
            self._clear()
        else:
            self._progress(run)

    def say(self, text: str) -> None:
        """Say something about it."""
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def _progress(self, run: Run) -> None:
        from repairai.runs.words import progress

        if self._over:
            print(f"{CLEAR}{progress(run)}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._said > QUIET_SECONDS:
            self._said = time.monotonic()
            print(progress(run), file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._over and not self._silent:
            print(CLEAR, end="", file=sys.stderr, flush=True)

    def _new_words(self) -> str:
        from repairai.runs.secrets import without_secrets

        try:
            with self._folder.log.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return ""
        end = content.rfind(b"\n") + 1
        self._offset += end
        return without_secrets(content[:end].decode(errors="replace"))
