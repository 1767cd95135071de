"""The guides that are built in: written by us, always there, never copied into anybody's library."""

from __future__ import annotations

import hashlib
import importlib.resources
from functools import cache

from repairai import files
from repairai.schema import Guide

PREFIX = "sample-"
"""What the ids of built-in guides begin with; no other guide may."""


@cache
def samples() -> tuple[Guide, ...]:
    """Return the built-in guides, in the order of their ids."""
    guides = [files.from_json(text, Guide, name) for name, text in _texts()]
    return tuple(sorted(guides, key=lambda guide: guide.id))


@cache
def samples_digest() -> str:
    """Return a fingerprint of the built-in guides: it changes when an update of RepairAI changes one of them."""
    return hashlib.sha256("".join(text for _, text in _texts()).encode()).hexdigest()[:16]


def _texts() -> list[tuple[str, str]]:
    folder = importlib.resources.files("repairai.builtin.guides")
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    return [(entry.name, entry.read_text("utf-8")) for entry in sorted(found, key=lambda entry: entry.name)]
