"""Records to HTML, pure: everything that came from outside is escaped, so that guide text never becomes live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from repairai.schema import Finding, Guide, Inspection, Outcome, PartAction, Step
from repairai.ui import state_render

ICONS: dict[Outcome, str] = {"PASS": "✓", "FAIL": "✕", "UNCERTAIN": "?"}
MEANINGS: dict[Outcome, str] = {
    "PASS": "The step is done.",
    "FAIL": "The step is not done.",
    "UNCERTAIN": "The photo does not settle it.",
}
NOTHING_YET = (
    '<div class="verdict verdict-none" data-outcome="none"><p>The verdict appears here. Pick a step, give a photo, '
    "and check it, or try one of the samples.</p></div>"
)

NO_GUIDE = '<p class="fine">No guide fits these words: try fewer, or bring guides in.</p>'


def badge(outcome: Outcome) -> str:
    """Return the outcome as icon, word and colour together."""
    return (
        f'<span class="badge badge-{outcome.lower()}"><span aria-hidden="true">{ICONS[outcome]}</span> {outcome}</span>'
    )


def verdict(done: Inspection, crops: Mapping[int, str] | None = None, asks: bool = False) -> str:
    """Return the banner, the table of expected and found, and what to do next.

    Args:
        done: The inspection.
        crops: By number of a finding: the address of a picture of where a judge of states looked.
        asks: Whether the person can answer questions of state in it.
    """
    outcome, pictures = done.verdict.outcome, crops or {}
    rows = "".join(
        _row(each) + state_render.details(each, at, pictures.get(at, ""), asks)
        for at, each in enumerate(done.verdict.findings)
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Verdict", "Expected", "Found"))
    looked = (
        f"{escape(done.photo.name)}, {done.photo.width_px} × {done.photo.height_px} px, judged in {done.seconds:.2f} s"
    )
    return (
        f'<section class="verdict verdict-{outcome.lower()}" data-outcome="{outcome}">'
        f'<div class="banner"><span class="icon" aria-hidden="true">{ICONS[outcome]}</span>'
        f"<div><strong>{outcome}</strong><span>{MEANINGS[outcome]}</span></div></div>"
        f"{_actions(done.verdict.findings)}"
        f'<table class="findings"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="fine">{looked} by {escape(", ".join(done.models))}.</p></section>'
    )


def _row(finding: Finding) -> str:
    flips = f'<span class="flips">{escape(finding.flips)}</span>' if finding.flips else ""
    return (
        f'<tr data-outcome="{finding.outcome}" data-reason="{finding.reason}"><td>{badge(finding.outcome)}</td>'
        f"<td>{escape(finding.expected)}</td><td>{escape(finding.found)}{flips}</td></tr>"
    )


def _actions(findings: Sequence[Finding]) -> str:
    """Return what to do next, each thing once, failures first."""
    ordered = sorted(findings, key=lambda each: each.outcome != "FAIL")
    said = dict.fromkeys(each.next_action for each in ordered if each.next_action)
    if not findings:
        said = {"Say what the photo must show, then check again.": None}
    if not said:
        return ""
    items = "".join(f"<li>{escape(each)}</li>" for each in said)
    return f'<div class="next"><h3>What to do next</h3><ul>{items}</ul></div>'


def problem(sentence: str) -> str:
    """Return a fault of the world where the verdict would have been."""
    return (
        '<section class="verdict verdict-problem" data-outcome="problem">'
        f"<strong>That did not work</strong><p>{escape(sentence)}</p></section>"
    )


def step(guide: Guide, shown: Step, actions: Sequence[PartAction]) -> str:
    """Return a step with the words marked that a requirement was read from, and where the guide comes from."""
    lines, offset = [], 0
    for line in shown.lines:
        spans = [(a.span[0] - offset, a.span[1] - offset) for a in actions if a.span[0] >= offset]
        own = [(start, end) for start, end in spans if end <= len(line.text)]
        icon = {"caution": "⚠ ", "note": "", "reminder": "", "step": ""}[line.kind]
        name = "" if line.kind == "step" else f'<span class="kind">{icon}{line.kind.capitalize()}</span> '
        lines.append(
            f'<li class="line line-{line.kind} level-{min(line.level, 3)}">{name}{_marked(line.text, own)}</li>'
        )
        offset += len(line.text) + 1
    title = f"{shown.number} · {shown.title}" if shown.title else f"Step {shown.number}"
    tools = shown.tools or guide.tools
    listed = f'<p class="tools"><b>Tools</b> {escape(", ".join(tools))}</p>' if tools else ""
    return (
        f'<article class="step" data-guide="{escape(guide.id)}" data-step="{shown.number}"><h3>{escape(title)}</h3>'
        f"<ol>{''.join(lines)}</ol>{listed}{source(guide)}</article>"
    )


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return escaped text with the spans marked; spans that overlap an earlier one are left out."""
    out, last = [], 0
    for start, end in sorted(spans):
        if start >= last:
            out += [escape(text[last:start]), "<mark>", escape(text[start:end]), "</mark>"]
            last = end
    return "".join([*out, escape(text[last:])])


def source(guide: Guide) -> str:
    """Return who wrote a guide, under which licence, and where it can be read; only web addresses become links."""
    said = [escape(each) for each in (guide.author, guide.licence) if each]
    if guide.url.startswith(("https://", "http://")):
        said.append(
            f'<a href="{escape(guide.url)}" target="_blank" rel="noopener noreferrer">read it at its source</a>'
        )
    return f'<p class="fine">{" · ".join([escape(guide.title), escape(guide.device), *said])}</p>'
