"""Files of a model or dataset on the Hugging Face Hub, and in one sentence why they cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from repairai.files import pulled
from repairai.hub_files import snapshot


def fetched(
    name: str, patterns: Sequence[str], kind: Literal["model", "dataset"] = "model", revision: str | None = None
) -> Path:
    """Return the folder where files of a repository lie on this machine; what is not there yet is fetched.

    Args:
        name: On the Hub.
        patterns: Which files.
        kind: Of the repository.
        revision: None takes the newest.

    Raises:
        RepairError: There is no such repository, it may not be read, or the Hub cannot be reached.
    """
    came = pulled(name, revision) if kind == "model" else None
    return came or snapshot(name, patterns, kind, revision)
