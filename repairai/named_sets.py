"""Named sets of what the models learn from: where they lie, what they are called, and who may change one.

    <home>/data/sop/<name>/         guides as examples, for the SOP agent
    <home>/data/detector/<name>/    labelled photos, see `repairai.vision.photo_set`
    <home>/data/judge/<name>/       photos with a question and its answer, see `repairai.judge.state_set`

A hidden folder beside them is a set that is not whole yet, or that is being replaced or deleted.
"""

from __future__ import annotations

import difflib
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import ASIDE, disk_error, expanded, home

LOCK_SECONDS = 20.0
STALE_SECONDS = 3600.0
_NAME = re.compile(r"\w[\w. -]{0,63}(?<![. ])")
_HALF = re.compile(r"\.(?P<name>.+?)\.[0-9a-f]{8}(?P<old>\.old)?")
"""What `neighbour` calls a folder, and what `put_in_place` calls one that is being replaced."""


@dataclass(frozen=True)
class NamedSets:
    """All sets of one kind.

    Args:
        called: What they are called; it is their word on the command line, too.
        within: The folder of `<home>/data` in which they lie.
        files: That tell when a set was changed; the first is what it is trained on.
        begin: Told to a person who has none.
        made: How they come to be.
        usual: The name of one that was given none.
        in_full: What they are called where that has to be told from others.
        needs_file: Whether a folder without the first file is no set.
    """

    called: str
    within: str
    files: tuple[str, ...]
    begin: str
    made: str
    usual: str
    in_full: str
    needs_file: bool = True

    # ---- where they lie

    def place(self) -> Path:
        """Return the folder of all of them, which need not exist."""
        return home() / "data" / self.within

    def folder(self, name: str) -> Path:
        """Return the folder of a set by its name, whether it is there or not.

        Raises:
            RepairError: The name is none.
        """
        if not _NAME.fullmatch(name):
            raise RepairError(
                f"{name!r:.80} is no name for {self.called}", "take letters, digits and hyphens, 64 at most"
            )
        return self.place() / name

    def holds(self, folder: Path) -> bool:
        """Tell whether a folder, wherever it lies, holds what is trained on."""
        return (folder / self.files[0]).is_file()

    def names(self) -> tuple[str, ...]:
        """Return the names of all sets, the one that was changed last first."""
        found: list[tuple[int, str]] = []
        for path in self.place().glob("[!.]*"):
            with suppress(OSError):  # it was deleted meanwhile
                if self.holds(path) or (path.is_dir() and not self.needs_file):
                    found.append((self._changed(path), path.name))
        return tuple(name for _, name in sorted(found, reverse=True))

    def _changed(self, folder: Path) -> int:
        return max((path.stat().st_mtime_ns for name in self.files if (path := folder / name).is_file()), default=0)

    # ---- found

    def known(self, name: str) -> Path:
        """Return the folder of a set that is there.

        Raises:
            RepairError: There is none of that name; the nearest is told.
        """
        names = self.names()
        if name in names:
            return self.place() / name
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        raise RepairError(
            f"there are no {self.called} named {name!r:.80}" + (f", did you mean {near[0]!r}?" if near else ""),
            f"list them with `python -m repairai {self.called} list`",
        )

    def newest(self) -> Path:
        """Return the folder of the set that was changed last, which a recipe takes that names none.

        Raises:
            RepairError: There is none to train on.
        """
        for name in self.names()[:1]:
            if self.holds(self.place() / name):
                return self.place() / name
        raise RepairError(
            f"the recipe names no {self.called}, and none were {self.made} yet",
            f"{self.begin}, or name a folder with --data",
        )

    def given(self, data: str, base: Path) -> Path:
        """Return the folder of a set that a recipe gives by its folder or its name; the newest where it gives none.

        Args:
            data: As the recipe says it.
            base: What a folder relates to.

        Raises:
            RepairError: There is none.
        """
        if not data:
            return self.newest()
        place = base / expanded(data)
        if self.holds(place):
            return place
        if data in self.names():
            return self.folder(data)
        raise RepairError(f"there are no {self.in_full} at {place}", f"check the name, or {self.begin}")

    def meant(self, name: str, base: Path | None = None) -> Path:
        """Return a folder that holds a set, or else that of the set of this name, whether it is there or not.

        Args:
            name: Of either.
            base: What a folder relates to; None for the current folder.

        Raises:
            RepairError: It is neither.
        """
        folder = (base or Path()) / expanded(name)
        return folder if self.holds(folder) else self.folder(name)

    def kept_or_newest(self, chosen: str | None) -> str | None:
        """Return the folder that was chosen where it is still one of a set, else the newest; None where none is."""
        folders = [str(self.place() / name) for name in self.names()]
        return chosen if chosen in folders else next(iter(folders), None)

    # ---- made

    def free_name(self, wanted: str) -> str:
        """Return a name that no set has yet: the wanted one, or with a number.

        Raises:
            RepairError: The name is none.
        """
        name, number = wanted, 1
        while self.folder(name).exists():
            number += 1
            name = f"{wanted}-{number}"
        return name

    def name_of_new(self, wanted: str) -> str:
        """Return the name that a new set gets: the one that a person wants, else a free one.

        Raises:
            RepairError: It is none for a folder, or it is taken.
        """
        wanted = wanted.strip()
        if not wanted:
            return self.free_name(self.usual)
        if self.folder(wanted).exists():
            raise RepairError(f"there are {self.called} named {wanted} already", "choose another name")
        return wanted

    def clear_halves(self, name: str = "") -> None:
        """Take away what was left half-written or half-deleted by who went down; what was being replaced comes back.

        Args:
            name: Of a set whose builder is known to be gone; empty: whatever has lain there for an hour.
        """
        with suppress(OSError):
            for path in sorted(self.place().glob(".*")):
                found = _HALF.fullmatch(path.name)
                if path.name.startswith(ASIDE):
                    goes = _is_stale(path)
                elif found is None or not path.is_dir():
                    continue
                else:
                    goes = found["name"] == name if name else _is_stale(path, moved=bool(found["old"]))
                if not goes:
                    continue
                whole = self.place() / found["name"] if found and found["old"] else None
                if whole is not None and not whole.exists():
                    path.rename(whole)
                else:
                    shutil.rmtree(path, ignore_errors=True)


