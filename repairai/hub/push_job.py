"""A push as its own process does it: it waits where the network is lost, and goes on."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import read_record, read_text, write_whole
from repairai.hub.push import Parcel, send
from repairai.hub.push_folder import (
    CANCEL,
    CARD,
    ORDER,
    PROCESS,
    Order,
    State,
    folder_of,
    standing_of,
    tidy,
    write_standing,
)
from repairai.hub_faults import Unreachable
from repairai.processes import own

WAITS_SECONDS = (2.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0)
"""Until it is tried again where the network is lost; the last again and again."""
MOST_DAYS = 7.0
"""That a push waits for the network."""
_TELL_SECONDS, _LOOK_SECONDS = 0.5, 0.1


class _CancelledError(Exception):
    """Somebody has asked the process to end."""


def work(push_id: str) -> int:
    """Do a push to its end, as its own process does; return 0 where it went through.

    Where the network is lost it waits, longer each time, and goes on.

    Raises:
        RepairError: There is none of that name, or another process does it.
    """
    folder = folder_of(push_id)
    order = read_record(folder / ORDER, Order)
    try:
        with FileLock(folder / ".lock", timeout=0):
            write_whole(folder / PROCESS, json.dumps(asdict(own())).encode())
            return _to_its_end(folder, order)
    except Timeout:
        raise RepairError(f"{push_id} is being sent already", "wait for it") from None


def _to_its_end(folder: Path, order: Order) -> int:
    parcel = Parcel(order.kind, tuple((path, Path(place)) for path, place in order.files), read_text(folder / CARD))
    tries, best, began = 0, -1, time.time()
    while True:
        teller = _Teller(folder)
        try:
            done = send(parcel, order.repo, order.private, order.message, teller.tell)
        except _CancelledError:
            teller.end("cancelled", "")
            return 1
        except Unreachable as error:
            if teller.done > best:  # it got on: the next wait is short again
                tries, best = 0, teller.done
            wait = WAITS_SECONDS[min(tries, len(WAITS_SECONDS) - 1)]
            tries += 1
            if time.time() + wait - began > MOST_DAYS * 86_400:
                teller.end("failed", str(error))
                return 2
            try:
                teller.wait(wait, error.what)
            except _CancelledError:
                teller.end("cancelled", "")
                return 1
        except RepairError as error:
            teller.end("failed", str(error))
            return 2
        else:
            tidy(folder)  # whoever reads `done` finds nothing that still goes
            shutil.rmtree(folder / "files", ignore_errors=True)
            teller.end("done", "", done.commit)
            return 0


class _Teller:
    """Writes how far a push is, and sees whether it is to end."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._at = folder, 0.0
        self._now = replace(standing_of(folder), state="sending", said="", next_try=0.0)
        write_standing(folder, self._now)

    @property
    def done(self) -> int:
        """How many bytes are there."""
        return self._now.done_bytes

    def tell(self, done: int, total: int, file: str) -> None:
        if (self._folder / CANCEL).exists():
            raise _CancelledError
        self._now = replace(self._now, done_bytes=done, total_bytes=total, file=file)
        if time.monotonic() - self._at > _TELL_SECONDS:
            self._at = time.monotonic()
            write_standing(self._folder, self._now)

    def wait(self, seconds: float, why: str) -> None:
        """Wait for the network."""
        self._now = replace(self._now, state="waiting", said=why, next_try=time.time() + seconds)
        write_standing(self._folder, self._now)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if (self._folder / CANCEL).exists():
                raise _CancelledError
            time.sleep(min(_LOOK_SECONDS, seconds))

    def end(self, state: State, said: str, commit: str = "") -> None:
        """Say how it ended."""
        write_standing(self._folder, replace(self._now, state=state, said=said, commit=commit, file="", next_try=0.0))
