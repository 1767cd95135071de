"""A YOLO export of rendered scenes, with the faults that exports have: what a person might drop."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from training.scenes.scene import render

PARTS = ("screw", "screw_hole")
"""What scenes of the kind `block` show, by number."""
SIDE_PX = 320


def write_scene_zip(path: Path, photos: int = 24, names: tuple[str, ...] = PARTS) -> Path:
    """Write scenes and their boxes; the first has one box twice, and one that hangs over its edge.

    Args:
        path: Of the zip.
        photos: How many scenes.
        names: Of the parts, as the export calls them.
    """
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.yaml", f"names: {list(names)}\ntrain: images\n")
        for number in range(photos):
            scene = render(np.random.default_rng(number), kind="block")
            picture = Image.fromarray(scene.photo)
            own = zip(scene.labels, scene.boxes, strict=True)
            lines = [yolo(int(label), box, picture.size) for label, box in own if label < len(PARTS)]
            if number == 0:
                lines += [lines[0], "0 0.98 0.5 0.1 0.1"]
            content = io.BytesIO()
            picture.resize((SIDE_PX, SIDE_PX)).save(content, "JPEG", quality=85)
            file.writestr(f"images/scene-{number:02d}.jpg", content.getvalue())
            file.writestr(f"labels/scene-{number:02d}.txt", "\n".join(lines))
    return path


def yolo(number: int, box: np.ndarray, size: tuple[int, int]) -> str:
    """Return a box (left, top, right, bottom in px) as a line of YOLO."""
    left, top, right, bottom = (float(edge) for edge in box)
    width, height = size
    shares = ((left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height)
    return f"{number} " + " ".join(f"{share:.5f}" for share in shares)
