"""Photos as a detector is trained on them: looked at whole or through a tile, augmented, small, uint8.

Which random numbers a photo is augmented with follows from the seed and from how many were drawn before it, so that a
training that goes on later, or with other processes that load, sees what it would have seen.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.utils.data import Dataset, Sampler

from repairai.errors import RepairError
from repairai.hardware.recipe import Augmentation
from repairai.vision import tiles
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import LabelledPhoto, PhotoSet
from training.detector.augment import NEAREST, augment

CACHE_SHARE, MOST_CACHED = 0.25, 3 * 2**30
"""Of the memory that is free, and bytes at most, that photos may take which were read and made small before."""
TILED = 0.5
"""How often a photo that is inspected in tiles is trained on through one of them."""

ORIENTATION = 0x0112
"""EXIF's tag; from 5 on width and height change places."""

Window = tuple[float, float, float, float]


class Kept:
    """Keeps small photos in memory that all loading processes share; those that find no room are read each time.

    Args:
        sizes: (n, 2) height and width of each small photo, px.
        most_bytes: Taken at most; it fills as photos are read.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], most_bytes: int) -> None:
        self.sizes = list(sizes)
        self.places: list[int | None] = []
        end = 0
        for height, width in sizes:
            fits = end + height * width * 3 <= most_bytes
            self.places.append(end if fits else None)
            end += height * width * 3 * fits
        self._map: mmap.mmap | None = mmap.mmap(-1, max(end + len(sizes), 1))
        self._flags = end

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory behind where a process is not forked: there each keeps its own nothing."""
        return {**self.__dict__, "_map": None}

    def get(self, index: int) -> NDArray[np.uint8] | None:
        """Return a photo, or None where it is not kept."""
        place = self.places[index]
        if self._map is None or place is None or not self._map[self._flags + index]:
            return None
        height, width = self.sizes[index]
        pixels = np.frombuffer(self._map, np.uint8, height * width * 3, place)
        return pixels.reshape(height, width, 3)

    def put(self, index: int, photo: NDArray[np.uint8]) -> None:
        """Keep a photo, where there is room for it."""
        place = self.places[index]
        if self._map is None or place is None or photo.shape[:2] != self.sizes[index]:
            return
        self._map[place : place + photo.nbytes] = photo.tobytes()
        self._map[self._flags + index] = 1


