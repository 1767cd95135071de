"""Step 1 of the built-in detector: photos and rendered scenes to one set with train, val and test.

    python -m training.builtin_data --shared ../shared/data --out build/detector --scenes 9000

Reads `screws_presence` (Apache-2.0), `screws_drew` (CC0-1.0) and `screws_amv` (CC BY 4.0) where they lie; whatever is
absent is left out, saying so. Writes `<out>/photos/*.jpg` and `<out>/annotations.coco.json`, a set as
`repairai.vision.photo_set` reads it, with sources and licences. A photo's `source` is the data set and what it was made
from there, as in `screws_amv/picture_7`. Val is for thresholds; test is looked at once, for the card.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from repairai.vision.photo_set import (
    PHOTOS,
    SPLITS,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    Split,
    write_photo_set,
)
from training.detector.splits import base_name
from training.scenes.scene import LABELS, Crops, Scene, render
from training.scenes.surfaces import SURFACES
from training.spoil import Spoiled, rescale

SCREW, HOLE = LABELS.index("screw"), LABELS.index("screw_hole")
SOURCES = (
    PhotoSource("screws_presence", "Apache-2.0", "https://github.com/aaronzink/tensorflow-visual-inspection"),
    PhotoSource("screws_drew", "CC0-1.0", "https://github.com/mahami1/mlcv4drew"),
    PhotoSource("screws_amv", "CC-BY-4.0", "https://universe.roboflow.com/amv-ycxdl/screw-detection-hnff5"),
    PhotoSource("scenes", "Apache-2.0"),
)
"""`scenes` are rendered by `training/scenes`, from cut-outs of screws_drew and screws_presence too."""


@dataclass(frozen=True)
class Named:
    """A scene with the name that its file will have, and the source and the photo that it was made from."""

    name: str
    source: str
    scene: Scene


# ---- the real photos


def presence_split(number: int) -> str:
    """Return the split of a screws_presence photo by its leading number: every fifth is test, the one after it val."""
    return {0: "test", 1: "val"}.get(number % 5, "train")


def presence(folder: Path, split: str) -> Iterator[Named]:
    """Yield the screws_presence photos of a split: a block with four places, each with its screw or empty."""
    dataset = sv.DetectionDataset.from_coco(str(folder / "photos"), str(folder / "annotations.coco.json"))
    own = np.array([SCREW if name == "screw" else HOLE for name in dataset.classes])
    for path in sorted(map(Path, dataset.image_paths)):
        if presence_split(int(path.name.split("_")[0])) == split:
            found = dataset.annotations[str(path)]
            yield Named(
                f"presence_{path.stem}", f"screws_presence/{path.stem}", _scene(path, found.xyxy, own[found.class_id])
            )


def loose(folder: Path, split: str) -> Iterator[Named]:
    """Yield the screws_amv photos of a split: loose screws on a desk.

    Its own `valid` is our test. Of its `train`, where each photo stands three times, every fifth photo is our val.
    """
    part = folder / ("valid" if split == "test" else "train")
    dataset = sv.DetectionDataset.from_yolo(str(part / "images"), str(part / "labels"), str(folder / "data.yaml"))
    for path in sorted(map(Path, dataset.image_paths)):
        number = int(path.name.split("_")[1])
        if split == "test" or (number % 5 == 1) == (split == "val"):
            boxes = dataset.annotations[str(path)].xyxy
            source = f"screws_amv/{base_name(path.stem)}"
            yield Named(f"loose_{path.stem}", source, _scene(path, boxes, np.full(len(boxes), SCREW)))


def _scene(path: Path, boxes: NDArray[np.float32], labels: NDArray[np.int64]) -> Scene:
    photo = np.asarray(Image.open(path).convert("RGB"))
    height, width = photo.shape[:2]
    clipped = np.clip(boxes.reshape(-1, 4), 0, [width, height, width, height]).astype(np.float32)
    return Scene(photo, clipped, labels.astype(np.int64))


def crops(shared: Path, split: str) -> Crops:
    """Return cut-outs for the scenes of a split: screws_drew's own train and validate, and the split's block photos."""
    found: dict[str, list[Image.Image]] = {"screw": [], "hole": [], "other": []}
    drew = shared / "screws_drew" / ("train" if split == "train" else "validate")
    for kind, pictures in found.items():
        paths = sorted((drew / kind).glob("*")) if drew.is_dir() else []
        if split != "train":  # one half of `validate` each for val and test
            paths = paths[(split == "test") :: 2]
        pictures += [Image.open(path).convert("RGB") for path in paths]
    if (shared / "screws_presence").is_dir():
        for named in presence(shared / "screws_presence", split):
            for box, label in zip(named.scene.boxes, named.scene.labels, strict=True):
                cut = Image.fromarray(named.scene.photo).crop(tuple(int(edge) for edge in box))
                found["screw" if label == SCREW else "hole"].append(cut)
    return Crops(tuple(found["screw"]), tuple(found["hole"]), tuple(found["other"]))


# ---- more of the block than was photographed

PATCH_PX = 150
"""Side of a patch that hides a screw of the block photos (102 px) and shows none of its neighbours (300 px away)."""


def swapped(rng: np.random.Generator, scenes: list[Scene]) -> Scene:
    """Return one of the block photos with other screws and holes in its places, turned, nearer or farther.

    The photos hold few of the sixteen ways to fill four places, and no other number of places: patches from other
    photos of the same split make the rest.
    """
    scene = scenes[rng.integers(len(scenes))]
    canvas, boxes, labels = Image.fromarray(scene.photo), scene.boxes.copy(), scene.labels.copy()
    tone = scene.photo.mean(axis=(0, 1))
    for place, box in enumerate(scene.boxes):
        donor = scenes[rng.integers(len(scenes))]
        chosen = int(rng.integers(len(donor.boxes)))
        middle = (donor.boxes[chosen][:2] + donor.boxes[chosen][2:]) / 2
        height, width = donor.photo.shape[:2]
        whole = PATCH_PX / 2 <= middle[0] <= width - PATCH_PX / 2 and PATCH_PX / 2 <= middle[1] <= height - PATCH_PX / 2
        if whole and rng.random() < 0.6:
            patch = _feathered(donor.photo, middle, tone / donor.photo.mean(axis=(0, 1)))
            here = (box[:2] + box[2:]) / 2
            x, y = (int(edge) for edge in here - PATCH_PX / 2)
            canvas.paste(patch, (x, y), patch)
            half = (donor.boxes[chosen][2:] - donor.boxes[chosen][:2]) / 2
            boxes[place], labels[place] = np.concatenate([here - half, here + half]), donor.labels[chosen]
    return _moved(Scene(np.asarray(canvas), boxes, labels), rng)


def _feathered(photo: NDArray[np.uint8], middle: NDArray[np.float32], gain: NDArray[np.float64]) -> Image.Image:
    """Return a round patch about a point, (RGBA), with a soft rim and its light matched."""
    x, y = (int(edge) for edge in middle - PATCH_PX / 2)
    pixels = photo[y : y + PATCH_PX, x : x + PATCH_PX].astype(np.float32)
    pixels = np.clip(pixels * np.clip(gain, 0.4, 2.5), 0, 255)
    grid = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]] + 0.5 - PATCH_PX / 2
    alpha = np.clip((1 - np.hypot(*grid) / (PATCH_PX / 2)) / 0.2, 0, 1) * 255
    return Image.fromarray(np.dstack([pixels, alpha]).astype(np.uint8), "RGBA")


def _moved(scene: Scene, rng: np.random.Generator) -> Scene:
    """Return the scene turned by any angle (its parts are round), from another distance, on another bench."""
    height, width = scene.photo.shape[:2]
    angle = float(rng.uniform(0, 360)) if rng.random() < 0.5 else float(rng.normal(0, 6))
    centre = np.array([width / 2, height / 2])
    half = (scene.boxes[:, 2:] - scene.boxes[:, :2]) / 2
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    middle = (scene.boxes[:, :2] + half - centre) @ np.array([[cosine, -sine], [sine, cosine]]) + centre
    boxes = np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)
    factor = float(np.exp(rng.uniform(np.log(0.45), np.log(1.7))))
    x, y = (float(share) for share in rng.uniform(0.2, 0.8, 2))

    def seen(photo: NDArray[np.uint8]) -> Spoiled:
        turned = np.asarray(Image.fromarray(photo).rotate(angle, Image.Resampling.BICUBIC))
        return rescale(turned, boxes, factor, np.zeros(3), (x, y))

    out, inside = seen(scene.photo), seen(np.full_like(scene.photo, 255)).photo > 127
    bench = list(SURFACES.values())[rng.integers(len(SURFACES))](rng, width, height) * rng.uniform(40, 255)
    kept = out.seen >= 0.4
    return Scene(np.where(inside, out.photo, bench.astype(np.uint8)), out.boxes[kept], scene.labels[kept])


# ---- the folder


def gather(shared: Path, split: Split, scenes: int, seed: int) -> Iterator[Named]:
    """Yield everything a split holds: the real photos that are there, blocks with swapped places, rendered scenes.

    Args:
        shared: Folder of the real data.
        split: `train`, `val` or `test`.
        scenes: How many scenes to render; a quarter as many blocks are swapped.
        seed: The same seed gives the same split; the three splits never share a random number.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    if (shared / "screws_presence").is_dir():
        block = list(presence(shared / "screws_presence", split))
        yield from block
        for number in range(scenes // 4):
            name = f"swapped_{split}_{number}"
            yield Named(name, f"screws_presence/{name}", swapped(rng, [named.scene for named in block]))
    if (shared / "screws_amv").is_dir():
        yield from loose(shared / "screws_amv", split)
    cut_outs = crops(shared, split)
    for number in range(scenes):
        made = render(rng, cut_outs if rng.random() < 0.6 else None)
        yield Named(f"scene_{split}_{number}", f"scenes/{split}_{number}", made)


TRAIN_LONGEST_PX = 512
"""Longer side of a training photo: more than the model sees, and augmenting a small photo is cheap."""


def shrunk(scene: Scene, longest_px: int) -> Scene:
    """Return the scene with its longer side at most `longest_px`."""
    height, width = scene.photo.shape[:2]
    factor = longest_px / max(height, width)
    if factor >= 1:
        return scene
    size = (round(width * factor), round(height * factor))
    small = np.asarray(Image.fromarray(scene.photo).resize(size, Image.Resampling.LANCZOS))
    return Scene(small, (scene.boxes * factor).astype(np.float32), scene.labels)


def write_split(folder: Path, split: Split, found: Iterator[Named], expected: int) -> list[LabelledPhoto]:
    """Write the photos of a split to `<folder>/photos`, and return what is known of them."""
    place = folder / PHOTOS
    place.mkdir(parents=True, exist_ok=True)
    photos = []
    for named in track(found, f"{split}", total=expected):
        scene = shrunk(named.scene, TRAIN_LONGEST_PX) if split == "train" else named.scene
        height, width = scene.photo.shape[:2]
        name = f"{named.name}.jpg"
        Image.fromarray(scene.photo).save(place / name, quality=92)
        boxes = tuple(
            LabelledBox(LABELS[label], tuple(box), by="import")
            for box, label in zip(scene.boxes.tolist(), scene.labels.tolist(), strict=True)
            if box[0] + 1 <= box[2] and box[1] + 1 <= box[3]
        )
        photos.append(LabelledPhoto(name, width, height, boxes, split, named.source, named.name))
    return photos


def main(arguments: list[str] | None = None) -> None:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--out", type=Path, default=Path("build/detector"), help="where the set goes")
    parser.add_argument(
        "--scenes", type=int, default=9000, help="rendered training scenes; a tenth each for val and test"
    )
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    used = {"scenes"} | {each.name for each in SOURCES if (chosen.shared / each.name).is_dir()}
    for name in sorted({each.name for each in SOURCES} - used):
        print(f"{name} is not in {chosen.shared}: going on without it")
    photos: list[LabelledPhoto] = []
    for split in SPLITS:
        scenes = chosen.scenes if split == "train" else max(1, chosen.scenes // 10)
        photos += write_split(chosen.out, split, gather(chosen.shared, split, scenes, chosen.seed), int(scenes * 1.25))
    made = Counter(photo.source.split("/")[0] for photo in photos)
    sources = tuple(replace(each, photos=made[each.name]) for each in SOURCES if each.name in used)
    write_photo_set(PhotoSet(chosen.out, LABELS, tuple(photos), sources))


if __name__ == "__main__":
    main()
