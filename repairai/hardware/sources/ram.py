"""Memory, with a container's limits counted in, which the system's own figures leave out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

GIB = 2**30


@dataclass(frozen=True)
class Ram:
    """Memory and swap, in GiB; see `HardwareProfile`."""

    total_gib: float
    free_gib: float
    swap_gib: float
    swap_free_gib: float


@dataclass(frozen=True)
class Group:
    """Where a version of control groups keeps a group's figures.

    Args:
        folder: The group's.
        limit: The file that holds its limit in bytes.
        used: The file that holds the bytes in use, those of cached files among them.
        cache: The line of `memory.stat` with the bytes of cached files that would be given up at once.
    """

    folder: Path
    limit: str
    used: str
    cache: str


def read_ram(root: Path = Path("/")) -> Ram:
    """Return what memory there is and is free: of the machine's and each control group's limit, the smallest."""
    machine = psutil.virtual_memory()
    total, free = machine.total, machine.available
    for group in groups(root):
        limit = _number(group.folder / group.limit)
        if limit is None:
            continue
        used = (_number(group.folder / group.used) or 0) - _cached(group)
        total = min(total, limit)
        free = min(free, limit - max(0, used))
    try:
        swap = psutil.swap_memory()
        swap_total, swap_free = swap.total, swap.free
    except (OSError, RuntimeError):  # some containers hide it
        swap_total = swap_free = 0
    return Ram(
        total_gib=total / GIB,
        free_gib=min(max(0, free), total) / GIB,
        swap_gib=swap_total / GIB,
        swap_free_gib=min(swap_free, swap_total) / GIB,
    )


def groups(root: Path) -> Iterator[Group]:
    """Yield the control groups that this process is in, inner ones first: the limit of each holds.

    Seen from within a container the path of its group may lie outside of what is mounted; then only the outermost of
    the folders is there, and it is the container's.

    Args:
        root: Where /proc and /sys lie.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        parts = [part for part in path.split("/") if part not in ("", "..")]
        tree = root / "sys/fs/cgroup"
        for depth in range(len(parts), -1, -1):
            inner = Path(*parts[:depth])
            if not controllers:
                yield Group(tree / inner, "memory.max", "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                folder = tree / "memory" / inner
                yield Group(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _cached(group: Group) -> int:
    try:
        lines = (group.folder / "memory.stat").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    for line in lines:
        name, _, number = line.partition(" ")
        if name == group.cache and number.strip().isdecimal():
            return int(number)
    return 0


def _number(path: Path) -> int | None:
    """Return the number in a file; None where the file is not there or says `max`."""
    try:
        text = path.read_text(errors="replace").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdecimal() else None
