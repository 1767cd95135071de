"""Data, recipes and forecasts to HTML, pure; what came from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from repairai.runs.words import span
from repairai.ui.curves import ticks
from repairai.ui.foreseen import TOKENS_A_BAR, Foreseen
from repairai.ui.hardware_render import badge
from repairai.ui.photos.scripted import Progress
from repairai.ui.runs_render import size
from repairai.ui.scores_render import TASKS

SIDES = {"train": "to learn from", "val": "to watch with", "exam": "for the exam"}
NO_DATA = '<p class="fine">No data were built yet. The agent learns from examples that are made from your guides.</p>'
NO_RECIPE = '<p class="fine">No recipe yet: let one be planned, or take a ready one.</p>'
ALL = "All examples"


def report(found: Mapping[str, Any]) -> str:
    """Return what is in built data, as `training/sop/data_report.py` describes it."""
    parts = [_counts(found), _histogram(found), _facts(found)]
    said = [*(found.get("terms") or ()), *(found.get("notes") or ())]
    notes = "".join(f"<li>{escape(_sentence(each))}</li>" for each in said)
    parts.append(f'<ul class="remarks">{notes}</ul>' if notes else "")
    if found.get("n_problems"):
        problems = "".join(f"<li>{escape(each)}</li>" for each in found["problems"])
        head = f"{found['n_problems']:,} entries could not be read"
        parts.append(f"<details><summary>{head}</summary><ul>{problems}</ul></details>")
    return f'<section class="report data" data-name="{escape(str(found["name"]))}">{"".join(parts)}</section>'


def _counts(found: Mapping[str, Any]) -> str:
    examples = found["examples"]
    tasks = [name for name in TASKS if any(name in counts for counts in examples.values())]
    tasks += sorted({name for counts in examples.values() for name in counts} - set(tasks))
    head = "".join(f'<th scope="col">{side} <span class="fine">{SIDES.get(side, "")}</span></th>' for side in examples)
    rows = [(TASKS.get(name, name), [counts.get(name, 0) for counts in examples.values()]) for name in tasks]
    rows.append((ALL, [sum(counts.values()) for counts in examples.values()]))
    rows += [
        (word, [found[key][side] for side in examples]) for word, key in (("Devices", "devices"), ("Guides", "guides"))
    ]
    body = "".join(
        f"<tr{' class=all' if name == ALL else ''}><th scope='row'>{escape(name)}</th>"
        f"{''.join(f'<td>{count:,}</td>' for count in counts)}</tr>"
        for name, counts in rows
    )
    return (
        f'<div class="scroll"><table class="findings counts"><thead><tr><th scope="col">What is asked</th>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _histogram(found: Mapping[str, Any]) -> str:
    """Return how long the examples to learn from are, as bars, with the length at which they are cut."""
    own = found["lengths"]["train"]
    bars, limit = own["histogram"], found["length_tokens"]
    if not bars:
        return ""
    wide = max(len(bars) * TOKENS_A_BAR, limit + TOKENS_A_BAR)
    marks = ticks(0, max(bars))
    high = marks[-1]
    drawn = "".join(
        f'<rect x="{100 * at * TOKENS_A_BAR / wide:.2f}%" y="{100 - 100 * count / high:.2f}%" '
        f'width="{max(100 * TOKENS_A_BAR / wide - 0.3, 0.2):.2f}%" height="{100 * count / high:.2f}%"/>'
        for at, count in enumerate(bars)
        if count
    )
    left = "".join(f'<span class="y" style="top:{100 - 100 * mark / high:.1f}%">{mark:,.0f}</span>' for mark in marks)
    below = "".join(
        f'<span class="x" style="left:{100 * tokens / wide:.1f}%">{tokens:,.0f}</span>'
        for tokens in ticks(0, wide)[:-1]
    )
    cut = f'<i class="limit" style="left:{100 * limit / wide:.2f}%"></i>'
    said = (
        f"Length of an example: half have up to {own['median_tokens']:,} tokens, nineteen in twenty up to "
        f"{own['p95_tokens']:,}, the longest {own['longest_tokens']:,}. The line is at {limit:,}, where they are cut."
    )
    return (
        f'<figure class="plot histogram"><figcaption><b>Examples by length</b> <span class="unit">tokens</span>'
        f'</figcaption><div class="canvas" role="img" aria-label="{escape(said)}"><svg aria-hidden="true">{drawn}</svg>'
        f'<div aria-hidden="true">{left}{below}{cut}</div></div></figure><p class="fine">{escape(said)}</p>'
    )


def _facts(found: Mapping[str, Any]) -> str:
    examples, lengths = found["examples"], found["lengths"]
    n_all = max(sum(sum(counts.values()) for counts in examples.values()), 1)
    cut = sum(each["answers_cut"] for each in lengths.values())
    dropped = sum(found["steps_dropped"].values()) + sum(found["examples_dropped"].values())
    facts = [
        ("Answers that are cut", f"{cut:,} of {n_all:,} ({cut / n_all:.1%})"),
        ("On more than one side", f"{found['leaks']:,}; {dropped:,} were dropped for it"),
        ("Exact copies left out", f"{sum(found['copies'].values()):,}"),
        ("Nearly the same as what is learned", f"{sum(found['near_copies'].values()):,}, kept"),
        ("Split by", str(found["split_by"])),
        ("Tokens counted with", str(found["counted_with"])),
        ("Licences", _each(found["licences"])),
        ("From", _each(found["origins"])),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="figures">{cells}</dl>'


def _each(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'unknown'} {number:,}" for name, number in counts.items() if number) or "none"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def building(found: Progress) -> str:
    """Return how far a build is."""
    share = f"{100 * found.done / found.total:.0f}" if found.total else ""
    value = f' aria-valuenow="{share}"' if share else ""
    count = f": {found.done:,}" + (f" of {found.total:,}" if found.total else "") if found.done else ""
    return (
        f'<div class="building"><p>{escape(found.title)}: {escape(found.what)}{count}</p><span '
        f'class="track wide" role="progressbar" aria-label="{escape(found.title)}"{value}><span '
        f'class="tone-busy" style="width:{share or 4}%"></span></span></div>'
    )


def sample(found: Sequence[Mapping[str, Any]], at: int, model: str) -> str:
    """Return one example as a model sees it, what it is trained on marked.

    Args:
        found: Examples, as `training/sop_samples.py` gives them.
        at: Which one.
        model: Whose chat template it went through; empty: none.
    """
    if not found:
        return ""
    each = found[at % len(found)]
    text = "".join(
        f"<mark>{escape(span['text'])}</mark>" if span["trained"] else escape(span["text"]) for span in each["spans"]
    )
    task, device, source = each["task"], each["device"] or "no device", each.get("source") or {}
    facts = " · ".join(filter(None, [TASKS.get(task, task), device, each["guide_id"], source.get("licence", "")]))
    seen = (
        f"as {model.rstrip('/').rsplit('/', 1)[-1]} sees it" if model else "turn by turn, without a model's own marks"
    )
    return (
        f'<section class="sample"><p class="fine">Example {at % len(found) + 1} of {len(found)}, {escape(seen)}. '
        f"<mark>What is underlined</mark> is learned, the rest is only read.</p>"
        f'<pre tabindex="0">{text}</pre><p class="fine">{escape(facts)}</p></section>'
    )


# ---- recipes


def recipe(title: str, data: str) -> str:
    """Return that a recipe can be used, and what it trains on what."""
    on = f"on {escape(data)}" if data else "on the data that were built last"
    return f'<p class="recipe-ok">{_mark("✓", "pass", "whole")} {escape(title)}, {on}.</p>'


def problems(found: Sequence[str]) -> str:
    """Return all that is wrong with a recipe."""
    items = "".join(f"<li>{escape(each)}</li>" for each in found)
    word = "1 thing to mend" if len(found) == 1 else f"{len(found)} things to mend"
    return f'<div class="recipe-wrong">{_mark("✕", "fail", word)}<ul>{items}</ul></div>'


def _mark(icon: str, tone: str, word: str) -> str:
    return f'<span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {escape(word)}</span>'


def forecast(found: Foreseen) -> str:
    """Return what a run will take, what does not fit in red."""
    rows = [_disk(found), _memory(found), _time(found)]
    faults = "".join(f'<li class="bad">{escape(_sentence(each))}</li>' for each in found.faults)
    remarks = "".join(f"<li>{escape(_sentence(each))}</li>" for each in found.remarks)
    said = f'<ul class="remarks">{faults}{remarks}</ul>' if faults or remarks else ""
    return f'<dl class="figures forecast">{"".join(rows)}</dl>{said}'


def _disk(found: Foreseen) -> str:
    disk = found.disk
    fits = disk.wanted_gib <= disk.free_gib
    made = (
        f"{disk.keep + 1} checkpoints of {size(disk.checkpoint_gib)} and the model"
        if disk.checkpoint_gib is not None
        else "the model's size is not known here"
    )
    said = f"{size(disk.wanted_gib)} of {disk.free_gib:.1f} GiB free: {made}"
    return _row("Disk", said, badge("fits" if fits else "does not fit"), fits)


def _memory(found: Foreseen) -> str:
    if found.light:
        return _row("Memory", "little: it needs no graphics card", badge("fits"), True)
    if not found.held_gib or not found.fit:
        return _row("Memory", "is being worked out …" if found.at_once else "not known", "", True)
    low, high = found.held_gib
    said = f"{low:.1f} to {high:.1f} of {found.card.free_gib:.1f} GiB free on {found.card.name}"
    return _row("Memory", said, badge(found.fit), found.fit != "does not fit")


def _time(found: Foreseen) -> str:
    steps = f"{found.steps:,} steps, " if found.steps else ""
    if found.light:
        return _row("Time", "minutes, on the processor", "", True)
    if not found.hours:
        said = "is being worked out …" if found.at_once else "not known: the first steps will tell"
        return _row("Time", f"{steps}{said}", "", True)
    low, high = (span(hours * 3600) for hours in found.hours)
    return _row("Time", f"{steps}{low} to {high}" if low != high else f"{steps}{low}", "", True)


def _row(name: str, said: str, mark: str, fits: bool) -> str:
    return f"<div{'' if fits else ' class=bad'}><dt>{name} {mark}</dt><dd>{escape(said)}</dd></div>"
