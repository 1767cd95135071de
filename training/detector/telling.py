"""Progress of a script on standard error: in words, or as JSON lines for the page."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def teller(as_json: bool) -> Callable[[int, int | None, str], None]:
    """Return what tells progress: at most a line a second (JSON: five), and one at each end."""
    last = [0.0]

    def tell(done: int, total: int | None, what: str) -> None:
        now = time.monotonic()
        if done == total or total is None or now - last[0] >= (0.2 if as_json else 1.0):
            last[0] = now
            words = what if total is None else f"{what}: {done:,} of {total:,}"
            print(json.dumps({"done": done, "total": total, "what": what}) if as_json else words, file=sys.stderr)

    return tell
