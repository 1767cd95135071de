"""Reads Pascal VOC: an XML file for each photo, and lists of splits in `ImageSets/Main` where they are there."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath
from xml.etree import ElementTree

from repairai.errors import RepairError
from training.detector.labels import Said, SaidBox, SaidPhoto, SaidSplit, split_of, split_of_folder
from training.detector.trees import Tree

_WANT = "export it again, or leave the file out"
_ENTITIES = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
"""No label file needs these, and with a few lines of them a parser can be made to fill all memory."""


def voc_files(tree: Tree) -> list[str]:
    """Return the names of XML files that say what is on a photo."""
    return [
        name for name in tree.names if name.lower().endswith(".xml") and "<annotation" in tree.text(name)[:2000].lower()
    ]


def read_voc(tree: Tree, files: Sequence[str]) -> Said:
    """Return what Pascal VOC files say; their classes are numbered in the order of their names.

    Raises:
        RepairError: One of them is damaged.
    """
    roots = [(name, _root(tree, name)) for name in files]
    parts = sorted({part for name, root in roots for part in _names(root, name)})
    numbers = {part: number for number, part in enumerate(parts)}
    splits = _splits(tree)
    photos: dict[str, SaidPhoto] = {}
    absent = []
    for name, root in roots:
        said = (root.findtext("filename") or "").strip()
        path = _photo(tree, said, name)
        if not path:
            absent.append(said or name)
            continue
        boxes = tuple(_box(each, name, numbers) for each in root.iter("object"))
        split = splits.get(PurePosixPath(path).stem) or split_of_folder(name) or split_of_folder(path)
        width, height = (_pixels(root.findtext(f"size/{side}")) for side in ("width", "height"))
        photos[path] = SaidPhoto(path, partial(tree.read, path), boxes, split, width, height)
    bare = [
        SaidPhoto(path, partial(tree.read, path), (), split_of_folder(path), labelled=False)
        for path in tree.photos()
        if path not in photos
    ]
    every = sorted([*photos.values(), *bare], key=lambda each: each.origin)
    return Said(tree.name, "voc", dict(enumerate(parts)), tuple(every), tuple(absent))


def _root(tree: Tree, name: str) -> ElementTree.Element:
    text = tree.text(name)
    if _ENTITIES.search(text):
        raise RepairError(f"{name} defines entities, which no label file needs", _WANT)
    try:
        return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))  # its encoding is read already
    except ElementTree.ParseError as error:
        raise RepairError(f"{name} is no XML: {error}", _WANT) from None


def _names(root: ElementTree.Element, name: str) -> list[str]:
    found = [(each.findtext("name") or "").strip() for each in root.iter("object")]
    if "" in found:
        raise RepairError(f"an object in {name} has no name", _WANT)
    return found


def _photo(tree: Tree, said: str, name: str) -> str:
    """Return the photo of a label file: the one that has its own name, else the one that it names.

    In this order: whoever renames photos renames their label files with them, and forgets what stands inside.
    """
    return tree.photo_of_stem(PurePosixPath(name).stem, name) or (tree.photo(said, name) if said else "")


def _box(each: ElementTree.Element, name: str, numbers: dict[str, int]) -> SaidBox:
    try:
        edges = [float(each.findtext(f"bndbox/{edge}") or "nan") for edge in ("xmin", "ymin", "xmax", "ymax")]
    except ValueError:
        edges = [math.nan]
    if not all(map(math.isfinite, edges)):
        raise RepairError(f"an object in {name} has no box", _WANT)
    left, top, right, bottom = edges
    return SaidBox(numbers[(each.findtext("name") or "").strip()], (left, top, right, bottom))


def _pixels(text: str | None) -> int:
    try:
        return max(0, round(float(text or 0)))
    except (ValueError, OverflowError):
        return 0


def _splits(tree: Tree) -> dict[str, SaidSplit]:
    found: dict[str, SaidSplit] = {}
    for name in tree.names:
        path = PurePosixPath(name)
        if "imagesets" in map(str.lower, path.parts) and path.suffix == ".txt" and (split := split_of(path.stem)):
            for line in tree.text(name).splitlines():
                if line.strip():
                    found.setdefault(line.split()[0], split)
    return found
