"""Finds out what a source of labelled photos is, and reads what it says."""

from __future__ import annotations

from repairai.errors import RepairError
from training.detector.coco import coco_files, read_coco
from training.detector.labels import Said
from training.detector.trees import Tree
from training.detector.yolo import label_files, read_yolo

SHAPES = ("auto", "coco", "yolo")


def read_source(tree: Tree, shape: str = "auto") -> Said:
    """Return what a folder or a zip says of its photos.

    Args:
        tree: Its files.
        shape: One of SHAPES; `auto` finds it.

    Raises:
        RepairError: It holds no photo, no labels, or damaged ones.
    """
    if not tree.photos():
        raise RepairError(f"{tree.place} holds no photo", "give a folder or a zip of photos with their labels")
    if shape in ("auto", "coco") and (found := coco_files(tree)):
        return read_coco(tree, found)
    if shape in ("auto", "yolo") and (labels := label_files(tree)):
        return read_yolo(tree, labels)
    raise RepairError(f"{tree.place} holds {len(tree.photos()):,} photos and no labels", "give labels")
