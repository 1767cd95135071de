"""Writes a large set whole once nobody corrects its photos any more, so that other tools find all in its COCO file."""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress
from pathlib import Path

from repairai.errors import RepairError
from repairai.vision.photo_set import CHANGES, write_changes

REST_SECONDS = 30.0
"""That nobody has saved a photo of the set."""
_lock = threading.Lock()
_waiting: dict[Path, threading.Timer] = {}


def later(folder: Path) -> None:
    """Write a set whole in a while where changes lie beside its COCO file; who saves again puts it off."""
    if not (folder / CHANGES).is_file():
        return
    timer = threading.Timer(REST_SECONDS, _write, [folder])
    timer.daemon = True  # whoever ends the page does not wait: `_write_all` does it then
    with _lock:
        before = _waiting.pop(folder, None)
        _waiting[folder] = timer
    if before:
        before.cancel()
    timer.start()


def _write(folder: Path) -> None:
    with _lock:
        _waiting.pop(folder, None)
    with suppress(RepairError):  # they stay where they are, and whoever reads the set finds them there
        write_changes(folder)


@atexit.register
def _write_all() -> None:
    for folder in list(_waiting):
        _write(folder)
