"""The files that search reads: three tantivy indexes (steps, guides, words), built beside and swapped in.

An index lies in a folder that is named after the library's fingerprint, so that a changed library finds none and builds
its own, while a process that still searches the old one is left alone. It is built in a neighbour folder that takes the
name when it is whole. Its manifest says the size and checksum of each file: a damaged index is built again.
"""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tantivy

from repairai import files
from repairai.errors import RepairError
from repairai.schema import Guide

FORMAT = 1
"""Goes up when an older index cannot be searched any more."""
N_LAST_STEPS = 2
"""How many steps at the end of a guide count once more: there the part comes out that the guide is about."""
PLACES_A_GUIDE = 2**20
"""A guide's place in both indexes is a multiple of this; its steps stand at the places behind it."""
_PARTS = ("steps", "guides", "words")
_HEAP_BYTES = 64_000_000
_FULL_BYTES = 16_000_000
_LONGEST_WORD = 40
_LEFT_BEHIND_SECONDS = 3600.0
_JUST_MADE_SECONDS = 60.0


@dataclass(frozen=True)
class SearchIndex:
    """An open index; the three searchers may be used by many threads at once."""

    steps: tantivy.Searcher
    guides: tantivy.Searcher
    words: tantivy.Searcher
    schemas: dict[str, tantivy.Schema]


@cache
def analyzer(*, stems: bool, stop_words: bool = True) -> tantivy.TextAnalyzer:
    """Return what cuts text into words: lower case, without accents, and with `stems` without endings.

    Args:
        stems: Whether "screws" and "screw" become one.
        stop_words: Whether "the" and its like stay.
    """
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(_LONGEST_WORD)).filter(tantivy.Filter.lowercase())
    builder = builder.filter(tantivy.Filter.ascii_fold())
    if not stop_words:
        builder = builder.filter(tantivy.Filter.stopword("english"))
    return (builder.filter(tantivy.Filter.stemmer("english")) if stems else builder).build()


def device_key(device: str) -> str:
    """Return what two spellings of one device's name share."""
    return " ".join(device.lower().split())


def open_or_build(folder: Path, fingerprint: str, guides: Iterable[Guide]) -> SearchIndex:
    """Return the index for a state of the library; built where there is none, or where it is damaged.

    Args:
        folder: Where the indexes of a library lie.
        fingerprint: Names the state of the library.
        guides: All its guides; read only when it has to be built.

    Raises:
        RepairError: The index cannot be written: a full disk, a folder without permission.
    """
    target = folder / f"{FORMAT}-{fingerprint}"
    try:
        if _is_whole(target):
            return open_index(target)
    except RepairError:
        # Another process swept it away between the two looks: it saw a newer library.
        pass
    try:
        _build_beside(folder, target, guides)
    except OSError as error:
        raise files.disk_error(target, error) from None
    return open_index(target)


def build(folder: Path, guides: Iterable[Guide], *, only_steps: bool = False) -> None:
    """Write an index into an empty folder.

    Args:
        folder: Is there and empty.
        guides: What goes in.
        only_steps: Leave out titles and devices: what the benchmark of retrieval searches.

    Raises:
        OSError: It cannot be written.
    """
    try:
        writers = {}
        for part in ("steps", "guides"):
            (folder / part).mkdir()
            index = tantivy.Index(_schema(part), str(folder / part))
            index.register_tokenizer("stems", analyzer(stems=True))
            writers[part] = index.writer(_HEAP_BYTES, 1)
        counts: Counter[str] = Counter()
        for number, guide in enumerate(guides):
            counts.update(_add(writers, guide, number * PLACES_A_GUIDE, only_steps))
        for writer in writers.values():
            writer.commit()
            writer.wait_merging_threads()
        _write_words(folder / "words", counts)
    except ValueError as error:
        # tantivy has one exception for everything, and a writer that ran out of space only says that it was killed.
        full = shutil.disk_usage(folder).free < _FULL_BYTES
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from None
    _write_manifest(folder)


