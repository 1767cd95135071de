"""Reads YOLO: a text file for each photo, and the names of the parts in `data.yaml`, `classes.txt` or `obj.names`.

Layouts: `train/images` with `train/labels`, `images/train` with `labels/train`, `images` with `labels`, or each label
beside its photo. Lines are boxes, boxes with a score, or polygons, whose outermost edges are the box. supervision
makes a mask of the whole photo for every polygon, and opens every photo to do so; this opens none.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import yaml

from repairai.errors import RepairError
from repairai.vision.photo_set import Split
from training.detector.labels import Said, SaidBox, SaidPhoto, key, split_of_folder
from training.detector.trees import Tree

_NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt", "names.txt", "predefined_classes.txt")
_KEYS: dict[Split, tuple[str, ...]] = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}
_WANT = "mend the line, or leave the file out"


@dataclass(frozen=True)
class About:
    """What a YOLO source says of itself.

    Args:
        names: Number -> name of each part; empty where nothing says them.
        where: The file that says them.
        licence: Of Roboflow's part of `data.yaml`.
        url: The same.
        lists: File or folder of each split, as `data.yaml` names it.
    """

    names: dict[int, str] = field(default_factory=dict)
    where: str = ""
    licence: str = ""
    url: str = ""
    lists: dict[Split, tuple[str, ...]] = field(default_factory=dict)


def label_files(tree: Tree) -> list[str]:
    """Return the names of text files whose lines are boxes, and of empty ones in a folder of labels."""
    return [name for name in tree.names if name.lower().endswith(".txt") and _holds_labels(tree, name)]


def _holds_labels(tree: Tree, name: str) -> bool:
    path = PurePosixPath(name.lower())
    if path.name in _NAME_FILES or path.name.startswith(("readme", "license")):
        return False
    lines = tree.text(name).split("\n", 1)[0].split()
    if not lines:
        return "labels" in path.parts or not tree.text(name).strip()
    return len(lines) >= 5 and all(_is_number(word) for word in lines)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def read_yolo(tree: Tree, labels: Sequence[str]) -> Said:
    """Return what YOLO files say.

    Args:
        tree: The source.
        labels: Names of its label files.

    Raises:
        RepairError: A line is none of YOLO's, or of a class that has no name.
    """
    about = _about(tree)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in labels:
        by_stem[PurePosixPath(key(name)).stem].append(name)
    splits = _splits(tree, about)
    photos, used, seen = [], set(), set()
    for path in tree.photos():
        label = _label_of(path, by_stem.get(PurePosixPath(key(path)).stem, []))
        used.add(label)
        boxes = tuple(_boxes(tree, label, about)) if label else ()
        seen |= {box.part for box in boxes}
        split = splits.get(path) or split_of_folder(path)
        photos.append(SaidPhoto(path, partial(tree.read, path), boxes, split, labelled=bool(label)))
    absent = tuple(name for name in labels if name not in used and tree.text(name).strip())
    parts = about.names or {number: str(number) for number in sorted(seen)}
    return Said(tree.name, "yolo", parts, tuple(photos), absent, about.licence, about.url)


def _label_of(path: str, found: Sequence[str]) -> str:
    """Return the label file of a photo: of those with its name the one whose folders are most like its own."""
    own = [piece for piece in PurePosixPath(path).parts[:-1] if piece.lower() not in ("images", "jpegimages")]

    def likeness(name: str) -> tuple[int, int]:
        its = [piece for piece in PurePosixPath(name).parts[:-1] if piece.lower() not in ("labels", "annotations")]
        return int(its == own), len(set(its) & set(own)) - abs(len(its) - len(own))

    best = max(found, key=likeness, default="")
    if not best:
        return ""
    its_split, own_split = split_of_folder(best), split_of_folder(path)
    return "" if its_split and own_split and its_split != own_split else best  # another photo of the same name


def _boxes(tree: Tree, name: str, about: About) -> Iterator[SaidBox]:
    for number, line in enumerate(tree.text(name).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        where = f"line {number} of {name}"
        try:
            values = [float(word) for word in words]
        except ValueError:
            raise RepairError(f"{where} is no box: {line.strip()!r:.60}", _WANT) from None
        if len(values) < 5 or not all(map(math.isfinite, values)) or values[0] != int(values[0]) or values[0] < 0:
            raise RepairError(f"{where} is no box: {line.strip()!r:.60}", _WANT)
        part = int(values[0])
        if about.names and part not in about.names:
            known = f"{about.where} names {len(about.names)} parts, numbered {min(about.names)} to {max(about.names)}"
            raise RepairError(f"{where} is of class {part}, but {known}", "add the name, or mend the line")
        yield SaidBox(part, _edges(values[1:]), shares=True)


def _edges(values: Sequence[float]) -> tuple[float, float, float, float]:
    if len(values) <= 5:  # a box, perhaps with a score behind it
        x, y, width, height = values[:4]
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    flat = values[: len(values) // 2 * 2]
    return min(flat[::2]), min(flat[1::2]), max(flat[::2]), max(flat[1::2])


# ---- what it says of itself


def _about(tree: Tree) -> About:
    for name in sorted(tree.names, key=lambda each: each.count("/")):
        if name.lower().endswith((".yaml", ".yml")):
            try:
                data = yaml.safe_load(tree.text(name))
            except (yaml.YAMLError, ValueError, RecursionError):
                continue
            if isinstance(data, dict) and isinstance(data.get("names"), list | dict):
                return _of_yaml(data, name)
    for wanted in _NAME_FILES:
        for name in tree.names:
            if PurePosixPath(name.lower()).name == wanted:
                lines = [line.strip() for line in tree.text(name).splitlines()]
                while lines and not lines[-1]:
                    lines.pop()
                return About(dict(enumerate(lines)), name)
    return _of_label_studio(tree)


def _of_yaml(data: dict[str, Any], name: str) -> About:
    listed = data["names"]
    pairs = listed.items() if isinstance(listed, dict) else enumerate(listed)
    try:
        names = {int(number): str(part).strip() for number, part in pairs}
    except (TypeError, ValueError):
        raise RepairError(f"{name} numbers its names with {list(listed)!s:.60}", "number them from 0") from None
    said = data.get("roboflow")
    more = said if isinstance(said, dict) else {}
    lists = {}
    for split, keys in _KEYS.items():
        places = next((data[key] for key in keys if data.get(key)), [])
        lists[split] = tuple(map(str, places if isinstance(places, list) else [places]))
    return About(names, name, str(more.get("license") or ""), str(more.get("url") or ""), lists)


def _of_label_studio(tree: Tree) -> About:
    for name in tree.names:
        if PurePosixPath(name.lower()).name == "notes.json":
            try:
                listed = json.loads(tree.text(name))["categories"]
                return About({int(each["id"]): str(each["name"]) for each in listed}, name)
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
    return About()


def _splits(tree: Tree, about: About) -> dict[str, Split]:
    """Return the split of each photo that a list or a folder named in `data.yaml` speaks of."""
    found: dict[str, Split] = {}
    for split, places in about.lists.items():
        for place in places:
            pieces = tuple(
                each for each in PurePosixPath(place.replace("\\", "/")).parts if each not in ("..", ".", "/")
            )
            if pieces and pieces[-1].lower().endswith(".txt"):
                found |= {path: split for path in _listed(tree, pieces) if path}
            elif pieces:
                for path in tree.photos():
                    folders = PurePosixPath(path).parts[:-1]
                    if any(folders[at : at + len(pieces)] == pieces for at in range(len(folders))):
                        found.setdefault(path, split)
    return found


def _listed(tree: Tree, pieces: tuple[str, ...]) -> list[str]:
    for name in tree.names:
        if PurePosixPath(name).name == pieces[-1]:
            return [tree.photo(line.strip(), name) for line in tree.text(name).splitlines() if line.strip()]
    return []
