"""How a run stands, read from its folder: whoever looks, however often, and whatever is damaged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, get_args

from repairai.runs.checkpoints import last_whole_step
from repairai.runs.folder import RunFolder, command_of, read_json, run_folders
from repairai.runs.metrics import Metric, last_metrics
from repairai.runs.process import Process, is_alive, read_process

State = Literal[
    "queued", "starting", "running", "finished", "stopped", "paused", "out_of_memory", "disk_full", "failed",
    "interrupted",
]  # fmt: skip
ENDED: tuple[State, ...] = ("finished", "stopped", "paused", "out_of_memory", "disk_full", "failed")
LAUNCH_SECONDS = 30.0
"""That a new run may be without a process before it is taken for left behind."""
SLEPT_SECONDS = 900.0
"""Between two steps, above which the machine is taken to have slept, unless steps take as long."""
SLEPT_STEPS = 200


@dataclass(frozen=True)
class Exit:
    """How a run ended, as its process said.

    Args:
        state: In one word.
        reason: Why, in a word or two.
        said: What happened, in a sentence.
        mend: What can be done now, in a sentence.
        step: The last one that was made; None where there was none.
        time: When, seconds since 1970.
    """

    state: State
    reason: str
    said: str
    mend: str
    step: int | None
    time: float


@dataclass(frozen=True)
class Run:
    """How a run stands. Times are seconds since 1970; what is not known is None, or empty.

    Args:
        id: Its name among all runs.
        kind: "train" or "evaluate".
        state: In one word.
        asked: What it is asked and has not done yet: "stop", "pause".
        phase: What it is at, or was at; or what of its folder cannot be read.
        step: Optimizer steps that were made.
        total_steps: That there will be.
        created: When its folder was made.
        started: When its process began.
        ended: When it ended; for an interrupted one, its last sign of life.
        seconds: That it has worked, over all its processes.
        eta_seconds: That it still needs, with looks at the validation data and saving.
        silent_seconds: Since the last sign of life; 0 where it does not run.
        last: The newest figures.
        exit: How it ended, as it said itself.
        command: What started it.
        task: Which of the models it trains.
        model: The model that it begins with.
        method: How it is trained.
        backend: What trains it.
        parent: The run that it evaluates.
        not_before: When it may start, where it waits for that.
        can_resume: It ended, and can go on.
        checkpoint_step: From where it would go on.
    """

    id: str
    kind: str
    state: State
    asked: str
    phase: str
    step: int | None
    total_steps: int | None
    created: float | None
    started: float | None
    ended: float | None
    seconds: float
    eta_seconds: float | None
    silent_seconds: float
    last: Metric | None
    exit: Exit | None
    command: tuple[str, ...]
    task: str
    model: str
    method: str
    backend: str
    parent: str
    not_before: float | None
    can_resume: bool
    checkpoint_step: int | None


def all_runs() -> list[Run]:
    """Return all runs, newest first."""
    return sorted((read_run(folder) for folder in run_folders()), key=lambda run: (-(run.created or 0.0), run.id))


def read_run(folder: RunFolder) -> Run:
    """Return how a run stands; what is damaged in its folder is told, and stops nothing."""
    about, beat, queued = (read_json(path) for path in (folder.about, folder.heartbeat, folder.queued))
    process, ended, alive = read_process(folder.process), read_exit(folder), is_alive(folder)
    state = _state(folder, process, ended, alive)
    runs = state in ("starting", "running")
    last = last_metrics(folder.metrics) if runs else last_metrics(folder.metrics, 4096)
    recipe = _about(about, folder)
    steps = [_whole(beat.get("step")), last[-1].step if last else None]
    step = (
        ended.step
        if ended and ended.step is not None
        else max((each for each in steps if each is not None), default=None)
    )
    return Run(
        id=folder.id,
        kind=_kind(about, folder),
        state=state,
        asked=asked_of(folder) if runs else "",
        phase=_damaged(folder, about, ended) or str(beat.get("phase", "")),
        step=step,
        total_steps=_whole(beat.get("total_steps")),
        created=_number(about.get("created")) or _modified(folder),
        started=process.started if process else None,
        ended=None if runs or state == "queued" else (ended.time if ended else _number(beat.get("time"))),
        seconds=_number(beat.get("ran")) or 0.0,
        eta_seconds=_eta(last, process, _whole(beat.get("total_steps"))) if state == "running" else None,
        silent_seconds=max(time.time() - (_number(beat.get("time")) or time.time()), 0.0) if runs else 0.0,
        last=last[-1] if last else None,
        exit=ended,
        command=tuple(command_of(folder)),
        task=recipe.get("task", ""),
        model=recipe.get("model", ""),
        method=recipe.get("method", ""),
        backend=recipe.get("backend", ""),
        parent=str(about.get("parent", "")),
        not_before=_number(queued.get("not_before")),
        can_resume=not runs and state not in ("queued", "finished"),
        checkpoint_step=last_whole_step(folder),
    )


def asked_of(folder: RunFolder) -> str:
    """Return what a run is asked and has not done yet: "stop", "pause" or nothing."""
    return next((what for what in ("stop", "pause") if (folder.control / what).exists()), "")


def read_exit(folder: RunFolder) -> Exit | None:
    """Return how a run ended, as it said itself; None where it did not, or where that cannot be read."""
    data = read_json(folder.exit)
    if data.get("state") not in ENDED:
        return None
    reason, said, mend = (str(data.get(name, "")) for name in ("reason", "said", "mend"))
    return Exit(data["state"], reason, said, mend, _whole(data.get("step")), _number(data.get("time")) or 0.0)


def _state(folder: RunFolder, process: Process | None, ended: Exit | None, alive: bool) -> State:
    if folder.queued.exists() and not alive:
        return "queued"
    if ended:
        return ended.state
    if alive:
        # Until the process itself has taken the run, it has shown no sign of life.
        beat = read_json(folder.heartbeat)
        return "running" if process and beat.get("pid") == process.pid else "starting"
    modified = _modified(folder)
    if process is None and modified is not None and 0 <= time.time() - modified < LAUNCH_SECONDS:
        return "starting"
    return "interrupted"


def _damaged(folder: RunFolder, about: dict[str, Any], ended: Exit | None) -> str:
    """Return which of its files cannot be read, in a sentence; nothing where all can."""
    lost = [
        path.name
        for path, lost in (
            (folder.about, not about),
            (folder.exit, ended is None and folder.exit.exists()),
            (folder.process, folder.process.exists() and read_process(folder.process) is None),
            (folder.queued, folder.queued.exists() and not read_json(folder.queued)),
        )
        if lost
    ]
    return f"{' and '.join(lost)} cannot be read" if lost else ""


def _kind(about: dict[str, Any], folder: RunFolder) -> str:
    kind = about.get("kind")
    return kind if kind in ("train", "evaluate") else ("evaluate" if folder.order.exists() else "train")


def _about(about: dict[str, Any], folder: RunFolder) -> dict[str, str]:
    recipe = about.get("about")
    parent = about.get("parent")
    if not recipe and isinstance(parent, str) and parent:
        recipe = read_json(RunFolder(folder.path.parent / parent).about).get("about")
    return recipe if isinstance(recipe, dict) else {}


def _eta(metrics: list[Metric], process: Process | None, total_steps: int | None) -> float | None:
    """Return the seconds to the last step: from the newest steps of this process, with all that lay between them."""
    began = process.started - 1 if process else 0.0
    metrics = metrics[next((at for at, each in enumerate(metrics) if each.time >= began), 0) :]
    if total_steps is None or len(metrics) < 2:
        return None
    gaps = [
        (later.time - earlier.time, later.step - earlier.step)
        for earlier, later in zip(metrics, metrics[1:], strict=False)
    ]
    usual = median(max(seconds, 0.0) for seconds, _ in gaps)
    longest = max(SLEPT_SECONDS, SLEPT_STEPS * usual)
    # A clock that was set back, or a machine that slept, says nothing of what a step takes.
    seconds = sum(gap if 0 <= gap <= longest else usual for gap, _ in gaps)
    steps = sum(steps for _, steps in gaps)
    if steps <= 0:
        return None
    each = seconds / steps
    since = min(max(time.time() - metrics[-1].time, 0.0), each)
    return max((total_steps - metrics[-1].step) * each - since, 0.0)


def _modified(folder: RunFolder) -> float | None:
    for path in (folder.about, folder.path):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


assert set(ENDED) < set(get_args(State))
