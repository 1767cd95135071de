"""Which judge answers questions of state: a register in one file, with what did so before, for one step back.

Nobody answers them at first: a person does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repairai import files
from repairai.errors import RepairError
from repairai.register import Register

Kind = Literal["nobody", "local", "server"]
FILES = ("config.json", "adapter_config.json")
"""One of them lies in a judge's folder."""
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Judge:
    """Who answers questions of state.

    Args:
        name: Shown to people and kept with every inspection: a run's id, a folder's name, a model of the Hub.
        kind: `nobody` leaves them to a person; `local` is a model on this machine, or one of the Hub; `server` one
            behind an address.
        path: The model's folder or its Hub id; for a server its address.
        base: The model that an adapter stands on, where its own file does not say; for a server the model asked for.
        run_id: The run that trained it; empty for others.
        made: When it was registered, ISO 8601 in UTC; empty: never.
    """

    name: str
    kind: Kind
    path: str = ""
    base: str = ""
    run_id: str = ""
    made: str = ""

    def __post_init__(self) -> None:
        if not self.name or (self.kind != "nobody" and not self.path):
            raise ValueError(f"need name and path, got {self.name!r} and {self.path!r}")


NOBODY = Judge("nobody", "nobody")
"""Always there: questions of state are left to a person."""


def missing(judge: Judge) -> str:
    """Return in one clause why a judge cannot answer, as far as that can be seen without opening it; else nothing."""
    place = Path(judge.path)
    if judge.kind == "local" and place.is_absolute() and not any((place / each).is_file() for each in FILES):
        return f"the folder of the judge {judge.name} is gone: {judge.path}"
    return ""


_register = Register(Judge, NOBODY, "judge", "judge", "judges", "models use --judge nobody", missing)
register_path, active, before = _register.path, _register.active, _register.before
use, back = _register.use, _register.back
forget, forget_place = _register.forget, _register.forget_place


def judges() -> tuple[Judge, ...]:
    """Return everyone who can be asked: nobody first, then those that were registered, newest first.

    Raises:
        RepairError: The register is damaged.
    """
    return (NOBODY, *reversed(_register.read().known))


def named(name: str, model: str = "") -> Judge:
    """Return the judge that a name stands for: a registered one, a folder, an address, else a model of the Hub.

    Args:
        name: What a person gave.
        model: For an address, the model that the server is to be asked for; for an adapter, its base.

    Raises:
        RepairError: It can be none of these, or the register is damaged.
    """
    words = name.strip()
    for judge in judges():
        if judge.name == words:
            return judge
    if _ADDRESS.match(words):
        # The model stands in the address, too: what was measured of one model says nothing of another behind it.
        place = f"{words}#{model}" if model and "#" not in words else words
        return Judge(f"{model} at {words}" if model else words, "server", place, model)
    if words and (folder := _folder(words)):
        return Judge(folder.name, "local", str(folder), model)
    if came := files.pulled(words):
        return Judge(words, "local", str(came.resolve()), model)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", words) and not words.startswith("."):
        return Judge(words, "local", words, model)
    raise RepairError(
        f"there is no judge of states named '{words}'",
        "see `models list`, or give nobody, a folder, http://..., or a name as HuggingFaceTB/SmolVLM-256M-Instruct",
    )


def _folder(words: str) -> Path | None:
    """Return the folder of a judge: a path, or the name of one in `<home>/models`; None where there is none.

    Raises:
        RepairError: There is such a folder, but no model lies in it.
    """
    places = [files.expanded(words)]
    if Path(words).name == words and words not in (".", ".."):
        places.append(files.home() / "models" / words)
    there = [place.resolve() for place in places if place.is_dir()]
    for place in there:
        if any((place / each).is_file() for each in FILES):
            return place
    if there:
        raise RepairError(f"{words} holds no model: there is no config.json", "give the folder of a judge of states")
    return None
