"""How a process looks for garbage that is only reachable from itself.

gradio, torch and transformers make a million objects that stay. Python looks for garbage among them after every 700 new
ones, a fifth of the time in which they are imported, and once more at its end, for another 2 s.
"""

from __future__ import annotations

import atexit
import gc

NEW_OBJECTS = 20_000


def look_seldom() -> None:
    """Look for it after so many new objects, and not at the end: whatever must happen then has a handler of its own."""
    gc.set_threshold(NEW_OBJECTS)
    atexit.register(gc.freeze)
