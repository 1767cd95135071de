"""What the C library does with memory that a training on a processor has freed; only glibc is told anything."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of glibc's `mallopt`, by its manual page."""
_LARGEST_KEPT = 32 * 2**20
"""Bytes: the most that glibc takes for the second."""
_NEVER = 2**31 - 1


def give_back() -> None:
    """Give the system the memory that was freed, as far as the C library can.

    glibc keeps what lies below anything that is still in use, and rows of another length seldom fit into such holes, so
    a process grows from step to step. Their pages are let go here; what is in use stays where it is.
    """
    if glibc := _glibc():
        glibc.malloc_trim(0)


def keep() -> None:
    """Keep the memory that was freed, for a training whose steps all ask for the same again.

    glibc gives the system back what it has at its end, and gets it anew, emptied page by page, at the next step.
    """
    if glibc := _glibc():
        glibc.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        glibc.mallopt(_TRIM_THRESHOLD, _NEVER)


@cache
def _glibc() -> Any:
    """Return the C library; None where it is another."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None
