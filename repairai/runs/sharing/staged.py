"""Files as they may be shared: without paths of this machine, without tokens, photos without what cameras note.

What has to be written anew lies in a place of `hub.staging`; it is rewritten only where it has changed.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from repairai.errors import RepairError
from repairai.files import disk_error, home, read_text, write_whole
from repairai.hub.staging import used
from repairai.runs.secrets import without_secrets

Files = tuple[tuple[str, Path], ...]
"""(path in the repository, the file here)."""
TEXTS = (".json", ".jsonl", ".yaml", ".yml", ".md", ".txt", ".jinja", ".model", ".csv")
VOCABULARY = re.compile(r"(tokenizer\.json|vocab.*|merges\.txt|added_tokens\.json|.*\.model)")
"""Files of a tokenizer, in which any text may stand that a model knows as a word."""
_ABSOLUTE = re.compile(r"~?/|[A-Za-z]:[\\/]|\\\\")
_ANYONES = re.compile(r"(?<![\w.:/])(?:/(?:home|Users|root)/|[A-Za-z]:[\\/]+Users[\\/]+)[^\s\"'`)\]]+")
"""A path in a person's own folder, whoever's."""
_LEAST_PIECES = 3
"""Of a path that tells something of a machine: `/home/max` has three, `/tmp` two."""


def staged(place: Path, name: str, content: bytes) -> Path:
    """Return where a rewritten file lies, written where it is not there yet or has changed.

    Raises:
        RepairError: The disk is full.
    """
    path = place / name
    used(place)  # before it is looked at: nobody who tidies up takes it now
    try:
        there = path.is_file() and path.read_bytes() == content
    except OSError as error:
        raise disk_error(path, error) from None
    if not there:
        write_whole(path, content)
        used(place)
    return path


def sweep(place: Path, kept: Iterable[Path]) -> None:
    """Delete what an earlier parcel has left in its folder, and this one does not need."""
    wanted = set(kept)
    if not place.is_dir():
        return
    for path in place.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink(missing_ok=True)
    for path in sorted((each for each in place.rglob("*") if each.is_dir()), reverse=True):
        if not any(path.iterdir()):
            shutil.rmtree(path, ignore_errors=True)


# ---- paths


def is_path(text: str) -> bool:
    """Tell whether a text is a path of some machine, and not a name or an address."""
    return bool(_ABSOLUTE.match(text)) and "\n" not in text and len(_pure(text).parts) >= _LEAST_PIECES


def last_of(path: str) -> str:
    """Return the last piece of a path, which is what it is called."""
    return _pure(path).name


def without_paths(data: Any) -> Any:
    """Return plain data with each path in them cut down to its last piece."""
    if isinstance(data, dict):
        return {key: without_paths(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_paths(each) for each in data]
    return last_of(data) if isinstance(data, str) and is_path(data) else data


def _pure(text: str) -> PurePath:
    return PureWindowsPath(text) if re.match(r"[A-Za-z]:[\\/]|\\\\", text) else PurePosixPath(text)


# ---- what may not go


def refuse_private(files: Files, card: str) -> None:
    """See that nothing that is to be sent tells a token, or where files lie on this machine.

    Raises:
        RepairError: Something does; the file is named, what stands there is not.
    """
    own = tuple(_own_places())
    for name, path in files:
        if path.suffix.lower() not in TEXTS:
            continue
        loose = bool(VOCABULARY.fullmatch(path.name)) or path.suffix.lower() == ".jsonl"
        for text in _lines(path):
            _refuse(name, text, own, loose)
    _refuse("the card", card, own, False)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError as error:
        raise RepairError(f"{path.name} cannot be read: {error.strerror}", "check its permissions") from None


def _refuse(name: str, text: str, own: tuple[str, ...], loose: bool) -> None:
    if without_secrets(text) != text:
        raise RepairError(f"{name} holds a token or a password", "take it out of the file, and renew that token")
    if any(each in text for each in own) or (not loose and _ANYONES.search(text)):
        raise RepairError(
            f"{name} tells a path of this machine, and with it perhaps a name",
            "take it out of the file, then try again",
        )


def _own_places() -> Iterator[str]:
    """Yield folders of this machine that nobody else needs to know of, as they may stand in a text."""
    for place in (home().absolute(), Path.home(), Path.cwd(), Path(tempfile.gettempdir()) / "repairai"):
        if len(place.parts) >= _LEAST_PIECES:
            yield str(place)
            yield json.dumps(str(place))[1:-1]


def json_of(path: Path) -> Any:
    """Return what a file of JSON holds.

    Raises:
        RepairError: It is none.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{path.name} is not JSON: {error!s:.100}", "make it again") from None


def as_json(data: Any) -> bytes:
    """Return plain data as the bytes of a file."""
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()