def open_index(folder: Path) -> SearchIndex:
    """Return an index that is whole.

    Raises:
        RepairError: Its files vanished meanwhile.
    """
    try:
        opened = {part: tantivy.Index.open(str(folder / part)) for part in _PARTS}
    except ValueError as error:
        raise RepairError(f"the search index {folder} cannot be opened: {error}", "search again") from None
    for index in opened.values():
        # The words were cut when the index was built; snippets are cut anew.
        index.register_tokenizer("stems", analyzer(stems=True))
    searchers = {part: index.searcher() for part, index in opened.items()}
    return SearchIndex(**searchers, schemas={part: index.schema for part, index in opened.items()})


def _schema(part: str) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    if part == "words":
        builder.add_text_field("word", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_integer_field("count", stored=True, fast=True)
        return builder.build()
    for field in ("device", "title", "text"):
        builder.add_text_field(field, stored=True, tokenizer_name="stems", index_option="freq")
    if part == "guides":
        for field in ("whole", "last"):
            builder.add_text_field(field, tokenizer_name="stems", index_option="freq")
    builder.add_text_field("key", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("shown", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("guide", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("place", stored=True, fast=True)
    return builder.build()


def _add(writers: dict[str, tantivy.IndexWriter], guide: Guide, place: int, only_steps: bool) -> set[str]:
    """Put a guide in at a place and its steps behind it, and return the words that it holds."""
    device = "" if only_steps else guide.device
    title = "" if only_steps else f"{guide.title} {guide.subject}"
    texts = [step.text if only_steps or not step.title else f"{step.title}: {step.text}" for step in guide.steps]
    shared = {
        "device": device,
        "title": title,
        "key": device_key(guide.device),
        "shown": guide.title,
        "guide": guide.id,
    }
    for step, text in zip(guide.steps, texts, strict=True):
        writers["steps"].add_document(tantivy.Document(**shared, text=text, place=place + step.number))
    whole, last = "\n".join(texts), "\n".join(texts[-N_LAST_STEPS:])
    first = "" if only_steps else guide.introduction or texts[0]
    writers["guides"].add_document(tantivy.Document(**shared, text=first, whole=whole, last=last, place=place))
    return set(analyzer(stems=False).analyze(f"{device} {title} {first} {whole}"))


def _write_words(folder: Path, counts: Counter[str]) -> None:
    """Write every word with the number of guides that hold it: what a misspelt word is compared to."""
    folder.mkdir()
    index = tantivy.Index(_schema("words"), str(folder))
    writer = index.writer(_HEAP_BYTES, 1)
    for word, count in counts.items():
        writer.add_document(tantivy.Document(word=word, count=count))
    writer.commit()
    writer.wait_merging_threads()


def _write_manifest(folder: Path) -> None:
    written = {path.relative_to(folder).as_posix(): _sum(path) for path in sorted(folder.glob("*/*")) if _counts(path)}
    files.write_whole(folder / "manifest.json", json.dumps(written).encode())


def _is_whole(folder: Path) -> bool:
    """Return whether an index is there with every file as it was written."""
    try:
        written = json.loads((folder / "manifest.json").read_bytes())
        return bool(written) and all(_sum(folder / name) == kept for name, kept in written.items())
    except (OSError, ValueError, AttributeError):
        return False


def _counts(path: Path) -> bool:
    return not path.name.endswith(".lock")


def _sum(path: Path) -> list[int]:
    content = path.read_bytes()
    return [len(content), zlib.crc32(content)]


def _build_beside(folder: Path, target: Path, guides: Iterable[Guide]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
    try:
        build(fresh, guides)
        _swap_in(fresh, target)
    finally:
        _remove(fresh)
    _sweep(folder, target)


def _swap_in(fresh: Path, target: Path) -> None:
    """Give a finished index its name, unless another process was faster and its index is whole."""
    try:
        fresh.rename(target)
    except OSError:
        if _is_whole(target):
            return
        _remove(target)
        fresh.rename(target)


def _sweep(folder: Path, keep: Path) -> None:
    """Remove the indexes of older states, and what a killed process left behind.

    An index that was made a moment ago may be just what another process is about to open: it stays until the next time.
    """
    for path in folder.iterdir():
        spared_seconds = _LEFT_BEHIND_SECONDS if path.name.startswith(".") else _JUST_MADE_SECONDS
        try:
            age_seconds = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue
        if path != keep and age_seconds > spared_seconds:
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a folder, or what stands in its place; what another process has open may stay."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
