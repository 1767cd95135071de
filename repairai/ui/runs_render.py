"""Runs to HTML, pure; what came from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from repairai.runs.checkpoints import Checkpoint
from repairai.runs.compare import Comparison
from repairai.runs.compare import figures as came_figures
from repairai.runs.events import Event
from repairai.runs.queue import Waiting
from repairai.runs.state import Run, State
from repairai.runs.words import clock, how_far, in_words, span
from repairai.ui import curves
from repairai.ui.curves import Line, Plot, Points, written

STATES: dict[State, tuple[str, str]] = {
    "queued": ("◷", "elsewhere"), "starting": ("…", "busy"), "running": ("▶\ufe0e", "busy"), "finished": ("✓", "pass"),
    "stopped": ("■", "elsewhere"), "paused": ("❚❚", "uncertain"), "out_of_memory": ("✕", "fail"),
    "disk_full": ("✕", "fail"), "failed": ("✕", "fail"), "interrupted": ("!", "uncertain"),
}  # fmt: skip
"""Icon and colour; the word is the state itself."""
AT_WORK = ("starting", "running")
LISTED = 50
"""Runs in the list; older ones are found by their address, and on the command line."""
SILENT_SECONDS = 30
EVENT_ICONS = {
    "began": "▶\ufe0e", "resumed": "▶\ufe0e", "ended": "■", "checkpoint": "⤓", "asked": "✋\ufe0e", "halved": "!",
    "diverging": "!", "not_a_number": "!", "killed": "✕", "gone": "✕", "check": "✓", "first_step": "✓",
}  # fmt: skip
NO_RUNS = '<p class="fine">There are no runs yet. Start one in the Train tab, or with <code>repairai train</code>.</p>'
NONE_CHOSEN = '<p class="fine">Choose a run to see its curves.</p>'
_BUTTONS = re.compile(r"[^.:;]*:? ?`python -m repairai runs (resume|evaluate) [^`]*`\.?")
"""A sentence that tells to do what a button does."""


def badge(run: Run) -> str:
    """Return a run's state as icon, word and colour together."""
    icon, tone = STATES[run.state]
    word = f"asked to {run.asked}" if run.asked else in_words(run.state)
    return f'<span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {escape(word)}</span>'


def with_code(text: str) -> str:
    """Return escaped text in which what stands in backticks is marked as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


# ---- the list


def listed(runs: Sequence[Run], chosen: str, order: Sequence[Waiting] = (), of: int | None = None) -> str:
    """Return a list of runs, each a link to itself.

    Args:
        runs: Those that are listed, in their order.
        chosen: Id of the one that is shown.
        order: The queue.
        of: How many there are in all; None: these.
    """
    if not runs:
        return f'<p class="fine">None of {of} runs fits these words.</p>' if of else NO_RUNS
    places = {each.id: place for place, each in enumerate(order, 1)}
    rows = "".join(_row(run, run.id == chosen, places.get(run.id)) for run in runs[:LISTED])
    more = (
        f'<p class="fine">{len(runs) - LISTED} more are not listed: search for them.</p>' if len(runs) > LISTED else ""
    )
    return f'<nav class="runs" aria-label="Runs">{rows}</nav>{more}'


def _row(run: Run, is_chosen: bool, place: int | None) -> str:
    current = ' aria-current="true"' if is_chosen else ""
    what = f"evaluates {run.parent}" if run.kind == "evaluate" else " · ".join(_what(run))
    how = escape(" · ".join(how_far(run, place)) or run.phase)
    return (
        f'<a class="run" href="?run={escape(run.id)}" data-run="{escape(run.id)}" data-state="{run.state}"{current}>'
        f'<span class="run-name">{_starred(run)}{escape(run.id)}</span>{badge(run)}'
        f'<span class="run-what">{escape(what)}</span>{bar(run)}<span class="run-how">{how}</span>{_marked(run)}</a>'
    )


def _marked(run: Run) -> str:
    """Return a run's tags; nothing where it has none."""
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in run.tags)
    return f'<span class="tags">{tags}</span>' if tags else ""


def _starred(run: Run) -> str:
    return '<span class="star" role="img" aria-label="starred">★</span> ' if run.star else ""


def _what(run: Run) -> list[str]:
    return [part for part in (run.model.rstrip("/").rsplit("/", 1)[-1], METHODS.get(run.method, run.method)) if part]


