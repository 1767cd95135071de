"""The writer that the page keeps open: one at a time, loaded beside the page, let go when nobody asks any more.

A training wants the same memory, so it is let go as well when one starts, on the page, by itself or in a terminal.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from time import monotonic
from weakref import WeakSet

from repairai.errors import RepairError
from repairai.runs.folder import RunFolder, runs_folder
from repairai.runs.process import read_process
from repairai.runs.queue import alive_runs
from repairai.sop.agents import Agent
from repairai.sop.ask import open_writer
from repairai.sop.reply import Writer

IDLE_SECONDS = 900.0
"""After so long without a question its memory is given back: training may want it."""
LOOK_SECONDS = 20.0
"""Between looks whether a run has started by itself while a model is kept."""
BUSY_SECONDS = 2.0
"""That is waited for a model which is just being loaded."""
PUT_AWAY = "The model that answers questions was put away so that the training has its memory."
LOADING = "A model is just being loaded to answer a question, and takes memory from the training."
_TELL_SECONDS = 1.0
_all: WeakSet[Writers] = WeakSet()
"""Of this process: memory is the process's, whoever has loaded something into it."""


class Writers:
    """Keeps one agent open."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._kept: tuple[Agent, Writer] | None = None
        self._timer: threading.Timer | None = None
        self._asked = time.time()
        _all.add(self)

    @property
    def kept(self) -> str:
        """Return the name of the model that is loaded; empty where none is."""
        kept = self._kept
        return kept[0].name if kept and kept[0].kind == "local" else ""

    def open(self, agent: Agent) -> Iterator[str | Writer]:
        """Yield how far an agent's loading is, about every second; at last the writer itself.

        Raises:
            RepairError: It cannot be opened.
        """
        if agent.kind != "local":
            yield open_writer(agent)
            return
        if self._kept and self._kept[0] == agent:
            self._stay()
            yield self._kept[1]
            return
        told: queue.Queue[str | Writer | RepairError] = queue.Queue()
        loading = threading.Thread(target=self._load, args=(agent, told), daemon=True)
        loading.start()
        began, words = monotonic(), f"opening {agent.name}"
        while True:
            try:
                new = told.get(timeout=_TELL_SECONDS)
            except queue.Empty:
                if not loading.is_alive() and told.empty():
                    raise RepairError(f"{agent.name} could not be opened", "see what the app's log says") from None
                yield f"{words}, {monotonic() - began:.0f} s so far"
                continue
            if isinstance(new, RepairError):
                raise new
            if not isinstance(new, str):
                self._stay()
                yield new
                return
            words = new
            yield words

    def close(self) -> None:
        """Let go of the model that is loaded, if any; one that is just answering goes when it is done."""
        with self._opening:
            self._drop()

    def put_away(self) -> str:
        """Let go of the model that is loaded, without waiting for one that is just coming; return what was done."""
        if not self._opening.acquire(timeout=BUSY_SECONDS):
            return LOADING
        try:
            had = self.kept
            self._drop()
            return PUT_AWAY if had else ""
        finally:
            self._opening.release()

    def _drop(self) -> None:
        kept, self._kept = self._kept, None
        close = getattr(kept[1], "close", None) if kept is not None else None
        if close is not None:
            close()

    def _load(self, agent: Agent, told: queue.Queue[str | Writer | RepairError]) -> None:
        try:
            with self._opening:
                if self._kept is None or self._kept[0] != agent:
                    self._drop()  # two may not fit beside each other
                    self._kept = (agent, open_writer(agent, told.put))
                told.put(self._kept[1])
        except RepairError as error:
            told.put(error)

    def _stay(self) -> None:
        self._asked = time.time()
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(LOOK_SECONDS, self._look)
        self._timer.daemon = True
        self._timer.start()

    def _look(self) -> None:
        """Let go of a model that nobody has asked for long, or since a run began."""
        if not self.kept:
            return
        if time.time() - self._asked > IDLE_SECONDS or _began_after(self._asked):
            self.close()
        else:
            self._wait()


def _began_after(when: float) -> bool:
    processes = (read_process(RunFolder(runs_folder() / run_id).process) for run_id in alive_runs())
    return any(process is not None and process.started > when for process in processes)


def make_room() -> str:
    """Let go of every model that this app keeps loaded, for a run that starts; return what was done, in a sentence."""
    return next(filter(None, [each.put_away() for each in list(_all)]), "")
