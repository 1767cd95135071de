"""Which detector inspects: a register in one file, with what inspected before, so that one step back is easy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.register import Register

KINDS = ("rt_detr", "rt_detr_v2", "d_fine")
"""Model types that inspect."""
WORDED = ("grounding-dino", "mm-grounding-dino")
"""Model types that look for what words say: they inspect once they were trained on parts, which they then name."""


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


def missing(inspector: Inspector) -> str:
    """Return in one clause why a detector cannot inspect, as far as that can be seen without opening it."""
    if inspector.path and not (Path(inspector.path) / "config.json").is_file():
        return f"the folder of the detector {inspector.name} is gone: {inspector.path}"
    return ""


_register = Register(Inspector, BUILTIN, "detector", "detector", "detectors", "models use builtin", missing)
register_path, active, before = _register.path, _register.active, _register.before
back, forget, forget_place = _register.back, _register.forget, _register.forget_place


def inspectors() -> tuple[Inspector, ...]:
    """Return everyone who inspects or did so before: the built-in one first, then the newest.

    Raises:
        RepairError: The register is damaged.
    """
    kept = _register.read()
    found = {each.name: each for each in (*kept.before, kept.active)}
    return (BUILTIN, *reversed([each for each in found.values() if each.path]))


def use(inspector: Inspector) -> Inspector:
    """Let a detector inspect, and return it as it is registered; the one before it is kept for `back`.

    Raises:
        RepairError: Its folder is not there or holds a model that does not inspect, or the register cannot be read or
            written.
    """
    if inspector.path and not missing(inspector):
        must_inspect(inspector.name, Path(inspector.path))
    return _register.use(inspector)


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
