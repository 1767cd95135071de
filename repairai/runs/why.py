"""Why a run ended, in one sentence, and what can be done now, in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from repairai.processes import Process, boot_id
from repairai.runs.events import Event, read_events
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.lines import tail
from repairai.runs.process import read_process
from repairai.runs.queue import alive_runs, waiting
from repairai.runs.secrets import without_secrets
from repairai.runs.state import Exit, Run, read_run
from repairai.runs.words import clock

LOG_BYTES = 16 * 1024
SIGNALS = {9: "SIGKILL", 11: "SIGSEGV", 6: "SIGABRT", 7: "SIGBUS", 15: "SIGTERM", 4: "SIGILL", 1: "SIGHUP"}
FAULTS = (11, 7, 4, 6)
"""Signals that come of a fault in a library or of the hardware."""
NOT_WORDS = ("Traceback", " ", "^")
CODE_ASIDE = 128
"""A shell's way to tell a signal: this and its number."""


@dataclass(frozen=True)
class Why:
    """Why a run ended.

    Args:
        said: What happened, in a sentence, with what was seen.
        mend: What can be done now, in a sentence.
    """

    said: str
    mend: str

    def __str__(self) -> str:
        """Return both."""
        return f"{self.said} {self.mend}"


def why(folder: RunFolder) -> Why:
    """Return why a run ended; for one that has not, what it is at."""
    run = read_run(folder)
    if run.state == "queued":
        return _waits(run)
    if run.state in ("starting", "running"):
        return _works(run)
    if run.state == "interrupted" or run.exit is None:
        return _interrupted(folder, run)
    return _ENDS[run.state](run, run.exit)


# ---- runs that have not ended


def _waits(run: Run) -> Why:
    order = waiting()
    own = next((each for each in order if each.id == run.id), None)
    if own and own.held_by:
        return Why(
            f"It waits, because {own.held_by} was paused after it was put into the queue.",
            f"Let {own.held_by} go on, or let the queue go on with `python -m repairai runs queue --go`.",
        )
    if own and not own.is_due and own.not_before:
        return Why(f"It waits until {clock(own.not_before)}.", f"Start nothing by hand: {_QUEUE}.")
    before = [each.id for each in order[: order.index(own)]] if own else []
    behind = [*(each for each in alive_runs() if each != run.id), *before]
    if not behind:
        return Why("It waits for the next look at the queue, within a second.", f"It begins by itself: {_QUEUE}.")
    return Why(f"It waits behind {' and '.join(behind)}.", f"It begins by itself: {_QUEUE}.")


_QUEUE = "`python -m repairai runs queue` shows what comes when"


def _works(run: Run) -> Why:
    if run.asked:
        return Why(
            f"It has not ended: it was asked to {run.asked} and is at {_phase(run)}{_at(run)}.",
            f"Wait for its checkpoint; if nothing comes, `python -m repairai runs kill {run.id}` ends it by force.",
        )
    return Why(f"It has not ended: it is at {_phase(run)}{_at(run)}.", "Let it work.")


# ---- runs that said so themselves


def _finished(run: Run, end: Exit) -> Why:
    said = _sentence(end.said) if end.said else f"It finished{_at(run)}."
    if run.kind == "evaluate":
        said = end.said if run.parent and end.said.startswith(f"{run.parent} ") else said  # an id is no word
        return Why(said, f"See what it found with `python -m repairai runs show {run.parent}`.")
    return Why(said, end.mend or f"See what it has learned with `python -m repairai runs evaluate {run.id}`.")


def _left(run: Run, end: Exit) -> Why:
    what = "paused" if run.state == "paused" else "stopped"
    if end.reason == "unqueued" or run.step is None:
        return Why(_sentence(end.said or f"it was {what} before its first step"), _resume(run))
    return Why(f"It was {what} at {clock(end.time)}{_at(run)}; {_lost(run)}.", _resume(run))


def _out_of_memory(run: Run, end: Exit) -> Why:
    seen = f" It held {run.last.memory_gib:.1f} GiB at most." if run.last and run.last.memory_gib else ""
    said = _sentence(end.said or f"memory ran out{_at(run)}")
    return Why(
        said + seen, _sentence(end.mend) if end.mend else "Halve batch in the recipe, or the size of what it is shown."
    )


def _disk_full(run: Run, end: Exit) -> Why:
    said = _sentence(end.said or f"the disk was full{_at(run)}")
    return Why(f"{said} {_sentence(_lost(run))}", f"Free some space. {_resume(run)}")


