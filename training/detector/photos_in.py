"""Photos on their way into a set: read, turned upright, shrunk where they are large, and written, one at a time."""

from __future__ import annotations

import io
import re
import threading
import unicodedata
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repairai.files import disk_error
from repairai.vision.photo import Photo, parse_photo
from training.detector.alike import Look, look_of

LONGEST_PX = 2560
"""Longer side of a photo in a set: four times what detectors see at once, so that it can still be cut into tiles."""
QUALITY = 95
MANY_PIXELS = 16_000_000
"""Of photos with more only one is opened at a time, so that several threads do not fill the memory."""
_LARGE = threading.Lock()
_ORIENTATION, _GPS = 0x0112, 0x8825
_XMP_GPS = b"GPSLatitude"
_SIDEWAYS = (5, 6, 7, 8)
_KEPT = {"JPEG": ".jpg", "PNG": ".png"}
_LONGEST_NAME = 80
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class Arrived:
    """A photo that was read.

    Args:
        digest: SHA-256 of its file, by which two with the same bytes are told.
        full: Width and height in px, upright and before it was shrunk.
        raw: Width and height in px as they are stored, before it was turned.
        orientation: EXIF's: 1 for a photo that lies as it is stored.
        suffix: Of its new file.
        content: What is written.
        size: Width and height in px of what is written.
        look: By which copies of it are told.
    """

    digest: str
    full: tuple[int, int]
    raw: tuple[int, int]
    orientation: int
    suffix: str
    content: bytes
    size: tuple[int, int]
    look: Look


def arrive(content: bytes, name: str) -> Arrived:
    """Return a photo as it goes into a set.

    A JPEG or PNG stays as it is, byte for byte, unless it is turned, large, see-through, or says where it was taken, in
    its EXIF or in the XMP that photo programs write.

    Raises:
        RepairError: It cannot be read; see `repairai.vision.photo`.
    """
    with _LARGE if _pixels_of(content) > MANY_PIXELS else nullcontext():
        return _arrive(content, parse_photo(content, name))


def _pixels_of(content: bytes) -> int:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.width * image.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return MANY_PIXELS + 1  # HEIC before its reader is known, and what no reader takes: told below


def _arrive(content: bytes, photo: Photo) -> Arrived:
    height, width = photo.pixels.shape[:2]
    with Image.open(io.BytesIO(content)) as image:
        kind, mode, raw, exif = image.format or "", image.mode, image.size, image.getexif()
    orientation = int(exif.get(_ORIENTATION, 1) or 1)
    if kind in ("HEIF", "AVIF") or orientation not in range(1, 9):
        orientation, raw = 1, (width, height)  # their readers turn them before anybody sees the raw ones
    longest = max(width, height)
    placed = _GPS in exif or _XMP_GPS in content
    if kind in _KEPT and orientation == 1 and mode in ("RGB", "L") and longest <= LONGEST_PX and not placed:
        kept, size, suffix = content, (width, height), _KEPT[kind]
    else:
        suffix = ".png" if kind == "PNG" else ".jpg"
        kept, size = _anew(photo, suffix)
    return Arrived(photo.sha256, (width, height), raw, orientation, suffix, kept, size, look_of(photo.pixels))


def _anew(photo: Photo, suffix: str) -> tuple[bytes, tuple[int, int]]:
    """Return a photo's new file, and its width and height."""
    height, width = photo.pixels.shape[:2]
    factor = min(1.0, LONGEST_PX / max(width, height))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    image = Image.fromarray(photo.pixels)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    if suffix == ".png":
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue(), size


def turned_sideways(orientation: int) -> bool:
    """Return whether turning a photo upright swaps its width and height."""
    return orientation in _SIDEWAYS


def turn_boxes(boxes: NDArray[np.float64], width: float, height: float, orientation: int) -> NDArray[np.float64]:
    """Return boxes of a photo as it is stored, as they lie when it is turned upright.

    Args:
        boxes: (n, 4) of left, top, right, bottom.
        width: Of the stored photo, in the boxes' unit.
        height: The same.
        orientation: EXIF's, 1 to 8.

    Source: EXIF 2.32, tag 0x0112, as `PIL.ImageOps.exif_transpose` applies it.
    """
    left, top, right, bottom = boxes.reshape(-1, 4).T
    if orientation >= 5:  # transposed first: x and y change places
        left, top, right, bottom = top, left, bottom, right
        width, height = height, width
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return np.stack([left, top, right, bottom], axis=1)


class Names:
    """Gives each photo a name that every system takes, and none twice."""

    def __init__(self, taken: set[str] | None = None) -> None:
        self._taken = {name.lower() for name in taken or ()}

    def give(self, origin: str, suffix: str) -> str:
        """Return a name for the photo that came from `origin`."""
        stem = unicodedata.normalize("NFC", PurePosixPath(origin.replace("\\", "/")).stem)
        stem = re.sub(r"[^\w.-]+", "-", stem).strip(".-")[:_LONGEST_NAME] or "photo"
        if _RESERVED.fullmatch(stem):
            stem = f"photo-{stem}"
        name, number = f"{stem}{suffix}", 1
        while name.lower() in self._taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._taken.add(name.lower())
        return name


def store(folder: Path, name: str, content: bytes) -> None:
    """Write a photo's file.

    Raises:
        RepairError: The disk is full, or the folder cannot be written.
    """
    try:
        (folder / name).write_bytes(content)
    except OSError as error:
        raise disk_error(folder / name, error) from None
