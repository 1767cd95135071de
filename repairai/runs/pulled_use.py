"""What was pulled from the Hub as it lies here: how much room it takes, and who needs it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import expanded, pulled
from repairai.hub.contents import ADAPTER
from repairai.hub.pulled import Pulled, half_of, half_pulled, pulled_data, pulled_models
from repairai.hub_faults import Kind
from repairai.judge import judges
from repairai.runs.folder import RunFolder, read_json, run_folders
from repairai.runs.queue import is_elsewhere
from repairai.runs.set_removal import could_go_on, is_needed, what_made
from repairai.sop import agents
from repairai.vision import detectors

_ADAPTER_WEIGHTS = "adapter_model.safetensors"
_REGISTERS: dict[str, tuple[Any, str, str, str, Any]] = {
    "agent": (agents, "answer", "back", "use steps", agents.STEPS),
    "detector": (detectors, "inspect", "back --detector", "use builtin", detectors.BUILTIN),
    "judge": (judges, "judge", "back --judge", "use --judge nobody", judges.NOBODY),
}
"""By what a model is: its register, what it does, the words that let the one before do it, or the usual one; that."""


@dataclass(frozen=True)
class Fetched:
    """Something that was pulled, or begun to be.

    Args:
        repo: OWNER/NAME.
        kind: Of the repository.
        place: Where it lies, or would.
        about: What `pulled.json` says of it; None where not all of it has come.
    """

    repo: str
    kind: Kind
    place: Path
    about: Pulled | None

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that lies here of it: itself, what came of a pull that was cut off, and what one was to replace."""
        replaced = re.compile(rf"\.{re.escape(self.place.name)}\.[0-9a-f]{{8}}(\.old)?")
        old = [path for path in self.place.parent.glob(".*") if replaced.fullmatch(path.name)]
        itself = [self.place] if self.about else []
        return tuple(path for path in (*itself, half_of(self.place), *sorted(old)) if path.is_dir())


@dataclass(frozen=True)
class Active:
    """A model that does its work now.

    Args:
        what: It is: "agent", "detector" or "judge".
        does: "answer", "inspect" or "judge".
        name: What the register calls it.
        instead: What lets another one do it: words behind `models`.
    """

    what: str
    does: str
    name: str
    instead: str


@dataclass(frozen=True)
class Use:
    """Who needs something that was pulled.

    Args:
        active: It does its work now.
        beneath: These do their work now, as adapters on it.
        needed: Ids of runs at work or in the queue.
        adapters: Names of adapters that stand on it and can be asked.
        stuck: Ids of runs that could go on later, and cannot without it.
    """

    active: tuple[Active, ...] = ()
    beneath: tuple[Active, ...] = ()
    needed: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()


def fetched() -> tuple[Fetched, ...]:
    """Return what was pulled, the newest first, and behind it what was only begun."""
    models = [Fetched(about.repo, "model", place, about) for about, place in pulled_models()]
    data = [Fetched(about.repo, "dataset", place, about) for about, place in pulled_data()]
    whole = sorted((*models, *data), key=lambda each: each.about.when if each.about else "", reverse=True)
    halves = [Fetched(repo, kind, place, None) for repo, kind, place in half_pulled()]
    return (*whole, *(each for each in halves if on_disk(each)))


def on_disk(found: Fetched) -> int:
    """Return how many bytes become free where something is deleted; what also stands elsewhere is not counted."""
    files: dict[tuple[int, int], tuple[int, int]] = {}
    links: dict[tuple[int, int], int] = {}
    for folder in found.folders:
        for place, _, names in os.walk(folder):
            for name in names:
                with suppress(OSError):  # it has just been moved to its place
                    known = os.lstat(os.path.join(place, name))
                    if stat.S_ISREG(known.st_mode):
                        file = (known.st_dev, known.st_ino)
                        files[file] = (known.st_size, known.st_nlink)
                        links[file] = links.get(file, 0) + 1
    return sum(size for file, (size, n_links) in files.items() if links[file] >= n_links)


def uses(found: Sequence[Fetched]) -> tuple[Use, ...]:
    """Return who needs each of some things that were pulled."""
    working, runs = tuple(_working()), tuple(_runs())
    adapters = tuple(_adapters(runs))
    return tuple(_use(each, working, runs, adapters) if each.about else Use() for each in found)


