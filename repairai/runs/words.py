"""How a run stands, in words that the page and the command line share."""

from __future__ import annotations

import time

from repairai.runs.folder import RunFolder, runs_folder
from repairai.runs.queue import alive_runs
from repairai.runs.state import Run, read_run

IN_WORDS = {"out_of_memory": "out of memory", "disk_full": "ended by a full disk"}


def in_words(state: str) -> str:
    """Return a state as a sentence has it."""
    return IN_WORDS.get(state, state)


def clock(when: float) -> str:
    """Return a time as a person says it: the hour, with the day where it is not today's.

    Args:
        when: Seconds since 1970.
    """
    then = time.localtime(when)
    same_day = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", then)


def span(seconds: float) -> str:
    """Return a time as a person says it: "40 s", "12 min", "3 h 05 min"."""
    whole = max(round(seconds), 0)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def progress(run: Run) -> str:
    """Return where a run is, in one line: step, loss, tokens a second and the time to go, as far as they are known."""
    parts = [run.phase or run.state]
    if run.step is not None:
        parts.append(f"step {run.step}" + (f" of {run.total_steps}" if run.total_steps else ""))
    if run.last and run.last.loss is not None:
        parts.append(f"loss {run.last.loss:.3f}")
    if run.last and run.last.tokens_per_second is not None:
        parts.append(f"{run.last.tokens_per_second:,.0f} tokens/s")
    if run.eta_seconds is not None:
        parts.append(f"{span(run.eta_seconds)} to go")
    if run.asked:
        parts.append(f"asked to {run.asked}")
    return " · ".join(parts)


def how_far(run: Run, place: int | None = None) -> list[str]:
    """Return how far a run is, in the few words that a list has room for: its place or step, its loss, its end.

    Args:
        run: The run.
        place: Its number in the queue; None where that is not known.
    """
    parts = []
    if run.state == "queued":
        parts.append(f"number {place} in the queue" if place else "in the queue")
        parts += [f"not before {clock(run.not_before)}"] if run.not_before else []
    elif run.step is not None:
        parts.append(f"step {run.step:,}" + (f" of {run.total_steps:,}" if run.total_steps else ""))
    if run.last and run.last.loss is not None:
        parts.append(f"loss {run.last.loss:.3f}")
    if run.eta_seconds is not None:
        parts.append(f"{span(run.eta_seconds)} to go")
    elif run.ended:
        parts.append(clock(run.ended))
    return parts


def cost_of_asking() -> str:
    """Return what it costs to ask a model on this machine now, in a sentence; nothing where no run is at work."""
    ids = alive_runs()
    if not ids:
        return ""
    run = read_run(RunFolder(runs_folder() / ids[0]))
    holds = f" and holds {run.last.memory_gib:.1f} GiB" if run.last and run.last.memory_gib else ""
    return f"{run.id} is at work on this machine{holds}: a model that answers meanwhile takes memory and time from it."
