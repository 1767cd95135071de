"""Looks for tokens where none may stand."""

import mmap
import re
from pathlib import Path
from typing import Any

import pytest

STORE = ("token", "stored_tokens")
"""Of huggingface_hub, in its home: the only place for tokens."""


def in_files(tokens: list[str], folder: Path, allowed: Path) -> list[str]:
    """The files below a folder in which a token stands, other than the client's own store in `allowed`."""
    if not tokens:
        return []
    found = []
    pattern = re.compile(b"|".join(token.encode() for token in tokens))
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or (path.parent == allowed and path.name in STORE):
            continue
        if any(token in path.name for token in tokens):
            found.append(str(path))
        elif path.stat().st_size:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if pattern.search(data):
                    found.append(str(path))
    return found


def in_words(tokens: list[str], said: list[str]) -> list[str]:
    """The lines in which a token stands, with the token left out."""
    found = []
    for line in "\n".join(said).splitlines():
        for token in tokens:
            if token in line:
                found.append(line.replace(token, "hf_***")[:200])
    return found


def overhear(said: list[str], patch: pytest.MonkeyPatch) -> None:
    """Keep what a test takes out of its captured output, which is then in no report."""
    take = pytest.CaptureFixture.readouterr

    def listened(self: pytest.CaptureFixture[Any]) -> Any:
        taken = take(self)
        said.extend(part if isinstance(part, str) else part.decode("utf-8", "replace") for part in taken)
        return taken

    patch.setattr(pytest.CaptureFixture, "readouterr", listened)
