"""Where a run lies: its folder and what is in it. The folder is the truth of a run; nothing else knows more of it."""

from __future__ import annotations

import difflib
import errno
import json
import os
import platform
import re
import shutil
import sys
import time
import unicodedata
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import yaml

from repairai.errors import RepairError
from repairai.files import ASIDE, disk_error, home, write_whole

Kind = Literal["train", "evaluate"]
PLACE = "{run}"
"""Stands for the run's folder in its command."""
MOST_LETTERS, MOST_BYTES = 64, 200
PACKAGES = ("repairai", "torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets")
"""Whose versions a run writes down."""
MOST_OF_A_NAME = 10_000
"""Runs of one name."""
STALE_SECONDS = 3600
"""After which a folder that was never made whole is taken away."""


@dataclass(frozen=True)
class RunFolder:
    """A run's folder and the names in it.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def id(self) -> str:
        """The run's name among all runs."""
        return self.path.name

    @property
    def recipe(self) -> Path:
        """What is trained, for a training."""
        return self.path / "recipe.yaml"

    @property
    def order(self) -> Path:
        """What is evaluated, for an evaluation."""
        return self.path / "order.yaml"

    @property
    def about(self) -> Path:
        """How and with what it was made: `run.json`."""
        return self.path / "run.json"

    @property
    def process(self) -> Path:
        """Which process works on it."""
        return self.path / "process.json"

    @property
    def events(self) -> Path:
        """What happened, a line each."""
        return self.path / "events.jsonl"

    @property
    def metrics(self) -> Path:
        """The figures of each step, a line each."""
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> Path:
        """What the process said."""
        return self.path / "train.log"

    @property
    def heartbeat(self) -> Path:
        """The last sign of life."""
        return self.path / "heartbeat"

    @property
    def reserve(self) -> Path:
        """Room in which a run on a full disk still says how it ended."""
        return self.path / "reserve"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run."""
        return self.path / ".lock"

    @property
    def control(self) -> Path:
        """Where files ask the process for something."""
        return self.path / "control"

    @property
    def queued(self) -> Path:
        """Its place in the queue, while it waits."""
        return self.path / "queued.json"

    @property
    def checkpoints(self) -> Path:
        """Folders from which it can go on."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """What came of it."""
        return self.path / "model"

    @property
    def scores(self) -> Path:
        """What an evaluation found."""
        return self.path / "scores.json"

    @property
    def marks(self) -> Path:
        """What a person noted on it."""
        return self.path / "marks.json"

    @property
    def exit(self) -> Path:
        """How it ended, as its process said."""
        return self.path / "exit.json"


def runs_folder() -> Path:
    """Return the folder of all runs, which need not exist yet."""
    return home() / "runs"


def run_folders() -> list[RunFolder]:
    """Return the folders of all runs, in no order."""
    try:
        with os.scandir(runs_folder()) as entries:
            return [RunFolder(Path(each.path)) for each in entries if each.name[0] != "." and each.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def run_folder(run_id: str) -> RunFolder:
    """Return a run's folder.

    Raises:
        RepairError: There is no such run; the nearest one is named.
    """
    known = {each.id: each for each in run_folders()}
    if run_id in known:
        return known[run_id]
    near = difflib.get_close_matches(run_id, known, n=1, cutoff=0.5)
    raise RepairError(
        f"there is no run {run_id!r:.80}" + (f", did you mean {near[0]!r}?" if near else ""),
        "list them with `python -m repairai runs list`" if known else "start one with `python -m repairai train`",
    )


def new_run(name: str, kind: Kind, command: Sequence[str], *, text: str, parent: str = "") -> RunFolder:
    """Make a run's folder, whole or not at all.

    Args:
        name: What it is to be called. Its id is made of it, with "-2", "-3", ... where that is taken.
        kind: A training or an evaluation.
        command: What starts it, where "{run}" stands for the folder's path.
        text: Of its `recipe.yaml`, or of its `order.yaml`.
        parent: Id of the run that it belongs to: the one that is evaluated.

    Raises:
        RepairError: The name is none for a folder, or the disk is full.
    """
    slug = slug_of(name)
    runs = runs_folder()
    made = RunFolder(runs / f".new-{uuid.uuid4().hex}")
    about = _about(kind, command, text, parent)
    try:
        made.path.mkdir(parents=True)
        _sweep(runs)
        write_whole(made.recipe if kind == "train" else made.order, text.encode())
        for number in range(1, MOST_OF_A_NAME):
            run = RunFolder(runs / (slug if number == 1 else f"{slug}-{number}"))
            if os.path.lexists(run.path):
                continue
            write_whole(made.about, json.dumps({"id": run.id, **about}, indent=2).encode() + b"\n")
            if _renamed(made.path, run.path):
                return run
    except OSError as error:
        raise disk_error(runs / slug, error) from None
    finally:
        shutil.rmtree(made.path, ignore_errors=True)
    raise RepairError(f"there are {MOST_OF_A_NAME} runs named {slug}", "choose another name")


def slug_of(name: str) -> str:
    """Return the id that is made of a run's name.

    Raises:
        RepairError: It is empty, too long, or would lie elsewhere.
    """
    name = unicodedata.normalize("NFKC", name).strip()
    if "/" in name or "\\" in name or ".." in name:
        raise RepairError(f"{name!r:.80} is no name for a run: it leads elsewhere", "leave out '/', '\\' and '..'")
    slug = re.sub(r"[^\w.]+", "-", name.casefold()).strip("-._")
    if not slug:
        raise RepairError(f"{name!r:.80} is no name for a run", "give one with letters or digits")
    if len(slug) > MOST_LETTERS or len(slug.encode()) > MOST_BYTES:
        raise RepairError(
            f"a run's name has {MOST_LETTERS} letters at most, and this one has {len(name)}", "give a shorter one"
        )
    # Windows takes these for devices, whatever follows behind a full stop.
    return f"run-{slug}" if re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", slug) else slug


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file of the run says; empty where it is not there, or was damaged."""
    try:
        return json_in(path.read_bytes())
    except OSError:
        return {}


