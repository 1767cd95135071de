"""Deletes sets of photos, at once and for good; a set that a run at work or in the queue needs stays."""

from __future__ import annotations

import difflib
import os
import shutil
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.runs.queue import queue_lock
from repairai.runs.removal import users
from repairai.vision.photo_set import LOCK_SECONDS, photo_set_folder, photo_sets


def known_photos(name: str) -> Path:
    """Return the folder of a set of photos.

    Raises:
        RepairError: There is none of that name; the nearest is told.
    """
    sets = photo_sets()
    if name in sets:
        return photo_set_folder(name)
    near = difflib.get_close_matches(name, sets, n=1, cutoff=0.5)
    raise RepairError(
        f"there are no photos named {name!r:.80}" + (f", did you mean {near[0]!r}?" if near else ""),
        "list them with `python -m repairai photos list`",
    )


def delete_photos(name: str) -> list[str]:
    """Delete a set of photos; return the ids of runs that can no longer go on without it.

    Raises:
        RepairError: There is none of that name, or a run that is at work or waits needs it, or it is being changed.
    """
    folder = known_photos(name)
    gone = folder.with_name(f".{name}.{uuid.uuid4().hex[:8]}")  # the next import takes it away if this goes down
    with queue_lock():
        needs, could = users(folder)
        if needs:
            raise RepairError(
                f"{' and '.join(needs[:3])} {'needs' if len(needs) == 1 else 'need'} the photos {name} still",
                f"wait for it, or stop it, or take it out of the queue: runs show {needs[0]}",
            )
        try:
            with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
                pass  # whoever is writing ends first
            os.replace(folder, gone)
        except Timeout:
            raise RepairError(f"{name} is being changed", "try again when that has ended") from None
        except OSError as error:
            raise disk_error(folder, error) from None
    shutil.rmtree(gone, ignore_errors=True)
    return could
