"""Files of lines that only grow: whole lines go in and come out, also where a disk is full or a machine goes down."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, whole or not at all.

    Raises:
        OSError: The disk is full, or the file cannot be written; it is as it was.
    """
    content = f"{line}\n".encode()
    with path.open("ab", buffering=0) as file:
        before = file.seek(0, os.SEEK_END)
        try:
            if file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        except OSError:
            with suppress(OSError):
                file.truncate(before)
            raise


def mend_tail(path: Path) -> None:
    """Take away a last line that was never written to its end, so that the next one stands by itself."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            back = 4096
            while size:
                file.seek(max(size - back, 0))
                end = file.read(min(back, size)).rfind(b"\n")
                if end >= 0:
                    file.truncate(max(size - back, 0) + end + 1)
                    return
                if back >= size:
                    file.truncate(0)
                    return
                back *= 4
    except FileNotFoundError:
        return


def tail(path: Path, size: int) -> bytes:
    """Return the whole lines among a file's last bytes; none where there is no file.

    Args:
        path: The file.
        size: How many bytes are looked at.
    """
    try:
        with path.open("rb") as file:
            start = max(file.seek(0, os.SEEK_END) - size, 0)
            file.seek(start)
            content = file.read(size)
    except OSError:
        return b""
    return content.partition(b"\n")[2] if start else content
