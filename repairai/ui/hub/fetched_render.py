"""What the Hub tab shows of what was fetched and lies on this machine, as HTML, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from repairai.hub.contents import WHAT_WORDS
from repairai.hub_faults import WORDS
from repairai.runs.pulled_use import Active, Fetched, Use
from repairai.ui.hub.hub_render import size

MOST_NAMED = 3
USUAL = {
    "steps": "the steps themselves", "builtin": "the detector that comes with RepairAI", "nobody": "nobody, so you do",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One of the list.

    Args:
        found: What was fetched.
        n_bytes: That it takes.
        use: Who needs it.
    """

    found: Fetched
    n_bytes: int
    use: Use


def listed(rows: Sequence[Row], asked: Row | None = None, refused: str = "") -> str:
    """Return what was fetched as a list; nothing where there is nothing.

    Args:
        rows: It.
        asked: One of which it is asked whether it is to go; None for none.
        refused: Why it cannot go, as HTML, which then stands there in place of the question.
    """
    if not rows:
        return ""
    total = size(sum(each.n_bytes for each in rows))
    items = "".join(_one(each, bool(asked and asked.found == each.found), refused) for each in rows)
    said = f'<p class="fine">{total} on this machine. What is deleted has to be fetched again.</p>'
    return f'<h2>What was fetched</h2><ul class="there whole">{items}</ul>{said}'


def freed(repo: str, n_bytes: int, stuck: Sequence[str], base: str) -> str:
    """Return what came of a deletion, in a sentence of HTML.

    Args:
        repo: That was deleted.
        n_bytes: That became free.
        stuck: Runs that cannot go on without it.
        base: What it stood on, where nobody else needs that; else empty.
    """
    lost = f" Without it cannot go on: {_named(stuck)}." if stuck else ""
    more = f" {base}, on which it stood, is here still, and nothing else needs it." if base else ""
    return f'<p class="answer">{escape(f"{repo} is deleted: {size(n_bytes)} are free again.{lost}{more}")}</p>'


def instead(now: Sequence[Active]) -> str:
    """Return which models do the work now that something else did, in a sentence of HTML."""
    said = " ".join(f"What {each.does}s now: {USUAL.get(each.name, each.name)}." for each in now)
    return f'<p class="answer">{escape(said)}</p>' if said else ""


def in_use(use: Use) -> str:
    """Return in a few words who needs something; nothing where nobody does."""
    if use.active:
        return " and ".join(f"{each.does}s now" for each in use.active)
    if use.beneath:
        return f"{use.beneath[0].name} {use.beneath[0].does}s with it now"
    if use.needed:
        return f"{_named(use.needed)} {'needs' if len(use.needed) == 1 else 'need'} it"
    if use.adapters:
        return f"{_named(use.adapters)} {'stands' if len(use.adapters) == 1 else 'stand'} on it"
    return ""


def _one(row: Row, is_asked: bool, refused: str) -> str:
    about, repo = row.found.about, escape(row.found.repo)
    whose, who = f'data-repo="{repo}" data-kind="{row.found.kind}"', in_use(row.use)
    if about is None:
        facts = [f"not all of this {WORDS[row.found.kind]} has come"]
        badge = '<span class="badge badge-uncertain"><span aria-hidden="true">!</span> half fetched</span>'
    else:
        facts = [WHAT_WORDS[about.what], f"licence {about.licence}" if about.licence else "its licence is not said"]
        facts += [f"on {about.base}"] if about.base else []
        tone, said = ("busy", who) if who else ("elsewhere", "not in use")
        badge = f'<span class="badge badge-{tone}">{escape(said)}</span>'
    told = escape(" · ".join([*facts, size(row.n_bytes)]))
    press = f'<button class="link" data-do="ask" {whose} aria-label="Delete {repo}">Delete</button>'
    for each in (*row.use.active, *row.use.beneath)[:1]:
        press = f'<button class="link" data-do="back" {whose}>Let another one {each.does}</button>{press}'
    if is_asked:
        press = f'{press}<div class="refused" role="alert">{refused}</div>' if refused else _question(row)
    return (
        f'<li {whose} data-in-use="{"yes" if who else "no"}"><span class="name">{repo}<span class="fine">{told}</span>'
        f"</span>{badge}{press}</li>"
    )


def _question(row: Row) -> str:
    repo, use = escape(row.found.repo), row.use
    whose = f'data-repo="{repo}" data-kind="{row.found.kind}"'
    lost = ""
    if use.adapters:
        one = len(use.adapters) == 1
        names = escape(_named(use.adapters))
        lost += f" {names} {'stands' if one else 'stand'} on it and can then no longer be asked."
    if use.stuck:
        lost += f" Without it cannot go on: {escape(_named(use.stuck))}."
    return (
        f'<div class="doubt" role="alert"><p class="doomed">Delete {repo}: {size(row.n_bytes)}?{lost} '
        "This cannot be undone.</p>"
        f'<div class="links"><button class="link stop" data-do="sure" {whose}>Delete it for good</button>'
        f'<button class="link" data-do="keep" {whose}>Keep it</button></div></div>'
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
