"""What scripts that the page starts have in common: progress on standard error, and one sentence where they refuse."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from repairai.errors import RepairError

Tell = Callable[[int, int | None, str], None]
"""Is told how much is done, of how much (None where that is not known), and what."""


class Parser(argparse.ArgumentParser):
    """Refuses wrong words in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Refuse them.

        Raises:
            RepairError: Always.
        """
        raise RepairError(message, f"see `{self.prog} --help`")


def ended(script: Callable[[], int], stopped: str) -> int:
    """Run a script to whatever end, say which in a sentence, and return the exit code.

    Args:
        script: Returns the code where it ends by itself; what it has begun it takes away or finishes where it is left.
        stopped: What to say where a person stopped it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that it is left as by any fault
    try:
        return script()
    except RepairError as error:
        print(f"repairai: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"repairai: stopped; {stopped}", file=sys.stderr)
        return 130


def teller(as_json: bool) -> Tell:
    """Return what tells progress: at most a line a second (JSON: five), and one at each end."""
    last = [0.0]

    def tell(done: int, total: int | None, what: str) -> None:
        now = time.monotonic()
        if done == total or total is None or now - last[0] >= (0.2 if as_json else 1.0):
            last[0] = now
            words = what if total is None else f"{what}: {done:,}" + (f" of {total:,}" if total else "")
            print(json.dumps({"done": done, "total": total, "what": what}) if as_json else words, file=sys.stderr)

    return tell
