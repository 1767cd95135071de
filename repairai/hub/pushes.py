"""Pushes as jobs of their own: each has a folder and a process, outlives the page and the network, and goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from repairai.errors import RepairError
from repairai.files import disk_error, read_record, write_record, write_whole
from repairai.hub import staging
from repairai.hub.push import MESSAGE, Parcel
from repairai.hub.push_folder import (
    AT_WORK,
    CANCEL,
    CARD,
    ORDER,
    PROCESS,
    Order,
    Standing,
    State,
    folder_of,
    json_in,
    pushes_folder,
    standing_of,
    tidy,
    write_standing,
)
from repairai.hub_faults import Kind, address
from repairai.processes import SOURCES, lives, process_in, spawned, told

_START_SECONDS, _END_SECONDS, _LOOK_SECONDS = 20.0, 5.0, 0.1


@dataclass(frozen=True)
class Push:
    """A push and how it stands.

    Args:
        id: Its name.
        repo: OWNER/NAME.
        kind: Of it.
        private: Whether only its owner sees it.
        made: When it was ordered, ISO 8601 in UTC.
        address: Where it can be looked at.
        standing: How far it is.
        folder: Its own.
    """

    id: str
    repo: str
    kind: Kind
    private: bool
    made: str
    address: str
    standing: Standing
    folder: Path

    @property
    def state(self) -> State:
        """How it stands, in one word."""
        return self.standing.state

    @property
    def at_work(self) -> bool:
        """Whether a process does it, or waits for the network."""
        return self.state in AT_WORK


def begin(parcel: Parcel, repo: str, private: bool = True, message: str = MESSAGE) -> Push:
    """Order a push, start its process, and return it. Whether it may go through is for `push.plan` to say before.

    Args:
        parcel: What goes.
        repo: OWNER/NAME.
        private: False shows it to everybody, once it is there whole.
        message: Of the commit.

    Raises:
        RepairError: One to the same place is under way, a file is gone, the disk is full, or it cannot be started.
    """
    for each in pushes():
        if each.at_work and (each.repo, each.kind) == (repo, parcel.kind):
            raise RepairError(f"{repo} is being pushed already", f"wait for it, or `hub cancel {each.id}`")
    now = datetime.now(UTC)
    folder = _new_folder(f"{now:%Y%m%d-%H%M%S}-{re.sub(r'[^A-Za-z0-9]+', '-', repo.rpartition('/')[2])[:40]}")
    try:
        files = tuple((path, str(_kept(folder, path, place))) for path, place in parcel.files)
        write_whole(folder / CARD, parcel.card.encode())
        made = now.isoformat(timespec="seconds")
        staged = next(filter(None, (staging.place_within(place) for _, place in parcel.files)), "")
        write_record(folder / ORDER, Order(repo, parcel.kind, private, message or MESSAGE, made, files, staged))
    except (RepairError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise error if isinstance(error, RepairError) else disk_error(folder, error) from None
    _start(folder)
    return push_of(folder.name)


def pushes() -> tuple[Push, ...]:
    """Return all pushes, the newest first; one that cannot be read is left out."""
    found = []
    for path in sorted(pushes_folder().glob(f"[!.]*/{ORDER}"), reverse=True):
        with suppress(RepairError):
            found.append(_read(path.parent))
    return tuple(sorted(found, key=lambda each: (each.made, each.id), reverse=True))


def push_of(push_id: str) -> Push:
    """Return a push.

    Raises:
        RepairError: There is none of that name.
    """
    return _read(folder_of(push_id))


def cancel(push_id: str) -> Push:
    """End a push; nothing of it is seen on the Hub unless its commit is there already. It can be begun again.

    Raises:
        RepairError: There is none of that name, or it is over.
    """
    push = push_of(push_id)
    if not push.at_work and push.state != "interrupted":
        raise RepairError(f"{push_id} is over: it is {push.state}", "see `python -m repairai hub pushes`")
    write_whole(push.folder / CANCEL, b"")
    until = time.monotonic() + _END_SECONDS
    while push_of(push_id).at_work and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    process = process_in(json_in(push.folder / PROCESS))
    if process is not None and lives(process):  # in the middle of what cannot be asked to end
        with suppress(psutil.Error):
            found = psutil.Process(process.pid)
            found.terminate()
            found.wait(_END_SECONDS)
    if push_of(push_id).state not in ("cancelled", "done"):
        write_standing(
            push.folder, replace(standing_of(push.folder), state="cancelled", said="", file="", next_try=0.0)
        )
    return push_of(push_id)


def again(push_id: str) -> Push:
    """Go on with a push that failed, was cancelled or interrupted; what is on the Hub already does not go again.

    Raises:
        RepairError: There is none of that name, it is under way or done, or it cannot be started.
    """
    push = push_of(push_id)
    if push.at_work or push.state == "done":
        raise RepairError(f"{push_id} is {push.state}", "see `python -m repairai hub pushes`")
    _start(push.folder)
    return push_of(push_id)


def forget(push_id: str) -> None:
    """Take a push that is over out of the list; what it has sent stays on the Hub.

    Raises:
        RepairError: There is none of that name, or it is under way.
    """
    push = push_of(push_id)
    if push.at_work:
        raise RepairError(f"{push_id} is {push.state}", f"cancel it first: hub cancel {push_id}")
    tidy(push.folder)
    shutil.rmtree(push.folder, ignore_errors=True)


# ---- its folder


def _new_folder(name: str) -> Path:
    try:
        pushes_folder().mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = pushes_folder() / (name if number == 1 else f"{name}-{number}")
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
    except OSError as error:
        raise disk_error(pushes_folder(), error) from None
    raise RepairError("there are too many pushes at once", "try again in a second")


def _kept(folder: Path, path: str, place: Path) -> Path:
    """Give a file a second name in the folder of its push, and return that; its own where that cannot be."""
    target = folder / "files" / path
    if not place.is_file():
        raise RepairError(f"{place} is gone, which was to be sent", "make it again, then push again")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(place, target)
    except FileExistsError:
        raise RepairError(f"{path} was to be sent twice", "let each file have a name of its own") from None
    except OSError:
        return place.absolute()
    return target


def _start(folder: Path) -> None:
    """Start the process of a push."""
    (folder / CANCEL).unlink(missing_ok=True)
    write_standing(folder, replace(standing_of(folder), state="starting", said="", next_try=0.0))
    command = [sys.executable, "-m", "repairai", "hub", "push-job", folder.name]
    try:
        with (folder / "log").open("ab") as log:
            process = spawned(command, log, SOURCES)
    except OSError as error:
        said = f"the push could not be started: {error.strerror or error}"
        write_standing(folder, Standing("failed", said=said))
        raise RepairError(said, "try again") from None
    with suppress(psutil.NoSuchProcess):  # it ended at once
        write_whole(folder / PROCESS, json.dumps(asdict(told(process.pid, process.pid))).encode())
    threading.Thread(target=_reap, args=(process,), name=f"reaper of {folder.name}", daemon=True).start()


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a child, so that it does not stay as a dead entry."""
    process.wait()


def _read(folder: Path) -> Push:
    order = read_record(folder / ORDER, Order)
    standing = standing_of(folder)
    if standing.state in AT_WORK and not _is_alive(folder, standing):
        standing = replace(standing_of(folder), next_try=0.0)  # it may have ended between two looks
        if standing.state in AT_WORK:
            standing = replace(standing, state="interrupted", said="its process went down")
    return Push(
        folder.name,
        order.repo,
        order.kind,
        order.private,
        order.made,
        address(order.repo, order.kind),
        standing,
        folder,
    )


def _is_alive(folder: Path, standing: Standing) -> bool:
    process = process_in(json_in(folder / PROCESS))
    if process is not None and lives(process):
        return True
    return standing.state == "starting" and process is None and time.time() - standing.time < _START_SECONDS
