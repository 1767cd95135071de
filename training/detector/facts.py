"""What an import saw of a set's photos that the set itself no longer shows: kept beside it in `import.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import read_text, write_whole
from repairai.vision.photo_set import LabelledBox
from training.detector.findings import Finding, from_report

FILE = "import.json"


@dataclass(frozen=True)
class Unsure:
    """A photo that EXIF turned, and whose boxes may have been drawn before it was.

    Args:
        orientation: EXIF's.
        boxes: Digest of its boxes as they were imported: those that were changed since are left alone.
    """

    orientation: int
    boxes: str


@dataclass(frozen=True)
class Facts:
    """What an import saw.

    Args:
        findings: Of it.
        unsure: Name of a photo -> what is not known of its boxes.
        digests: Name of a photo -> SHA-256 of the file that it came from.
    """

    findings: tuple[Finding, ...] = ()
    unsure: dict[str, Unsure] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)


def digest_of(boxes: Sequence[LabelledBox]) -> str:
    """Return a digest of where boxes lie, as the set's file keeps it."""
    return hashlib.sha256(json.dumps([[round(edge, 1) for edge in box.box] for box in boxes]).encode()).hexdigest()


def write_facts(folder: Path, facts: Facts) -> None:
    """Keep what an import saw beside its set.

    Raises:
        RepairError: It cannot be written.
    """
    write_whole(folder / FILE, (json.dumps(asdict(facts), ensure_ascii=False) + "\n").encode())


def read_facts(folder: Path) -> Facts:
    """Return what the import of a set saw; nothing for a set that was made in another way.

    Raises:
        RepairError: The file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return Facts()
    try:
        data = json.loads(read_text(path))
        unsure = {name: Unsure(**each) for name, each in data["unsure"].items()}
        return Facts(tuple(from_report(each) for each in data["findings"]), unsure, dict(data["digests"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RepairError(f"{path} is damaged: {error!s:.100}", "delete it; only what the import saw is lost") from None
