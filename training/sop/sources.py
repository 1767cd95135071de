"""What the SOP agent is to learn from, put together: the library, files and folders of guides, and datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded, read_record
from repairai.schema import Guide
from repairai.sop.library import Library, Problem
from repairai.sop.samples import PREFIX
from repairai.sop.sources.addresses import is_address
from repairai.sop.sources.guide_files import open_guide_file
from training.sop.examples import Example
from training.sop.hub_data import holds_guides, read_dataset
from training.sop.hub_rows import HUB
from training.sop.split import normalised

LIBRARY = "library"
WHAT_TO_GIVE = "give the library, a file or folder of guides, a dataset file, or hub:OWNER/NAME"
TERMS = (
    "iFixit's terms of use forbid training language models on what its site gives. Whether you train on the guides "
    "that were fetched there is for you to decide; --without-ifixit leaves them out."
)
"""Said wherever guides with the origin `ifixit` are in the data."""
_GUIDE_FILES = (".json", ".jsonl", ".ndjson", ".yaml", ".yml")
_DATASET_FILES = (".csv", ".parquet")
Progress = Callable[[int, int | None, str], None]
"""Told how many are done, of how many (None: not known), and what is going on."""


@dataclass(frozen=True)
class Wanted:
    """What of the sources is wanted.

    Args:
        devices: Names; none: all.
        guide_ids: Likewise.
        without_ifixit: Guides that were read from iFixit itself are left out.
        columns: Our name of a dataset's column -> its name there.
        licence: Of datasets that do not say one.
    """

    devices: tuple[str, ...] = ()
    guide_ids: tuple[str, ...] = ()
    without_ifixit: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""

    def takes(self, guide: Guide, origin: str) -> bool:
        """Return whether a guide is wanted."""
        named = normalised(guide.device) in set(map(normalised, self.devices)) or guide.id in self.guide_ids
        return (named or not (self.devices or self.guide_ids)) and not (self.without_ifixit and origin == "ifixit")


@dataclass(frozen=True)
class Gathered:
    """What the sources gave.

    Args:
        guides: Each once, by id, with its origin.
        chats: Conversations of datasets.
        problems: What could not be read.
        n_left_out: Guides that were read and not wanted.
    """

    guides: dict[str, tuple[Guide, str]]
    chats: tuple[Example, ...]
    problems: tuple[Problem, ...]
    n_left_out: int


def gather(sources: Sequence[str], wanted: Wanted, tell: Progress) -> Gathered:
    """Return everything that sources hold; a guide that comes twice is taken from iFixit first, else where it is first.

    Args:
        sources: `library`, paths of files and folders, and `hub:OWNER/NAME`.
        wanted: What of it.
        tell: Told which source is being read.

    Raises:
        RepairError: A source is not there or holds nothing, or nothing of all is wanted.
    """
    guides: dict[str, tuple[Guide, str]] = {}
    chats: list[Example] = []
    problems: list[Problem] = []
    n_left_out = 0
    for number, source in enumerate(sources):
        tell(number, len(sources), f"reading {source}")
        for entry in _read(source, wanted):
            if isinstance(entry, Problem):
                problems.append(entry)
            elif isinstance(entry, Example):
                chats.append(entry)
            elif not wanted.takes(*entry):
                n_left_out += 1
            elif entry[0].id not in guides or (entry[1] == "ifixit" and guides[entry[0].id][1] == "myfixit"):
                guides[entry[0].id] = entry
    tell(len(sources), len(sources), f"{len(guides)} guides, {len(chats)} conversations")
    if not guides and not chats:
        raise _nothing(wanted, problems, n_left_out)
    return Gathered(guides, tuple(chats), tuple(problems), n_left_out)


Entry = tuple[Guide, str] | Example | Problem


def _read(source: str, wanted: Wanted) -> Iterable[Entry]:
    if source == LIBRARY:
        return _of_library(wanted)
    if source.startswith(HUB):
        return _of_dataset(source, wanted)
    path = expanded(source)
    if path.is_dir():
        return _of_folder(path, wanted)
    if path.is_file():
        return _of_file(path, path.name, wanted)
    if is_address(source):
        raise RepairError(
            f"{source} is a web address", f"run `guides import {source}` first, and build from the library"
        )
    raise RepairError(f"{source} does not exist", WHAT_TO_GIVE)


def _of_library(wanted: Wanted) -> Iterator[Entry]:
    """Yield the imported guides, and those built-in ones that are named."""
    library = Library()
    origins = library.origins()
    if not origins and not any(name.startswith(PREFIX) for name in wanted.guide_ids):
        raise RepairError("the library holds no guides but the built-in ones", "import some: `guides import PATH|URL`")
    for guide in library.guides():
        if guide.id in origins or guide.id in wanted.guide_ids:
            yield guide, origins.get(guide.id, "file")


def _of_folder(folder: Path, wanted: Wanted) -> Iterator[Entry]:
    try:
        inside = sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise RepairError(f"{folder} cannot be read: {error.strerror}", "check its permissions") from None
    paths = [path for path in inside if path.suffix.lower() in (*_GUIDE_FILES, *_DATASET_FILES)]
    if not paths:
        raise RepairError(f"the folder {folder} holds no guides: none of its {len(inside)} files is JSON", WHAT_TO_GIVE)
    for path in paths:
        label = path.relative_to(folder).as_posix()
        try:
            yield from _of_file(path, label, wanted)
        except RepairError as error:
            yield Problem(label, error.what, error.next_step)


def _of_file(path: Path, label: str, wanted: Wanted) -> Iterator[Entry]:
    kind = path.suffix.lower()
    if kind in (".yaml", ".yml"):
        yield read_record(path, Guide), "file"
    elif kind in _GUIDE_FILES and holds_guides(path):
        yield from (entry for _, entry in open_guide_file(path, label).entries)
    else:
        yield from _of_dataset(str(path), wanted)


def _of_dataset(source: str, wanted: Wanted) -> Iterator[Entry]:
    contents = read_dataset(source, wanted.columns, wanted.licence)
    origin = source if source.startswith(HUB) else Path(source).name
    yield from ((guide, origin) for guide in contents.guides)
    yield from contents.chats
    yield from contents.problems


def _nothing(wanted: Wanted, problems: Sequence[Problem], n_left_out: int) -> RepairError:
    if n_left_out:
        asked = ", ".join((*wanted.devices, *wanted.guide_ids))
        why = f"none is for {asked}" if asked else "all of them are from iFixit"
        return RepairError(f"{n_left_out} guides were read and none is wanted: {why}", "ask for others")
    if problems:
        more = f" (and {len(problems) - 1} more like it)" if len(problems) > 1 else ""
        return RepairError(problems[0].what + more, problems[0].next_step)
    return RepairError("no guide and no conversation was found", WHAT_TO_GIVE)
