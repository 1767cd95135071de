"""The library: every imported guide in one SQLite file, with the built-in ones always beside them.

SQLite keeps what was there when a process is killed or the disk is full: a group of guides is in the file whole or not
at all. The web app and the command line may use one library at once: a writer holds it only while a group goes in.
"""

from __future__ import annotations

import difflib
import errno
import hashlib
import sqlite3
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from repairai import files
from repairai.errors import RepairError
from repairai.schema import Guide, Step
from repairai.sop.samples import PREFIX, samples, samples_digest
from repairai.sop.sources.plain_text import storable

Origin = Literal["ifixit", "myfixit", "file"]
"""Where a guide was read from. MyFixit is a copy of iFixit from 2020: it never replaces what iFixit itself gave."""

_FORMAT = 1
_GROUP = 100
_WAIT_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS guides (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, device TEXT NOT NULL, subject TEXT NOT NULL, licence TEXT NOT NULL,
    author TEXT NOT NULL, url TEXT NOT NULL, n_steps INTEGER NOT NULL, origin TEXT NOT NULL, digest TEXT NOT NULL,
    record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS guides_by_device ON guides (device COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, changes INTEGER NOT NULL);
"""
_SUMMARY = "id, title, device, subject, licence, author, url, n_steps"


@dataclass(frozen=True)
class GuideSummary:
    """A guide without its steps, as a list shows it."""

    id: str
    title: str
    device: str
    subject: str
    licence: str
    author: str
    url: str
    n_steps: int


@dataclass(frozen=True)
class Problem:
    """What could not be read.

    Args:
        where: "line 7 of Apparel.json", "guide 12".
        what: What was wrong there, with what was seen.
        next_step: What to do about it.
    """

    where: str
    what: str
    next_step: str

    def __str__(self) -> str:
        """Return one sentence."""
        return f"{self.what}; {self.next_step}."


@dataclass(frozen=True)
class Report:
    """What an import did.

    Args:
        added: Guides that were not in the library.
        updated: Guides that were there with other words.
        unchanged: Guides that were there as they are.
        ids: All of them, in the order they were kept.
        problems: What was skipped.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    ids: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @staticmethod
    def joined(reports: Iterable[Report]) -> Report:
        """Return many reports as one."""
        parts = list(reports)
        return Report(
            sum(part.added for part in parts),
            sum(part.updated for part in parts),
            sum(part.unchanged for part in parts),
            tuple(guide_id for part in parts for guide_id in part.ids),
            tuple(problem for part in parts for problem in part.problems),
        )


class LibraryFault(RepairError):
    """The library itself cannot be read or written: a full disk, a damaged file."""


class Library:
    """The guides of one person or shop.

    Args:
        folder: Where it is kept; None: `library` in RepairAI's home. Nothing is written before the first guide comes.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = files.home() / "library" if folder is None else folder
        self.path = self.folder / "guides.sqlite"

    def add(self, guides: Iterable[Guide], origin: Origin = "file") -> Report:
        """Put guides in, a hundred at a time, and return what that changed; the same guides again change nothing.

        Raises:
            LibraryFault: The disk is full, or the file cannot be written; the groups before stay, the rest is not in.
        """
        reports = []
        incoming = iter(guides)
        while group := list(islice(incoming, _GROUP)):
            with self._open(write=True) as db:
                reports.append(_put(db, group, origin))
        return Report.joined(reports)

    def guide(self, guide_id: str) -> Guide:
        """Return one guide.

        Raises:
            RepairError: There is none with this id.
        """
        for guide in samples():
            if guide.id == guide_id:
                return guide
        for (record,) in self._rows("SELECT record FROM guides WHERE id = ?", guide_id):
            return _unpack(record)
        near = difflib.get_close_matches(guide_id, self._ids(), n=1)
        raise RepairError(
            f"there is no guide '{guide_id}' among the {len(self)} in the library",
            f"the nearest is '{near[0]}'" if near else "search for it, or import it first",
        )

    def step(self, guide_id: str, number: int) -> Step:
        """Return one step of a guide, counted from 1.

        Raises:
            RepairError: There is no such guide or step.
        """
        guide = self.guide(guide_id)
        if not 1 <= number <= len(guide.steps):
            raise RepairError(
                f"guide '{guide_id}' has no step {number}: its steps go from 1 to {len(guide.steps)}",
                "give one of these numbers",
            )
        return guide.steps[number - 1]

    def guides(self) -> Iterator[Guide]:
        """Yield every guide, the built-in ones first, then by id; the file is held only for a hundred at a time."""
        yield from samples()
        last = ""
        while rows := self._rows("SELECT id, record FROM guides WHERE id > ? ORDER BY id LIMIT ?", last, _GROUP):
            for _, record in rows:
                yield _unpack(record)
            last = rows[-1][0]

    def summaries(self, device: str | None = None) -> tuple[GuideSummary, ...]:
        """Return every guide without its steps, by device and title.

        Args:
            device: Only guides for this one, in whatever case it is written; None: all.
        """
        rows = self._rows(f"SELECT {_SUMMARY} FROM guides WHERE ?1 IS NULL OR device = ?1 COLLATE NOCASE", device)
        found = [GuideSummary(*row) for row in rows]
        found += [_summary(guide) for guide in samples() if device is None or guide.device.lower() == device.lower()]
        return tuple(sorted(found, key=lambda guide: (guide.device.lower(), guide.title.lower(), guide.id)))

    def devices(self) -> tuple[str, ...]:
        """Return the names of the devices that there are guides for, in alphabetical order."""
        names = {row[0] for row in self._rows("SELECT DISTINCT device FROM guides")}
        return tuple(
            sorted((names | {guide.device for guide in samples()}) - {""}, key=lambda name: (name.lower(), name))
        )

    def origins(self) -> dict[str, Origin]:
        """Return where each imported guide was read from, by id."""
        return dict(self._rows("SELECT id, origin FROM guides"))

    def remove(self, guide_id: str) -> None:
        """Take a guide out.

        Raises:
            RepairError: There is none with this id, or it is built in.
        """
        if guide_id.startswith(PREFIX):
            raise RepairError(f"guide '{guide_id}' is built in", "leave it: only imported guides can be removed")
        self.guide(guide_id)
        with self._open(write=True) as db:
            db.execute("DELETE FROM guides WHERE id = ?", (guide_id,))
            _count_change(db)

    def fingerprint(self) -> str:
        """Return a short text that changes whenever a guide does; it costs one row to read."""
        state = "-".join(f"{name}-{changes}" for name, changes in self._rows("SELECT name, changes FROM state"))
        return f"{state or 'empty'}-{samples_digest()}"

    def __len__(self) -> int:
        """Return how many guides there are, the built-in ones included."""
        rows = self._rows("SELECT count(*) FROM guides")
        return len(samples()) + (int(rows[0][0]) if rows else 0)

    def _ids(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT id FROM guides")] + [guide.id for guide in samples()]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        known = [storable(each) if isinstance(each, str) else each for each in values]
        with self._open() as db:
            # A process that was killed before its first guide leaves a file without tables.
            return db.execute(query, known).fetchall() if _version(db, self.path) else []

    @contextmanager
    def _open(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield the file; when writing, in one transaction that is in the file whole or not at all."""
        db = None
        try:
            if write:
                self.folder.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
            if write:
                db.execute("BEGIN IMMEDIATE")
                _make_tables(db, self.path)
            yield db
            if write:
                db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _in_words(self.path, error) from None
        except OSError as error:
            raise _disk_fault(self.path, error) from None
        finally:
            if db is not None:
                db.close()


def _put(db: sqlite3.Connection, group: list[Guide], origin: Origin) -> Report:
    """Put a group of guides in and return what that changed."""
    added = updated = 0
    problems = []
    for guide in group:
        if guide.id.startswith(PREFIX):
            what = f"guide '{guide.id}' is not kept: ids that begin with '{PREFIX}' belong to the built-in guides"
            problems.append(Problem(f"guide '{guide.id}'", what, "give it another id"))
            continue
        text = storable(files.to_json(guide))
        digest = hashlib.sha256(text.encode()).hexdigest()
        found = db.execute("SELECT digest, origin FROM guides WHERE id = ?", (guide.id,)).fetchone()
        if found and (found == (digest, origin) or (origin == "myfixit" and found[1] == "ifixit")):
            continue
        added += found is None
        updated += found is not None and found[0] != digest
        record = zlib.compress(text.encode(), 1)
        values = (*(getattr(_summary(guide), name) for name in _SUMMARY.split(", ")), origin, digest, record)
        db.execute(f"INSERT OR REPLACE INTO guides VALUES ({', '.join('?' * len(values))})", values)
    if added or updated:
        _count_change(db)
    kept = [guide.id for guide in group if not guide.id.startswith(PREFIX)]
    return Report(added, updated, len(kept) - added - updated, tuple(kept), tuple(problems))


def _make_tables(db: sqlite3.Connection, path: Path) -> None:
    if _version(db, path) == 0:
        for statement in filter(str.strip, _TABLES.split(";")):
            db.execute(statement)
        # The name tells two libraries apart that have seen as many changes.
        db.execute("INSERT INTO state VALUES (?, 0)", (uuid.uuid4().hex[:12],))
        db.execute(f"PRAGMA user_version = {_FORMAT}")


def _version(db: sqlite3.Connection, path: Path) -> int:
    """Return the format of a library's file, 0 for an empty one."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > _FORMAT:
        raise LibraryFault(
            f"the library {path} was made by a newer RepairAI (format {version}, this one reads {_FORMAT})",
            "update RepairAI",
        )
    return version


def _count_change(db: sqlite3.Connection) -> None:
    db.execute("UPDATE state SET changes = changes + 1")


def _summary(guide: Guide) -> GuideSummary:
    return GuideSummary(
        guide.id,
        guide.title,
        guide.device,
        guide.subject,
        guide.licence,
        guide.author,
        guide.url,
        len(guide.steps),
    )


def _unpack(record: bytes) -> Guide:
    return files.from_json(zlib.decompress(record).decode(), Guide, "a guide in the library")


def _in_words(path: Path, error: sqlite3.Error) -> LibraryFault:
    """Return what a person needs to hear when the library's file fails."""
    # The code's low byte is the kind of the fault; the rest tells finer cases apart.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_FULL:
        return _disk_fault(path, OSError(errno.ENOSPC, "disk full"))
    if kind == sqlite3.SQLITE_BUSY:
        return LibraryFault(f"the library {path} is being written by another process", "wait until it is done")
    if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LibraryFault(
            f"the library {path} is damaged ({error})", "move this file away and import your guides again"
        )
    return LibraryFault(f"the library {path} cannot be used: {error}", "check the folder and its permissions")


def _disk_fault(path: Path, error: OSError) -> LibraryFault:
    told = files.disk_error(path, error)
    return LibraryFault(told.what, told.next_step)
