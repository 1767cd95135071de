"""Sets of states as the page sees them: those that there are, the one that is chosen, and what is built of what."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.judge.state_set import (
    EXAMPLES,
    REPORT,
    StateExample,
    StateSource,
    StateSummary,
    read_sources,
    read_state_set,
    summary,
)
from repairai.named_sets import STATE_SETS
from repairai.ui.photos.sets import Finding, finding_of


@dataclass(frozen=True)
class States:
    """A set of states that was read.

    Args:
        folder: Where it lies.
        examples: All of them.
        summary: What it holds.
        sources: Where its photos came from.
        findings: Of the build: what would spoil a training, the worst first.
    """

    folder: Path
    examples: tuple[StateExample, ...]
    summary: StateSummary
    sources: tuple[StateSource, ...]
    findings: tuple[Finding, ...] = ()

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
    path = STATE_SETS.folder(Path(folder).name)
    try:
        changed = (path / EXAMPLES).stat().st_mtime_ns
    except OSError:
        return None
    return _read(path, changed)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> States:
    examples = read_state_set(path)
    return States(path, examples, summary(path.name, examples), read_sources(path), _findings(path))


def _findings(path: Path) -> tuple[Finding, ...]:
    """Return what the build found; nothing where that was not written down, or cannot be read."""
    try:
        found = json.loads(read_text(path / REPORT)).get("findings", ())
        return tuple(replace(finding_of(each), photos=(), mend="") for each in found)
    except (RepairError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return ()


def listed() -> list[tuple[str, str]]:
    """Return all sets, newest first, each as what it says and its folder."""
    found = []
    for name in STATE_SETS.names():
        folder = STATE_SETS.folder(name)
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


def dropdown(chosen: str | None) -> Any:
    """Return the list of sets, with this one chosen."""
    return gr.Dropdown(listed(), value=chosen)
