"""The folder of a push: what goes where, how far it is, and what its process is told.

<home>/pushes/<id>/push.json     what goes where
                   card.md       its README
                   files/        second names of its files: what is deleted or changed here meanwhile still goes
                   state.json    how far it is
                   process.json  which process does it
                   cancel        asks it to end
                   log           what the process said
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from repairai.errors import RepairError
from repairai.files import home, read_record, write_record
from repairai.hub import staging
from repairai.hub_faults import Kind

State = Literal["starting", "sending", "waiting", "done", "failed", "cancelled", "interrupted"]
AT_WORK: tuple[State, ...] = ("starting", "sending", "waiting")
STATE, ORDER, CARD, PROCESS, CANCEL = "state.json", "push.json", "card.md", "process.json", "cancel"


@dataclass(frozen=True)
class Order:
    """What goes where.

    Args:
        repo: OWNER/NAME.
        kind: Of it.
        private: Whether only its owner sees it.
        message: Of the commit.
        made: When it was ordered, ISO 8601 in UTC.
        files: (path in the repository, the file here).
        staged: Where those lie that were written anew for it, as `staging.place_within` says it; empty for none.
    """

    repo: str
    kind: Kind
    private: bool
    message: str
    made: str
    files: tuple[tuple[str, str], ...]
    staged: str = ""


@dataclass(frozen=True)
class Standing:
    """How far a push is; `state.json`.

    Args:
        state: In one word.
        done_bytes: That are on the Hub.
        total_bytes: Of all.
        file: That is on its way.
        said: What went wrong, or why it waits, in a sentence; else nothing.
        commit: That it has made, at its end.
        time: When this was written, seconds since 1970.
        next_try: When it is tried again, likewise; 0: it does not wait.
    """

    state: State
    done_bytes: int = 0
    total_bytes: int = 0
    file: str = ""
    said: str = ""
    commit: str = ""
    time: float = 0.0
    next_try: float = 0.0


def pushes_folder() -> Path:
    """Return the folder of all pushes, which need not exist."""
    return home() / "pushes"


def mark() -> str:
    """Return what is another as soon as a push begins, gets on, ends or is forgotten; empty where there is none.

    It takes one look at the folders; the push of a process that went down without a word leaves it as it was.
    """
    try:
        with os.scandir(pushes_folder()) as found:
            stamps = sorted((each.name, each.stat().st_mtime_ns) for each in found if not each.name.startswith("."))
    except OSError:
        return ""
    return blake2b(repr(stamps).encode(), digest_size=8).hexdigest() if stamps else ""


def folder_of(push_id: str) -> Path:
    """Return the folder of a push.

    Raises:
        RepairError: There is none of that name.
    """
    folder = pushes_folder() / push_id
    if not push_id or Path(push_id).name != push_id or not (folder / ORDER).is_file():
        raise RepairError(f"there is no push {push_id!r:.80}", "see `python -m repairai hub pushes`")
    return folder


def standing_of(folder: Path) -> Standing:
    """Return how far a push is, as its folder tells it."""
    try:
        return read_record(folder / STATE, Standing)
    except RepairError:
        return Standing("starting")


def write_standing(folder: Path, standing: Standing) -> None:
    """Write down how far a push is, and when."""
    with suppress(RepairError):  # a full disk does not end what is under way
        write_record(folder / STATE, replace(standing, time=time.time()))


def json_in(path: Path) -> dict[str, object]:
    """Return what a file of JSON says; nothing where it says nothing."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def tidy(over: Path | None = None) -> None:
    """Delete files that were written anew to be pushed, and that no push needs any more.

    Args:
        over: Folder of a push that needs its own no more; None: only what nobody has looked at for long.
    """
    needed, own, ordered = set[str](), "", 0.0
    for path in pushes_folder().glob(f"[!.]*/{ORDER}"):
        if path.parent != over and standing_of(path.parent).state == "done":
            continue
        with suppress(RepairError, OSError):
            order = read_record(path, Order)
            if path.parent == over:
                own, ordered = order.staged, path.stat().st_mtime
            else:
                needed |= {staging.place_within(Path(place)) for _, place in order.files}
    staging.tidy(needed, own, ordered)
