"""Reads what a reasoner is shown: a photo, or a part of one that may be too small to be taken for a photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from repairai.errors import RepairError


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return a picture as RGB uint8 (H, W, 3), as it is shown.

    Raises:
        RepairError: It is not there, or is none.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except FileNotFoundError:
        raise RepairError(f"{path.name} is not in {path.parent}", "build the states again") from None
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RepairError(f"{path.name} cannot be read as a photo: {error}", "build the states again") from None
