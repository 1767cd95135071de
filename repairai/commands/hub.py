"""`hub`: who is logged in to the Hugging Face Hub, what is there, and the pushes that are under way."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, noun, print_json, verb

if TYPE_CHECKING:
    from repairai.hub.account import Account
    from repairai.hub.listing import Listed
    from repairai.hub.pushes import Push

KINDS = ("model", "dataset", "space")
_MOST_LETTERS = 10_000


def add_words(verbs: Any) -> None:
    """Add `hub` and its verbs to the command line."""
    verbs = noun(verbs, "hub", "the Hugging Face Hub: who is logged in, what is there, pushes under way")
    login = verb(verbs, "login", _login, "give a token of the Hub to huggingface_hub's own store, once it was checked")
    login.add_argument(
        "--token-file", metavar="FILE", help="read it from there; else it is asked for, or read from standard input"
    )
    verb(verbs, "logout", _logout, "take the tokens of this machine out of that store")
    verb(verbs, "who", _who, "who is logged in, and whether the Hub is there")
    _kind(verb(verbs, "list", _list, "what you and your organisations have there"))
    search = verb(verbs, "search", _search, "what has these words in its name")
    search.add_argument("words", nargs="+")
    _kind(search)
    verb(verbs, "pushes", _pushes, "pushes under way and over, the newest first")
    for name, run, what in (
        ("cancel", _cancel, "end a push; nothing of it is seen on the Hub"),
        ("again", _again, "go on with a push that failed, was cancelled or interrupted"),
        ("forget", _forget, "take a push that is over out of the list"),
        ("push-job", _push_job, "do a push to its end, as its own process does"),
    ):
        verb(verbs, name, run, what).add_argument("id", metavar="ID")


def _kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=KINDS, help="only these (default: all)")


def _login(chosen: argparse.Namespace) -> int:
    from repairai.hub.account import log_in

    account = log_in(_token(chosen.token_file))
    if chosen.json:
        print_json(as_data(account))
    else:
        print(f"logged in: {_said(account)}")
    return 0


def _token(file: str | None) -> str:
    """Return a token that was given where no list of processes shows it."""
    from repairai.files import expanded, read_text

    if file:
        return read_text(expanded(file))[:_MOST_LETTERS]
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            return getpass.getpass("Token of the Hub (it is not shown): ")
        except EOFError:
            return ""
    return sys.stdin.read(_MOST_LETTERS) if sys.stdin is not None else ""


def _logout(chosen: argparse.Namespace) -> int:
    from repairai.hub.account import log_out

    log_out()
    print_json({"account": None}) if chosen.json else print("logged out")
    return 0


def _who(chosen: argparse.Namespace) -> int:
    from repairai.hub.account import who
    from repairai.hub.client import reach
    from repairai.hub_faults import endpoint

    found = reach()
    account = who() if found.online else None
    if chosen.json:
        told = as_data(account) if account else None
        print_json({"online": found.online, "said": found.said, "address": endpoint(), "account": told})
        return 0
    print(found.said)
    if account:
        print(_said(account))
    elif found.online:
        print("nobody is logged in: `python -m repairai hub login`")
    return 0


def _said(account: Account) -> str:
    about = [
        account.name if account.full_name in ("", account.name) else f"{account.name} ({account.full_name})",
        "may write" if account.can_write else "may only read",
        f"also for {', '.join(account.organisations)}" if account.organisations else "",
        "by a token of the environment" if account.token_from == "environment" else "",
    ]
    return ", ".join(filter(None, about))


def _list(chosen: argparse.Namespace) -> int:
    from repairai.hub.listing import mine

    found = [each for kind in _kinds(chosen) for each in mine(kind)]
    return _show(chosen, found, "nothing of yours is there yet")


def _search(chosen: argparse.Namespace) -> int:
    from repairai.hub.listing import search

    found = [each for kind in _kinds(chosen) for each in search(" ".join(chosen.words), kind)]
    return _show(chosen, found, "nothing there has these words in its name")


def _kinds(chosen: argparse.Namespace) -> tuple[Any, ...]:
    return (chosen.kind,) if chosen.kind else KINDS


def _show(chosen: argparse.Namespace, found: list[Listed], nothing: str) -> int:
    from repairai.hub_faults import WORDS

    if chosen.json:
        print_json([as_data(each) for each in found])
        return 0
    for each in found:
        about = [WORDS[each.kind], "private" if each.private else "", each.updated[:10]]
        about += [f"{each.downloads:,} downloads" if each.downloads else ""]
        print(f"{each.repo}  {', '.join(filter(None, about))}")
    if not found:
        print(nothing)
    return 0


# ---- pushes


def _pushes(chosen: argparse.Namespace) -> int:
    from repairai.hub.pushes import pushes

    found = pushes()
    if chosen.json:
        print_json([told_of(each) for each in found])
        return 0
    for each in found:
        print(said_of(each))
    if not found:
        print("nothing was pushed yet")
    return 0


def _cancel(chosen: argparse.Namespace) -> int:
    from repairai.hub.pushes import cancel

    return _tell(chosen, cancel(chosen.id))


def _again(chosen: argparse.Namespace) -> int:
    from repairai.hub.pushes import again

    return _tell(chosen, again(chosen.id))


def _forget(chosen: argparse.Namespace) -> int:
    from repairai.hub.pushes import forget

    forget(chosen.id)
    print_json({"forgotten": chosen.id}) if chosen.json else print(f"{chosen.id} is forgotten")
    return 0


def _push_job(chosen: argparse.Namespace) -> int:
    from repairai.hub.push_job import work
    from repairai.hub.pushes import push_of

    code = work(chosen.id)
    return _tell(chosen, push_of(chosen.id)) or code


def _tell(chosen: argparse.Namespace, push: Push) -> int:
    print_json(told_of(push)) if chosen.json else print(said_of(push))
    return 0


def told_of(push: Push) -> dict[str, Any]:
    """Return a push as plain data."""
    return {
        "id": push.id, "repo": push.repo, "kind": push.kind, "private": push.private, "made": push.made,
        "address": push.address, **as_data(push.standing),
    }  # fmt: skip


def said_of(push: Push) -> str:
    """Return a push in a line."""
    from repairai.hub.contents import in_words

    now = push.standing
    far = f"{in_words(now.done_bytes)} of {in_words(now.total_bytes)}" if now.total_bytes else ""
    about = [push.state, far if push.state != "done" else push.address, now.said]
    return f"{push.id}  to {push.repo}: {', '.join(filter(None, about))}"
