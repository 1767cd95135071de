"""What cut-out parts are laid on: photos of a folder, photos of the set, and surfaces that are drawn."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repairai.errors import RepairError
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import LabelledPhoto, PhotoSet
from training.detector.alike import ALIKE, look_of, looks
from training.detector.paste import LONGEST_PX, Ground
from training.scenes.surfaces import SURFACES


def backgrounds_in(folder: Path, photos: PhotoSet) -> tuple[list[Path], int]:
    """Return the photos of a folder that show nothing that a detector is measured with, and how many were left out.

    Raises:
        RepairError: There is no such folder, or no such photo in it.
    """
    if not folder.is_dir():
        raise RepairError(f"there is no folder {folder}", "check --backgrounds")
    kept = {each.name for each in photos.photos if each.split != "train"}
    measured = [_plain(look) for name, look in looks(photos)[0].items() if name in kept] if kept else []
    found, refused = [], 0
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        try:
            look = _plain(look_of(read_photo(path).pixels))
        except RepairError:
            refused += 1
            continue
        if any(float((look * other).sum()) >= ALIKE[0] for other in measured):
            refused += 1
        else:
            found.append(path)
    if not found:
        raise RepairError(f"{folder} holds no photo to lay parts on", "give photos without any of the parts")
    return found, refused


def _plain(look: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = look.astype(np.float32) - look.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6))


def some_ground(
    rng: np.random.Generator, photos: PhotoSet, own: tuple[LabelledPhoto, ...], backgrounds: list[Path]
) -> Ground:
    """Return something to lay parts on: a picture of the folder, a photo of the set, a drawn surface."""
    empty = [each for each in own if not each.boxes]
    filled = [each for each in own if each.boxes]
    ways = [("folder", 3.0 if backgrounds else 0.0), ("empty", 2.0 if empty else 0.0), ("own", 1.0), ("surface", 1.5)]
    weights = np.array([weight for _, weight in ways])
    way = ways[rng.choice(len(ways), p=weights / weights.sum())][0]
    with suppress(RepairError):  # a photo that cannot be read: the surface takes its place
        if way == "folder":
            path = backgrounds[rng.integers(len(backgrounds))]
            return Ground(_some(rng, read_photo(path).pixels), path.name)
        if way == "empty":
            photo = empty[rng.integers(len(empty))]
            return Ground(_some(rng, read_photo(photos.path(photo)).pixels), photo.name)
        if way == "own":
            photo = filled[rng.integers(len(filled))]
            return Ground(read_photo(photos.path(photo)).pixels, photo.name, photo.boxes)
    kind = sorted(SURFACES)[rng.integers(len(SURFACES))]
    short = int(rng.uniform(0.55, 1) * LONGEST_PX)
    width, height = (LONGEST_PX, short) if rng.random() < 0.5 else (short, LONGEST_PX)
    return Ground((SURFACES[kind](rng, width, height) * 255).astype(np.uint8), f"drawn {kind}")


def _some(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return three fifths or more of each side of a background, so that it is not always the same."""
    height, width = pixels.shape[:2]
    high, wide = (int(side * rng.uniform(0.6, 1)) for side in (height, width))
    y, x = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    return pixels[y : y + high, x : x + wide]