class Photos(Dataset[dict[str, Any]]):
    """Augmented photos with their boxes, as detectors of the DETR family take them.

    Each item is `pixel_values` (size, size, 3) uint8 and `labels` with `class_labels` (n,) and `boxes` (n, 4) of
    centre x, centre y, width and height as shares of what is seen. There are no areas to become stale.

    Args:
        photos: The set.
        chosen: Those of its photos that are trained on.
        labels: The number of each part.
        size_px: Side of the square input.
        preset: What each goes through.
        seed: Of that.
        keep: Whether small photos are kept in memory.
    """

    def __init__(
        self, photos: PhotoSet, chosen: Sequence[LabelledPhoto], labels: dict[str, int], size_px: int,
        preset: Augmentation = "none", seed: int = 0, keep: bool = True,
    ) -> None:  # fmt: skip
        self.chosen, self.size_px, self.preset, self.seed = list(chosen), size_px, preset, seed
        self.paths = [photos.path(each) for each in self.chosen]
        self.boxes = [np.array([box.box for box in each.boxes], np.float32).reshape(-1, 4) for each in self.chosen]
        self.labels = [np.array([labels[box.part] for box in each.boxes], np.int64) for each in self.chosen]
        most = min(CACHE_SHARE * psutil.virtual_memory().available, MOST_CACHED) if keep else 0
        self.kept = Kept([self._small(each)[::-1] for each in self.chosen], int(most))

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.chosen)

    def __getitem__(self, key: int | tuple[int, int]) -> dict[str, Any]:
        """Return a photo: its number, and how many were drawn before it."""
        index, drawn = (key, 0) if isinstance(key, int) else key
        rng = np.random.default_rng((self.seed, drawn, index))
        window = self.tile(index, rng) if self.preset != "none" else None
        return self.item(index, rng, window)

    def whole(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """Return a photo with all its boxes, whatever the preset."""
        return self.item(index, rng, preset="none")

    def item(
        self, index: int, rng: np.random.Generator, window: Window | None = None, preset: Augmentation | None = None
    ) -> dict[str, Any]:
        """Return a photo as it is seen through a window; None for all of it."""
        preset = preset or self.preset
        photo, to_small = self.read(index, window)
        boxes = self.boxes[index] * to_small
        seen_through = None if window is None else tuple(float(edge) for edge in np.asarray(window) * to_small)
        seen = augment(photo, boxes, rng, self.size_px, preset, seen_through)  # type: ignore[arg-type]
        corners = seen.boxes[seen.kept] / self.size_px
        shares = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
        labels = {
            "class_labels": torch.from_numpy(self.labels[index][seen.kept]),
            "boxes": torch.from_numpy(shares.astype(np.float32)),
        }
        return {"pixel_values": torch.from_numpy(seen.photo.copy()), "labels": labels}

    def read(self, index: int, window: Window | None = None) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return a photo, RGB uint8 (H, W, 3), no larger than need be, and (4,) how much smaller its boxes are.

        Raises:
            RepairError: It cannot be read.
        """
        each = self.chosen[index]
        found = self.kept.get(index) if window is None else None
        if found is None:
            found = _read(self.paths[index], each, self._small(each, window))
            if window is None:
                self.kept.put(index, found)
        height, width = found.shape[:2]
        return found, np.array([width / each.width, height / each.height] * 2, np.float32)

    def _small(self, each: LabelledPhoto, window: Window | None = None) -> tuple[int, int]:
        """Return the width and height in which a photo shows all that can be seen of it through a window."""
        most = NEAREST * self.size_px
        wide, high = (each.width, each.height) if window is None else (window[2] - window[0], window[3] - window[1])
        return min(each.width, round(each.width * most / wide)), min(each.height, round(each.height * most / high))

    def tile(self, index: int, rng: np.random.Generator, always: bool = False) -> Window | None:
        """Return the tile of a large photo through which it is seen, with a part in it where there is one."""
        each = self.chosen[index]
        found = tiles.windows(each.width, each.height, self.size_px)[1:]
        if not len(found) or (not always and rng.random() >= TILED):
            return None
        boxes = self.boxes[index]
        if len(boxes):
            middle = (boxes[:, :2] + boxes[:, 2:])[rng.integers(len(boxes))] / 2
            with_it = found[np.all((found[:, :2] <= middle) & (middle <= found[:, 2:]), axis=1)]
            found = with_it if len(with_it) else found
        left, top, right, bottom = (float(edge) for edge in found[rng.integers(len(found))])
        return left, top, right, bottom


def check(photos: PhotoSet, chosen: Sequence[LabelledPhoto], tell: Callable[[], None] = lambda: None) -> None:
    """See that photos are there and are those whose boxes were drawn: only their first bytes are read.

    Args:
        photos: The set.
        chosen: Of its photos.
        tell: Called now and then, and free to raise.

    Raises:
        RepairError: One is not.
    """
    for number, each in enumerate(chosen):
        if number % 256 == 0:
            tell()
        path = photos.path(each)
        try:
            with Image.open(path) as image:
                turned = image.getexif().get(ORIENTATION, 1) > 4
                size = image.size[::-1] if turned else image.size
        except OSError:  # it is none that Pillow knows by itself, or it is damaged: this says which
            pixels = read_photo(path).pixels
            size = pixels.shape[1], pixels.shape[0]
        _check_size(each, size)


def _check_size(each: LabelledPhoto, size: tuple[int, int]) -> None:
    if size != (each.width, each.height):
        raise RepairError(
            f"{each.name} is {size[0]} x {size[1]} px, and its boxes are for {each.width} x {each.height}",
            "label it again, or let `python -m repairai photos doctor` look",
        )


def _read(path: Path, each: LabelledPhoto, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a photo in that width and height, the right way up."""
    try:
        with Image.open(path) as image:
            plain = image.format == "JPEG" and image.mode == "RGB"
            if plain:  # decoded at half or a quarter of its size where that is enough
                image.draft("RGB", size[::-1] if image.getexif().get(ORIENTATION, 1) > 4 else size)
                picture = ImageOps.exif_transpose(image)
                picture.load()
    except OSError:
        plain = False
    if not plain:
        picture = Image.fromarray(read_photo(path).pixels)
        _check_size(each, picture.size)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(picture)


def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: photos stacked, boxes in a list."""
    return {
        "pixel_values": torch.stack([item["pixel_values"] for item in items]),
        "labels": [item["labels"] for item in items],
    }


class Drawn(Sampler[tuple[int, int]]):
    """Draws photos, each epoch in another order, the same for a seed; each with how many were drawn before it.

    Args:
        chances: Of each photo, relative to the others; empty: each once in an epoch.
        n: Photos of an epoch.
        seed: Of the order.
    """

    def __init__(self, chances: Sequence[float], n: int, seed: int) -> None:
        self.chances, self.n, self.seed, self.epoch = np.array(chances, np.float64), n, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of photos in an epoch."""
        return self.n

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the number of a photo, and how many were drawn before it."""
        rng = np.random.default_rng((self.seed, self.epoch))
        if len(self.chances):
            order = rng.choice(self.n, self.n, p=self.chances / self.chances.sum())
        else:
            order = rng.permutation(self.n)
        for at, index in enumerate(order.tolist()):
            yield index, self.epoch * self.n + at


def chances(chosen: Sequence[LabelledPhoto], shares: dict[str, float]) -> list[float]:
    """Return how likely each photo is drawn, so that each source gets its share; empty where there are no shares.

    Raises:
        RepairError: A source has no share, or a share has no photos.
    """
    if not shares:
        return []
    # A source may say what within it a photo was made from: "bench/picture_7" is of the source "bench".
    sources = [each.source if each.source in shares else each.source.split("/")[0] for each in chosen]
    if unknown := set(sources) ^ set(shares):
        raise RepairError(
            f"the recipe's shares and the photos' sources differ by {', '.join(sorted(unknown)[:5])}",
            f"name each source once under shares: {', '.join(sorted(set(sources))[:8])}",
        )
    counts = {source: sources.count(source) for source in shares}
    return [shares[source] / counts[source] for source in sources]
