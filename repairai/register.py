"""A register: which of several models is in use, and which were so before, so that one step back is easy."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

from repairai import files
from repairai.errors import RepairError

_KEPT = 50
"""Of those that were in use before, at most."""


class Entry(Protocol):
    """What any of them says of itself; a frozen dataclass."""

    @property
    def name(self) -> str:
        """Return what people call it."""
        ...

    @property
    def path(self) -> str:
        """Return where it lies; empty for the one that is always there."""
        ...

    @property
    def run_id(self) -> str:
        """Return the run that trained it; empty for others."""
        ...

    @property
    def made(self) -> str:
        """Return when it was registered, ISO 8601 in UTC; empty: never."""
        ...


Model = TypeVar("Model", bound=Entry)
Record = TypeVar("Record")


@dataclass(frozen=True)
class Kept(Generic[Record]):
    """What the file holds.

    Args:
        active: Which is in use.
        before: Which were so before, the last one last.
        known: All that were ever registered, by name, the newest last.
    """

    active: Record
    before: tuple[Record, ...] = ()
    known: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Register(Generic[Model]):
    """One file for the models of one kind.

    Args:
        kind: Their class.
        usual: Which is in use where none was chosen; it is always there.
        folder: In `<home>/models`.
        called: One of them, for people.
        many: Several of them.
        restored: What a person says to get the usual one back: `models use builtin`.
        missing: Returns in one clause why one cannot be used; nothing where it can.
    """

    kind: type[Model]
    usual: Model
    folder: str
    called: str
    many: str
    restored: str
    missing: Callable[[Model], str]

    def path(self) -> Path:
        """Return where the register is kept."""
        return files.home() / "models" / self.folder / "active.json"

    def read(self) -> Kept[Model]:
        """Return what is registered; the usual one alone where nothing is.

        Raises:
            RepairError: The file is damaged.
        """
        path = self.path()
        if not path.exists():
            return Kept(self.usual)
        try:
            kept: Kept[Model] = files.read_record(path, Kept[self.kind])  # type: ignore[name-defined]
        except RepairError as error:
            raise RepairError(
                f"the register of {self.many} is damaged: {error.what}",
                f"remove {path} and choose a {self.called} again",
            ) from None
        return kept

    def active(self) -> Model:
        """Return which was chosen to be in use; the usual one where none was.

        Raises:
            RepairError: The register is damaged.
        """
        return self.read().active

    def before(self) -> Model | None:
        """Return which one `back` would restore; None where none was in use before.

        Raises:
            RepairError: The register is damaged.
        """
        past = self.read().before
        return past[-1] if past else None

    def use(self, model: Model) -> Model:
        """Put a model to use, and return it as it is registered; the one before it is kept for `back`.

        Raises:
            RepairError: It is not there, or the register cannot be read or written.
        """
        if trouble := self.missing(model):
            raise RepairError(trouble, "choose another, or train it again")
        if model.path and not model.made:
            model = _made(model, datetime.now(UTC).isoformat(timespec="seconds"))
        kept = self.read()
        if _made(kept.active, "") == _made(model, ""):
            return kept.active
        known = [each for each in kept.known if each.name != model.name]
        if model.path:
            known.append(model)
        files.write_record(self.path(), Kept(model, (*kept.before, kept.active)[-_KEPT:], tuple(known)))
        return model

    def back(self) -> Model:
        """Put the model to use again that was so before this one, and return it.

        Raises:
            RepairError: None was, it is gone, or the register cannot be read or written.
        """
        kept = self.read()
        if not kept.before:
            raise RepairError(f"no {self.called} was in use before this one", "choose one: models list")
        *past, last = kept.before
        if trouble := self.missing(last):
            raise RepairError(trouble, f"choose another: {self.restored}")
        files.write_record(self.path(), replace(kept, active=last, before=tuple(past)))
        return last

    def forget(self, run_id: str) -> None:
        """Take a run's model out of the register, so that no step back leads to it.

        Raises:
            RepairError: The register cannot be read or written.
        """
        self._forget(lambda each: each.run_id == run_id)

    def forget_place(self, place: Path, name: str = "") -> None:
        """Take the model that lies in a folder out of the register, so that no step back leads to it.

        Args:
            place: The folder, which need not be there any more.
            name: What the same model is called on the Hub: it is not to be fetched again by a step back either.

        Raises:
            RepairError: The register cannot be read or written.
        """
        gone = os.path.realpath(place)
        self._forget(lambda each: bool(each.path) and (each.path == name or os.path.realpath(each.path) == gone))

    def _forget(self, is_gone: Callable[[Model], bool]) -> None:
        kept = self.read()
        past, known = (tuple(each for each in some if not is_gone(each)) for some in (kept.before, kept.known))
        if (past, known) != (kept.before, kept.known):
            files.write_record(self.path(), replace(kept, before=past, known=known))


def _made(model: Model, when: str) -> Model:
    """Return a model with when it was registered; without, two registrations of one are the same."""
    return cast(Model, replace(cast(Any, model), made=when))
