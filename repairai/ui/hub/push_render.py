"""What the Hub tab shows of something that goes there, as HTML, pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from repairai.hub.push import PushPlan
from repairai.hub.push_folder import State
from repairai.hub.pushes import Push
from repairai.ui.hub.hub_render import WORDS, card, counted, files, link, size

MOST_PUSHES = 12
"""In the list; the command line has all of them."""
STATES: dict[State, tuple[str, str, str]] = {
    "starting": ("…", "busy", "starting"), "sending": ("▶\ufe0e", "busy", "on its way"),
    "waiting": ("◷", "uncertain", "waits for the network"), "done": ("✓", "pass", "there"),
    "failed": ("✕", "fail", "refused"), "cancelled": ("■", "elsewhere", "cancelled"),
    "interrupted": ("!", "uncertain", "interrupted"),
}  # fmt: skip
"""Icon, colour and word of each state."""
BUTTONS: dict[State, tuple[str, ...]] = {
    "starting": ("cancel",), "sending": ("cancel",), "waiting": ("cancel",), "done": ("forget",),
    "failed": ("again", "forget"), "cancelled": ("again", "forget"), "interrupted": ("again", "cancel"),
}  # fmt: skip


def is_same(found: PushPlan) -> bool:
    """Tell whether all of it is on the Hub already, and nothing else."""
    return not found.gone and len(found.unchanged) == len(found.files)


def plan(found: PushPlan) -> str:
    """Return what would go: where to, who sees it, how much of it is new, the files and the card."""
    seen = "only you see it" if found.private else "everybody sees it"
    new = "it is there already, and is brought up to date" if found.exists else f"a new {WORDS[found.kind]}"
    if is_same(found):
        new = "all of it is there already as it is here"
    left = f" · {size(found.new_bytes)} of it to send" if found.unchanged and not is_same(found) else ""
    n = len(found.gone)
    gone = (
        f"<details open><summary>{n:,} file{'s' * (n != 1)} there will be deleted</summary>"
        f"<p>{escape(', '.join(found.gone[:50]))}</p></details>"
        if n
        else ""
    )
    return (
        f'<section class="parcel" data-plan="{escape(found.repo)}" data-private="{"yes" if found.private else "no"}">'
        f"<h3>{escape(found.repo)}: {escape(new)}</h3><p><b>{seen[0].upper()}{seen[1:]}.</b> "
        f"{counted(len(found.files), found.total_bytes)}{left}</p><details><summary>The files</summary>"
        f"{files(found.files)}</details>{gone}{card(found.card)}</section>"
    )


# ---- under way


def pushes(found: Sequence[Push], now: float, mark: str = "") -> str:
    """Return pushes, each with what can be done with it; nothing where there are none.

    Args:
        found: They, in the order in which they are shown.
        now: Seconds since 1970.
        mark: Of what is shown, by which the page tells later whether it has changed.
    """
    if not found:
        return ""
    more = f'<p class="fine">and {len(found) - MOST_PUSHES} older ones</p>' if len(found) > MOST_PUSHES else ""
    rows = "".join(_push(each, now) for each in found[:MOST_PUSHES])
    return f'<h3>Pushes</h3><div class="pushes" data-mark="{escape(mark)}">{rows}</div>{more}'


def _push(push: Push, now: float) -> str:
    icon, tone, word = STATES[push.state]
    standing = push.standing
    share = 100 * standing.done_bytes / standing.total_bytes if standing.total_bytes else 0.0
    share = 100.0 if push.state == "done" else min(share, 100.0)
    names = {"cancel": "Cancel", "again": "Go on", "forget": "Take it out of the list"}
    buttons = "".join(
        f'<button class="link" data-do="{name}" data-push="{escape(push.id)}">{names[name]}</button>'
        for name in BUTTONS[push.state]
    )
    there = link(push.address) if push.state == "done" else ""
    seen = "private" if push.private else "public"
    return (
        f'<section class="push" data-push="{escape(push.id)}" data-state="{push.state}"><div class="run-title">'
        f'<span class="name">{escape(push.repo)}</span><span class="badge badge-{tone}"><span aria-hidden="true">{icon}'
        f'</span> {word}</span></div><span class="track" role="progressbar" aria-label="{escape(push.repo)}" '
        f'aria-valuenow="{share:.0f}"><span class="tone-{tone}" style="width:{share:.1f}%"></span></span>'
        f"<p class='fine'>{escape(' · '.join(filter(None, (WORDS[push.kind], seen, _how_far(push, now)))))}</p>"
        f'<div class="links">{buttons}{there}</div></section>'
    )


def _how_far(push: Push, now: float) -> str:
    """Return how far a push is, and why it does not go on, in words."""
    standing = push.standing
    sizes = f"{size(standing.done_bytes)} of {size(standing.total_bytes)}" if standing.total_bytes else ""
    parts = [sizes if push.state != "done" else size(standing.total_bytes), standing.file if push.at_work else ""]
    parts.append(standing.said)
    if push.state == "waiting" and standing.next_try:
        parts.append(f"tried again in {max(standing.next_try - now, 0):.0f} s")
    return " · ".join(filter(None, parts))
