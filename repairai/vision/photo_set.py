"""Labelled photos for a detector: one folder with the photos and one COCO file that says what is on them.

    <home>/data/detector/<name>/photos/*.jpg
    <home>/data/detector/<name>/annotations.coco.json

The file is plain COCO, so that other tools read it. What COCO has no word for stands beside its own keys: of a photo
its split, the source that it was made from and the file that it came from; of a box who drew it and whether a person
looked at it; of a category the id that it had where it came from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock, Timeout

from repairai.errors import RepairError
from repairai.files import disk_error, home, read_text, write_whole

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
ANNOTATIONS, PHOTOS, REPORT = "annotations.coco.json", "photos", "report.json"
LOCK_SECONDS = 20.0
PERSON, IMPORTED = "person", "import"
MODEL = "model:"
"""What `by` of a box begins with that a model drew."""
PASTED, RENDERED = "pasted", "rendered"
"""What `source` of a made photo says."""


@dataclass(frozen=True)
class LabelledBox:
    """One part on a photo.

    Args:
        part: One of the set's.
        box: Left, top, right, bottom in px of the photo.
        by: Who drew it: `person`, `import`, or `model:` with a model's name.
        checked: Whether a person has looked at it.
        score: Of the model that drew it; None for others.
    """

    part: str
    box: tuple[float, float, float, float]
    by: str = IMPORTED
    checked: bool = False
    score: float | None = None

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError(f"need left < right and top < bottom, got {self.box}")


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo with its parts.

    Args:
        name: Of its file in `photos`, no path.
        width: px.
        height: px.
        boxes: None of them for a photo of background.
        split: What it is for.
        source: `<collection>/<what it was made from>`: photos with the same source show the same thing, and never stand
            in two splits; of a made photo `pasted` or `rendered`: these are to train on alone.
        origin: Where it came from: a file's name, for the person.
        labelled: Whether somebody said what is on it; a photo that nobody has labelled trains nothing.
    """

    name: str
    width: int
    height: int
    boxes: tuple[LabelledBox, ...] = ()
    split: Split = "train"
    source: str = ""
    origin: str = ""
    labelled: bool = True

    def __post_init__(self) -> None:
        if Path(self.name).name != self.name or not self.name or "\\" in self.name:
            raise ValueError(f"need a file's name without a path, got {self.name!r}")
        if self.split not in SPLITS:
            raise ValueError(f"need split to be one of {', '.join(SPLITS)}, got {self.split!r}")

    @property
    def made(self) -> bool:
        """Return whether no camera took it: a scene that was pasted or rendered."""
        return self.source in (PASTED, RENDERED)

    @property
    def waits(self) -> bool:
        """Return whether a model drew boxes on it that wait for a person's yes."""
        return not self.labelled and any(box.by.startswith(MODEL) and not box.checked for box in self.boxes)


@dataclass(frozen=True)
class PhotoSource:
    """Where photos came from, as it goes into the card of whatever is trained on them.

    Args:
        name: Of the dataset, or the folder.
        licence: As it is given; empty where nobody said.
        url: Where it can be found; empty for a person's own.
        photos: How many.
    """

    name: str
    licence: str = ""
    url: str = ""
    photos: int = 0