METHODS = {
    "full": "full", "lora": "LoRA", "qlora": "QLoRA", "few_shot": "frozen backbone", "linear_probe": "light classifier",
}  # fmt: skip


def bar(run: Run) -> str:
    """Return how far a run is as a bar; an empty one where that is not known."""
    share = _share(run)
    tone = STATES[run.state][1]
    value = "" if share is None else f' aria-valuenow="{100 * share:.0f}"'
    filled = f'<span class="tone-{tone}" style="width:{100 * (share or 0):.1f}%"></span>'
    return f'<span class="track" role="progressbar" aria-label="{escape(run.id)}"{value}>{filled}</span>'


def _share(run: Run) -> float | None:
    if run.state == "finished":
        return 1.0
    if run.step is None or not run.total_steps:
        return None
    return min(run.step / run.total_steps, 1.0)


# ---- one run


def head(run: Run) -> str:
    """Return what a run is and how far it is."""
    by = [f"by {run.backend}"] if run.task == "sop" else []  # a detector's trainer is always the same
    what = [run.model, METHODS.get(run.method, run.method), *by] if run.model else []
    times = [f"started {clock(run.started)}"] if run.started else []
    times += [f"worked {span(run.seconds)}"] if run.seconds else []
    times += [f"ended {clock(run.ended)}"] if run.ended else []
    facts = escape(" · ".join([*what, *times]))
    note = f'<p class="note">{escape(run.note)}</p>' if run.note else ""
    parent = f"<p>It evaluates {link(run.parent)}.</p>" if run.parent else ""
    return (
        f'<section class="run-head" data-shown="{escape(run.id)}" data-state="{run.state}"><div class="run-title">'
        f"<h3>{_starred(run)}{escape(run.id)}</h3>{badge(run)}{_marked(run)}</div><p class='fine'>{facts}</p>"
        f"{parent}{note}"
        f'{bar(run).replace("track", "track wide", 1)}<p class="run-step">{_step(run)}</p></section>'
    )


def link(run_id: str) -> str:
    """Return a link that shows a run."""
    return f'<a href="?run={escape(run_id)}" data-run="{escape(run_id)}">{escape(run_id)}</a>'


def _step(run: Run) -> str:
    parts = [run.phase] if run.phase and run.state in (*AT_WORK, "interrupted") else []
    if run.step is not None:
        # What is prepared counts other things: its total is none of the steps.
        total = run.total_steps if run.total_steps and run.total_steps >= run.step else 0
        parts.append(f"step {run.step:,}" + (f" of {total:,}" if total else ""))
    if run.eta_seconds is not None:
        parts.append(f"{span(run.eta_seconds)} to go")
    if run.state == "queued" and run.not_before:
        parts.append(f"not before {clock(run.not_before)}")
    if run.silent_seconds > SILENT_SECONDS:
        parts.append(f"no sign of life for {span(run.silent_seconds)}")
    return escape(" · ".join(parts))


def told(said: str, mend: str) -> str:
    """Return why a run ended, and what can be done but is not a button of the page."""
    rest = _BUTTONS.sub("", mend).strip()
    return f'<p class="run-said">{with_code(said)} {with_code(rest)}</p>'


def figures(run: Run, series: Mapping[str, Points]) -> str:
    """Return the newest figures of a run."""
    last = run.last
    found: list[tuple[str, str]] = []

    def add(name: str, value: float | None, unit: str = "") -> None:
        if value is not None:
            found.append((name, f"{written(value)}{unit}"))

    looks = series.get("eval_loss", ())
    if last:
        loss = series.get("loss", ())
        add("Loss", loss[-1][1] if loss else None)
        if looks:
            at, lowest = min(looks, key=lambda point: point[1])
            found.append(("Validation loss", f"{written(looks[-1][1])}, best {written(lowest)} at step {at:,}"))
        for name, field, form in (
            ("Parts counted exactly", "exact", ".1%"), ("Average precision", "ap", ".3f"),
            ("Questions answered right", "right", ".1%"),
        ):  # fmt: skip
            if points := series.get(field, ()):
                at, highest = max(points, key=lambda point: point[1])
                found.append((name, f"{points[-1][1]:{form}}, best {highest:{form}} at step {at:,}"))
        for name, field, unit in (
            ("Speed", "tokens_per_second", " tokens/s"), ("Memory", "memory_gib", " GiB"),
            ("The whole GPU", "gpu_gib", " GiB"), ("GPU", "temperature_c", " °C"),
            ("Learning rate", "learning_rate", ""), ("Times through the data", "epoch", ""),
        ):  # fmt: skip
            points = series.get(field, ())
            add(name, points[-1][1] if points else None, unit)
        if last.tokens:
            found.append(("Tokens", f"{last.tokens:,}"))
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in found)
    return f'<dl class="figures">{cells}</dl>' if cells else ""