def let_another(found: Fetched) -> tuple[Active, ...]:
    """Let other models do the work that something does now, or an adapter on it; return which do it from now on.

    Raises:
        RepairError: A register cannot be read or written.
    """
    (use,) = uses([found])
    now = []
    for each in (*use.active, *use.beneath):
        register, does, back, _, usual = _REGISTERS[each.what]
        model = register.back() if each.instead == back else register.use(usual)
        now.append(Active(each.what, does, model.name, ""))
    return tuple(now)


@dataclass(frozen=True)
class _Run:
    """A run, with what it says that it needs: its own, or what the run that it evaluates was made with."""

    folder: RunFolder
    model: str
    data: str
    directory: Path


@dataclass(frozen=True)
class _Adapter:
    """An adapter, and what it says that it stands on."""

    name: str
    folder: Path
    base: str


def _use(found: Fetched, working: Sequence[tuple[Active, str, str]], runs: Sequence[_Run],
         adapters: Sequence[_Adapter]) -> Use:  # fmt: skip
    if found.kind != "model":
        own = [each for each in runs if _means(each.data, found, each.directory)]
        needed, stuck = _needed(own), _stuck(own)
        return Use(needed=needed, stuck=stuck)
    own = [each for each in runs if _means(each.model, found, each.directory)]
    return Use(
        active=tuple(active for active, place, _ in working if _means(place, found)),
        beneath=tuple(active for active, _, base in working if _means(base, found)),
        needed=_needed([each for each in own if not is_elsewhere(each.folder)]),
        adapters=tuple(
            each.name for each in adapters if _means(each.base, found) and not _is_same(each.folder, found.place)
        ),
        stuck=_stuck([each for each in own if each.model != found.repo]),  # by its name it is fetched again
    )


def _needed(runs: Sequence[_Run]) -> tuple[str, ...]:
    return tuple(sorted(each.folder.id for each in runs if is_needed(each.folder)))


def _stuck(runs: Sequence[_Run]) -> tuple[str, ...]:
    return tuple(sorted(each.folder.id for each in runs if could_go_on(each.folder) and not is_needed(each.folder)))


def _runs() -> Iterator[_Run]:
    for folder in run_folders():
        said, directory = what_made(folder)
        yield _Run(folder, str(said.get("model") or ""), str(said.get("data") or ""), directory)


def _working() -> Iterator[tuple[Active, str, str]]:
    """Yield the models that do their work now, each with where it lies, and with what it stands on."""
    for what, (register, does, back, usual, _) in _REGISTERS.items():
        try:
            active, before = register.active(), register.before()
        except RepairError:  # the register is damaged: whoever reads it next is told
            continue
        if not active.path:
            continue
        is_other = before is not None and before.path != active.path and not register.missing(before)
        folder = pulled(active.path) or Path(active.path)
        base = _base_of(folder, str(getattr(active, "base", "")))
        yield Active(what, does, active.name, back if is_other else usual), active.path, base


def _adapters(runs: Sequence[_Run]) -> Iterator[_Adapter]:
    """Yield the adapters on this machine that can be asked, each once."""
    places: list[tuple[str, Path, str]] = [(about.repo, place, about.base) for about, place in pulled_models()]
    places += [(each.folder.id, each.folder.model, each.model) for each in runs]
    for known in (agents.agents, judges.judges):
        with suppress(RepairError):  # it is damaged: whoever reads it next is told
            places += [(each.name, Path(each.path), each.base) for each in known() if each.kind == "local"]
    seen: set[str] = set()
    for name, folder, other in places:
        base, real = _base_of(folder, other), os.path.realpath(folder)
        if base and real not in seen:
            seen.add(real)
            yield _Adapter(name, folder, base)


def _base_of(folder: Path, other: str) -> str:
    """Return what an adapter stands on; nothing for what is no adapter that can be asked.

    Args:
        folder: Of it.
        other: What is taken where its own file tells of nothing that is there.
    """
    if not (folder / _ADAPTER_WEIGHTS).is_file():
        return ""
    named = str(read_json(folder / ADAPTER).get("base_model_name_or_path") or "")
    is_gone = Path(named).is_absolute() and not Path(named).is_dir()
    return other if is_gone else named or other


def _means(said: str, found: Fetched, directory: Path = Path()) -> bool:
    """Tell whether a name or a path stands for something that was pulled.

    Args:
        said: The name or the path.
        found: What was pulled.
        directory: To which a path relates.
    """
    if not said:
        return False
    if found.kind == "model" and said in (found.repo, found.place.name):
        return True
    with suppress(RepairError, OSError, ValueError):  # it is none of this machine
        return _is_same(directory / expanded(said), found.place)
    return False


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
