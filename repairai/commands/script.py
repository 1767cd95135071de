"""Runs a script of `training` by its name, as a process of its own, to its end."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence

from repairai.errors import RepairError

_END_SECONDS = 10.0
"""That a script may take to end when it is asked to."""


def run_script(module: str, words: Sequence[str], ended: Callable[[], None] = lambda: None) -> int:
    """Run a script of `training` and return its exit code; Ctrl+C ends it, and nothing half-written stays.

    It does not get Ctrl+C itself, but is asked to end, and has time to take away what it has half written.

    Args:
        module: Its name, as `training.detector_data`.
        words: Behind it.
        ended: Called when it was ended before its time.

    Raises:
        RepairError: The folder `training` is not there.
    """
    if importlib.util.find_spec("training") is None:
        raise RepairError(
            "the folder `training` is not there", "run this where RepairAI was cloned, or install it whole"
        )
    process = subprocess.Popen([sys.executable, "-m", module, *words], start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        ended()
        raise