def points_of_return(points: Sequence[Checkpoint]) -> str:
    """Return the checkpoints of a run, newest first."""
    if not points:
        return '<p class="fine">There is no checkpoint yet: press "Save now" to make one.</p>'
    rows = "".join(
        f"<tr><td>{each.step:,}</td><td>{size(each.gib)}</td>"
        f"<td>{'—' if each.eval_loss is None else written(each.eval_loss)}</td><td>{_marks(each)}</td></tr>"
        for each in reversed(points)
    )
    return _table(("Step", "Size", "Validation loss", ""), rows)


def size(gib: float) -> str:
    """Return a size in the unit that suits it."""
    return f"{gib:.2f} GiB" if gib >= 0.1 else f"{gib * 1024:.1f} MiB"


def _marks(point: Checkpoint) -> str:
    if not point.whole:
        return '<span class="badge badge-fail"><span aria-hidden="true">✕</span> half-written</span>'
    return '<span class="badge badge-pass"><span aria-hidden="true">✓</span> the best</span>' if point.best else ""


def happened(events: Sequence[Event]) -> str:
    """Return what happened to a run as a time line, newest first."""
    if not events:
        return '<p class="fine">Nothing has happened yet.</p>'
    rows = "".join(_event(each) for each in reversed(events))
    return f'<ol class="events">{rows}</ol>'


def _event(event: Event) -> str:
    icon = "!" if event.text.startswith("! ") else EVENT_ICONS.get(event.kind, "·")
    text = with_code(event.text.removeprefix("! "))
    return (
        f'<li data-kind="{escape(event.kind)}"><time>{escape(clock(event.time))}</time>'
        f'<span class="icon" aria-hidden="true">{icon}</span><span>{text}</span></li>'
    )


def log(text: str) -> str:
    """Return the end of what a run said."""
    if not text.strip():
        return '<p class="fine">It has said nothing that was kept: a run from a terminal says it there.</p>'
    return f'<pre class="log" tabindex="0" aria-label="What the run said">{escape(text)}</pre>'


# ---- beside each other


def compared(found: Comparison) -> str:
    """Return runs over each other, what came of each, and where their recipes differ."""
    names = [each.run.id for each in found.came]

    def lines(field: str, dots: bool = False) -> tuple[Line, ...]:
        points = {name: found.curves[name].get(field, ()) for name in names}
        shown = points if dots else {name: curves.smoothed(each) for name, each in points.items()}
        return tuple(Line(name, shown[name], at, dots) for at, name in enumerate(names, 1))

    plots = [
        Plot("Loss, its course", "", lines("loss"), tall=True),
        Plot("Validation loss", "", lines("eval_loss", dots=True), tall=True),
        Plot("Parts counted exactly on validation photos", "", lines("exact", dots=True), from_zero=True, tall=True),
        Plot("Average precision on them", "", lines("ap", dots=True), from_zero=True),
        Plot("Validation questions answered right", "", lines("right", dots=True), from_zero=True, tall=True),
        Plot("Speed, its course", "tokens/s", lines("tokens_per_second"), from_zero=True),
        Plot("Memory", "GiB", lines("memory_gib"), from_zero=True),
    ]
    words = [(name[:1].upper() + name[1:], *values) for name, *values in came_figures(found.came)]
    rows = [
        ("State", *(badge(each.run) for each in found.came)),
        ("Steps", *(f"{each.run.step or 0:,}" for each in found.came)),
        *((escape(row[0]), *(escape(value) or "—" for value in row[1:])) for row in (*words, *found.differences)),
    ]
    body = "".join(
        f"<tr><th scope='row'>{row[0]}</th>{''.join(f'<td>{cell}</td>' for cell in row[1:])}</tr>" for row in rows
    )
    same = "" if found.differences else '<p class="fine">Their recipes are the same.</p>'
    return f"{curves.drawn(plots)}{_table(('', *names), body)}{same}"


def _table(names: Sequence[str], body: str) -> str:
    head_row = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    table = f"<thead><tr>{head_row}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table class="findings">{table}</table></div>'
