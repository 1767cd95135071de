"""Which detector inspects: a register in one file, with what inspected before, so that one step back is easy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from repairai import files
from repairai.errors import RepairError

KINDS = ("rt_detr", "rt_detr_v2", "d_fine")
"""Model types that inspect."""
WORDED = ("grounding-dino", "mm-grounding-dino")
"""Model types that look for what words say: they inspect once they were trained on parts, which they then name."""
_KEPT = 50
"""Detectors that inspected before, at most."""


@dataclass(frozen=True)
class Inspector:
    """Who inspects.

    Args:
        name: Shown to people and kept with every inspection: a run's id, or a folder's name.
        path: The folder of its checkpoint; empty for the one that comes with RepairAI.
        run_id: The run that trained it; empty for others.
        made: When it was registered, ISO 8601 in UTC; empty: never.
    """

    name: str
    path: str = ""
    run_id: str = ""
    made: str = ""

    def __post_init__(self) -> None:
        if not self.name or "@" in self.name:
            raise ValueError(f"need a name without '@', got {self.name!r}")


BUILTIN = Inspector("builtin")
"""Always there: it comes with RepairAI."""


@dataclass(frozen=True)
class Register:
    """What the file holds.

    Args:
        active: Who inspects.
        before: Who inspected before, the last one last.
    """

    active: Inspector = BUILTIN
    before: tuple[Inspector, ...] = ()


def register_path() -> Path:
    """Return where the register is kept."""
    return files.home() / "models" / "detector" / "active.json"


def active() -> Inspector:
    """Return who was chosen to inspect; the built-in one where nobody was.

    Raises:
        RepairError: The register is damaged.
    """
    return _read().active


def before() -> Inspector | None:
    """Return whom `back` would restore; None where nobody inspected before.

    Raises:
        RepairError: The register is damaged.
    """
    past = _read().before
    return past[-1] if past else None


def inspectors() -> tuple[Inspector, ...]:
    """Return everyone who inspects or did so before: the built-in one first, then the newest.

    Raises:
        RepairError: The register is damaged.
    """
    kept = _read()
    found = {each.name: each for each in (*kept.before, kept.active)}
    return (BUILTIN, *reversed([each for each in found.values() if each.path]))


def use(inspector: Inspector) -> Inspector:
    """Let a detector inspect, and return it as it is registered; the one before it is kept for `back`.

    Raises:
        RepairError: Its folder is not there or holds a model that does not inspect, or the register cannot be read or
            written.
    """
    if trouble := missing(inspector):
        raise RepairError(trouble, "choose another, or train it again")
    if inspector.path:
        must_inspect(inspector.name, Path(inspector.path))
    if inspector.path and not inspector.made:
        inspector = replace(inspector, made=datetime.now(UTC).isoformat(timespec="seconds"))
    kept = _read()
    if replace(kept.active, made="") == replace(inspector, made=""):
        return kept.active
    files.write_record(register_path(), Register(inspector, (*kept.before, kept.active)[-_KEPT:]))
    return inspector


def must_inspect(name: str, folder: Path) -> None:
    """See that a checkpoint, as far as it says what it is, is one of those that inspect.

    Raises:
        RepairError: It is not.
    """
    config = _config(folder)
    kind = config.get("model_type")
    if kind and not inspects(config):
        raise RepairError(
            f"{name} is {kind}, which proposes boxes and does not inspect",
            f"choose a detector of the kinds {', '.join(KINDS)}, or one of {', '.join(WORDED)} trained on your parts",
        )


def back() -> Inspector:
    """Let the detector inspect again that did so before this one, and return it.

    Raises:
        RepairError: None did, its folder is gone, or the register cannot be read or written.
    """
    kept = _read()
    if not kept.before:
        raise RepairError("no detector inspected before this one", "choose one: models list")
    *past, last = kept.before
    if trouble := missing(last):
        raise RepairError(trouble, "choose another: models use builtin")
    files.write_record(register_path(), Register(last, tuple(past)))
    return last


def forget(run_id: str) -> None:
    """Take a run's detector out of the register, so that no step back leads to it.

    Raises:
        RepairError: The register cannot be read or written.
    """
    kept = _read()
    past = tuple(each for each in kept.before if each.run_id != run_id)
    if past != kept.before:
        files.write_record(register_path(), replace(kept, before=past))


def missing(inspector: Inspector) -> str:
    """Return in one clause why a detector cannot inspect, as far as that can be seen without opening it."""
    if inspector.path and not (Path(inspector.path) / "config.json").is_file():
        return f"the folder of the detector {inspector.name} is gone: {inspector.path}"
    return ""


def inspects(config: Mapping[str, Any]) -> bool:
    """Tell by a checkpoint's `config.json` whether it finds parts of its own, and not what it is asked for."""
    kind = config.get("model_type")
    return kind in KINDS or (kind in WORDED and bool(config.get("id2label")))


def _config(folder: Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself; nothing where it says nothing."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def trouble() -> str:
    """Return one sentence where the detector that was chosen cannot inspect, so that the built-in one does; else none.

    Raises:
        RepairError: The register is damaged.
    """
    gone = missing(active())
    return f"{gone[0].upper()}{gone[1:]}; the built-in detector inspects in its place." if gone else ""


def _read() -> Register:
    path = register_path()
    if not path.exists():
        return Register()
    try:
        return files.read_record(path, Register)
    except RepairError as error:
        raise RepairError(
            f"the register of detectors is damaged: {error.what}", f"remove {path} and choose a detector again"
        ) from None
