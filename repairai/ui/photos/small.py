"""Photos of a set made small for the page, when they are looked at: twenty thousand of them are never sent."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from repairai.errors import RepairError

TILE_PX, LARGE_PX, TALL_PX = 320, 1400, 900
"""Longest side of a photo among others, and width and height of one alone: so that it can be seen as a whole."""
MOST_KEPT = 256
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, MemoryError)


def tile(path: Path) -> str:
    """Return a small photo as the address of an image; empty where it cannot be read, which its tile then says."""
    try:
        return _tile(path, path.stat().st_mtime_ns)
    except (UnidentifiedImageError, Image.DecompressionBombError, *_DAMAGE):
        return ""


@lru_cache(maxsize=MOST_KEPT)
def _tile(path: Path, changed: int) -> str:
    buffer = io.BytesIO()
    _shrunk(path, TILE_PX, TILE_PX).save(buffer, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def large(path: Path) -> Image.Image:
    """Return a photo as it is drawn on: upright, in RGB, of `LARGE_PX` by `TALL_PX` at most.

    Raises:
        RepairError: It cannot be read.
    """
    try:
        return _shrunk(path, LARGE_PX, TALL_PX)
    except (UnidentifiedImageError, Image.DecompressionBombError, *_DAMAGE):
        raise RepairError(f"the photo {path.name} cannot be read", "let the doctor look at these photos") from None


def _shrunk(path: Path, width: int, height: int) -> Image.Image:
    with Image.open(path) as image:
        image.draft("RGB", (width, height))  # a JPEG is decoded no finer than it is needed
        picture = ImageOps.exif_transpose(image).convert("RGB")
    picture.thumbnail((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return Image.fromarray(np.asarray(picture))
