"""Which judge answers questions of state: a register in one file, with what did so before, for one step back.

Nobody answers them at first: a person does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from repairai import files
from repairai.errors import RepairError

Kind = Literal["nobody", "local", "server"]
FILES = ("config.json", "adapter_config.json")
"""One of them lies in a judge's folder."""
_KEPT = 50
"""Judges that answered before, at most."""
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


@dataclass(frozen=True)
class Register:
    """What the file holds.

    Args:
        active: Who answers.
        before: Who did so before, the last one last.
        known: Everyone who was ever registered, by name, the newest last.
    """

    active: Judge = NOBODY
    before: tuple[Judge, ...] = ()
    known: tuple[Judge, ...] = ()


def register_path() -> Path:
    """Return where the register is kept."""
    return files.home() / "models" / "judge" / "active.json"


def active() -> Judge:
    """Return who was chosen to answer; nobody where no one was.

    Raises:
        RepairError: The register is damaged.
    """
    return _read().active


def before() -> Judge | None:
    """Return whom `back` would restore; None where there was no one.

    Raises:
        RepairError: The register is damaged.
    """
    past = _read().before
    return past[-1] if past else None


def judges() -> tuple[Judge, ...]:
    """Return everyone who can be asked: nobody first, then those that were registered, newest first.

    Raises:
        RepairError: The register is damaged.
    """
    return (NOBODY, *reversed(_read().known))


def use(judge: Judge) -> Judge:
    """Let a judge answer, and return it as it is registered; the one before it is kept for `back`.

    Raises:
        RepairError: Its folder is not there, or the register cannot be read or written.
    """
    if trouble := missing(judge):
        raise RepairError(trouble, "choose another, or train it again")
    if judge.kind != "nobody" and not judge.made:
        judge = replace(judge, made=datetime.now(UTC).isoformat(timespec="seconds"))
    kept = _read()
    if replace(kept.active, made="") == replace(judge, made=""):
        return kept.active
    known = [each for each in kept.known if each.name != judge.name]
    if judge.kind != "nobody":
        known.append(judge)
    past = (*kept.before, kept.active)[-_KEPT:]
    files.write_record(register_path(), Register(judge, past, tuple(known)))
    return judge


def back() -> Judge:
    """Let the judge answer again that did so before this one, and return it.

    Raises:
        RepairError: None did, its folder is gone, or the register cannot be read or written.
    """
    kept = _read()
    if not kept.before:
        raise RepairError("no judge of states was in use before this one", "choose one: models use --judge NAME")
    *past, last = kept.before
    if trouble := missing(last):
        raise RepairError(trouble, "choose another: models use --judge nobody")
    files.write_record(register_path(), replace(kept, active=last, before=tuple(past)))
    return last


def forget(run_id: str) -> None:
    """Take a run's judge out of the register, so that no step back leads to it.

    Raises:
        RepairError: The register cannot be read or written.
    """
    kept = _read()
    past, known = (tuple(each for each in some if each.run_id != run_id) for some in (kept.before, kept.known))
    if (past, known) != (kept.before, kept.known):
        files.write_record(register_path(), replace(kept, before=past, known=known))


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


def missing(judge: Judge) -> str:
    """Return in one clause why a judge cannot answer, as far as that can be seen without opening it; else nothing."""
    place = Path(judge.path)
    if judge.kind == "local" and place.is_absolute() and not any((place / each).is_file() for each in FILES):
        return f"the folder of the judge {judge.name} is gone: {judge.path}"
    return ""


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


def _read() -> Register:
    path = register_path()
    if not path.exists():
        return Register()
    try:
        return files.read_record(path, Register)
    except RepairError as error:
        raise RepairError(
            f"the register of judges is damaged: {error.what}", f"remove {path} and choose a judge again"
        ) from None