@dataclass(frozen=True)
class PhotoSet:
    """Labelled photos.

    Args:
        folder: Where they lie.
        parts: Names of what is labelled; the place of each is its number for the detector.
        photos: In the order of their names.
        sources: Where they came from.
        original_ids: For each part the id that it had where it came from; empty where there was none.
    """

    folder: Path
    parts: tuple[str, ...]
    photos: tuple[LabelledPhoto, ...]
    sources: tuple[PhotoSource, ...] = ()
    original_ids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Return the set's name, which is its folder's."""
        return self.folder.name

    def path(self, photo: LabelledPhoto) -> Path:
        """Return where a photo lies."""
        return self.folder / PHOTOS / photo.name

    def of(self, split: Split) -> tuple[LabelledPhoto, ...]:
        """Return the labelled photos of a split."""
        return tuple(each for each in self.photos if each.split == split and each.labelled)

    def photo(self, name: str) -> LabelledPhoto:
        """Return a photo by its name.

        Raises:
            RepairError: There is none of it.
        """
        for each in self.photos:
            if each.name == name:
                return each
        raise RepairError(f"{self.name} holds no photo {name}", "reload the page; it may have been deleted")


# ---- where they lie


def photo_sets_folder() -> Path:
    """Return the folder of all sets of photos, which need not exist."""
    return home() / "data" / "detector"


def photo_set_folder(name: str) -> Path:
    """Return the folder of a set by its name, whether it is there or not.

    Raises:
        RepairError: The name is none.
    """
    if not re.fullmatch(r"[\w][\w. -]{0,63}", name) or name.endswith((".", " ")):
        raise RepairError(f"{name!r:.80} is no name for photos", "take letters, digits and hyphens, 64 at most")
    return photo_sets_folder() / name


def photo_sets() -> tuple[str, ...]:
    """Return the names of all sets, the newest first."""
    found: list[tuple[float, str]] = []
    for path in photo_sets_folder().glob(f"[!.]*/{ANNOTATIONS}"):
        with suppress(OSError):  # it was deleted meanwhile
            found.append((path.stat().st_mtime, path.parent.name))
    return tuple(name for _, name in sorted(found, reverse=True))


# ---- read and written


def read_photo_set(folder: Path) -> PhotoSet:
    """Return the photos in a folder.

    Raises:
        RepairError: There are none, or the file is damaged.
    """
    path = folder / ANNOTATIONS
    if not path.is_file():
        raise RepairError(f"{folder} holds no {ANNOTATIONS}", "import photos with `python -m repairai photos import`")
    try:
        return _from_coco(folder, json.loads(read_text(path)))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise RepairError(f"{path} is damaged: {error!s:.200}", "import the photos again") from None


def write_photo_set(photos: PhotoSet) -> None:
    """Write what is known of the photos, whole or not at all; the photos themselves are left as they are.

    Raises:
        RepairError: It cannot be written.
    """
    text = json.dumps(_as_coco(photos), ensure_ascii=False, separators=(",", ":"))
    write_whole(photos.folder / ANNOTATIONS, text.encode())


def edit(folder: Path, change: Callable[[PhotoSet], PhotoSet]) -> PhotoSet:
    """Change a set as it is now, one change after the other whoever makes them, and return it.

    Raises:
        RepairError: It cannot be read or written, or somebody else is long at it.
    """
    if not folder.is_dir():  # a lock would make the folder
        return read_photo_set(folder)
    try:
        with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            changed = change(read_photo_set(folder))
            write_photo_set(changed)
    except Timeout:
        raise RepairError(f"{folder.name} is being changed", "try again when that has ended") from None
    except OSError as error:
        raise disk_error(folder, error) from None
    return changed


def with_boxes(photos: PhotoSet, name: str, boxes: tuple[LabelledBox, ...]) -> PhotoSet:
    """Return the set with other boxes on one photo; a part that is new to the set becomes its last.

    Raises:
        RepairError: There is no such photo.
    """
    old = photos.photo(name)
    parts = tuple(dict.fromkeys((*photos.parts, *(box.part for box in boxes))))
    new = replace(old, boxes=boxes, labelled=True)
    kept = tuple(new if each.name == name else each for each in photos.photos)
    ids = photos.original_ids
    return replace(photos, parts=parts, photos=kept, original_ids=ids if len(parts) == len(photos.parts) else ())


# ---- what the doctor wrote of it


def digest_of_annotations(folder: Path) -> str:
    """Return the SHA-256 of what is known of the photos, by which a report tells what it speaks of; empty for none."""
    try:
        with (folder / ANNOTATIONS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def is_report_stale(folder: Path, report: Mapping[str, Any]) -> bool:
    """Tell whether a set was changed since the doctor wrote a report of it."""
    return report.get("digest") != digest_of_annotations(folder)


# ---- COCO


def _as_coco(photos: PhotoSet) -> dict[str, Any]:
    numbers = {part: number for number, part in enumerate(photos.parts)}
    images: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for photo in photos.photos:
        number = len(images)
        images.append({
            "id": number, "file_name": photo.name, "width": photo.width, "height": photo.height,
            "split": photo.split, "source": photo.source, "origin": photo.origin, "labelled": photo.labelled,
        })  # fmt: skip
        for each in photo.boxes:
            left, top, right, bottom = (round(edge, 2) for edge in each.box)
            width, height = round(right - left, 2), round(bottom - top, 2)
            note = {
                "id": len(notes), "image_id": number, "category_id": numbers[each.part],
                "bbox": [left, top, width, height], "area": round(width * height, 2), "iscrowd": 0,
                "by": each.by, "checked": each.checked,
            }  # fmt: skip
            notes.append(note if each.score is None else {**note, "score": each.score})
    categories: list[dict[str, Any]] = [{"id": number, "name": part} for part, number in numbers.items()]
    for category, original in zip(categories, photos.original_ids, strict=False):
        category["original_id"] = original
    sources = [vars(source) for source in photos.sources]
    return {"info": {"sources": sources}, "images": images, "annotations": notes, "categories": categories}


def _from_coco(folder: Path, data: dict[str, Any]) -> PhotoSet:
    categories = sorted(data["categories"], key=lambda each: int(each["id"]))
    if [each["id"] for each in categories] != list(range(len(categories))):
        raise ValueError("its categories are not numbered from 0")
    parts = tuple(str(each["name"]) for each in categories)
    boxes: dict[int, list[LabelledBox]] = {image["id"]: [] for image in data["images"]}
    for note in data["annotations"]:
        x, y, width, height = (float(value) for value in note["bbox"])
        own = LabelledBox(
            parts[note["category_id"]], (x, y, x + width, y + height), note.get("by", IMPORTED),
            bool(note.get("checked", False)), note.get("score"),
        )  # fmt: skip
        boxes[note["image_id"]].append(own)
    photos = tuple(
        LabelledPhoto(
            image["file_name"], int(image["width"]), int(image["height"]), tuple(boxes[image["id"]]),
            image.get("split", "train"), image.get("source", ""), image.get("origin", ""),
            bool(image.get("labelled", True)),
        )
        for image in data["images"]
    )  # fmt: skip
    sources = tuple(PhotoSource(**each) for each in data.get("info", {}).get("sources", ()))
    ids = tuple(int(each["original_id"]) for each in categories if "original_id" in each)
    return PhotoSet(folder, parts, photos, sources, ids if len(ids) == len(parts) else ())
