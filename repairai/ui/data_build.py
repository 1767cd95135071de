"""Builds data for the SOP agent on behalf of the page, in a process of its own, and knows what was built."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS
from repairai.processes import SOURCES
from repairai.ui.photos.scripted import Scripted, fault, script

SAMPLES = 12
SAMPLE_SECONDS = 180
"""That a model's tokenizer may take to come from the Hub."""


@dataclass(frozen=True)
class Built:
    """Data that were built.

    Args:
        folder: Where they lie.
        report: What is in them, see `training/sop/data_report.py`.
    """

    folder: Path
    report: dict[str, Any]

    @property
    def said(self) -> str:
        """Return what they are, in a line."""
        counts = ", ".join(f"{sum(tasks.values()):,} {side}" for side, tasks in self.report["examples"].items())
        return f"{self.folder.name} · {counts} · {str(self.report['made'])[:16].replace('T', ' ')}"

    @property
    def train_examples(self) -> int:
        """Return how many examples there are to train on."""
        return sum(self.report["examples"].get("train", {}).values())


def built() -> list[Built]:
    """Return what was built, newest first; what is damaged is left out."""
    DATA_SETS.clear_halves()
    found = [one for path in DATA_SETS.place().glob("[!.]*/report.json") if (one := built_in(path.parent)) is not None]
    return sorted(found, key=lambda each: str(each.report["made"]), reverse=True)


def built_in(folder: Path) -> Built | None:
    """Return what was built in a folder, or None where that cannot be read."""
    try:
        report = json.loads((folder / "report.json").read_text("utf-8"))
        one = Built(folder, report)
        return one if one.said else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


class Builder(Scripted):
    """Builds one set of data at a time; whoever looks sees the same, also after a reload of the page."""

    def build(self, name: str, words: Sequence[str]) -> None:
        """Start a build; where it is cancelled, nothing of it is left.

        Args:
            name: Of the data, see `NamedSets.name_of_new`.
            words: For `python -m training.sop_data`.

        Raises:
            RepairError: One is going on, or the script is not there.
        """
        given = ["--progress-json", f"--name={name}", *words]
        self.start(f"Building {name}", name, "training.sop_data", given, cleared=partial(DATA_SETS.clear_halves, name))


def samples(folder: Path, model: str) -> list[dict[str, Any]]:
    """Return examples of built data as a model sees them: {task, device, guide_id, source, spans of {text, trained}}.

    Args:
        folder: Of the data.
        model: Whose chat template is used; empty: the turns as they are.

    Raises:
        RepairError: There are none, or the model is not there.
    """
    command = script("training.sop_samples", [str(folder), f"--n={SAMPLES}", f"--model={model}", "--json"])
    try:
        done = subprocess.run(command, cwd=SOURCES, capture_output=True, timeout=SAMPLE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RepairError(f"{model} did not come within {SAMPLE_SECONDS} s", "try again, or look without it") from None
    if done.returncode:
        why = fault(done.stderr.decode(errors="replace").splitlines(), done.returncode)
        what, _, mend = why.removesuffix(".").rpartition("; ")
        raise RepairError(what or why, mend if what else "take another model, or look without one")
    found: list[dict[str, Any]] = json.loads(done.stdout)["samples"]
    return found