DATA_SETS = NamedSets(
    "data", "sop", ("train.jsonl",), "build some with `python -m repairai data build`", "built", "guides", "data",
    needs_file=False,
)  # fmt: skip
PHOTO_SETS = NamedSets(
    "photos", "detector", ("annotations.coco.json", "changes.jsonl"),
    "import some with `python -m repairai photos import`", "imported", "photos", "labelled photos",
)  # fmt: skip
STATE_SETS = NamedSets(
    "states", "judge", ("examples.jsonl",), "build some with `python -m repairai states build`", "built", "states",
    "states",
)  # fmt: skip


def neighbour(folder: Path) -> Path:
    """Return a hidden neighbour of a folder, in which it is made or kept until it is whole; see `clear_halves`."""
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")


def put_in_place(whole: Path, folder: Path) -> None:
    """Give a whole folder the name of another, at once; one that is there is replaced, or comes back where that fails.

    Raises:
        OSError: The disk refuses.
    """
    old = folder.with_name(f"{neighbour(folder).name}.old")
    with suppress(FileNotFoundError):
        folder.rename(old)
    try:
        whole.rename(folder)
    except OSError:
        with suppress(OSError):
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def alone(folder: Path, lock: str = ".lock", done: str = "changed") -> Iterator[None]:
    """Keep others from changing a set.

    Args:
        folder: Of the set; one that is not there is made.
        lock: The file in it that whoever does this holds.
        done: What is being done to it.

    Raises:
        RepairError: Somebody else is long at it, or the disk refuses.
    """
    try:
        with FileLock(folder / lock, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise RepairError(f"{folder.name} is being {done}", "try again when that has ended") from None
    except OSError as error:
        raise disk_error(folder, error) from None


def _is_stale(path: Path, moved: bool = False) -> bool:
    """Tell whether a folder has lain there for an hour; one that was moved there is older than its move."""
    stat = path.stat()
    return time.time() - (max(stat.st_mtime, stat.st_ctime) if moved else stat.st_mtime) > STALE_SECONDS
