"""Starts the process of a run so that it outlives whoever started it: nothing of it hangs on a terminal or a page."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.processes import SOURCES, Process, oom_kills, spawned, told
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder, command_of, read_json
from repairai.runs.process import is_alive, write_process

ASKED = ("stop", "pause", "save", "eval")


def launch(folder: RunFolder) -> None:
    """Start the process of a run, and write down which it is.

    Whoever calls this holds `queue_lock`, so that a run is not started twice.

    Raises:
        RepairError: It runs already, the disk is full, `run.json` does not say how it is started, or it cannot be:
            then it has failed.
    """
    if is_alive(folder):
        raise RepairError(f"{folder.id} is running already", f"look at it with `runs show {folder.id}`")
    command = command_of(folder)
    if not command:
        raise RepairError(f"run.json of {folder.id} does not say how it is started", "start a new run from its recipe")
    if not folder.queued.exists():  # until its process is known it waits, whatever becomes of this one
        write_whole(folder.queued, json.dumps({"position": 0, "since": time.time()}).encode())
    for path in (folder.exit, folder.process, *(folder.control / what for what in ASKED)):
        path.unlink(missing_ok=True)
    directory = Path(str(read_json(folder.about).get("directory", "")) or SOURCES)
    try:
        with folder.log.open("ab") as log:
            process = spawned(command, log, directory if directory.is_dir() else SOURCES)
    except OSError as error:
        said = f"{Path(command[0]).name} could not be started: {error.strerror or error}"
        end_unstarted(folder, "failed", "not started", said, "start a new run from its recipe")
        raise RepairError(said, "start a new run from its recipe") from None
    try:
        identity = told(process.pid, process.pid)
    except psutil.NoSuchProcess:  # it ended at once
        identity = Process(process.pid, time.time(), psutil.boot_time(), socket.gethostname())
    with suppress(RepairError):  # a full disk, of which the process itself will tell
        write_process(folder, identity)
    folder.queued.unlink(missing_ok=True)
    threading.Thread(target=_reap, args=(process, folder), name=f"reaper of {folder.id}", daemon=True).start()


def end_unstarted(folder: RunFolder, state: str, reason: str, said: str, mend: str) -> None:
    """Write down the end of a run that no process of its own can tell.

    Raises:
        RepairError: The disk is full.
    """
    data = {"state": state, "reason": reason, "said": said, "mend": mend, "step": None, "time": time.time()}
    write_whole(folder.exit, json.dumps(data, ensure_ascii=False).encode())
    folder.queued.unlink(missing_ok=True)
    add_event(folder.events, "ended", said, state=state)


def _reap(process: subprocess.Popen[bytes], folder: RunFolder) -> None:
    """Wait for a child, so that it does not stay as a dead entry, and note how it ended where it did not say so."""
    code = process.wait()
    if code and not folder.exit.exists():
        add_event(folder.events, "gone", f"the process ended with code {code}", code=code, oom_kills=oom_kills())
