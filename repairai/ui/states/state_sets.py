"""Sets of states as the page sees them: those that there are, the one that is chosen, and what is built of what."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.judge.state_set import (
    EXAMPLES,
    StateExample,
    StateSource,
    StateSummary,
    read_sources,
    read_state_set,
    state_set_folder,
    state_sets,
    summary,
)

NAME_OF_NEW = "states"


@dataclass(frozen=True)
class States:
    """A set of states that was read.

    Args:
        folder: Where it lies.
        examples: All of them.
        summary: What it holds.
        sources: Where its photos came from.
    """

    folder: Path
    examples: tuple[StateExample, ...]
    summary: StateSummary
    sources: tuple[StateSource, ...]

    @property
    def n_train(self) -> int:
        """Return how many examples are learned from."""
        return self.summary.splits.get("train", 0)


def chosen_states(folder: str | None) -> States | None:
    """Return the set that was chosen, or None where none was or it is gone; only names count, no paths.

    Raises:
        RepairError: It is damaged.
    """
    if not folder:
        return None
    path = state_set_folder(Path(folder).name)
    try:
        changed = (path / EXAMPLES).stat().st_mtime_ns
    except OSError:
        return None
    return _read(path, changed)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> States:
    examples = read_state_set(path)
    return States(path, examples, summary(path.name, examples), read_sources(path))


def listed() -> list[tuple[str, str]]:
    """Return all sets, newest first, each as what it says and its folder."""
    found = []
    for name in state_sets():
        folder = state_set_folder(name)
        try:
            states = chosen_states(str(folder))
            said = _said(states.summary) if states else "gone"
        except RepairError:
            said = "damaged"
        found.append((f"{name} · {said}", str(folder)))
    return found


def _said(found: StateSummary) -> str:
    yes, no = sum(each.yes for each in found.questions), sum(each.no for each in found.questions)
    questions = "1 question" if len(found.questions) == 1 else f"{len(found.questions)} questions"
    return f"{yes:,} yes, {no:,} no · {questions}"


def kept_or_newest(chosen: str | None) -> str | None:
    """Return the chosen set where it is still there, else the newest; None where there is none."""
    folders = [str(state_set_folder(name)) for name in state_sets()]
    return chosen if chosen in folders else next(iter(folders), None)


def dropdown(chosen: str | None) -> Any:
    """Return the list of sets, with this one chosen."""
    return gr.Dropdown(listed(), value=chosen)


def free_name(wanted: str) -> str:
    """Return the name that a new set gets: the one that is wanted, else `states`, `states-2` and so on.

    Raises:
        RepairError: It is none for a folder, or it is taken.
    """
    wanted = wanted.strip()
    if not wanted:
        number = 1
        while state_set_folder(name := NAME_OF_NEW if number == 1 else f"{NAME_OF_NEW}-{number}").exists():
            number += 1
        return name
    if state_set_folder(wanted).exists():
        raise RepairError(f"there are states named {wanted} already", "choose another name")
    return wanted


def piles(yes: Sequence[str], no: Sequence[str], beside: Path) -> list[str]:
    """Return two piles of photos as words for the script.

    Args:
        yes: Files of which the answer is yes, as they were uploaded, each in a folder of its own.
        no: Likewise.
        beside: An empty folder, in which they are put together.

    Raises:
        RepairError: A pile is empty, two files of one have one name, or the disk is full.
    """
    words = []
    for name, files in (("yes", yes), ("no", no)):
        if not files:
            raise RepairError(
                f"there are no photos for {name}", "drop some into both piles: each shows the other state"
            )
        place = beside / name
        try:
            place.mkdir()
            for path in map(Path, files):
                if (place / path.name).exists():
                    raise RepairError(f"two files are called {path.name}", "rename one of them")
                shutil.copyfile(path, place / path.name)
        except OSError as error:
            raise disk_error(place, error) from None
        words.append(f"--{name}={place}")
    return words
