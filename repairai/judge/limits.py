"""What was measured of a reasoner, by question: in a file beside its weights, or among ours for what has no folder.

The limits of the question "" hold for every question that has none of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded, from_data, home, pulled, read_text, to_data, write_whole
from repairai.judge.questions import key
from repairai.schema import StateLimits

STATE_LIMITS = "state_limits.json"
ANY = ""
"""The question that stands for all others."""
UNMEASURED = StateLimits()


def limits_of(measured: Mapping[str, StateLimits], question: str) -> StateLimits:
    """Return what was measured of a question: of itself, else of any; else what decides nothing.

    Args:
        measured: By `repairai.judge.questions.key`, and `ANY` for all others.
        question: As it is asked.
    """
    return measured.get(key(question)) or measured.get(ANY) or UNMEASURED


def limits_path(place: str) -> Path:
    """Return where the limits of a reasoner are written: in its folder, or among ours for a server or a Hub name.

    Args:
        place: A folder, a name on the Hub, or the address of a server; see `repairai.judge.reasoner.load_reasoner`.
    """
    if is_address(place) or not expanded(place).is_dir():
        return home() / "models" / "judge" / "limits" / f"{_slug(place)}.json"
    return expanded(place) / STATE_LIMITS


def read_limits(path: Path) -> dict[str, StateLimits]:
    """Return the limits in a file; none where there is no such file: then nothing was measured.

    Raises:
        RepairError: It is damaged.
    """
    if not path.is_file():
        return {}
    try:
        data = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{path.name} is not JSON: {error}", "measure the judge again") from None
    if not isinstance(data, dict):
        raise RepairError(f"{path.name} holds no limits by question", "measure the judge again")
    return {question: from_data(each, StateLimits, path.name) for question, each in data.items()}


def write_limits(path: Path, measured: Mapping[str, StateLimits]) -> None:
    """Write limits, whole or not at all; questions are kept by their key."""
    data = {key(question) if question else ANY: to_data(each) for question, each in measured.items()}
    write_whole(path, (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode())


def measured_of(place: str) -> dict[str, StateLimits]:
    """Return what was measured of a reasoner: what was measured here, else what came with it from the Hub.

    Args:
        place: See `limits_path`.

    Raises:
        RepairError: The file is damaged.
    """
    here = read_limits(limits_path(place))
    came = None if here or is_address(place) else pulled(place)
    return read_limits(came / STATE_LIMITS) if came else here


def is_address(place: str) -> bool:
    """Tell whether a reasoner is a server."""
    return place.strip().lower().startswith(("http://", "https://"))


def _slug(place: str) -> str:
    """Return a name for a file: what can be read of a place, and a few letters that no other place has."""
    place = place.strip().rstrip("/")
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', place).strip('-')[:60]}-{sha256(place.encode()).hexdigest()[:8]}"
