"""What the Hub tab shows, as HTML, pure; what came from the Hub is escaped, and only its own address becomes a link."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from repairai.hub.account import Account
from repairai.hub.listing import Listed
from repairai.hub_faults import Kind

WORDS: dict[Kind, str] = {"model": "model", "dataset": "data set", "space": "Space"}
OURS = {
    "repairai-adapter": "adapter", "repairai-agent": "agent", "repairai-detector": "detector",
    "repairai-judge": "judge", "repairai-sop-data": "examples", "repairai-photos": "photos",
    "repairai-proposer": "proposes boxes", "repairai-guides": "guides",
}  # fmt: skip
"""Tags that cards of RepairAI have, and what they say."""
MOST_FILES = 200
NOBODY = (
    "Nobody is logged in. What is public can be looked for and fetched all the same; a token is needed for what is "
    "private, and to push."
)
WHERE_TOKENS = "Make one on the Hub under Settings, Access Tokens, with the right to write if you want to push."


def style() -> str:
    """Return how what is shown looks."""
    return Path(__file__).with_name("hub.css").read_text("utf-8")


# ---- who


def offline(said: str) -> str:
    """Return that the Hub is not there, which stops nothing here."""
    return (
        '<section class="who" data-online="no"><span class="badge badge-elsewhere">not connected</span>'
        f"<p>{escape(_sentence(said))}</p><p class='fine'>Everything on this machine works without it. Pushes that "
        "wait go on when it is there again.</p></section>"
    )


def who(account: Account | None) -> str:
    """Return who is logged in."""
    if account is None:
        return f'<section class="who" data-online="yes" data-who=""><p>{NOBODY}</p></section>'
    name = account.name if account.full_name in ("", account.name) else f"{account.name} ({account.full_name})"
    right = (
        '<span class="badge badge-pass"><span aria-hidden="true">✓</span> may write</span>' if account.can_write
        else '<span class="badge badge-uncertain"><span aria-hidden="true">!</span> may only read</span>'
    )  # fmt: skip
    more = f"Also for {', '.join(account.organisations)}. " if account.organisations else ""
    if account.token_from == "environment":
        more += "The token comes from this machine's environment; only whoever set it there can take it away."
    elif not account.can_write:
        more += f"To push, log in with another token. {WHERE_TOKENS}"
    fine = f'<p class="fine">{escape(more)}</p>' if more else ""
    return (
        f'<section class="who" data-online="yes" data-who="{escape(account.name)}">'
        f"<p>Logged in as <b>{escape(name)}</b></p>{right}{fine}</section>"
    )


# ---- what is there


def there(found: Sequence[Listed], nothing: str) -> str:
    """Return what is on the Hub as a list; each that can be fetched has a button.

    Args:
        found: What is there.
        nothing: What is said where there is none of it.
    """
    if not found:
        return f'<p class="fine">{escape(nothing)}</p>'
    return f'<ul class="there">{"".join(map(_one, found))}</ul>'


def _one(each: Listed) -> str:
    what = [word for tag, word in OURS.items() if tag in each.tags]
    facts = [*what, f"changed {each.updated[:10]}" if each.updated else ""]
    facts += [f"{each.downloads:,} downloads" if each.downloads else ""]
    badge = '<span class="badge badge-elsewhere">private</span>' if each.private else ""
    look = "" if each.kind == "space" else _button("Look at it", look=each.repo, kind=each.kind)
    return (
        f'<li data-repo="{escape(each.repo)}"><span class="name">{escape(each.repo)}'
        f'<span class="fine">{escape(" · ".join(filter(None, facts)))}</span></span>{badge}{look}'
        f"{link(each.address)}</li>"
    )


def link(address: str, said: str = "open on the Hub") -> str:
    """Return an address of the Hub as a link that opens beside the page."""
    if not address.startswith(("https://", "http://")):
        return ""
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(said)}</a>'


def _button(said: str, **data: str) -> str:
    marks = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return f'<button class="link" {marks}>{escape(said)}</button>'


# ---- files


def size(n_bytes: int) -> str:
    """Return a size in the unit that suits it."""
    amount = float(n_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.2f} GiB"


def files(found: Sequence[tuple[str, int]]) -> str:
    """Return files with their sizes, the first two hundred."""
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{size(n_bytes)}</td></tr>" for name, n_bytes in found[:MOST_FILES])
    more = f'<p class="fine">and {len(found) - MOST_FILES:,} more</p>' if len(found) > MOST_FILES else ""
    return f"<table><tbody>{rows}</tbody></table>{more}"


def left_out(found: Sequence[tuple[str, str]]) -> str:
    """Return files that are not taken, and why, but those of git; nothing where there are none."""
    found = [each for each in found if not each[0].startswith(".")]
    if not found:
        return ""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="why">{escape(why)}</td></tr>' for name, why in found[:MOST_FILES]
    )
    n = len(found)
    return (
        f"<details><summary>{n:,} file{'s' * (n != 1)} left where {'they are' if n != 1 else 'it is'}</summary>"
        f"<table><tbody>{rows}</tbody></table></details>"
    )


def counted(n: int, total_bytes: int) -> str:
    """Return how much that is: "7 files, 12.0 MiB"."""
    return f"{n:,} file{'s' * (n != 1)}, {size(total_bytes)}"


def going(said: str, done: int, total: int) -> str:
    """Return how far something is, as a bar."""
    share = f"{100 * min(done / total, 1):.0f}" if total else ""
    value = f' aria-valuenow="{share}"' if share else ""
    count = f": {size(done)} of {size(total)}" if total else ""
    return (
        f'<div class="building"><p>{escape(said)}{count}</p><span class="track wide" role="progressbar" '
        f'aria-label="{escape(said)}"{value}><span class="tone-busy" style="width:{share or 4}%"></span></span></div>'
    )


def card(text: str) -> str:
    """Return a card as it will stand on the Hub, as plain text: nothing in it is shown as more than that."""
    head, mark, body = text.removeprefix("---\n").partition("\n---\n")
    if not mark:
        head, body = "", text
    settings = f'<pre class="card-head">{escape(head)}</pre>'
    folded = f"<details><summary>Its head, which the Hub reads</summary>{settings}</details>" if head else ""
    told = f'<pre class="card-body">{escape(body.strip())}</pre>'
    return f"<details open><summary>The card that goes with it</summary>{told}</details>{folded}"


def _sentence(said: str) -> str:
    said = said.strip().rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."
