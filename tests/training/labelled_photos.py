"""Small photos with labels, written in each format that people have them in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 96, 72
BOX = (12.0, 9.0, 48.0, 45.0)
"""Left, top, right, bottom of the box on every photo."""
YOLO = "0.3125 0.375 0.375 0.5"
"""The same as centre, width and height in shares."""
SIDEWAYS = 6


def photo(seed: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Return a photo that looks like no other."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def as_bytes(image: Image.Image, kind: str = "JPEG", orientation: int = 1, gps: bool = False) -> bytes:
    """Return a photo's file."""
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    image.save(out, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    return out.getvalue()


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    """Write files into a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(path: Path, files: dict[str, bytes | str]) -> Path:
    """Write files into a zip and return it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def yolo(photos: int = 6, names: str = "names: [screw, hole]\n", line: str = f"0 {YOLO}\n") -> dict[str, bytes | str]:
    """Return a set in YOLO: `images` with `labels`."""
    files: dict[str, bytes | str] = {"data.yaml": names} if names else {}
    for number in range(photos):
        files[f"images/p{number}.jpg"] = as_bytes(photo(number))
        files[f"labels/p{number}.txt"] = line.replace("0 ", f"{number % 2} ", 1) if line.startswith("0 ") else line
    return files


def coco(
    files: dict[str, bytes],
    notes: Sequence[tuple[str, int, tuple[float, ...]]],
    categories: Sequence[tuple[int, str]] = ((1, "screw"), (2, "hole")),
    sizes: dict[str, tuple[int, int]] | None = None,
    **more: object,
) -> dict[str, bytes | str]:  # fmt: skip
    """Return a set in COCO: photos beside `_annotations.coco.json`.

    Args:
        files: Name -> a photo's file.
        notes: Photo, category and left, top, width and height of each box.
        categories: Number and name.
        sizes: Width and height that are said of a photo; of others, those of all.
        more: Other keys of the file.
    """
    ids = {name: number for number, name in enumerate(files, 10)}
    size = sizes or {}
    data = {
        "images": [
            {"id": ids[name], "file_name": name,
             "width": size.get(name, (WIDTH, HEIGHT))[0], "height": size.get(name, (WIDTH, HEIGHT))[1]}
            for name in files
        ],
        "annotations": [
            {"id": number, "image_id": ids[name], "category_id": category, "bbox": list(box)}
            for number, (name, category, box) in enumerate(notes)
        ],
        "categories": [{"id": number, "name": name} for number, name in categories],
        **more,
    }  # fmt: skip
    return {**files, "_annotations.coco.json": json.dumps(data)}


def voc(
    name: str, part: str, box: tuple[float, float, float, float] = BOX, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> str:
    """Return the label file of a photo in Pascal VOC."""
    edges = "".join(f"<{tag}>{edge}</{tag}>" for tag, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><annotation><filename>{name}</filename><size><width>{size[0]}</width>'
        f"<height>{size[1]}</height><depth>3</depth></size><object><name>{part}</name><bndbox>{edges}</bndbox></object>"
        "</annotation>"
    )
