"""Deletes what was pulled from the Hub, at once and for good; what is still needed stays, and it is told by whom."""

from __future__ import annotations

import difflib
import shutil
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import ASIDE, home, set_aside
from repairai.hub.pulled import half_of
from repairai.hub_faults import WORDS, Kind
from repairai.judge import judges
from repairai.runs.folder import STALE_SECONDS
from repairai.runs.pulled_use import Fetched, Use, fetched, on_disk, uses
from repairai.runs.queue import queue_lock
from repairai.sop import agents
from repairai.vision import detectors

_MOST_NAMED = 3


@dataclass(frozen=True)
class Freed:
    """What came of a deletion.

    Args:
        repo: OWNER/NAME of what was deleted.
        n_bytes: That became free.
        stuck: Ids of runs that cannot go on without it.
        base: OWNER/NAME of the model that it stood on, where that was pulled and nobody else needs it; else empty.
    """

    repo: str
    n_bytes: int
    stuck: tuple[str, ...]
    base: str


@dataclass(frozen=True)
class Doomed:
    """What would come of a deletion.

    Args:
        found: What would be deleted.
        n_bytes: That would become free.
        use: Who would miss it.
    """

    found: Fetched
    n_bytes: int
    use: Use


def known_fetched(name: str, kind: Kind) -> Fetched:
    """Return something that was pulled.

    Args:
        name: OWNER/NAME, or what its folder is called.
        kind: Of it.

    Raises:
        RepairError: It was not; the nearest name is told.
    """
    found = fetched()
    own = [each for each in found if each.kind == kind]
    for each in own:
        if name in (each.repo, each.place.name):
            return each
    for each in found:
        if name in (each.repo, each.place.name):
            verb = "models" if each.kind == "model" else "data"
            raise RepairError(f"{each.repo} is a {WORDS[each.kind]}", f"say `{verb} delete {each.repo}`")
    near = difflib.get_close_matches(name, [each.repo for each in own], n=1, cutoff=0.5)
    raise RepairError(
        f"no {WORDS[kind]} named {name!r:.80} was pulled" + (f", did you mean {near[0]!r}?" if near else ""),
        f"list them with `python -m repairai {'models' if kind == 'model' else 'data'} list`",
    )


def is_fetched_data(name: str) -> bool:
    """Tell whether a name is of a data set that was pulled: OWNER/NAME, or what its folder is called."""
    return any(each.kind == "dataset" and name in (each.repo, each.place.name) for each in fetched())


def doomed(name: str, kind: Kind, force: bool = False) -> Doomed:
    """Return what would come of a deletion; nothing is deleted.

    Args:
        name: OWNER/NAME, or what its folder is called.
        kind: Of it.
        force: Though adapters stand on it.

    Raises:
        RepairError: It was not pulled, or is still needed: see `delete_fetched`.
    """
    found = known_fetched(name, kind)
    (use,) = uses([found])
    _refuse_needed(found, use, force)
    return Doomed(found, on_disk(found), use)


def delete_fetched(name: str, kind: Kind, force: bool = False) -> Freed:
    """Delete something that was pulled, with what is left of pulls of it that were cut off.

    Args:
        name: OWNER/NAME, or what its folder is called.
        kind: Of it.
        force: Though adapters stand on it, which can then no longer be asked.

    Raises:
        RepairError: It was not pulled; it answers, inspects or judges now; an adapter stands on it; a run at work or
            in the queue needs it; or it is being pulled.
    """
    clear_gone()
    with queue_lock():
        fate = doomed(name, kind, force)
        gone = _moved(fate.found)
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    if kind == "model":
        for register in (agents, detectors, judges):
            with suppress(RepairError):  # damaged: whoever reads it next is told
                register.forget_place(fate.found.place, fate.found.repo)
    return Freed(fate.found.repo, fate.n_bytes, fate.use.stuck, _idle_base(fate.found))


def clear_gone() -> None:
    """Take away what deletions left that went down."""
    for place in (home() / "models", home() / "data" / "hub"):
        for path in place.glob(f"{ASIDE}*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)


def _refuse_needed(found: Fetched, use: Use, force: bool) -> None:
    """Refuse to do without something that does its work now, or that somebody needs.

    Raises:
        RepairError: It is so, with what to do.
    """
    for each in use.active:
        raise RepairError(
            f"{found.repo} is the active {each.what}, which could then no longer {each.does}",
            f"let another one {each.does} first: `python -m repairai models {each.instead}`",
        )
    for each in use.beneath:
        raise RepairError(
            f"{each.name}, the active {each.what}, stands on {found.repo} and could then no longer {each.does}",
            f"let another one {each.does} first: `python -m repairai models {each.instead}`",
        )
    if use.needed:
        raise RepairError(
            f"{_named(use.needed)} {'needs' if len(use.needed) == 1 else 'need'} the {WORDS[found.kind]} {found.repo} "
            "still",
            f"wait for it, or stop it, or take it out of the queue: runs show {use.needed[0]}",
        )
    if use.adapters and not force:
        one = len(use.adapters) == 1
        raise RepairError(
            f"{_named(use.adapters)} {'stands' if one else 'stand'} on {found.repo} and could then no longer be asked",
            f"delete {'it' if one else 'them'} first, or say --force",
        )


def _moved(found: Fetched) -> list[Path]:
    """Give a folder a name that nobody reads, at once, so that no half of it is ever seen; return what is to go.

    Raises:
        RepairError: It is being pulled, or cannot be moved.
    """
    half = half_of(found.place)
    gone = [path for path in found.folders if path != found.place]
    with ExitStack() as held:
        try:
            if half.is_dir():
                held.enter_context(FileLock(half / ".lock", timeout=0))
            if found.about:
                gone.append(set_aside(found.place))
        except Timeout:
            raise RepairError(f"{found.repo} is being pulled", "wait until it is here, or end that first") from None
    return gone


def _idle_base(found: Fetched) -> str:
    """Return what a deleted adapter stood on, where that was pulled, too, and nobody needs it any more."""
    base = found.about.base if found.about else ""
    for each in fetched():
        if base and each.kind == "model" and each.repo == base and each.about:
            (use,) = uses([each])
            return "" if use.active or use.beneath or use.needed or use.adapters else base
    return ""


def _named(names: tuple[str, ...]) -> str:
    """Return names as a sentence has them: "a, b and 2 more"."""
    shown = [*names[:_MOST_NAMED], *([f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else [])]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
