"""How pulls and pushes are asked for, shown and followed on the command line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, print_json, verb

if TYPE_CHECKING:
    from repairai.hub.pull import PullPlan
    from repairai.hub.push import Parcel, PushPlan
    from repairai.hub_faults import Kind

_LOOK_SECONDS = 0.2
_MOST_FILES = 20
"""Of a list that is shown."""


def add_pull(verbs: Any, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
    """Add `pull` to a noun's verbs, and return its parser."""
    parser = verb(verbs, "pull", run, what)
    add = parser.add_argument
    add("repo", metavar="OWNER/NAME")
    add("--revision", default="main", help="a branch, a tag or a commit (default: the newest)")
    add("--dry-run", action="store_true", help="show what would come, and fetch nothing")
    return parser


def add_push(
    verbs: Any, run: Callable[[argparse.Namespace], int], what: str, source: str = "NAME"
) -> argparse.ArgumentParser:
    """Add `push` to a noun's verbs, and return its parser."""
    parser = verb(verbs, "push", run, what)
    add = parser.add_argument
    add("source", metavar=source)
    add("repo", metavar="OWNER/NAME")
    add("--public", action="store_true", help="let everybody see it (default: only you)")
    add("--dry-run", action="store_true", help="show which files would go and their card, and send nothing")
    add("--message", default="", help="of the commit")
    add("--detach", action="store_true", help="do not wait for its end")
    return parser


def pull(chosen: argparse.Namespace, kind: Kind) -> tuple[PullPlan, Path | None]:
    """Show what comes, fetch it unless that was all, and return both the plan and the folder.

    Raises:
        RepairError: It cannot be had.
    """
    from repairai.hub.pull import plan

    planned = plan(chosen.repo, kind, chosen.revision)
    if chosen.dry_run:
        print_json(as_data(planned)) if chosen.json else print(_said_of_pull(planned))
        return planned, None
    if not chosen.json:
        print(_said_of_pull(planned))
    return planned, fetched(planned)


def fetched(planned: PullPlan) -> Path:
    """Fetch what a plan says, with a bar where there is a terminal, and return its folder."""
    from repairai.hub.pull import fetch

    with bar(planned.repo) as tell:
        return fetch(planned, tell)


def push(chosen: argparse.Namespace, parcel: Parcel) -> int:
    """Show what goes, send it as a job of its own unless that was all, follow that, and return the exit code.

    Raises:
        RepairError: It may not go.
    """
    from repairai.hub import push as pushing
    from repairai.hub.pushes import begin

    planned = pushing.plan(parcel, chosen.repo, private=not chosen.public)
    if chosen.dry_run:
        print_json(as_data(planned)) if chosen.json else print(f"{_said_of_push(planned)}\n\n{planned.card}")
        return 0
    if not chosen.json:
        print(_said_of_push(planned))
    order = begin(parcel, chosen.repo, not chosen.public, chosen.message or pushing.MESSAGE)
    if chosen.detach:
        return _told(chosen, order.id)
    try:
        return _follow(chosen, order.id)
    except KeyboardInterrupt:
        print(f"it goes on: `hub pushes` shows it, `hub cancel {order.id}` ends it", file=sys.stderr)
        raise


def of_folder(folder: Path) -> Parcel:
    """Return a model's folder as it may go to the Hub; its README is its card.

    Raises:
        RepairError: It has no README or no weights in safetensors, or tells something that must not go.
    """
    from repairai.errors import RepairError
    from repairai.files import read_text
    from repairai.hub.contents import refuse_unsafe, sorted_out
    from repairai.hub.push import CARD, Parcel
    from repairai.runs.sharing.staged import refuse_private

    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    wanted, left_out = sorted_out(names, "model")
    refuse_unsafe(folder.name, wanted, left_out)
    if CARD not in wanted:
        raise RepairError(f"{folder} has no {CARD} to be its card", "write one: what it is, from what, and its licence")
    files = tuple((path, folder / path) for path in wanted if path != CARD)
    card = read_text(folder / CARD)
    refuse_private(files, card)
    return Parcel("model", files, card)


@contextmanager
def bar(words: str) -> Iterator[Callable[[int, int, str], None]]:
    """Yield what takes progress in bytes and shows it on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(words, total=None)
        yield lambda done, total, file: shown.update(task, completed=done, total=total, description=file or words)


def _follow(chosen: argparse.Namespace, push_id: str) -> int:
    """Show how far a push is until it is over."""
    from repairai.hub.pushes import push_of

    last = ""
    with bar(chosen.repo) as tell:
        while (push := push_of(push_id)).at_work:
            now = push.standing
            if now.total_bytes:
                tell(now.done_bytes, now.total_bytes, now.said if push.state == "waiting" else now.file)
            if now.said and now.said != last:
                print(f"{now.said}; it is tried again by itself", file=sys.stderr)
            last = now.said
            time.sleep(_LOOK_SECONDS)
    return _told(chosen, push_id)


def _told(chosen: argparse.Namespace, push_id: str) -> int:
    """Print how a push stands, and return the exit code."""
    from repairai.commands.hub import said_of, told_of
    from repairai.commands.words import refuse
    from repairai.hub.pushes import push_of

    push = push_of(push_id)
    if chosen.json:
        print_json(told_of(push))
    elif push.state == "failed":
        return refuse(push.standing.said)
    else:
        print(f"{chosen.repo} is at {push.address}" if push.state == "done" else said_of(push))
    return 0 if push.state == "done" or push.at_work else 1


def _said_of_pull(planned: PullPlan) -> str:
    from repairai.hub.contents import WHAT_WORDS, in_words

    about = [
        WHAT_WORDS[planned.what],
        f"on {planned.base}" if planned.base else "",
        f"licence {planned.licence}" if planned.licence else "no licence is named",
        f"revision {planned.revision[:10]}",
    ]
    lines = [f"{planned.repo}: {', '.join(filter(None, about))}"]
    lines += _listed(planned.files)
    lines += [f"  left out: {path}: {why}" for path, why in planned.left_out[:_MOST_FILES]]
    if len(planned.left_out) > _MOST_FILES:
        lines.append(f"  left out: {len(planned.left_out) - _MOST_FILES:,} more")
    lines.append(f"{in_words(planned.total_bytes)} in {_files(len(planned.files))}")
    return "\n".join(lines)


def _said_of_push(planned: PushPlan) -> str:
    from repairai.hub.contents import in_words

    seen = "only you will see it" if planned.private else "everybody will see it"
    lines = [f"{planned.repo}: {'there already' if planned.exists else 'new'}, {seen}"]
    lines += _listed(planned.files, planned.unchanged)
    lines += [f"  will be gone: {path}" for path in planned.gone[:_MOST_FILES]]
    lines.append(
        f"{in_words(planned.total_bytes)} in {_files(len(planned.files))}, {in_words(planned.new_bytes)} to send"
    )
    return "\n".join(lines)


def _listed(files: tuple[tuple[str, int], ...], same: tuple[str, ...] = ()) -> list[str]:
    from repairai.hub.contents import in_words

    known = set(same)
    lines = [
        f"  {in_words(n):>10}  {path}{', there already' if path in known else ''}" for path, n in files[:_MOST_FILES]
    ]
    return [*lines, *([f"  and {len(files) - _MOST_FILES:,} more"] if len(files) > _MOST_FILES else [])]


def _files(n: int) -> str:
    return f"{n:,} file{'s' * (n != 1)}"
