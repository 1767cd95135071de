"""What the process of a run writes down while it works, and what it is asked meanwhile."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal, Self, get_args

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.hardware.recipe import read_recipe
from repairai.processes import lives, own
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.lines import mend_tail
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import read_process, write_process
from repairai.runs.secrets import without_secrets

EndState = Literal["finished", "stopped", "paused", "out_of_memory", "disk_full", "failed"]
Word = Literal["stop", "pause"]
BEAT_SECONDS = 2.0
STEP_BEAT_SECONDS = 0.2
"""Between signs of life that steps give: a watcher sees no more."""
BEAT_BYTES = 512
"""Of a sign of life: always as long, so that it is written where the last one lies, also on a full disk."""
RESERVE_BYTES = 64 * 1024
LOCK_SECONDS = 8.0
"""That a run may still be held: workers that load data outlive a killed trainer by five seconds, and hold it, too."""
FULL_BYTES = 2**20
"""Free disk under which an error that does not say why is put down to it."""
RESUME = "go on with `python -m repairai runs resume {}`"


class Asked(Exception):  # noqa: N818  # it is no error
    """The run was asked to stop or to pause.

    Args:
        what: Which of the two.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Journal:
    """Writes a run's folder from inside its process: signs of life, figures, events and how it ended.

    While it is open, SIGTERM asks the run to stop. What leaves the `with` unsaid is not said: a process that dies
    without a word is seen as interrupted.

    Args:
        folder: Of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.ended = False
        self._lock = FileLock(folder.lock, timeout=LOCK_SECONDS)
        self._beating = threading.Lock()
        self._done = threading.Event()
        self._pid = 0
        self._phase = "starting"
        self._phases: set[str] = set()
        self._step: int | None = None
        self._total_steps: int | None = None
        self._term = False
        self._old_handler: Any = None
        self._beat_at = 0.0
        self._began = time.monotonic()
        self._ran_before = 0.0

    # ---- opening and closing

    def __enter__(self) -> Self:
        """Take the run.

        Raises:
            RepairError: Another process works on it, or the disk is full.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise RepairError(
                f"another process is at work on the run {self.folder.id}", "wait for it, or stop it"
            ) from None
        try:
            self._take()
        except (OSError, RepairError) as error:
            self._end_by(error)
            self._lock.release()
            raise
        self._listen()
        threading.Thread(target=self._beat_on, name="heartbeat", daemon=True).start()
        return self

    def _take(self) -> None:
        folder, self._pid = self.folder, os.getpid()
        before = read_process(folder.process)
        if before and before.pid != self._pid and not lives(before):
            self._forget_asked()  # of a process that died before it could do it
        for path in (folder.events, folder.metrics):
            mend_tail(path)
        write_process(folder, own())
        for path in (folder.exit, folder.queued):
            path.unlink(missing_ok=True)
        ran = read_json(folder.heartbeat).get("ran")
        self._ran_before = float(ran) if isinstance(ran, int | float) else 0.0
        self._beat()
        if not folder.reserve.is_file() or folder.reserve.stat().st_size < RESERVE_BYTES:
            folder.reserve.write_bytes(os.urandom(RESERVE_BYTES))  # which no disk packs into less
        self.event("began", f"process {self._pid} works on it", pid=self._pid)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down how it ended, where that is not done yet, and let go of the run."""
        if error is not None and not self.ended:
            self._end_by(error)
        if error is not None and sys.excepthook is sys.__excepthook__:
            sys.excepthook = _say_without_secrets
        self._done.set()
        self._beat()
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)
        self._lock.release()

    # ---- what it does

    def phase(self, name: str, step: int | None = None, total_steps: int | None = None) -> None:
        """Say what it is at.

        Args:
            name: "loading the model", "training", "evaluating", "saving", ...
            step: Optimizer steps that were made; None: as before.
            total_steps: That there will be; None: as before.
        """
        new = name != self._phase
        self._phase = name
        self._step = self._step if step is None else step
        self._total_steps = self._total_steps if total_steps is None else total_steps
        if new and name not in self._phases:
            self._phases.add(name)
            self.event("phase", name)
        if new or time.monotonic() - self._beat_at > STEP_BEAT_SECONDS:
            self._beat()

    def event(self, kind: str, text: str, **data: Any) -> None:
        """Write down what happened; nothing where the disk is full.

        Args:
            kind: In one word.
            text: In a sentence.
            **data: What else is known, fit for JSON.
        """
        add_event(self.folder.events, kind, text, **data)

    def metric(self, metric: Metric) -> None:
        """Write down what was measured at a step; nothing where the disk is full."""
        with suppress(OSError):
            add_metric(self.folder.metrics, metric)

    def asked(self) -> str:
        """Return what it is asked: "stop", "pause" or nothing."""
        if self._term or (self.folder.control / "stop").exists():
            return "stop"
        return "pause" if (self.folder.control / "pause").exists() else ""

    def take(self, what: Literal["save", "eval"]) -> bool:
        """Return whether it is asked to save or to evaluate now: once for each time that it is asked."""
        try:
            (self.folder.control / what).unlink()
        except OSError:
            return False
        return True

    def check(self) -> None:
        """Leave where that is asked.

        Raises:
            Asked: To stop or to pause.
        """
        what = self.asked()
        if what:
            raise Asked(what)

    # ---- how it ends

    def end(self, state: EndState, reason: str = "", said: str = "", mend: str = "", step: int | None = None) -> None:
        """Write down how it ended.

        Args:
            state: In one word.
            reason: Why, in one word or two: "early stopping".
            said: What happened, in a sentence.
            mend: What can be done now, in a sentence.
            step: The last one that was made; None: the one that was told last.
        """
        if state not in get_args(EndState):
            raise ValueError(f"need state to be one of {', '.join(get_args(EndState))}, got {state!r}")
        step = self._step if step is None else step
        self._forget_asked()
        data = {"state": state, "reason": reason, "said": said, "mend": mend, "step": step, "time": time.time()}
        content = without_secrets(json.dumps(data, ensure_ascii=False)).encode()
        try:
            write_whole(self.folder.exit, content)
        except RepairError:
            self._write_into_reserve(content)
        self.ended = True
        with suppress(OSError):
            self.folder.reserve.unlink(missing_ok=True)
        self.event("ended", said or state, state=state, step=step)

    def _write_into_reserve(self, content: bytes) -> None:
        """Write the end where room is kept for it, and let that take its name: a full disk has no other."""
        try:
            with self.folder.reserve.open("r+b") as file:
                file.write(content)
                file.truncate()
                os.fsync(file.fileno())
            os.replace(self.folder.reserve, self.folder.exit)
        except OSError as error:  # it is then seen as interrupted, which is so
            sys.stderr.write(f"how it ended could not be written: {error}\n")

    def _end_by(self, error: BaseException) -> None:
        """Write down the end that an error makes."""
        resume = RESUME.format(self.folder.id)
        at = f"at step {self._step}" if self._step is not None else f"while {self._phase}"
        if isinstance(error, Asked):
            state: EndState = "paused" if error.what == "pause" else "stopped"
            return self.end(state, "asked", f"it was asked to {error.what}, and did so {at}", resume)
        if isinstance(error, KeyboardInterrupt):
            return self.end("stopped", "interrupted from the keyboard", f"Ctrl+C ended it {at}", resume)
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return None
        if is_disk_full(error, self.folder.path):
            free = f"free some space, then {resume}"
            return self.end("disk_full", "disk full", f"the disk was full {at}: {_words(error)}", free)
        if is_out_of_memory(error):
            size = "image_px" if self._sees_by_px() else "length_tokens"
            less = f"halve batch or {size} in a copy of the recipe, or plan again for a smaller model"
            return self.end("out_of_memory", "out of memory", f"memory ran out {at}: {_words(error)}", less)
        if isinstance(error, RepairError):
            return self.end("failed", "refused", error.what, error.next_step)
        log = f"read its log with `python -m repairai runs log {self.folder.id}`, mend what it names, then {resume}"
        return self.end("failed", type(error).__name__, f"an error ended it {at}: {_words(error)}", log)

    def _sees_by_px(self) -> bool:
        """Tell by its recipe, which may be damaged: a person is told what to lower all the same."""
        with suppress(RepairError):
            if self.folder.recipe.is_file():
                recipe = read_recipe(self.folder.recipe)
                return recipe.task == "detector" or recipe.step.method == "linear_probe"
        return False

    def _forget_asked(self) -> None:
        for what in ("stop", "pause", "save", "eval"):
            with suppress(OSError):
                (self.folder.control / what).unlink(missing_ok=True)

    # ---- signs of life and signals

    def _beat_on(self) -> None:
        while not self._done.wait(BEAT_SECONDS):
            self._beat()
            noted = read_process(self.folder.process)
            if noted is None or noted.pid != self._pid:  # damaged, or of one that was started beside this and has left
                with suppress(RepairError):
                    write_process(self.folder, own())

    def _beat(self) -> None:
        """Write a sign of life over the last one."""
        self._beat_at = time.monotonic()
        data = {
            "time": time.time(),
            "phase": self._phase[:80],
            "step": self._step,
            "total_steps": self._total_steps,
            "pid": self._pid,
            "ran": round(self._ran_before + time.monotonic() - self._began, 1),
        }
        content = json.dumps(data).encode()[: BEAT_BYTES - 1].ljust(BEAT_BYTES - 1) + b"\n"
        with self._beating, suppress(OSError):
            descriptor = os.open(self.folder.heartbeat, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, content)
            finally:
                os.close(descriptor)

    def _listen(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._old_handler = signal.signal(signal.SIGTERM, self._on_term)

    def _on_term(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a worker that was forked off: it is to end, not the run
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        self._term = True
        with suppress(OSError):
            self.folder.control.mkdir(exist_ok=True)
            (self.folder.control / "stop").touch()


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Return whether an error, or what led to it, comes of a full disk."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(seen) or "os error 28" in str(seen):  # as safetensors says it
            return True
        seen = seen.__cause__ or seen.__context__
    # torch says of a full disk that its file writer failed, and no more.
    return isinstance(error, RuntimeError) and "writ" in str(error) and shutil.disk_usage(folder).free < FULL_BYTES


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, of the GPU or of the machine."""
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text))
    )


def _words(error: BaseException) -> str:
    """Return an error's sort and its words, short."""
    if isinstance(error, RepairError):
        return error.what
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text:.300}" if text else type(error).__name__


def _say_without_secrets(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error as Python does, without the environment's secrets: it goes to the run's log."""
    sys.stderr.write(without_secrets("".join(traceback.format_exception(kind, error, trace))))
