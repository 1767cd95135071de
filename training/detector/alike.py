"""Tells photos that show the same thing: versions of one photo, by its name or by its look.

A look is the photo in grey on 32 x 32 px. Two looks are alike where they correlate, as they are, turned by quarters or
mirrored: that finds copies in another size, quality, brightness or turn. Photos that were turned by a few degrees or
cut look different; of these only Roboflow's names tell. (Hashes of 64 bits were tried first: on `screws_amv` they find
no more, and take hundreds of pairs of different photos for one.)
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import LabelledPhoto, PhotoSet
from training.detector.splits import base_name

SIDE_PX, COARSE_PX = 32, 8
ALIKE = (0.98, 0.99, 0.995)
"""Correlation from which on two photos show the same thing; a higher one where all photos of a place look alike."""
LARGEST_GROUP = 0.3
"""Share of all photos above which a group is no photo with its copies, but all that a camera on a stand took."""
_COARSE = 0.96
"""Of looks on 8 x 8 px, which sort out nearly all pairs at a sixteenth of the work."""
_BLOCK = 512
LOOKS = "looks.npz"
Look = NDArray[np.uint8]


def look_of(pixels: NDArray[np.uint8]) -> Look:
    """Return a photo in grey on 32 x 32 px: uint8 (32, 32)."""
    image = Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return np.asarray(image.convert("L"))


def source_of(origin: str, collection: str, name: str) -> str:
    """Return what a photo was made from: Roboflow's versions of a photo have one source, every other photo its own.

    Args:
        origin: Its name where it came from.
        collection: Name of the source that it came with.
        name: Its own name in the set, which no other has.
    """
    stem = PurePosixPath(origin.replace("\\", "/")).stem
    base = base_name(stem)
    return f"{collection}/{base if base != stem else PurePosixPath(name).stem}"


# ---- looks kept beside a set


def write_looks(photos: PhotoSet, looks: Mapping[str, Look]) -> None:
    """Keep the looks of a set's photos beside it, with the sizes of the files that they were taken of."""
    names = [photo.name for photo in photos.photos if photo.name in looks]
    out = io.BytesIO()
    np.savez(
        out,
        names=np.array(names, dtype=np.str_),
        looks=np.array([looks[name] for name in names], np.uint8).reshape(-1, SIDE_PX, SIDE_PX),
        sizes=np.array([_bytes(photos.folder, name) for name in names], np.int64),
    )
    write_whole(photos.folder / LOOKS, out.getvalue())


def looks(photos: PhotoSet) -> tuple[dict[str, Look], dict[str, str]]:
    """Return the look of each photo that can be read, and of each other one why it cannot; made photos are left out.

    Only photos that are new since the looks were kept are opened.
    """
    known = _kept(photos.folder)
    found: dict[str, Look] = {}
    damaged: dict[str, str] = {}
    for photo in photos.photos:
        if photo.made:  # never compared
            continue
        size, look = known.get(photo.name, (-2, None))
        if look is not None and size == _bytes(photos.folder, photo.name):
            found[photo.name] = look
            continue
        try:
            pixels = read_photo(photos.path(photo)).pixels
        except RepairError as error:
            damaged[photo.name] = error.what
            continue
        found[photo.name] = look_of(pixels)
    if any(name not in known for name in found):
        write_looks(photos, found)
    return found, damaged


def _kept(folder: Path) -> dict[str, tuple[int, Look]]:
    try:
        with np.load(folder / LOOKS, allow_pickle=False) as file:
            return {
                str(name): (int(size), look)
                for name, size, look in zip(file["names"], file["sizes"], file["looks"], strict=True)
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def _bytes(folder: Path, name: str) -> int:
    try:
        return (folder / "photos" / name).stat().st_size
    except OSError:
        return -1


# ---- groups


def with_sources(photos: Sequence[LabelledPhoto], seen: Mapping[str, Look]) -> tuple[LabelledPhoto, ...]:
    """Return photos with one source for all that show the same thing, by their names and their looks.

    Made photos stay as they are: they look like what they were made of, and are to train on alone.

    Args:
        photos: With the sources that their names give them.
        seen: Look of each; those without one keep their source.
    """
    taken = [photo for photo in photos if not photo.made]
    names = [photo.name for photo in taken if photo.name in seen]
    pairs = sorted(_pairs([seen[name] for name in names]), key=lambda each: -each[2])
    own = {photo.name: photo.source or photo.name for photo in taken}
    for least in ALIKE:
        joined = _joined(own, [(names[one], names[other]) for one, other, score in pairs if score >= least])
        before, after = Counter(own.values()), Counter(joined.values())
        largest = max(after.values(), default=0)
        if largest <= max(LARGEST_GROUP * len(taken), 4, *before.values()):
            return tuple(photo if photo.made else replace(photo, source=joined[photo.name]) for photo in photos)
    return tuple(photos)


def _joined(own: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the source of each photo where those of a pair share theirs."""
    parent = {source: source for source in own.values()}

    def root(source: str) -> str:
        while parent[source] != source:
            parent[source] = source = parent[parent[source]]
        return source

    for one, other in pairs:
        first, second = sorted((root(own[one]), root(own[other])))
        parent[second] = first
    return {name: root(source) for name, source in own.items()}


def _pairs(seen: Sequence[Look]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of photos that are alike, with their correlation."""
    if len(seen) < 2:
        return
    fine = np.stack(seen)
    step = SIDE_PX // COARSE_PX
    coarse = fine.reshape(-1, COARSE_PX, step, COARSE_PX, step).mean((2, 4), dtype=np.float32)
    ways = [_normal(way) for way in _ways(coarse)]
    for top in range(0, len(seen), _BLOCK):
        own = ways[0][top : top + _BLOCK]
        best = own @ ways[0][top:].T
        for way in ways[1:]:
            np.maximum(best, own @ way[top:].T, out=best)
        rows, columns = np.nonzero(np.triu(best >= _COARSE, 1))
        for start in range(0, len(rows), _BLOCK):
            one, other = rows[start : start + _BLOCK] + top, columns[start : start + _BLOCK] + top
            plain = _normal(fine[one].astype(np.float32))
            turned = [_normal(way) for way in _ways(fine[other].astype(np.float32))]
            scores = np.max([(plain * way).sum(1) for way in turned], axis=0)
            for each in np.nonzero(scores >= ALIKE[0])[0]:
                yield int(one[each]), int(other[each]), float(scores[each])


def _ways(looks_of: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield looks (n, side, side) as they are, and in the seven other ways that quarter turns and a mirror make."""
    for turns in range(4):
        turned = np.rot90(looks_of, turns, axes=(1, 2))
        yield turned
        yield turned[:, :, ::-1]


def _normal(looks_of: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return looks as rows of mean 0 and length 1, whose products are correlations; of one grey alone, zeros."""
    flat = np.ascontiguousarray(looks_of).reshape(len(looks_of), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    plain = length < SIDE_PX / 4  # hardly a trace of anything: such photos are alike only byte for byte
    return np.where(plain, 0, flat / np.maximum(length, 1e-6)).astype(np.float32)
