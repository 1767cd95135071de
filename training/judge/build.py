"""Sources of states -> a set of examples, whole or not at all; memory stays flat however many photos there are."""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.judge.state_set import (
    EXAMPLES,
    PHOTOS,
    MadeBy,
    Split,
    StateExample,
    StateSource,
    read_sources,
    read_state_set,
    write_examples,
    write_sources,
)
from repairai.named_sets import STATE_SETS, alone, neighbour
from training.judge import folders, from_photos, kept, rendered
from training.judge.balance import balanced
from training.judge.dealing import Dealt, deal
from training.judge.doctor import Seen, write_report
from training.judge.met import Met, join, read_met, write_met
from training.judge.shown import Offered, Shown, Task
from training.judge.taking import Taken, Taking
from training.judge.wanted import Source
from training.script import Tell

WORKERS = min(2, os.cpu_count() or 1)
_MADE_BY: dict[str, MadeBy] = {"rendered": "rendered", "records": "person"}
_OFFERED = {"folders": folders.offered, "photos": from_photos.offered, "records": kept.offered}


@dataclass(frozen=True)
class Order:
    """What is built.

    Args:
        name: Of the set.
        wanted: Where its examples come from.
        add: Whether they go into a set that is there.
        balance: Whether as many of yes as of no are to be trained on.
        seed: Of every choice.
    """

    name: str
    wanted: tuple[Source, ...]
    add: bool = False
    balance: bool = False
    seed: int = 7


@dataclass(frozen=True)
class Built:
    """What goes into a set.

    Args:
        examples: All of them.
        sources: Where they come from.
        met: By what their pictures are met again.
        seen: What is told of the build.
    """

    examples: tuple[StateExample, ...]
    sources: tuple[StateSource, ...]
    met: Met
    seen: Seen


def build(order: Order, tell: Tell) -> Path:
    """Make a set of states, or add to one; return its folder.

    Raises:
        RepairError: A source cannot be read, the name is taken, or the disk is full; nothing stays behind.
    """
    if not order.wanted:
        raise RepairError("need a source of examples, got none", "as in --yes FOLDER --no FOLDER --question ...")
    folder = STATE_SETS.folder(order.name)
    if not order.add and folder.exists():
        raise _taken(order.name)
    if order.add and not (folder / EXAMPLES).is_file():
        raise RepairError(f"there are no states named {order.name}", "leave --add out")
    STATE_SETS.clear_halves()
    beside = neighbour(folder)
    began = time.perf_counter()
    with ExitStack() as stack:
        if order.add:
            stack.enter_context(alone(folder))
        stack.callback(shutil.rmtree, beside, ignore_errors=True)
        try:
            (beside / PHOTOS).mkdir(parents=True)
            _fill(order, folder, beside, tell, began)
        except OSError as error:
            raise disk_error(folder, error) from None
    return folder


def _fill(order: Order, folder: Path, beside: Path, tell: Tell, began: float) -> None:
    """Write a set beside its place, and put it there."""
    before = read_state_set(folder) if order.add else ()
    known = read_met(folder) if order.add else Met()
    tell(0, None, "looking for photos")
    offers = [_offer(each, order.seed) for each in order.wanted]
    taking = Taking(beside / PHOTOS, before, known, (folder / PHOTOS) if order.add else None)
    sources = []
    for wanted, offer in zip(order.wanted, offers, strict=True):
        taking.left(offer)
        photos = _bring(taking, offer, tell)
        licence, url = wanted.licence or offer.licence, wanted.url or offer.url
        sources.append(StateSource(offer.collection, licence, url, photos, _MADE_BY.get(wanted.kind, "import")))
    if not taking.taken and not taking.answered_anew:
        raise RepairError(*_nothing(taking))
    examples, met, seen = _settled(order, before, known, taking)
    seen = replace(seen, seconds=round(time.perf_counter() - began, 1))
    tell(0, None, "doctor")
    came_from = _merged(read_sources(folder) if order.add else (), sources)
    _put(folder, beside, Built(examples, came_from, met, seen), order.name, order.add)


def _offer(wanted: Source, seed: int) -> Offered:
    return rendered.offered(wanted, seed) if wanted.kind == "rendered" else _OFFERED[wanted.kind](wanted)


def _bring(taking: Taking, offer: Offered, tell: Tell) -> int:
    """Take all photos that a source offers; return of how many something was taken."""
    total, photos = len(offer.tasks), 0
    tell(0, total, offer.collection)
    with ThreadPoolExecutor(WORKERS) as pool:  # they decode and encode, which lets others work
        try:
            for done, (task, came) in enumerate(_opened(pool, offer.tasks), 1):
                if isinstance(came, RepairError):
                    taking.seen.unreadable[task.origin] = came.what
                else:
                    photos += taking.take(offer.collection, came)
                tell(done, total, offer.collection)
        finally:
            pool.shutdown(cancel_futures=True)
    return photos