def json_in(content: bytes) -> dict[str, Any]:
    """Return the object that JSON describes; empty where it describes none."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def command_of(folder: RunFolder) -> list[str]:
    """Return the words that start a run; none where `run.json` cannot be read."""
    return command_in(read_json(folder.about), folder)


def command_in(about: dict[str, Any], folder: RunFolder) -> list[str]:
    """Return the words that start a run, as its `run.json` has them."""
    command = about.get("command")
    return [str(word).replace(PLACE, str(folder.path)) for word in command] if isinstance(command, list) else []


def _about(kind: Kind, command: Sequence[str], text: str, parent: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "command": list(command),
        "created": time.time(),
        "parent": parent,
        "directory": str(Path.cwd()),  # to which the recipe's paths relate
        "about": _summary(text) if kind == "train" else {},
        "packages": packages(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
    }


def _summary(text: str) -> dict[str, str]:
    """Return what a list of runs says of a recipe: reading YAML for each of them, each time, would take seconds."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError):  # its reader will say so
        return {}
    data = data if isinstance(data, dict) else {}
    step: Any = data.get("step")
    step = step if isinstance(step, dict) else {}
    found = {
        "task": data.get("task"), "model": step.get("model"), "method": step.get("method", "qlora"),
        "backend": data.get("backend", "trl"), "data": data.get("data", ""), "where": data.get("where"),
    }  # fmt: skip
    return {name: str(value) for name, value in found.items() if value is not None}


def packages() -> dict[str, str]:
    """Return the versions of the packages that a training hangs on, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _renamed(source: Path, target: Path) -> bool:
    """Give a folder its name; return whether it was still free."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):  # somebody else was quicker
            return False
        raise
    return True


def _sweep(runs: Path) -> None:
    """Take away what was left half-made or half-deleted when a machine went down."""
    for path in (*runs.glob(".new-*"), *runs.glob(f"{ASIDE}*")):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
