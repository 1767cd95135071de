"""Reads COCO: one JSON file or one for each split, wherever its photos lie.

supervision reads COCO too, but draws a mask for every polygon of every photo and keeps them all, and lets go of the
split, the original ids, the licence and the sizes that tell how a photo was turned when it was labelled.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from repairai.errors import RepairError
from training.detector.labels import Said, SaidBox, SaidPhoto, SaidSplit, split_of, split_of_folder
from training.detector.trees import Tree

_KEYS = {"images", "annotations", "categories"}
_WANT = "export it again, or mend what is named"


def coco_files(tree: Tree) -> dict[str, dict[str, Any]]:
    """Return the COCO files in a source with what they hold; empty where there are none."""
    found = {}
    for name in tree.names:
        if name.lower().endswith(".json"):
            try:
                data = json.loads(tree.text(name))
            except (ValueError, RecursionError):
                continue
            if isinstance(data, dict) and data.keys() >= _KEYS:
                found[name] = data
    return found


def read_coco(tree: Tree, files: Mapping[str, dict[str, Any]]) -> Said:
    """Return what COCO files say.

    Raises:
        RepairError: One of them is none, or they give one number to two parts.
    """
    parts: dict[int, str] = {}
    photos: list[SaidPhoto] = []
    absent: list[str] = []
    crowds: list[str] = []
    licence = url = ""
    for name, data in files.items():
        try:
            _add_parts(parts, data["categories"], name)
            found, missing, many = _photos(tree, name, data, parts)
            licence, url = licence or _licence(data), url or _url(data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise RepairError(f"{name} is no whole COCO file: {_fault(error)}", _WANT) from None
        photos += found
        absent += missing
        crowds += many
    known = {photo.origin for photo in photos}
    photos += [
        SaidPhoto(path, partial(tree.read, path), (), split_of_folder(path), labelled=False)
        for path in tree.photos()
        if path not in known
    ]
    used = {box.part for photo in photos for box in photo.boxes}
    named = _without_root(parts, files.values(), used)
    return Said(tree.name, "coco", named, tuple(photos), tuple(absent), licence, url, tuple(crowds))


def _fault(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())[:200]


def _add_parts(parts: dict[int, str], categories: Iterable[Mapping[str, Any]], name: str) -> None:
    for each in categories:
        number, part = int(each["id"]), str(each["name"]).strip()
        if parts.setdefault(number, part) != part:
            raise RepairError(
                f"{name} calls class {number} {part!r}, and another file {parts[number]!r}",
                "import them one after the other, the second with --add",
            )


def _without_root(parts: Mapping[int, str], files: Iterable[Mapping[str, Any]], used: set[int]) -> dict[int, str]:
    """Return the classes without those that only stand above others, as Roboflow's class 0 does."""
    above = {str(each.get("supercategory")) for data in files for each in data["categories"]}
    return {number: part for number, part in parts.items() if number in used or part not in above}


def _photos(
    tree: Tree, name: str, data: Mapping[str, Any], parts: Mapping[int, str]
) -> tuple[list[SaidPhoto], list[str], list[str]]:
    boxes: dict[Any, list[SaidBox]] = defaultdict(list)
    names: dict[Any, str] = {}
    for image in data["images"]:
        said = str(image["file_name"])
        if names.setdefault(image["id"], said) != said:  # nobody could tell whose boxes are whose
            both = f"{names[image['id']]} and {said}"
            raise RepairError(f"{name} gives two photos the id {image['id']}, {both:.160}", _WANT)
    crowds, absent = [], []
    for note in data["annotations"]:
        if note["image_id"] not in names:
            absent.append(f"image {note['image_id']} of annotation {note.get('id')}")
        elif note.get("iscrowd"):
            crowds.append(names[note["image_id"]])
        elif box := _box(note):
            if box.part not in parts:
                raise RepairError(
                    f"annotation {note.get('id')} in {name} is of class {box.part}, which has no name",
                    f"its classes are {', '.join(map(str, parts))}",
                )
            boxes[note["image_id"]].append(box)
    own = split_of(name)
    photos = []
    for image in data["images"]:
        said = str(image["file_name"])
        path = tree.photo(said, name)
        if path:
            photos.append(
                SaidPhoto(
                    path, partial(tree.read, path), tuple(boxes[image["id"]]),
                    _own_split(image) or own or split_of(path), int(image.get("width") or 0),
                    int(image.get("height") or 0), image.get("labelled") is not False,
                )
            )  # fmt: skip
        else:
            absent.append(said)
    return photos, absent, crowds


def _own_split(image: Mapping[str, Any]) -> SaidSplit:
    return split_of(str(image.get("split", "")))


def _box(note: Mapping[str, Any]) -> SaidBox | None:
    """Return the box of an annotation, from its polygons where it has none; None where nothing is drawn at all."""
    box: Sequence[Any] = note.get("bbox") or ()
    if len(box) == 4:
        x, y, width, height = (float(value) for value in box)
        edges = (x, y, x + width, y + height)
    else:
        flat = [float(value) for piece in _polygons(note) for value in piece]
        if not flat:
            return None
        edges = (min(flat[::2]), min(flat[1::2]), max(flat[::2]), max(flat[1::2]))
    if not all(math.isfinite(edge) for edge in edges):
        raise ValueError(f"the box of annotation {note.get('id')} has no place: {list(box)}")
    return SaidBox(int(note["category_id"]), edges)


def _polygons(note: Mapping[str, Any]) -> list[list[Any]]:
    drawn = note.get("segmentation")
    return drawn if isinstance(drawn, list) else []  # else run lengths: a mask without a box, which none export alone


def _licence(data: Mapping[str, Any]) -> str:
    listed = data.get("licenses") or ()
    named = [str(each.get("name") or each.get("url") or "").strip() for each in listed]
    used = [each for each in dict.fromkeys(named) if each]
    return ", ".join(used)


def _url(data: Mapping[str, Any]) -> str:
    info = data.get("info")
    url = str(info.get("url") or "").strip() if isinstance(info, dict) else ""
    return "" if url.endswith("/undefined") else url  # as Roboflow writes it where it does not know
