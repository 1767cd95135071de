"""Labelled photos to plain COCO, and back.

What COCO has no word for stands beside its own keys: of a photo its split, the source that it was made from and the
file that it came from; of a box who drew it and whether a person looked at it; of a category the id that it had where
it came from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from repairai.vision.labelled import IMPORTED, LabelledBox, LabelledPhoto, PhotoSet, PhotoSource

FAULTS = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading raises where a file is damaged or of another make."""


def as_coco(photos: PhotoSet) -> bytes:
    """Return what is known of photos as a COCO file; edges are rounded to 0.01 px."""
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
                "id": len(notes) + 1, "image_id": number, "category_id": numbers[each.part],
                "bbox": [left, top, width, height], "area": round(width * height, 2), "iscrowd": 0,
                "by": each.by, "checked": each.checked,
            }  # fmt: skip
            notes.append(note if each.score is None else {**note, "score": each.score})
    categories: list[dict[str, Any]] = [{"id": number, "name": part} for part, number in numbers.items()]
    for category, original in zip(categories, photos.original_ids, strict=False):
        category["original_id"] = original
    sources = [vars(source) for source in photos.sources]
    data = {"info": {"sources": sources}, "images": images, "annotations": notes, "categories": categories}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def from_coco(folder: Path, text: str) -> PhotoSet:
    """Return the photos of a COCO file.

    Args:
        folder: Of the set.
        text: Of the file.

    Raises:
        ValueError: It is no JSON, or says what cannot be.
        LookupError, TypeError, AttributeError, OverflowError, RecursionError: It is JSON of another make; `FAULTS`.
    """
    data: Any = json.loads(text)
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
