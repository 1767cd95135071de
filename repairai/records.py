"""Kept inspections, and what persons answered since: in a SQLite file under `REPAIRAI_HOME`, or any database."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

from sqlalchemy import URL, Integer, String, Text, create_engine, event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.schema import CreateIndex, CreateTable

from repairai.errors import RepairError
from repairai.files import from_json, home, to_json, write_whole
from repairai.judge.decide import decide
from repairai.judge.questions import key, position
from repairai.judge.state import Answer, by_person
from repairai.schema import Inspection, PhotoTaken, State, Verdict


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


class _AnswerRow(_Base):
    """What a person answered; none is ever changed, of several to one question the last one counts."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    inspection: Mapped[int] = mapped_column(Integer, index=True)
    question: Mapped[str] = mapped_column(Text)
    opposite: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(String(3))
    at: Mapped[str] = mapped_column(String(40))


@dataclass(frozen=True)
class Answered:
    """What a person at the bench answered to a question of a kept inspection.

    Args:
        inspection: Its number.
        question: As the inspection asked it.
        opposite: The same question the other way round.
        answer: To the question.
        at: When, ISO 8601 with its offset from UTC.
    """

    inspection: int
    question: str
    opposite: str
    answer: Answer
    at: str


@dataclass(frozen=True)
class Kept:
    """An inspection with its number in the records, and what was answered since.

    Args:
        id: Its number.
        inspection: As the photo was judged; it is never changed.
        answers: The last one to each question, in the order of the questions' first answers.
    """

    id: int
    inspection: Inspection
    answers: tuple[Answered, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Return the verdict as the answers leave it."""
        said: dict[str, Answer] = {each.opposite: _other(each.answer) for each in self.answers}
        said |= {each.question: each.answer for each in self.answers}
        findings = self.inspection.verdict.findings
        return decide([
            by_person(each, said[each.requirement.question])
            if isinstance(each.requirement, State) and each.requirement.question in said
            else each
            for each in findings
        ])  # fmt: skip


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
        with self._engine.begin() as connection:
            for table in _Base.metadata.sorted_tables:
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

    def answer(self, number: int, question: str, answer: Answer) -> Kept:
        """Write down what a person answers to a question of an inspection, and return the inspection with it.

        Args:
            number: Of the inspection.
            question: As the inspection asks it, or its opposite; empty where it asks one alone.
            answer: To `question`.

        Raises:
            RepairError: There is no such inspection, or it does not ask that; the disk is full.
            ValueError: The answer is neither yes nor no.
        """
        if answer not in get_args(Answer):
            raise ValueError(f"need yes or no, got {answer!r}")
        kept = self.get(number)
        state, turned = _asked(kept, question)
        said = _other(answer) if turned else answer
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        with self._session("answer") as session:
            session.add(
                _AnswerRow(inspection=number, question=state.question, opposite=state.opposite, answer=said, at=at)
            )
            session.commit()
        return self.get(number)

    def answers(self) -> tuple[Answered, ...]:
        """Return what persons answered, the last one to each question of each inspection; oldest inspections first."""
        with self._session() as session:
            return tuple(each for said in _last_said(session).values() for each in said)

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
            rows = session.scalars(select(_Row).order_by(_Row.id.desc()).limit(limit)).all()
            said = _last_said(session, [row.id for row in rows])
            for row in rows:
                try:
                    yield Kept(row.id, _inspection(row), said.get(row.id, ()))
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
            return Kept(row.id, _inspection(row), _last_said(session, [number]).get(number, ()))

    @contextmanager
    def _session(self, kept: str = "inspection") -> Iterator[Session]:
        try:
            with Session(self._engine) as session:
                yield session
        except SQLAlchemyError as error:
            cause = " ".join(str(getattr(error, "orig", None) or error).split())
            if "full" in cause:
                raise RepairError(
                    f"the disk is full: the {kept} was not kept", "free some space and try again"
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


def _last_said(session: Session, numbers: Sequence[int] | None = None) -> dict[int, tuple[Answered, ...]]:
    """Return the last answer to each question, by number of the inspection."""
    found: dict[int, dict[str, Answered]] = {}
    wanted = select(_AnswerRow).order_by(_AnswerRow.inspection, _AnswerRow.id)
    if numbers is not None:
        # A range, since databases take only so many numbers at once.
        wanted = wanted.where(_AnswerRow.inspection.between(min(numbers, default=0), max(numbers, default=-1)))
    for row in session.scalars(wanted):
        answer: Answer = "yes" if row.answer == "yes" else "no"
        said = Answered(row.inspection, row.question, row.opposite, answer, row.at)
        found.setdefault(row.inspection, {})[row.question] = said
    return {number: tuple(said.values()) for number, said in found.items()}


def _asked(kept: Kept, question: str) -> tuple[State, bool]:
    """Return the state that a question of an inspection is about, and whether it is asked the other way round.

    Raises:
        RepairError: The inspection asks no such question, or several where none was named.
    """
    states = [each.requirement for each in kept.inspection.verdict.findings if isinstance(each.requirement, State)]
    if not states:
        raise RepairError(f"inspection number {kept.id} asks no question of state", "answer one that does")
    distinct = list(dict.fromkeys(states))
    if not question.strip("? ") and len(distinct) == 1:
        return distinct[0], False
    ways = [(each, turned) for turned in (False, True) for each in distinct]
    for meaning in (_words, _meaning):  # letter by letter first: two places are asked about alike
        found = [way for way in ways if meaning(way[0].opposite if way[1] else way[0].question) == meaning(question)]
        if found and (meaning is _words or len(found) == 1):
            return found[0]
    named = " or ".join(f"'{each.question}'" for each in distinct)
    wrong = f"inspection number {kept.id} does not ask '{_words(question):.80}'"
    raise RepairError(wrong if question.strip("? ") else "no question was named", f"answer {named}")


def _words(question: str) -> str:
    return " ".join(question.casefold().replace("?", " ").split())


def _meaning(question: str) -> object:
    return key(question), position(question)


def _other(answer: Answer) -> Answer:
    return "no" if answer == "yes" else "yes"


def _wait_for_others(connection: object, _: object) -> None:
    """Let readers go on while somebody writes, and a second writer wait its turn instead of failing."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
