"""What a source says of photos, before one of them is opened: where each lies, and the boxes that belong to it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from repairai.vision.photo_set import Split

_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
SaidSplit = Split | Literal[""]
"""A source's own split of a photo; empty where it has none."""
PHOTO_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff", ".mpo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SaidBox:
    """A box as a source gives it.

    Args:
        part: Number of its class there.
        edges: Left, top, right, bottom: px of the size that is said of the photo, or shares of it.
        shares: Which of the two.
    """

    part: int
    edges: tuple[float, float, float, float]
    shares: bool = False


@dataclass(frozen=True, slots=True)
class SaidPhoto:
    """A photo as a source gives it.

    Args:
        origin: Its name there, for people.
        read: Returns the bytes of its file.
        boxes: None of them for a photo of background.
        split: Of the source's own; empty where it has none.
        width: px, as it is said; 0 where it is not.
        height: The same.
        labelled: Whether there are labels for it, which may say that nothing is on it.
    """

    origin: str
    read: Callable[[], bytes]
    boxes: tuple[SaidBox, ...] = ()
    split: SaidSplit = ""
    width: int = 0
    height: int = 0
    labelled: bool = True


@dataclass(frozen=True)
class Said:
    """All that a source says.

    Args:
        name: Of the source.
        shape: Its format: `coco`, `yolo`, `voc`, `imagefolder` or `hub`.
        parts: Number of each class there -> its name.
        photos: In the order of the source.
        absent: Photos that have labels, and are not there.
        licence: As it is given; empty where it is not.
        url: The same.
        crowds: Photos on which a box marks many parts at once, once for each such box: it is left out.
    """

    name: str
    shape: str
    parts: dict[int, str]
    photos: tuple[SaidPhoto, ...]
    absent: tuple[str, ...] = ()
    licence: str = ""
    url: str = ""
    crowds: tuple[str, ...] = ()


def key(name: str) -> str:
    """Return a name as it is compared: Macs write an umlaut as two letters, and Windows knows no capitals."""
    return unicodedata.normalize("NFC", name).lower()


def split_of(path: str) -> SaidSplit:
    """Return the split that a path names, by a folder (`train/images`) or a file (`instances_val2017.json`)."""
    for piece in reversed(PurePosixPath(path).parts):
        for word in re.split(r"[^a-z]+", piece.lower()):
            if word in _SPLITS:
                return _SPLITS[word]
    return ""


def split_of_folder(path: str) -> SaidSplit:
    """Return the split that a folder of a path names; what the file itself is called says nothing."""
    return split_of(str(PurePosixPath(path).parent))


def is_photo(path: str) -> bool:
    """Return whether a path ends as photos do."""
    return path.lower().endswith(PHOTO_SUFFIXES)
