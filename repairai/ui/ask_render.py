"""An answer to HTML, pure: everything that came from outside is escaped, so that no guide and no model becomes live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from repairai.sop.prompts import Passage
from repairai.sop.reply import Cited, Reply, Sentence, Source

NOTHING_YET = (
    '<p class="fine">Ask how something is done, which tools it takes, or what comes next. '
    "Each sentence of the answer names the step that says so.</p>"
)
FROM_STEPS = "Made from the steps themselves: no model is installed or chosen."
PARTLY_FROM_STEPS = "Made from the steps themselves, in whole or in part: the model could not answer."
NOT_IN_STEPS = "Not in the steps"


def growing(question: str, found: Sequence[Passage], lines: Sequence[Sequence[Sentence]], writing: str) -> str:
    """Return an answer as far as it is.

    Args:
        question: As it was asked.
        found: The steps that it is made from.
        lines: Those that are done.
        writing: The one that is being written, not yet held to the steps.
    """
    now = (
        f'<li class="writing">{escape(writing)}<span class="caret" aria-hidden="true"> ▍</span></li>' if writing else ""
    )
    return _section(question, _about(found) + _lines(lines, now), "growing")


def answer(reply: Reply) -> str:
    """Return a whole answer: what it says, what it leaves out, who made it, and from what."""
    if not reply.found:
        return _section(reply.question, _no_guide(reply), "none")
    lines = [list(each) for _, each in groupby(reply.sentences, key=lambda sentence: sentence.item)]
    body = [
        _about(reply.found),
        f'<p class="made">{escape(_made(reply))}</p>',
        _counted(reply),
        _lines(lines),
        _unanswered(reply),
        _warnings(reply),
        _left_out(reply),
        "".join(f'<p class="note">{escape(note)}</p>' for note in reply.notes),
        "".join(_source(source) for source in reply.sources),
    ]
    return _section(reply.question, "".join(body), "refused" if reply.refused else "answered")


def _section(question: str, body: str, state: str) -> str:
    return f'<section class="answer" data-state="{state}"><p class="asked">{escape(question)}</p>{body}</section>'


def _about(found: Sequence[Passage]) -> str:
    """Return which guide is read: whoever asked sees at once whether it is for the right device."""
    names = dict.fromkeys((each.title, each.device) for each in found)
    return "".join(f'<h3>{escape(title)} <span class="device">{escape(device)}</span></h3>' for title, device in names)


def _made(reply: Reply) -> str:
    if reply.made_from_steps:
        return FROM_STEPS if reply.writer == "steps" else PARTLY_FROM_STEPS
    return f"Written by {reply.writer}; each sentence was held to the steps."


def _counted(reply: Reply) -> str:
    """Return in words how many sentences no step holds, so that nobody has to look for the marks."""
    wrong = sum(not each.supported for each in reply.sentences)
    if not wrong:
        return ""
    what = "statement stands" if wrong == 1 else "statements stand"
    words = f"{wrong} {what} in no step. Do not rely on what is marked."
    return f'<p class="in-no-step"><span aria-hidden="true">⚠</span> {words}</p>'


def _lines(lines: Sequence[Sequence[Sentence]], now: str = "") -> str:
    tools = [each for line in lines for each in line if each.kind == "tool"]
    items = "".join(f"<li>{_line(line)}</li>" for line in lines if line and line[0].kind != "tool")
    chips = "".join(f"<li>{_said(each)}</li>" for each in tools)
    listed = f'<div class="needed"><b>Tools</b><ul>{chips}</ul></div>' if chips else ""
    return listed + (f"<ol>{items}{now}</ol>" if items or now else "")


def _line(line: Sequence[Sentence]) -> str:
    """Return a line of the answer; its step stands once, behind the last of the sentences that it holds."""
    said = []
    for n, each in enumerate(line):
        following = line[n + 1] if n + 1 < len(line) else None
        last = following is None or following.cited != each.cited or not following.supported
        said.append(_said(each) + (_steps(each.cited) if last and each.supported else ""))
    return " ".join(said)


def _said(sentence: Sentence) -> str:
    text = escape(sentence.text)
    if sentence.text.startswith("Caution:"):
        text = f"<strong>⚠ Caution:</strong>{escape(sentence.text.removeprefix('Caution:'))}"
    if sentence.supported:
        return text + (f' <span class="mended">({escape(sentence.why)})</span>' if sentence.why else "")
    return (
        f'<span class="unsupported"><span class="mark"><span aria-hidden="true">⚠ </span>{NOT_IN_STEPS}</span> '
        f'<s>{text}</s> <span class="why">{escape(sentence.why)}</span></span>'
    )


def _steps(cited: Iterable[Cited]) -> str:
    return "".join(f" {step_button(each.guide_id, each.step)}" for each in cited)


def step_button(guide_id: str, step: int, words: str = "") -> str:
    """Return a button that shows a step; `ask_panel` hears it."""
    label, shown = (words, "read") if words else (f"Show step {step} in the guide", f"step {step}")
    return (
        f'<button type="button" class="cite" data-cite="{escape(guide_id)}#{step}" aria-label="{escape(label)}">'
        f"{shown}</button>"
    )


def _unanswered(reply: Reply) -> str:
    if not reply.unanswered:
        return ""
    said = "says that it has no guide" if any(each.kind == "refusal" for each in reply.sentences) else "made nothing"
    of = "for these steps" if said.startswith("says") else "of these steps"
    items = "".join(
        f"<li>{escape(each.text)} {step_button(each.guide_id, each.step)}</li>" for each in reply.unanswered
    )
    return f'<div class="unanswered"><h4>{escape(reply.writer)} {said} {of}. They say:</h4><ul>{items}</ul></div>'


def _warnings(reply: Reply) -> str:
    if not reply.warnings:
        return ""
    items = "".join(
        f"<li>{escape(each.text)} {step_button(each.cited.guide_id, each.cited.step)}</li>" for each in reply.warnings
    )
    return (
        '<div class="warned"><h4><span aria-hidden="true">⚠ </span>Warnings of these steps that the answer leaves out'
        f"</h4><ul>{items}</ul></div>"
    )


def _left_out(reply: Reply) -> str:
    if not reply.left_out:
        return ""
    return f'<p class="left-out">The answer passes over{_steps(reply.left_out)}</p>'


def _no_guide(reply: Reply) -> str:
    near = "".join(
        f'<li>{escape(hit.title)} <span class="device">{escape(hit.device)}</span> '
        f"{step_button(hit.guide_id, hit.step or 1, f'Read {hit.title}')}</li>"
        for hit in reply.near
    )
    nearest = (
        f'<div class="near"><h4>The nearest guides are for something else:</h4><ul>{near}</ul></div>' if near else ""
    )
    why = f"{reply.why[:1].upper()}{reply.why[1:]}." if reply.why else ""
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in reply.notes)
    return (
        f'<p class="refusal"><strong>I have no guide for that.</strong> {escape(why)}</p>{nearest}'
        f'<p class="fine">Bring a guide in below, or ask in other words.</p>{notes}'
    )


def _source(source: Source) -> str:
    """Return where a guide is from; only web addresses become links."""
    said = [source.title, source.device, source.author, source.licence]
    shown = [escape(each) for each in said if each]
    if source.url.startswith(("https://", "http://")):
        shown.append(
            f'<a href="{escape(source.url)}" target="_blank" rel="noopener noreferrer">read it at its source</a>'
        )
    return f'<p class="fine source">Source: {" · ".join(shown)}</p>'
