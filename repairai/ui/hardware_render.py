"""Machines and plans to HTML, pure; what came from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from repairai.hardware.card import Fit
from repairai.hardware.memory import Estimate
from repairai.hardware.past import Correction, PastRun
from repairai.hardware.plan import TrainingPlan, Way, spoken
from repairai.hardware.profile import Gpu, HardwareProfile
from repairai.hardware.ways import Rule

ICONS: dict[Fit, tuple[str, str]] = {
    "fits": ("✓", "pass"), "tight": ("≈", "uncertain"), "elsewhere": ("↗", "elsewhere"), "does not fit": ("✕", "fail"),
}  # fmt: skip
NOTHING_YET = (
    '<p class="fine">Choose a model and press the button: what fits is worked out by running the training step on '
    "tensors without data. A built-in model takes a moment, another one some seconds.</p>"
)


def machine(profile: HardwareProfile) -> str:
    """Return what a machine has, and what of it is free now."""
    gpus = "".join(_gpu(each) for each in profile.gpus) or (
        '<section class="meter"><h3>No GPU</h3><p class="fine">Photos are judged on the processor, and small models '
        "can be trained on it. What fits on a card can be worked out without having it.</p></section>"
    )
    ram = _meter("Memory", profile.ram_gib - profile.ram_free_gib, profile.ram_gib)
    rooms = "".join(
        _meter(each.what[:1].upper() + each.what[1:], each.total_gib - each.free_gib, each.total_gib, each.folder)
        for each in profile.rooms
    )
    cpu = profile.cpu
    facts = ", ".join([cpu.name or "processor", f"{cpu.cores} cores", *cpu.features])
    remarks = "".join(f"<li>{escape(each[:1].upper() + each[1:])}</li>" for each in profile.remarks)
    said = f'<ul class="remarks">{remarks}</ul>' if remarks else ""
    system = f"{profile.system_name} ({profile.system}) · {facts} · Python {profile.python}"
    return f'<div class="machine">{gpus}{ram}{rooms}</div><p class="fine">{escape(system)}</p>{said}'


def _gpu(gpu: Gpu) -> str:
    facts = [
        f"driver {gpu.driver}" if gpu.driver else "",
        f"CUDA {gpu.cuda}" if gpu.cuda else "",
        f"capability {gpu.capability}" if gpu.capability else "",
        "bfloat16" if gpu.bf16 else "",
        "" if gpu.temperature_c is None else f"{gpu.temperature_c} °C",
    ]
    held = "".join(
        f"<li>{escape(user.name or 'a program')} ({user.pid}){'' if user.gib is None else f': {user.gib:.1f} GiB'}</li>"
        for user in gpu.users
    )
    users = f"<ul>{held}</ul>" if held else ""
    more = f'<p class="fine">{escape(" · ".join(fact for fact in (*facts, gpu.remark) if fact))}</p>{users}'
    return _meter(gpu.name, gpu.total_gib - gpu.free_gib, gpu.total_gib, more=more)


def _meter(name: str, used: float, total: float, below: str = "", more: str = "") -> str:
    share = min(max(used / total, 0.0), 1.0) if total else 0.0
    free = f"{total - used:.1f} of {total:.1f} GiB free" if total else "its memory is not known"
    filled = f'<span class="tone-{"fail" if share > 0.9 else "pass"}" style="width:{100 * share:.1f}%"></span>'
    place = f'<p class="fine">{escape(below)}</p>' if below else ""
    return (
        f'<section class="meter"><h3>{escape(name)}</h3><p>{free}</p>'
        f'<div class="track" aria-hidden="true">{filled}</div>'
        f"{place}{more}</section>"
    )


def badge(fit: Fit) -> str:
    """Return whether something fits as icon, word and colour together."""
    icon, tone = ICONS[fit]
    return f'<span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {fit}</span>'


def plan(found: TrainingPlan) -> str:
    """Return the ways, the best first."""
    card = found.card
    head = f"{found.model} on {card.name}, with {card.free_gib:.1f} GiB for one process: the line in each bar."
    ways = "".join(_way(number, way, card.free_gib) for number, way in enumerate(found.ways, 1))
    note = "" if card.here else "A desktop on the same card takes from its memory. "
    timed = "" if card.rates else "Times are told for a card that is in this machine."
    return f'<p class="fine">{escape(head)}</p><ol class="ways">{ways}</ol><p class="fine">{note}{timed}</p>'


def _way(number: int, way: Way, free_gib: float) -> str:
    facts = [spoken(way.held_gib), f"{way.disk_gib:.0f} GiB of disk"]
    if way.hours:
        facts.append(f"{way.hours[0]:.1f} to {way.hours[1]:.1f} hours")
    change = (
        f"<p>It would fit <strong>{escape(way.change.what)}</strong>: {spoken(way.change.held_gib)}.</p>"
        if way.change
        else ""
    )
    bound = f'<p class="fine">{escape(way.bound)}</p>' if way.bound else ""
    reasons = "".join(f"<li>{escape(each)}</li>" for each in way.because)
    open_ = " open" if number == 1 else ""
    return (
        f'<li class="way" data-fit="{way.fit}"><div class="way-head"><h3>{number}. {escape(way.title)}</h3>'
        f"{badge(way.fit)}</div><p>{' · '.join(facts)}</p>{_bar(way, free_gib)}{change}{bound}"
        f"<details{open_}><summary>Why, and what it is made of</summary><ul>{reasons}</ul>{_terms(way)}</details></li>"
    )


def _bar(way: Way, free_gib: float) -> str:
    """Return what a way holds, at least and at most, beside what is free."""
    low, high = way.held_gib
    scale = 100 / max(high, free_gib)
    tone = ICONS[way.fit][1]
    return (
        f'<div class="track wide" aria-hidden="true"><span class="tone-{tone}" style="width:{low * scale:.1f}%"></span>'
        f'<span class="tone-{tone} maybe" style="width:{(high - low) * scale:.1f}%"></span>'
        f'<i style="left:{free_gib * scale:.1f}%"></i></div>'
    )


def _terms(way: Way) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(term)}</th><td>{gib:.2f} GiB</td></tr>"
        for term, gib in sorted(way.terms_gib.items(), key=lambda each: -each[1])
        if gib >= 0.005
    )
    return f'<table class="terms"><tbody>{rows}</tbody></table>'


def rules(rows: Iterable[tuple[Rule, Estimate, Fit]], card: str) -> str:
    """Return rules of thumb beside our figures."""
    body = "".join(
        f"<tr><td>{escape(rule.group)}</td><td>{escape(rule.what)}</td><td>{escape(rule.thumb or '—')}</td>"
        f"<td>{spoken(found.held_gib())}</td><td>{badge(fit)}</td></tr>"
        for rule, found, fit in rows
    )
    names = ("Model", "Way", "Rule of thumb", "Worked out", f"On {card}")
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return (
        f'<div class="scroll"><table class="findings"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def past(runs: Sequence[PastRun], correction: Correction) -> str:
    """Return how good the planner has been here."""
    if not runs:
        return (
            '<p class="fine">No run has been compared yet. Each training writes down what it took, beside what was '
            "planned, and from three runs on a device their median corrects the next plans.</p>"
        )
    body = "".join(
        f"<tr><td>{escape(run.at[:16].replace('T', ' '))}</td><td>{escape(run.work.model)}, {run.work.method}</td>"
        f"<td>{run.planned_gib:.2f} GiB</td><td>{run.measured_gib:.2f} GiB</td><td>{100 * run.error:+.1f} %</td>"
        f"<td>{_seconds(run)}</td></tr>"
        for run in reversed(runs)
    )
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("When", "What", "Planned", "Measured", "Error", "Seconds a step")
    )
    said = f"Plans are multiplied by {correction.memory:.3f} for memory and {correction.seconds:.2f} for time."
    return (
        f'<div class="scroll"><table class="findings"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f'<p class="fine">{said}</p>'
    )


def _seconds(run: PastRun) -> str:
    if run.planned_seconds is None:
        return f"{run.measured_seconds:.2f}"
    low, high = run.planned_seconds
    return f"{run.measured_seconds:.2f} (planned {low:.2f} to {high:.2f})"
