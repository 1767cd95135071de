"""How a run stands, read from its folder: whoever looks, however often, and whatever is damaged."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal, get_args

from repairai.processes import Process, process_in
from repairai.runs.checkpoints import last_whole_step
from repairai.runs.folder import RunFolder, command_in, json_in, read_json, run_folders
from repairai.runs.marks import marks_in
from repairai.runs.metrics import SERIES, Metric, last_metrics
from repairai.runs.process import works

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
ETA_METRICS = 60
"""Of the newest, from which the time to go is told: what lies between two of them counts with its looks and saving."""
NEWEST_BYTES = 2048
"""Of the metrics, in which the newest of each sort are."""


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
        last: The newest figures, each from the newest line that has it.
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
        tags: Words that a person finds it by.
        star: A person marked it with one.
        note: A person's, in a sentence or two.
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
    tags: tuple[str, ...] = ()
    star: bool = False
    note: str = ""


def all_runs() -> list[Run]:
    """Return all runs, newest first."""
    return sorted((read_run(folder) for folder in run_folders()), key=lambda run: (-(run.created or 0.0), run.id))


def read_run(folder: RunFolder) -> Run:
    """Return how a run stands; what is damaged in its folder is told, and stops nothing."""
    seen = _look(folder)
    if seen.state == "interrupted":  # or it was just being started or ended: then a second look tells
        seen = _look(folder)
    runs = seen.state in ("starting", "running")
    about, beat, ended = seen.about, seen.beat, seen.ended
    newest = _newest(last_metrics(folder.metrics, NEWEST_BYTES))
    recipe = _about(about, folder)
    marks = marks_in(read_json(folder.marks))
    return Run(
        id=folder.id,
        kind=_kind(about, folder),
        state=seen.state,
        asked=asked_of(folder) if runs else "",
        phase=seen.damaged or str(beat.get("phase", "")),
        step=_step(ended, beat, newest),
        total_steps=_whole(beat.get("total_steps")),
        created=_number(about.get("created")) or _modified(folder),
        started=seen.process.started if seen.process else None,
        ended=None if runs or seen.state == "queued" else (ended.time if ended else _number(beat.get("time"))),
        seconds=_number(beat.get("ran")) or 0.0,
        eta_seconds=_eta(folder, seen.process, _whole(beat.get("total_steps"))) if seen.state == "running" else None,
        silent_seconds=max(time.time() - (_number(beat.get("time")) or time.time()), 0.0) if runs else 0.0,
        last=newest,
        exit=ended,
        command=tuple(command_in(about, folder)),
        task=recipe.get("task", ""),
        model=recipe.get("model", ""),
        method=recipe.get("method", ""),
        backend=recipe.get("backend", ""),
        parent=str(about.get("parent", "")),
        not_before=_number(seen.queued.get("not_before")),
        can_resume=not runs and seen.state not in ("queued", "finished"),
        checkpoint_step=last_whole_step(folder),
        tags=marks.tags,
        star=marks.star,
        note=marks.note,
    )


def asked_of(folder: RunFolder) -> str:
    """Return what a run is asked and has not done yet: "stop", "pause" or nothing."""
    return next((what for what in ("stop", "pause") if (folder.control / what).exists()), "")


def read_exit(folder: RunFolder) -> Exit | None:
    """Return how a run ended, as it said itself; None where it did not, or where that cannot be read."""
    return _exit(read_json(folder.exit))


@dataclass(frozen=True)
class _Seen:
    """What one look at a folder saw: each file is read once, since all of them may change meanwhile."""

    state: State
    about: dict[str, Any]
    beat: dict[str, Any]
    queued: dict[str, Any]
    process: Process | None
    ended: Exit | None
    damaged: str


def _look(folder: RunFolder) -> _Seen:
    queued, lost_queued = _read(folder.queued)
    end, lost_exit = _read(folder.exit)
    process_data, lost_process = _read(folder.process)
    process, alive = process_in(process_data), False
    if queued or lost_queued or _exit(end) is None:  # else it does not matter whether its process is still leaving
        alive = process is not None and works(process, folder)
        # Read behind that: a process that is seen dead has written its end before, if it has written one.
        queued, lost_queued = _read(folder.queued)
        end, lost_exit = _read(folder.exit)
    about, _ = _read(folder.about)
    beat = read_json(folder.heartbeat)
    ended = _exit(end)
    lost = [
        path.name
        for path, is_lost in (
            (folder.about, not about),
            (folder.exit, lost_exit or (bool(end) and ended is None)),
            (folder.process, lost_process or (bool(process_data) and process is None)),
            (folder.queued, lost_queued or (bool(queued) and _number(queued.get("position")) is None)),
        )
        if is_lost
    ]
    state = _state(folder, process, ended, alive, bool(queued) or lost_queued, beat)
    return _Seen(state, about, beat, queued, process, ended, f"{' and '.join(lost)} cannot be read" if lost else "")


def _read(path: Path) -> tuple[dict[str, Any], bool]:
    """Return what a file says, and whether it is there but says nothing that can be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, False
    except OSError:
        return {}, True
    data = json_in(content)
    return data, not data


def _exit(data: dict[str, Any]) -> Exit | None:
    if data.get("state") not in ENDED:
        return None
    reason, said, mend = (str(data.get(name, "")) for name in ("reason", "said", "mend"))
    return Exit(data["state"], reason, said, mend, _whole(data.get("step")), _number(data.get("time")) or 0.0)


def _state(
    folder: RunFolder, process: Process | None, ended: Exit | None, alive: bool, waits: bool, beat: dict[str, Any]
) -> State:
    if waits and not alive:
        return "queued"
    if ended:
        return ended.state
    if alive:
        # Until the process itself has taken the run, it has shown no sign of life.
        return "running" if process and beat.get("pid") == process.pid else "starting"
    modified = _modified(folder)
    if process is None and modified is not None and 0 <= time.time() - modified < LAUNCH_SECONDS:
        return "starting"
    return "interrupted"


def _newest(metrics: list[Metric]) -> Metric | None:
    """Return the newest figures: a line with a look at the validation data has no others, which are as they were."""
    if not metrics:
        return None
    found = {name: value for metric in metrics for name in SERIES if (value := getattr(metric, name)) is not None}
    return replace(metrics[-1], **found)


def _step(ended: Exit | None, beat: dict[str, Any], newest: Metric | None) -> int | None:
    if ended and ended.step is not None:
        return ended.step
    known = [_whole(beat.get("step")), newest.step if newest else None]
    return max((each for each in known if each is not None), default=None)


def _kind(about: dict[str, Any], folder: RunFolder) -> str:
    kind = about.get("kind")
    return kind if kind in ("train", "evaluate") else ("evaluate" if folder.order.exists() else "train")


def _about(about: dict[str, Any], folder: RunFolder) -> dict[str, str]:
    recipe = about.get("about")
    parent = about.get("parent")
    if not recipe and isinstance(parent, str) and parent:
        recipe = read_json(RunFolder(folder.path.parent / parent).about).get("about")
    return recipe if isinstance(recipe, dict) else {}


def _eta(folder: RunFolder, process: Process | None, total_steps: int | None) -> float | None:
    """Return the seconds to the last step: from the newest steps of this process, with all that lay between them."""
    metrics = last_metrics(folder.metrics, most=ETA_METRICS)
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
