"""Reads a photo from a file: any format a phone or a camera makes, the right way up, and never a trap."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pi_heif import register_heif_opener
from PIL import Image, ImageOps, UnidentifiedImageError

from repairai.errors import RepairError

MAX_BYTES = 100 * 2**20
MAX_PIXELS = 50_500_000
"""What phones give (12 to 50 MP: 8192 x 6144 px at most), little enough that an inspection stays under 1 GiB of memory
whatever the kind of file: `benchmarks/inspection.py` measures it."""
MIN_SIDE_PX = 64
_STRIP_PX = 256
KINDS = "JPEG, PNG, WebP, HEIC, TIFF or BMP"
_ONE_IN_SEVERAL = {"MPO", "HEIF", "AVIF"}
"""Formats in which phones put previews, depth or the next shot beside the photo: the first picture is the photo."""
_DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, MemoryError, RuntimeError,
    struct.error,
)  # fmt: skip
"""What decoders raise on files that begin well and end badly, as fuzzing them shows."""


@dataclass(frozen=True)
class Photo:
    """A photo as it is to be looked at.

    Args:
        name: The file's name, for people.
        sha256: Of the file's bytes, in hex.
        pixels: RGB uint8 (H, W, 3), turned as EXIF says.
    """

    name: str
    sha256: str
    pixels: NDArray[np.uint8]


def read_photo(path: Path) -> Photo:
    """Return the photo in a file.

    Raises:
        RepairError: There is no file, or it is not one whole, still photo of a sensible size.
    """
    try:
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode) and not stat.S_ISDIR(seen.st_mode):
            raise RepairError(f"{path} is a device or a pipe, not a file", f"give a {KINDS} file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)  # a file may grow, and one of the system's has no size
    except FileNotFoundError:
        raise RepairError(f"there is no photo at {path}", "check the name") from None
    except IsADirectoryError:
        raise RepairError(f"{path} is a folder", "give the photos in it by name") from None
    except OSError as error:
        raise RepairError(
            f"{path.name} cannot be read: {error.strerror}", "check the file and its permissions"
        ) from None
    if len(content) > MAX_BYTES:
        megabytes = max(len(content), seen.st_size) / 2**20
        raise RepairError(f"{path.name} has {megabytes:.0f} MB", f"give a photo of at most {MAX_BYTES >> 20} MB")
    return parse_photo(content, path.name)


def parse_photo(content: bytes, name: str) -> Photo:
    """Return the photo that a file's bytes hold; see `read_photo`."""
    if not content:
        raise RepairError(f"{name} is empty (0 bytes)", "take or copy the photo again")
    register_heif_opener()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is told below
            with Image.open(io.BytesIO(content)) as image:
                _check(image, name)
                ImageOps.exif_transpose(image, in_place=True)
                pixels = _pixels(image)
    except UnidentifiedImageError:
        raise RepairError(f"{name} is not a photo that can be read", f"give a {KINDS} file") from None
    except Image.DecompressionBombError:
        raise RepairError(
            f"{name} would unpack to far over {MAX_PIXELS // 10**6} megapixels", "give a smaller photo"
        ) from None
    except _DAMAGE as error:
        detail = " ".join(str(error).split())
        raise RepairError(f"{name} is damaged or cut short ({detail})", "take or copy the photo again") from None
    return Photo(name, hashlib.sha256(content).hexdigest(), pixels)


def _check(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        size = f"{width} x {height} px ({width * height / 1e6:.0f} megapixels)"
        raise RepairError(f"{name} has {size}", f"give a photo of at most {MAX_PIXELS // 10**6} megapixels")
    if min(width, height) < MIN_SIDE_PX:
        raise RepairError(
            f"{name} has only {width} x {height} px", f"give a photo of at least {MIN_SIDE_PX} px each way"
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in _ONE_IN_SEVERAL:
        raise RepairError(f"{name} holds {frames} pictures, one after another", "give one still photo")


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return the picture as RGB, a strip at a time: whole copies of a large one would fill the memory."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _in_8_bits(image)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP_PX):
        bottom = min(top + _STRIP_PX, image.height)
        pixels[top:bottom] = np.asarray(_rgb(image.crop((0, top, image.width, bottom))))
    return pixels


def _in_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    top = 255.0 if values.max() <= 255 else 65535.0
    return Image.fromarray((np.clip(values / top, 0, 1) * 255).astype(np.uint8))


def _rgb(image: Image.Image) -> Image.Image:
    """Return the picture in RGB; what is transparent lies on grey."""
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        ground = Image.new("RGBA", clear.size, (128, 128, 128, 255))
        return Image.alpha_composite(ground, clear).convert("RGB")
    return image.convert("RGB")
