"""The writer that the page keeps open: one at a time, loaded beside the page, let go when nobody asks any more."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from time import monotonic

from repairai.errors import RepairError
from repairai.sop.agents import Agent
from repairai.sop.ask import open_writer
from repairai.sop.reply import Writer

IDLE_SECONDS = 900.0
"""After so long without a question its memory is given back: training may want it."""
_TELL_SECONDS = 1.0


class Writers:
    """Keeps one agent open."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._kept: tuple[Agent, Writer] | None = None
        self._timer: threading.Timer | None = None

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
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(IDLE_SECONDS, self.close)
        self._timer.daemon = True
        self._timer.start()
