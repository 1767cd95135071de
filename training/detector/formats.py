"""Finds out what a source of labelled photos is, and reads what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from repairai.errors import RepairError
from repairai.files import expanded
from training.detector.coco import coco_files, read_coco
from training.detector.findings import n
from training.detector.image_folder import metadata_files, read_image_folder
from training.detector.labels import Said, SaidPhoto, is_photo, split_of_folder
from training.detector.trees import Tree, open_tree
from training.detector.voc import read_voc, voc_files
from training.detector.yolo import label_files, read_yolo

SHAPES = ("auto", "coco", "yolo", "voc", "imagefolder", "hub")
HUB = "hub:"
_README = re.compile(r"readme.*\.(txt|md)", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s)>\]\"'`]+")
_LICENCES = {
    r"apache license\s+version 2": "Apache-2.0", r"mit license": "MIT", r"cc0 1\.0": "CC0-1.0",
    r"attribution 4\.0 international": "CC-BY-4.0", r"attribution-sharealike 4\.0": "CC-BY-SA-4.0",
    r"attribution-noncommercial 4\.0": "CC-BY-NC-4.0",
}  # fmt: skip
_LICENCE = re.compile(r"^\s*[-*]?\s*licen[cs]e:\s*(.{2,60})$", re.IGNORECASE | re.MULTILINE)


def read_source(source: str, shape: str, stack: ExitStack, unlabelled: bool = False) -> Said:
    """Return what a source says of its photos, which can be read as long as `stack` is open.

    Args:
        source: A folder, a zip, or `hub:OWNER/NAME`.
        shape: One of SHAPES; `auto` finds it.
        stack: Closes what was opened.
        unlabelled: Whether photos without any labels are taken as they are.

    Raises:
        RepairError: There is nothing, it holds no photos or no labels, or they are damaged.
    """
    if not source.removeprefix(HUB).strip():  # which would be the folder that one is in
        raise RepairError("a source has no name", "give a folder, a zip, or hub:OWNER/NAME")
    if source.startswith(HUB) or shape == "hub":
        from training.detector.hub_photos import read_hub  # noqa: PLC0415  datasets takes a second to load

        return read_hub(source, lambda folder: read_tree(stack.enter_context(open_tree(folder)), "auto"))
    return read_tree(stack.enter_context(open_tree(expanded(source))), shape, unlabelled)


def read_tree(tree: Tree, shape: str, unlabelled: bool = False) -> Said:
    """Return what the files of a source say; see `read_source`."""
    photos = tree.photos()
    if not photos:
        raise RepairError(f"{tree.place} holds no photo", "give a folder or a zip of photos with their labels")
    ways: dict[str, Callable[[], Said | None]] = {
        "coco": lambda: read_coco(tree, found) if (found := coco_files(tree)) else None,
        "imagefolder": lambda: read_image_folder(tree, files) if (files := metadata_files(tree)) else None,
        "voc": lambda: read_voc(tree, files) if (files := voc_files(tree)) else None,
        "yolo": lambda: read_yolo(tree, files) if (files := label_files(tree)) else None,
    }
    for name, read in ways.items():
        if shape in ("auto", name) and (said := read()):
            return _checked(_credited(said, tree), tree)
    if unlabelled:
        bare = (SaidPhoto(path, partial(tree.read, path), (), split_of_folder(path), labelled=False) for path in photos)
        return Said(tree.name, "none", {}, tuple(bare))
    what = "labels" if shape == "auto" else f"labels of the format {shape}"
    raise RepairError(
        f"{tree.place} holds {n(len(photos), 'photo')} and no {what}",
        "give COCO, YOLO, Pascal VOC or metadata.jsonl beside them, or take them as they are with --unlabelled",
    )


def _checked(said: Said, tree: Tree) -> Said:
    if said.absent and not any(photo.labelled for photo in said.photos):
        labels = n(len(said.absent), "photo")
        raise RepairError(
            f"{tree.place} has labels for {labels}, such as {said.absent[0]}, and none of them is there",
            "give the folder or the zip that holds the photos too",
        )
    return said


def _credited(said: Said, tree: Tree) -> Said:
    """Return what a source says with the licence and address of its README, where its labels name none."""
    licence, url = said.licence, said.url
    for name in tree.names:
        if (licence and url) or not _README.fullmatch(PurePosixPath(name).name):
            continue
        text = tree.text(name)
        stated = _LICENCE.search(text)
        addresses = [each.rstrip(".,") for each in _URL.findall(text)]
        licence = licence or (stated[1].strip().strip("\"'") if stated else "")
        url = url or next(
            (each for each in addresses if not is_photo(each) and not each.endswith((".svg", ".gif"))), ""
        )
    return replace(said, licence=licence or _licence_file(tree), url=url)


def _licence_file(tree: Tree) -> str:
    """Return what the text of a licence begins with, where it is one that sets of photos often have."""
    for name in tree.names:
        if re.fullmatch(r"(licen[cs]e|copying)(\.txt|\.md)?", PurePosixPath(name).name, re.IGNORECASE):
            begins = tree.text(name)[:400]
            return next(
                (named for pattern, named in _LICENCES.items() if re.search(pattern, begins, re.IGNORECASE)), ""
            )
    return ""
