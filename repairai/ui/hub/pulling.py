"""Fetches one thing at a time from the Hub for the page; whoever looks sees the same, also after a reload."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.hub import pull
from repairai.hub.pull import PullPlan


@dataclass(frozen=True)
class Pulled:
    """How far a fetch is.

    Args:
        plan: What is fetched.
        done_bytes: That are here.
        path: The file that is on its way.
        ended: Whether it is over.
        fault: Why it broke off; None where it did not.
        cancelled: The person ended it; what came so far is kept for the next time.
        folder: Where it lies; None until it does.
    """

    plan: PullPlan
    done_bytes: int = 0
    path: str = ""
    ended: bool = False
    fault: RepairError | None = None
    cancelled: bool = False
    folder: Path | None = None


class _EndedError(Exception):
    """The person wants no more of it."""


class Pulling:
    """One fetch, in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: Pulled | None = None
        self._end = threading.Event()

    def start(self, plan: PullPlan) -> None:
        """Begin to fetch.

        Raises:
            RepairError: Something is being fetched.
        """
        with self._lock:
            if self._now is not None and not self._now.ended:
                raise RepairError(f"{self._now.plan.repo} is being fetched", "wait until it is here, or cancel it")
            self._now = Pulled(plan)
            self._end = threading.Event()
        threading.Thread(target=self._fetch, args=(plan, self._end), name=f"pull of {plan.repo}", daemon=True).start()

    def now(self) -> Pulled | None:
        """Return how far the fetch is; None where there is none."""
        now = self._now
        return replace(now, cancelled=True) if now and not now.ended and self._end.is_set() else now

    def stop(self) -> None:
        """End the fetch; it goes on from there when it is begun again."""
        self._end.set()

    def forget(self) -> None:
        """Forget a fetch that is over."""
        with self._lock:
            if self._now is not None and self._now.ended:
                self._now = None

    def _fetch(self, plan: PullPlan, end: threading.Event) -> None:
        def tell(done: int, total: int, path: str) -> None:
            if end.is_set():
                raise _EndedError
            self._now = Pulled(plan, done, path)

        try:
            folder = pull.fetch(plan, tell)
        except _EndedError:
            self._now = Pulled(plan, ended=True, cancelled=True)
        except RepairError as error:
            self._now = Pulled(plan, ended=True, fault=error)
        else:
            self._now = Pulled(plan, plan.total_bytes, ended=True, folder=folder)
