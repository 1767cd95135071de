"""A pair of folders: photos of which the answer is yes, and photos of which it is no."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.vision.photo import read_photo
from training.detector.alike import look_of, source_of
from training.judge.shown import Answer, Offered, Shown, Task, as_file
from training.judge.wanted import Source

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".mpo")
)  # fmt: skip

SPLIT_NAMES = frozenset(("train", "training", "val", "valid", "validate", "validation", "dev", "test", "testing"))


def offered(wanted: Source) -> Offered:
    """Return the photos of two folders, with those of folders in them.

    Raises:
        RepairError: One of them is not there, or holds no photos.
    """
    given: tuple[tuple[str, Answer], ...] = ((wanted.yes, "yes"), (wanted.no, "no"))
    folders = [(expanded(place), answer) for place, answer in given if place]
    if len(folders) == 2 and folders[0][0].resolve() == folders[1][0].resolve():
        raise RepairError(f"{folders[0][0]} is given for yes and for no", "give two folders")
    collection = _collection([folder for folder, _ in folders])
    tasks: list[Task] = []
    for folder, answer in folders:
        found = photos_in(folder)
        for path in found:
            origin = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            tasks.append(Task(origin, partial(_shown, path, origin, collection, wanted, answer)))
    return Offered(collection, tasks)


def photos_in(folder: Path) -> list[Path]:
    """Return the photos in a folder and in folders of it, by their names.

    Raises:
        RepairError: It is not there, or holds none.
    """
    if not folder.is_dir():
        raise RepairError(f"there is no folder {folder}", "give a folder of photos")
    try:
        found = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in SUFFIXES
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )
    except OSError as error:
        raise RepairError(f"{folder} cannot be read: {error.strerror}", "check its permissions") from None
    if not found:
        raise RepairError(f"there are no photos in {folder}", "give a folder with JPEG, PNG, WebP or HEIC files")
    return found


def _collection(folders: Sequence[Path]) -> str:
    """Return the name of what two folders lie in, where they lie in one; else their own.

    A folder that is named after a split says nothing: what it lies in counts.
    """
    parents = {folder.resolve().parent for folder in folders}
    if len(parents) > 1:
        return "-".join(folder.name for folder in folders)
    place = parents.pop()
    while place.name.lower() in SPLIT_NAMES and place.parent != place:
        place = place.parent
    return place.name or "folders"


def _shown(path: Path, origin: str, collection: str, wanted: Source, answer: Answer) -> tuple[Shown, ...]:
    photo = read_photo(path)
    content, suffix = as_file(photo.pixels)
    size = (photo.pixels.shape[1], photo.pixels.shape[0])
    base = source_of(origin, collection, "")
    split = "" if wanted.split == "shared" else wanted.split
    return (
        Shown(
            origin, photo.sha256, content, suffix, size, "" if base == f"{collection}/" else base,
            look_of(photo.pixels), wanted.question, wanted.opposite, answer, split,
        ),
    )  # fmt: skip
