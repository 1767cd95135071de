"""The files of a source, by their names: those of a folder, or those in a zip, which is never unpacked.

What is read is read into memory, one file at a time; so nothing in a zip can be written to a place of its choice, and
nothing of it fills the disk.
"""

from __future__ import annotations

import lzma
import os
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from repairai.errors import RepairError
from repairai.vision.photo import MAX_BYTES
from training.detector.labels import is_photo, key

MOST_FILES = 500_000
MOST_TEXT_BYTES = 2**30
BOMB_RATIO, BOMB_BYTES = 100, 2**28
"""A zip that unpacks to over 256 MiB and over a hundred times its size is none of photos, which hardly shrink."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)
_WANT = "give a zip or a folder of photos with labels"


@dataclass(frozen=True)
class Tree:
    """Names of files, and what they hold.

    Args:
        name: Of the folder or the zip, without its suffix.
        place: Where it lies.
        names: Of its files, with `/` between folders.
        packed: The open zip; None for a folder.
        real: Its own name of each file in a zip that writes it in another way.
    """

    name: str
    place: Path
    names: tuple[str, ...]
    packed: zipfile.ZipFile | None = None
    real: Mapping[str, str] = field(default_factory=dict)
    _named: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _stems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for name in self.names:
            if is_photo(name):
                path = PurePosixPath(key(name))
                self._named[path.name].append(name)
                self._stems[path.stem].append(name)

    def read(self, name: str) -> bytes:
        """Return what a file holds.

        Raises:
            RepairError: It cannot be read.
        """
        try:
            if is_photo(name) and self._size(name) > MAX_BYTES:
                raise RepairError(
                    f"{name} has {self._size(name) >> 20:,} MB", f"give a photo of at most {MAX_BYTES >> 20} MB"
                )
            if self.packed is None:
                return (self.place / name).read_bytes()
            return self.packed.read(self.real.get(name, name))
        except (*_DAMAGE, KeyError) as error:
            said = " ".join(str(error).split())
            raise RepairError(f"{name} in {self.place.name} is damaged: {said:.200}", "make the zip again") from None
        except OSError as error:
            why = error.strerror or " ".join(str(error).split())  # of damaged bzip2 the second
            raise RepairError(f"{name} cannot be read: {why:.200}", "check its permissions") from None

    def text(self, name: str) -> str:
        """Return the text that a file holds; what is not UTF-8 in it is taken as Latin-1.

        Raises:
            RepairError: It cannot be read, or is far too large for text.
        """
        if self._size(name) > MOST_TEXT_BYTES:
            raise RepairError(f"{name} has {self._size(name) / 2**30:.1f} GiB", "split it in parts of at most 1 GiB")
        content = self.read(name)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content.decode("latin-1")

    def _size(self, name: str) -> int:
        if self.packed is None:
            return (self.place / name).stat().st_size
        return self.packed.getinfo(self.real.get(name, name)).file_size

    def photos(self) -> list[str]:
        """Return the names of all photos."""
        return [name for name in self.names if is_photo(name)]

    def photo(self, said: str, beside: str) -> str:
        """Return the name of the photo that a label file means; empty where it is not there.

        Args:
            said: What it writes: a name, or a path that was right on the machine that wrote it.
            beside: The label file's own name; of photos with one name the nearest to it is meant.
        """
        pieces = PurePosixPath(said.replace("\\", "/")).parts
        return _nearest(self._named.get(key(pieces[-1]), []) if pieces else [], pieces, beside)

    def photo_of_stem(self, stem: str, beside: str) -> str:
        """Return the name of the photo whose name without its suffix is given; see `photo`."""
        return _nearest(self._stems.get(key(stem), []), (), beside)


def _nearest(found: Sequence[str], pieces: tuple[str, ...], beside: str) -> str:
    if len(found) <= 1:
        return found[0] if found else ""
    folders = PurePosixPath(beside).parts[:-1]

    def nearness(name: str) -> tuple[int, int]:
        own = PurePosixPath(name).parts
        return _shared(own[::-1], pieces[::-1]), _shared(own, folders)

    return max(found, key=nearness)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many pieces two paths share from their beginning."""
    count = 0
    for own, its in zip(one, other, strict=False):
        if key(own) != key(its):
            break
        count += 1
    return count


@contextmanager
def open_tree(place: Path) -> Iterator[Tree]:
    """Yield the files of a folder or a zip.

    Raises:
        RepairError: It is neither, or a zip that is damaged, locked, a trap, or climbs out of its folder.
    """
    if place.is_dir():
        yield Tree(place.resolve().name, place, tuple(sorted(_walked(place))))
        return
    if not place.exists():
        raise RepairError(f"there is nothing at {place}", _WANT)
    try:
        packed = zipfile.ZipFile(place)
    except (*_DAMAGE, ValueError) as error:
        raise RepairError(f"{place.name} is no zip that can be read: {error}", _WANT) from None
    except OSError as error:
        raise RepairError(f"{place} cannot be read: {error.strerror}", "check its permissions") from None
    with packed:
        real = _checked(packed, place)
        yield Tree(place.stem, place, tuple(sorted(real)), packed, real)


def _walked(place: Path) -> Iterator[str]:
    count = 0
    for folder, folders, files in os.walk(place):
        folders[:] = [each for each in folders if not each.startswith((".", "__MACOSX"))]
        for file in files:
            count += 1
            if count > MOST_FILES:
                raise RepairError(f"{place} holds over {MOST_FILES:,} files", "give the folder of the photos alone")
            path = Path(folder) / file
            if not file.startswith(".") and path.is_file():  # no pipe, and no link to what is gone
                yield path.relative_to(place).as_posix()


def _checked(packed: zipfile.ZipFile, place: Path) -> dict[str, str]:
    """Return the files in a zip: name with `/` between folders -> its own; Windows has written others."""
    entries = [each for each in packed.infolist() if not each.is_dir()]
    if len(entries) > MOST_FILES:
        raise RepairError(f"{place.name} holds {len(entries):,} files", f"give a zip of at most {MOST_FILES:,}")
    unpacked, size = sum(each.file_size for each in entries), place.stat().st_size
    if unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * max(size, 1):
        raise RepairError(
            f"{place.name} has {size / 2**20:.1f} MiB and would unpack to {unpacked / 2**30:.1f} GiB, as a trap does",
            "unpack it yourself if you trust it, and give the folder",
        )
    for each in entries:
        name = each.filename
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or re.match(r"[A-Za-z]:", name):
            raise RepairError(
                f"{place.name} holds {name!r:.80}, which climbs out of its folder", "do not trust this zip"
            )
        if each.flag_bits & 1:
            raise RepairError(f"{place.name} is locked with a password", "make it again without one")
    hidden = re.compile(r"(^|/)(\.|__MACOSX/)")
    names = {each.filename.replace("\\", "/"): each.filename for each in entries}
    return {name: real for name, real in names.items() if not hidden.search(name)}
