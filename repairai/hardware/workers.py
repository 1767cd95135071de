"""The processes in which the dry run works: a fault of it must not be ours, and torch need not be imported here."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from functools import cache
from queue import Queue
from typing import Any

from repairai.errors import RepairError

WORKERS = 2
ANSWER_SECONDS = 60


def warm() -> None:
    """Start the processes, so that the first question need not wait for them."""
    for worker in _workers():
        worker.start()


def ask(question: str) -> dict[str, Any]:
    """Return the dry run's answer to a question, see `repairai.hardware.dry_run.__main__`.

    Raises:
        RepairError: Its process died, or took too long and was stopped.
    """
    worker = _free().get()
    try:
        return worker.ask(question)
    finally:
        _free().put(worker)


@cache
def _free() -> Queue[_Worker]:
    free: Queue[_Worker] = Queue()
    for worker in _workers():
        free.put(worker)
    return free


@cache
def _workers() -> tuple[_Worker, ...]:
    workers = tuple(_Worker() for _ in range(WORKERS))
    for worker in workers:
        atexit.register(worker.stop)
    return workers


class _Worker:
    """One process of the dry run; it ends with this one, whose end closes its input."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        if self.process is None or self.process.poll() is not None:
            # The model is run on tensors without data: no GPU is needed, nor the Hub, nor a second thread.
            own = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
            self.process = subprocess.Popen(
                [sys.executable, "-m", "repairai.hardware.dry_run"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
                env={**os.environ, **own},
            )  # fmt: skip
        return self.process

    def ask(self, question: str) -> dict[str, Any]:
        answer = self._answer(question) or self._answer(question)  # once more, where it was killed
        if not answer:
            raise RepairError(
                "the dry run ended before it answered",
                "run `python -m repairai doctor`; with little memory free, close other programs",
            )
        found: dict[str, Any] = json.loads(answer)
        return found

    def _answer(self, question: str) -> str:
        """Return the answer's line; empty where the process ended.

        Raises:
            RepairError: It took too long, and was stopped.
        """
        process = self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(ANSWER_SECONDS, process.kill)
        late.start()
        began = time.monotonic()
        try:
            process.stdin.write(question + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):  # its end of the pipe is gone, or ours was closed
            line = ""
        finally:
            late.cancel()
        if not line:
            process.kill()
            process.wait()
            if time.monotonic() - began >= ANSWER_SECONDS:
                raise RepairError(
                    f"this was not worked out within {ANSWER_SECONDS} s", "ask for a smaller batch, length or model"
                )
        return line

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
