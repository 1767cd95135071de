"""What the page has read of the runs: shared by all its visitors, so that a look costs only what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from repairai.runs.folder import RunFolder, run_folders
from repairai.runs.metrics import SERIES, Curve
from repairai.runs.state import Run, read_run

MOST_CURVES = 16
"""Runs whose figures are kept in memory: each takes up to a megabyte."""
Mark = tuple[int, int, int]
"""Of a file, when and how large it was written; of a folder of checkpoints, when it was changed."""


class Watched:
    """Reads runs, and remembers what cannot have changed. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: dict[str, tuple[Mark, Run]] = {}
        self._curves: OrderedDict[str, Curve] = OrderedDict()
        self._made: dict[Path, tuple[tuple[int, int], str]] = {}
        self._dismissed: set[str] = set()

    def runs(self) -> list[Run]:
        """Return all runs, newest first; one that has ended is read once."""
        folders = run_folders()
        found = [self._run(folder) for folder in folders]
        with self._lock:
            names = {folder.id for folder in folders}
            self._ended = {run_id: kept for run_id, kept in self._ended.items() if run_id in names}
        return sorted(found, key=lambda run: (-(run.created or 0.0), run.id))

    def _run(self, folder: RunFolder) -> Run:
        mark = _mark(folder)
        if mark is None:
            return read_run(folder)
        with self._lock:
            kept = self._ended.get(folder.id)
        if kept and kept[0] == mark:
            return kept[1]
        run = read_run(folder)
        with self._lock:
            self._ended[folder.id] = (mark, run)
        return run

    def series(self, folder: RunFolder) -> dict[str, Sequence[tuple[int, float]]]:
        """Return the figures of a run by name, with all that it has written until now."""
        with self._lock:
            curve = self._curves.pop(folder.id, None)
            if curve is None or curve.path != folder.metrics:
                curve = Curve(folder.metrics)
            self._curves[folder.id] = curve
            while len(self._curves) > MOST_CURVES:
                self._curves.popitem(last=False)
        curve.poll()
        return {name: points for name in SERIES if (points := curve.series(name))}

    def made_of(self, path: Path, make: Callable[[Path], str]) -> str:
        """Return what is made of a file: anew where the file has changed since, empty where there is none.

        Args:
            path: The file.
            make: Called with it.
        """
        try:
            stat = path.stat()
        except OSError:
            return ""
        mark = (stat.st_mtime_ns, stat.st_size)
        kept = self._made.get(path)
        if kept is None or kept[0] != mark:
            kept = self._made[path] = (mark, make(path))
        return kept[1]

    # ---- runs that could go on

    def interrupted(self) -> Run | None:
        """Return the newest run that went down without a word and nobody has been told of, if any."""
        found = (run for run in self.runs() if run.state == "interrupted" and run.id not in self._dismissed)
        return max(found, key=lambda run: run.ended or run.created or 0.0, default=None)

    def dismiss(self, run_id: str) -> None:
        """Offer no more to go on with a run, until the app starts again."""
        self._dismissed.add(run_id)


def _mark(folder: RunFolder) -> Mark | None:
    """Return what changes when a run that has ended goes on; None where it has not ended."""
    try:
        if folder.queued.exists():
            return None
        ended, place = folder.exit.stat(), folder.path.stat()
    except OSError:
        return None
    return ended.st_mtime_ns, ended.st_size, place.st_mtime_ns