def _failed(run: Run, end: Exit) -> Why:
    said = _sentence(end.said or f"an error ended it{_at(run)}")
    log = f"Read its log with `python -m repairai runs log {run.id}`."
    return Why(said, _sentence(end.mend) if end.mend else log)


_ENDS: dict[str, Callable[[Run, Exit], Why]] = {
    "finished": _finished,
    "stopped": _left,
    "paused": _left,
    "out_of_memory": _out_of_memory,
    "disk_full": _disk_full,
    "failed": _failed,
}


# ---- runs that ended without a word


def _interrupted(folder: RunFolder, run: Run) -> Why:
    process = read_process(folder.process)
    damaged = "" if read_json(folder.about) else " Its run.json cannot be read."
    if process is None:
        return Why(f"It was never started, or what started it went down at once.{damaged}", _resume(run))
    said = _restarted(process) or _killed(folder, process) or _died(folder, run)
    lost = f"; {_lost(run)}" if run.step else ""
    return Why(f"{said}{lost}.{damaged}", _mend(said, run))


def _restarted(process: Process) -> str:
    """Return that the machine went down, where it did."""
    again = process.boot_id != boot_id() if process.boot_id and boot_id() else psutil.boot_time() > process.boot + 60
    return f"It ended when the machine was restarted at {clock(psutil.boot_time())}" if again else ""


def _killed(folder: RunFolder, process: Process) -> str:
    """Return that somebody ended it, or the kernel, where that is known."""
    events = _since(read_events(folder.events), process)
    if any(each.kind == "killed" for each in events):
        when = clock(next(each.time for each in reversed(events) if each.kind == "killed"))
        return f"It was ended by force at {when}, as was asked"
    gone = next((each for each in reversed(events) if each.kind == "gone"), None)
    code = gone.data.get("code") if gone else None
    if gone is None or not isinstance(code, int) or not (code < 0 or code > CODE_ASIDE):
        return ""
    number = -code if code < 0 else code - CODE_ASIDE
    name = SIGNALS.get(number, f"signal {number}")
    if number in FAULTS:
        return f"It crashed at {clock(gone.time)} ({name}), which comes of a library or of the hardware"
    if number == 9 and _memory_kills(gone, process):
        return f"The kernel ended it at {clock(gone.time)} because the machine's memory ran out ({name})"
    return f"Something outside ended it at {clock(gone.time)} ({name})"


def _died(folder: RunFolder, run: Run) -> str:
    """Return when it was last seen, and what it said last."""
    when = f" at {clock(run.ended)}" if run.ended else ""
    before = "" if run.step else f", while {_phase(run)}" if run.phase else ", before it began"
    words = last_words(folder.log)
    return f"Its process was gone without a word{when}{before}" + (f'; its log ends with "{words}"' if words else "")


def _memory_kills(gone: Event, process: Process) -> bool:
    after = gone.data.get("oom_kills")
    return isinstance(after, int) and process.oom_kills is not None and after > process.oom_kills


def _since(events: list[Event], process: Process) -> list[Event]:
    """Return the events since a process began; a clock that was set back makes none of them too old."""
    began = [at for at, each in enumerate(events) if each.kind == "began" and each.data.get("pid") == process.pid]
    return events[began[-1] :] if began else [each for each in events if each.time >= process.started - 2]


def last_words(log: Path) -> str:
    """Return the last line of a log that says something, short."""
    lines = tail(log, LOG_BYTES).decode(errors="replace").splitlines()
    said = next((line for line in reversed(lines) if line.strip() and not line.startswith(NOT_WORDS)), "")
    return without_secrets(" ".join(said.split()))[:200]


def _mend(said: str, run: Run) -> str:
    if "memory ran out" in said:
        return f"Close other programs, or halve batch in a copy of its recipe. {_resume(run)}"
    if "crashed" in said:
        return f"Look for what is broken with `python -m repairai doctor`. {_resume(run)}"
    return _resume(run)


# ---- words


def _resume(run: Run) -> str:
    return f"Resume it: `python -m repairai runs resume {run.id}`."


def _lost(run: Run) -> str:
    """Return how many steps are lost."""
    if run.checkpoint_step is None:
        return f"there is no checkpoint yet, so its {run.step or 0} steps are lost"
    lost = (run.step or 0) - run.checkpoint_step
    if lost <= 0:
        return f"nothing is lost: there is a checkpoint of step {run.checkpoint_step}"
    return f"{lost} {'step' if lost == 1 else 'steps'} since the last checkpoint are lost"


def _at(run: Run) -> str:
    if run.step is None:
        return ""
    return f" at step {run.step}" + (f" of {run.total_steps}" if run.total_steps else "")


def _phase(run: Run) -> str:
    return run.phase or "its beginning"


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