def _opened(
    pool: ThreadPoolExecutor, tasks: Sequence[Task]
) -> Iterator[tuple[Task, Sequence[Shown] | RepairError]]:  # fmt: skip
    """Yield photos in their order, each with what it shows: a few are opened ahead, never many."""
    ahead: deque[tuple[Task, Future[Sequence[Shown] | RepairError]]] = deque()
    for task in tasks:
        ahead.append((task, pool.submit(_open, task)))
        if len(ahead) > 2 * WORKERS:
            first, came = ahead.popleft()
            yield first, came.result()
    for first, came in ahead:
        yield first, came.result()


def _open(task: Task) -> Sequence[Shown] | RepairError:
    try:
        return task.run()
    except RepairError as error:
        return error


def _nothing(taking: Taking) -> tuple[str, str]:
    seen = taking.seen
    if seen.unreadable:
        first, why = next(iter(seen.unreadable.items()))
        return f"none of the photos can be read: {first}: {why}", "give photos that can be opened"
    if seen.differing:
        return f"each photo is given for yes and for no: {seen.differing[0]}", "give each photo once"
    return "all that is there is in the set already", "give others"


# ---- what becomes of it


def _settled(
    order: Order, before: Sequence[StateExample], known: Met, taking: Taking
) -> tuple[tuple[StateExample, ...], Met, Seen]:
    """Return all examples of the set in their splits, by what their pictures are met again, and what was seen."""
    fixed = {each.source: each.split for each in before}
    becomes, bridges = join(known, taking.met, fixed)
    offered = [replace(each, source=becomes.get(each.source, each.source)) for each in taking.taken
               if each.source not in bridges]  # fmt: skip
    there = [Dealt(each.source, each.question, each.answer) for each in before]
    new = [Dealt(each.source, each.question, each.answer, each.split, each.made_by == "rendered") for each in offered]
    shares = deal([*there, *new], fixed, order.seed)
    old = tuple(_answered_anew(each, taking) for each in before)
    fresh = tuple(_example(each, shares.splits[each.source]) for each in offered)
    examples = (*old, *fresh)
    if order.balance:
        examples = balanced(examples, order.seed, old)
    names = {Path(each.photo).name for each in examples}
    rows = tuple(replace(row, source=becomes.get(row.source, row.source)) for row in taking.met.rows)
    met = Met((*known.rows, *rows)).only(names)
    seen = replace(
        taking.seen, leaks=shares.leaks, moved=len(shares.moved),
        bridges=tuple(each.origin for each in taking.taken if each.source in bridges),
        balanced_out=len(old) + len(fresh) - len(examples), taken=len(examples) - len(old),
        answered_anew=len(taking.answered_anew),
    )  # fmt: skip
    return examples, met, seen


def _example(each: Taken, split: Split) -> StateExample:
    photo = f"{PHOTOS}/{each.name}"
    return StateExample(photo, each.question, each.opposite, each.answer, each.source, split, each.made_by)


def _answered_anew(each: StateExample, taking: Taking) -> StateExample:
    answer = taking.answered_anew.get((each.photo, each.question))
    return replace(each, answer=answer, made_by="person") if answer else each


def _merged(before: Sequence[StateSource], fresh: Sequence[StateSource]) -> tuple[StateSource, ...]:
    """Return sources, each once, with all its photos."""
    found: dict[tuple[str, str, str], StateSource] = {}
    for each in (*before, *fresh):
        same = (each.name, each.licence, each.url)
        known = found.get(same)
        found[same] = replace(each, photos=each.photos + (known.photos if known else 0))
    return tuple(each for each in found.values() if each.photos)


def _put(folder: Path, beside: Path, built: Built, name: str, add: bool) -> None:
    """Write a set, and give it its place; of one that is there, the examples come last.

    Raises:
        RepairError: Somebody has built one of the same name meanwhile.
    """
    used = {Path(each.photo).name for each in built.examples}
    for path in (beside / PHOTOS).iterdir():
        if path.name not in used:
            path.unlink()
        elif add:
            path.rename(folder / PHOTOS / path.name)
    place = folder if add else beside
    write_met(place, built.met)
    write_sources(place, built.sources)
    write_report(place, name, built.examples, built.sources, built.seen)
    write_examples(place, built.examples)
    if add:
        return
    if folder.exists():
        raise _taken(name)
    beside.rename(folder)


def _taken(name: str) -> RepairError:
    return RepairError(f"there are states named {name} already", "take another name, or --add to them")
