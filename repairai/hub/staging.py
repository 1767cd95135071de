"""Files that were written anew to be pushed: `<home>/parcels/<kind>/<name>/`, there as long as a push needs them.

A push gives the files that it sends second names in its own folder. Where a disk has no such names it sends them from
here, so what it may still send stays.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from repairai.files import home

STALE_SECONDS = 3600.0
"""After which what somebody has looked at, and no push has taken, is deleted: it can be written again."""


def place_of(kind: str, name: str) -> Path:
    """Return where rewritten files of one thing lie."""
    return _all() / kind / name


def place_within(path: Path) -> str:
    """Return the place that a file lies in, as `kind/name`; empty where it lies elsewhere."""
    whole = Path(os.path.abspath(path))
    root = Path(os.path.abspath(_all()))
    parts = whole.relative_to(root).parts if whole.is_relative_to(root) else ()
    return "/".join(parts[:2]) if len(parts) > 2 else ""


def used(place: Path) -> None:
    """Note that somebody looks at the files of a place now, and may be about to push them."""
    with suppress(OSError):
        os.utime(place)


def tidy(needed: Collection[str], own: str = "", ordered: float = 0.0) -> None:
    """Delete what no push needs: what one that is over has sent, and what nobody has looked at for long.

    Args:
        needed: Places of pushes that may go on, as `place_within` gives them.
        own: That of a push that is over.
        ordered: When that was, seconds since 1970: what somebody has looked at since then stays for now.
    """
    stale = time.time() - STALE_SECONDS
    for place in _all().glob("*/*"):
        name = f"{place.parent.name}/{place.name}"
        with suppress(OSError):  # another process deletes it, too
            if name not in needed and place.stat().st_mtime <= (max(ordered, stale) if name == own else stale):
                shutil.rmtree(place, ignore_errors=True)


def _all() -> Path:
    return home() / "parcels"
