"""Rows with a photo and its `objects`, as the Hub keeps them: `{bbox: [...], category: [...]}`, or a list of objects.

The rows of a folder of photos with `metadata.jsonl` are the same. Whether a `bbox` is left, top, width and height, or
left, top, right and bottom, in px or in shares of the photo, no column says: all boxes together tell it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from repairai.errors import RepairError
from training.detector.labels import SaidBox, SaidPhoto, SaidSplit

BOXES = ("bbox", "bboxes", "boxes", "box")
CATEGORIES = ("category", "categories", "category_id", "label", "labels", "class", "class_id", "classes", "name")
OBJECTS = ("objects", "annotations", "object", "detections")
SIZES = ("width", "height")
_MOST_OPENED = 200
"""Photos that are opened to learn their size, where no column says it: enough to tell what their boxes are."""


@dataclass(frozen=True, slots=True)
class Row:
    """A photo before its boxes are understood.

    Args:
        where: Where it stands, for people.
        origin: Name of the photo.
        read: Returns its bytes.
        objects: What its column holds; None for a photo that nobody labelled.
        split: The source's own.
        width: px, as it is said; 0 where it is not.
        height: The same.
    """

    where: str
    origin: str
    read: Callable[[], bytes]
    objects: Any
    split: SaidSplit = ""
    width: int = 0
    height: int = 0


def photos_of(rows: Sequence[Row], names: Sequence[str] = ()) -> tuple[dict[int, str], tuple[SaidPhoto, ...]]:
    """Return the classes and the photos that rows speak of.

    Args:
        rows: All of a source.
        names: Of the classes, where the columns say them; else the categories' own words or numbers.

    Raises:
        RepairError: A row has no boxes where they should be, not as many categories, or a class without a name.
    """
    read = [(row, list(_pairs(row))) for row in rows]
    parts = _parts([category for _, pairs in read for _, category in pairs], names, [row for row, _ in read])
    numbers = {name: number for number, name in parts.items()}
    corners, shares = _meaning([(row, box) for row, pairs in read for box, _ in pairs])
    photos = []
    for row, pairs in read:
        boxes = []
        for box, category in pairs:
            number = category if isinstance(category, int) else numbers[str(category).strip()]
            left, top, third, fourth = box
            right, bottom = (third, fourth) if corners else (left + third, top + fourth)
            boxes.append(SaidBox(number, (left, top, right, bottom), shares))
        photos.append(
            SaidPhoto(
                row.origin, row.read, tuple(boxes), row.split, row.width, row.height, row.objects is not None
            )
        )  # fmt: skip
    return parts, tuple(photos)


def pixels(said: Any) -> int:
    """Return a side of a photo as a column says it; 0 where that is no number of px."""
    try:
        return max(0, int(float(said or 0)))
    except (TypeError, ValueError, OverflowError):
        return 0


def _parts(categories: Iterable[Any], names: Sequence[str], rows: Sequence[Row]) -> dict[int, str]:
    used = set(categories)
    if names:
        strange = sorted(str(each) for each in used if not isinstance(each, int) and str(each).strip() not in names)
        if strange:
            raise RepairError(f"a box is of class {strange[0]!r:.60}, which is not among the named", "mend the dataset")
        unknown = sorted(each for each in used if isinstance(each, int) and not 0 <= each < len(names))
        if unknown:
            raise RepairError(
                f"a box is of class {unknown[0]}, but {len(names)} are named, numbered 0 to {len(names) - 1}",
                "mend the dataset, or give another",
            )
        return dict(enumerate(map(str, names)))
    numbers = sorted(each for each in used if isinstance(each, int))
    words = sorted(str(each).strip() for each in used if not isinstance(each, int))
    if numbers and words:
        where = rows[0].where if rows else "the dataset"
        raise RepairError(f"categories are numbers and words, as {numbers[0]} and {words[0]!r} in {where}", "use words")
    return {number: str(number) for number in numbers} or dict(enumerate(dict.fromkeys(words)))


def _pairs(row: Row) -> Iterator[tuple[tuple[float, float, float, float], Any]]:
    if row.objects is None:
        return
    boxes, categories = ([] if each is None else each for each in _columns(row))
    if not (_is_list(boxes) and _is_list(categories)):
        raise RepairError(
            f"{row.where} has {boxes!r:.40} for its boxes and {categories!r:.40} for their categories",
            "give two lists of one length",
        )
    if len(boxes) != len(categories):
        raise RepairError(
            f"{row.where} has {len(boxes)} boxes and {len(categories)} categories", "mend the row, or leave it out"
        )
    for box, category in zip(boxes, categories, strict=True):
        try:
            values = tuple(float(value) for value in box)
        except (TypeError, ValueError, OverflowError):
            values = ()
        if len(values) != 4 or not all(map(math.isfinite, values)):
            raise RepairError(f"{row.where} has the box {box!r:.60}, which is none", "mend the row, or leave it out")
        if not isinstance(category, str | int | float) or isinstance(category, bool):
            raise RepairError(f"{row.where} has the category {category!r:.40}", "give each box a word or a number")
        if isinstance(category, float) and not category.is_integer():
            raise RepairError(f"{row.where} has the category {category}", "give each box a word or a whole number")
        number = int(category) if isinstance(category, float) else category
        yield (values[0], values[1], values[2], values[3]), number


def _is_list(said: Any) -> bool:
    return isinstance(said, Sequence) and not isinstance(said, str)


def _columns(row: Row) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the boxes and the categories of a row, which stand side by side or each with its own."""
    objects = row.objects
    if isinstance(objects, Mapping):
        return _named(objects, BOXES, row), _named(objects, CATEGORIES, row)
    if isinstance(objects, Sequence) and all(isinstance(each, Mapping) for each in objects):
        return [_named(each, BOXES, row) for each in objects], [_named(each, CATEGORIES, row) for each in objects]
    want = "give each photo {bbox: [...], category: [...]}"
    raise RepairError(f"{row.where} has {objects!r:.60} for its objects", want)


def _named(objects: Mapping[str, Any], names: Sequence[str], row: Row) -> Any:
    for name in names:
        if name in objects:
            return objects[name]
    raise RepairError(
        f"the objects of {row.where} are {', '.join(objects) or 'without a name'}, and need {names[0]}",
        "name them bbox and category",
    )


def _meaning(boxes: Sequence[tuple[Row, tuple[float, float, float, float]]]) -> tuple[bool, bool]:
    """Return whether boxes are corners (else left, top, width, height), and whether they are shares of the photo."""
    if not boxes:
        return False, False
    shares = max(max(box) for _, box in boxes) <= 1.001
    backwards = beyond = 0  # what speaks against corners, and what speaks for them
    sizes: dict[str, tuple[float, float]] = {}
    for row, (left, top, third, fourth) in boxes:
        if row.origin not in sizes:
            sizes[row.origin] = (1.0, 1.0) if shares else _size(row, len(sizes) < _MOST_OPENED)
        width, height = sizes[row.origin]
        backwards += third <= left or fourth <= top
        beyond += left + third > 1.02 * width or top + fourth > 1.02 * height
    return beyond > backwards, shares


def _size(row: Row, look: bool) -> tuple[float, float]:
    """Return the size of a photo, as it is said or as its file says; endless where neither tells it."""
    if row.width and row.height:
        return row.width, row.height
    if look:
        try:
            with Image.open(io.BytesIO(row.read())) as image:
                return image.size
        except (RepairError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            pass  # told when the photo comes in
    return math.inf, math.inf
