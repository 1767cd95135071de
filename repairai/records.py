"""Kept inspections: a SQLite file under `REPAIRAI_HOME`, or any database that SQLAlchemy can reach."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Integer, String, Text, create_engine, event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.schema import CreateIndex, CreateTable

from repairai.errors import RepairError
from repairai.files import from_json, home, to_json, write_whole
from repairai.schema import Inspection, PhotoTaken


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    """One kept inspection: the columns that lists are made of, and the whole record as JSON."""

    __tablename__ = "inspections"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[str] = mapped_column(String(40), index=True)
    outcome: Mapped[str] = mapped_column(String(16), index=True)
    guide: Mapped[str] = mapped_column(String(200), index=True)
    photo_sha256: Mapped[str] = mapped_column(String(64), index=True)
    record: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Kept:
    """An inspection with its number in the records."""

    id: int
    inspection: Inspection


class Records:
    """The kept inspections, newest first. Two processes may use the same file at once."""

    def __init__(self, url: str = "") -> None:
        """Open the records.

        Args:
            url: A SQLAlchemy database URL; empty means the one in `REPAIRAI_DATABASE`, and where that is empty, too,
                the SQLite file under `REPAIRAI_HOME`. Copies of photos lie under `REPAIRAI_HOME` in any case.
        """
        place: str | URL = url or os.environ.get("REPAIRAI_DATABASE", "")
        self._photos = home() / "photos"
        if not place:
            folder = home()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RepairError(
                    f"{folder} cannot be made: {error.strerror}", "set REPAIRAI_HOME to a folder"
                ) from None
            place = URL.create("sqlite", database=str(folder / "records.sqlite"))
        try:
            self._engine: Engine = create_engine(place)
        except (ImportError, ArgumentError, ValueError) as error:  # the last where a port is no number
            raise RepairError(f"the records' database cannot be reached: {error}", "check its URL and driver") from None
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _wait_for_others)
        with self._session():
            self._make_tables()

    def _make_tables(self) -> None:
        """Make what is missing; two processes may come here at once."""
        table = _Base.metadata.tables[_Row.__tablename__]
        with self._engine.begin() as connection:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))

    def keep(self, inspection: Inspection, *photos: Path) -> Kept:
        """Write an inspection down, whole or not at all; return it with its number.

        Args:
            inspection: What is kept.
            photos: Files of its photos, of which a copy is kept: a record without its photo proves nothing, and one
                that came from a camera is nowhere else.

        Raises:
            RepairError: The disk is full, or the database cannot be written.
        """
        row = _Row(
            at=inspection.at,
            outcome=inspection.verdict.outcome,
            guide=inspection.guide,
            photo_sha256=inspection.photo.sha256,
            record=to_json(inspection),
        )
        with ExitStack() as undo:  # copies without their record would lie there for good
            for photo in photos:
                undo.callback(_remove, self._keep_photo(photo))
            with self._session() as session:
                session.add(row)
                session.commit()
                undo.pop_all()
                return Kept(row.id, inspection)

    def photo(self, taken: PhotoTaken) -> Path:
        """Return where the copy of a kept inspection's photo lies.

        Raises:
            RepairError: None was kept.
        """
        for path in self._photos.glob(f"{taken.sha256}*"):
            return path
        raise RepairError(f"no copy of {taken.name} was kept", "look for it where it was taken")

    def _keep_photo(self, photo: Path) -> Path | None:
        """Copy a photo; return the copy, or None where it lay there before."""
        try:
            content = photo.read_bytes()
        except OSError as error:
            raise RepairError(f"{photo.name} cannot be copied: {error.strerror}", "keep it where it is") from None
        path = self._photos / f"{hashlib.sha256(content).hexdigest()}{photo.suffix.lower()[:8]}"
        if path.exists():
            return None
        write_whole(path, content)
        return path

    def newest(self, limit: int = 50) -> tuple[Kept, ...]:
        """Return the newest inspections, newest first, without those that `unreadable` names."""
        return tuple(each for each in self._read(limit) if isinstance(each, Kept))

    def unreadable(self, limit: int = 50) -> tuple[int, ...]:
        """Return the numbers of those among the newest that cannot be read: damaged, or kept by a newer RepairAI."""
        return tuple(each for each in self._read(limit) if isinstance(each, int))

    def _read(self, limit: int) -> Iterator[Kept | int]:
        with self._session() as session:
            for row in session.scalars(select(_Row).order_by(_Row.id.desc()).limit(limit)):
                try:
                    yield Kept(row.id, _inspection(row))
                except RepairError:
                    yield row.id

    def get(self, number: int) -> Kept:
        """Return one inspection.

        Raises:
            RepairError: There is none of that number.
        """
        with self._session() as session:
            row = session.get(_Row, number)
            if row is None:
                raise RepairError(f"there is no inspection number {number}", "list them with `records list`")
            return Kept(row.id, _inspection(row))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session:
                yield session
        except SQLAlchemyError as error:
            cause = " ".join(str(getattr(error, "orig", None) or error).split())
            if "full" in cause:
                raise RepairError(
                    "the disk is full: the inspection was not kept", "free some space and try again"
                ) from None
            place = self._engine.url.render_as_string(hide_password=True)
            raise RepairError(
                f"the records at {place} cannot be used: {cause}", "check the file or the database"
            ) from None


def _remove(path: Path | None) -> None:
    if path:
        with suppress(OSError):  # what is told is why the record was not kept
            path.unlink()


def _inspection(row: _Row) -> Inspection:
    return from_json(row.record, Inspection, f"inspection number {row.id}")


def _wait_for_others(connection: object, _: object) -> None:
    """Let readers go on while somebody writes, and a second writer wait its turn instead of failing."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
