"""Sets of labelled photos and runs that have made a detector, without a training: for tests of what comes after it."""

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.named_sets import PHOTO_SETS
from repairai.runs.folder import RunFolder, new_run
from repairai.vision.photo_set import (
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    write_photo_set,
)
from training.scenes.scene import LABELS, Scene, render

BUILTIN = Path(__file__).parents[2] / "repairai" / "builtin" / "detector"
PARTS = ("screw", "hole")


def presence_set(shared: Path, name: str = "block", parts: tuple[str, str] = PARTS, every: int = 1) -> PhotoSet:
    """The real photos of the block, screws and empty holes: a fifth for the test, two fifths for validation."""
    source = shared / "screws_presence"
    data = json.loads((source / "annotations.coco.json").read_text())
    boxes: dict[int, list[LabelledBox]] = {}
    for note in data["annotations"]:
        x, y, width, height = note["bbox"]
        own = LabelledBox(parts[note["category_id"] - 1], (x, y, x + width, y + height))
        boxes.setdefault(note["image_id"], []).append(own)
    folder = PHOTO_SETS.folder(name)
    (folder / "photos").mkdir(parents=True)
    photos = []
    for image in data["images"][::every]:
        number = int(image["file_name"].split("_")[0])
        split = {0: "test", 1: "val", 2: "val"}.get(number % 5, "train")
        shutil.copy(source / "photos" / image["file_name"], folder / "photos")
        own = tuple(boxes[image["id"]])
        photos.append(LabelledPhoto(image["file_name"], image["width"], image["height"], own, split, f"block {number}"))
    sources = (PhotoSource("screws_presence", "Apache-2.0", "https://github.com/aaronzink", len(photos)),)
    made = PhotoSet(folder, parts, tuple(photos), sources)
    write_photo_set(made)
    return made


@cache
def block(seed: int) -> Scene:
    """One rendered scene, drawn once for all tests."""
    return render(np.random.default_rng(seed), kind="block")


def rendered_set(name: str = "scenes", n: int = 12) -> PhotoSet:
    """Rendered scenes of blocks: as many for validation as for the test, one for training."""
    folder = PHOTO_SETS.folder(name)
    (folder / "photos").mkdir(parents=True)
    photos = []
    for at in range(n):
        scene = block(at)
        Image.fromarray(scene.photo).save(folder / "photos" / f"{at}.png")
        boxes = tuple(
            LabelledBox(LABELS[label], tuple(map(float, box)))
            for box, label in zip(scene.boxes, scene.labels, strict=True)
        )
        height, width = scene.photo.shape[:2]
        split = "train" if at == 0 else ("val", "test")[at % 2]
        photos.append(LabelledPhoto(f"{at}.png", width, height, boxes, split, f"scene {at}"))
    made = PhotoSet(folder, tuple(LABELS), tuple(photos), (PhotoSource("rendered", "Apache-2.0", "", n),))
    write_photo_set(made)
    return made


def trained(photos: PhotoSet, name: str = "mine", called: dict[str, str] | None = None) -> RunFolder:
    """A run that has made the built-in detector over again; `called` gives its parts other names."""
    recipe = Recipe("detector", Workload("builtin", "full", image_px=320), 1.0, 1e-4, data=str(photos.folder))
    folder = new_run(name, "train", ["python"], text=yaml.safe_dump(to_data(recipe)))
    shutil.copytree(BUILTIN, folder.model)
    (folder.model / "limits.json").unlink()
    config = json.loads((folder.model / "config.json").read_text())
    names = {number: (called or {}).get(part, part) for number, part in config["id2label"].items()}
    config |= {"id2label": names, "label2id": {part: int(number) for number, part in names.items()}}
    (folder.model / "config.json").write_text(json.dumps(config))
    return folder
