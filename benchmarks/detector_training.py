"""Training a detector: photos a second of our loop beside the way of transformers' own object-detection example.

    python benchmarks/detector_training.py [DATA] [--photos 160] [--epochs 1] [--rounds 2] [--megapixels 12]

DATA is a set that `training.detector_data` wrote (default: `screws_amv` of ../shared/data, as it is, 640 x 640 px, or
enlarged to the size that a phone gives: they show the same, and take longer to read). Both sides train the built-in
detector on the same photos in the same order, with the same batch, rate and clip, each in a process of its own, one
after the other, and both are then judged by the same code on the same photos. Theirs is the example's way:
its augmentation and `AutoImageProcessor` on whole photos as they are drawn, its collate function, a Trainer with its
defaults, no evaluation. Starting costs both sides about half a second, which weighs little in a training and much in
one epoch of few photos. The augmentation is what the example lists, by albumentations 2.0.8 (MIT), which nothing
else here needs: `pip install albumentations==2.0.8`. Where it is not installed it is left out, and that is said.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset, SequentialSampler
from transformers import AutoImageProcessor, AutoModelForObjectDetection, Trainer, TrainingArguments

from repairai.hardware.recipe import Augmentation, Detecting, Recipe
from repairai.hardware.workload import Workload
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, read_photo_set, write_photo_set
from training.detector.forward import Plain
from training.detector.judged import Judge
from training.detector.model import BUILTIN, find_detector, freeze, load_detector_model, processor
from training.detector.photos import Photos
from training.detector.trainer import make_trainer

SIZE_PX, BATCH, RATE, CLIP = 320, 8, 1e-4, 0.1
THEIR_SIDES = ("theirs", "theirs, not augmented")[not importlib.util.find_spec("albumentations") :]
OUR_SIDES = ("ours", "ours, not augmented")
SCREWS = Path(__file__).parents[2] / "shared" / "data" / "screws_amv"


def screws(folder: Path, megapixels: float = 0.0) -> PhotoSet:
    """Return screws_amv as a set: copies of its photos, of another size where one is given."""
    (folder / "photos").mkdir(parents=True)
    photos = []
    for split, name in (("train", "train"), ("val", "valid")):
        for path in sorted((SCREWS / name / "images").glob("*.jpg")):
            width, height = _copied(path, folder / "photos" / path.name, megapixels)
            boxes = [_box(line, width, height) for line in _lines(SCREWS / name / "labels" / f"{path.stem}.txt")]
            kept = tuple(box for box in boxes if box)
            photos.append(LabelledPhoto(path.name, width, height, kept, split, "screws_amv", path.name))  # type: ignore[arg-type]
    made = PhotoSet(folder, ("screw",), tuple(photos))
    write_photo_set(made)
    return made


def _copied(path: Path, to: Path, megapixels: float) -> tuple[int, int]:
    """Copy a photo, and return the width and height that it has there in px."""
    with Image.open(path) as image:
        if not megapixels:
            shutil.copyfile(path, to)
            return image.size
        larger = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = round(image.width * larger), round(image.height * larger)
        image.resize(size, Image.Resampling.BICUBIC).save(to, quality=90)
        return size


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


def _box(line: str, width: int, height: int) -> LabelledBox | None:
    """Return a line of YOLO's: a box, or the corners of an outline."""
    _, *numbers = (float(each) for each in line.split())
    if len(numbers) == 4:
        x, y, w, h = numbers
        edges = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    else:
        edges = (min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2]))
    left, top, right, bottom = (min(max(edge, 0.0), 1.0) for edge in edges)
    if right <= left or bottom <= top:
        return None
    return LabelledBox("screw", (left * width, top * height, right * width, bottom * height))


# ---- theirs


def as_the_example_augments() -> Any:
    """Return what the example does to each photo and its boxes, with the strengths and chances that it gives."""
    import albumentations as a  # noqa: PLC0415  only for this, where it is installed

    nearer = [a.SmallestMaxSize(max_size=SIZE_PX), a.RandomSizedBBoxSafeCrop(height=SIZE_PX, width=SIZE_PX)]
    blurs = [a.Blur(blur_limit=7), a.MotionBlur(blur_limit=7), a.Defocus((1, 5), alias_blur=(0.1, 0.25), p=0.1)]
    light = [a.RandomBrightnessContrast(), a.HueSaturationValue(p=0.1)]
    return a.Compose(
        [a.Compose(nearer, p=0.2), a.OneOf(blurs, p=0.1), a.Perspective(p=0.1), a.HorizontalFlip(), *light],
        bbox_params=a.BboxParams("coco", label_fields=["category"], clip=True, min_area=25),
    )


class AsTheExample(Dataset[dict[str, Any]]):
    """Photos as the example's `with_transform` gives them: read, turned into arrays, and through the processor."""

    def __init__(self, photos: PhotoSet, n: int, augmented: bool) -> None:
        own = photos.of("train")
        self.augment = as_the_example_augments() if augmented else None
        self.photos, self.chosen = photos, [own[at] for at in np.random.default_rng(0).permutation(len(own))[:n]]
        self.processor = AutoImageProcessor.from_pretrained(find_detector(BUILTIN), do_resize=True)

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> dict[str, Any]:
        each = self.chosen[index]
        image = np.array(Image.open(self.photos.path(each)).convert("RGB"))
        corners = [box.box for box in each.boxes]
        boxes = [[left, top, right - left, bottom - top] for left, top, right, bottom in corners]
        if self.augment:
            seen = self.augment(image=image, bboxes=boxes, category=[0] * len(boxes))
            image, boxes = seen["image"], seen["bboxes"]
        notes = [
            {"image_id": index, "category_id": 0, "iscrowd": 0, "area": box[2] * box[3], "bbox": list(box)}
            for box in boxes
        ]
        found = self.processor(
            images=[image], annotations=[{"image_id": index, "annotations": notes}], return_tensors="pt"
        )
        return {"pixel_values": found["pixel_values"][0], "labels": found["labels"][0]}


def collate_as_the_example(batch: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch as the example's `collate_fn` makes it."""
    return {"pixel_values": torch.stack([x["pixel_values"] for x in batch]), "labels": [x["labels"] for x in batch]}


class InOrder(Trainer):
    """A Trainer that takes the photos in the order in which they are."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(self.train_dataset)


def theirs(photos: PhotoSet, n: int, augmented: bool, epochs: int) -> tuple[tuple[float, float], torch.nn.Module]:
    """Return the seconds that so many epochs of n photos take in their way, and the model."""
    torch.manual_seed(0)
    model = AutoModelForObjectDetection.from_pretrained(
        find_detector(BUILTIN), id2label={0: "screw"}, label2id={"screw": 0}, ignore_mismatched_sizes=True
    )
    ours, _ = load_detector_model(find_detector(BUILTIN), photos.parts)
    model.load_state_dict(ours.state_dict())  # the same head to begin with
    with tempfile.TemporaryDirectory() as place:
        trainer = InOrder(
            model=model,
            args=TrainingArguments(
                output_dir=place, per_device_train_batch_size=BATCH, num_train_epochs=epochs, learning_rate=RATE,
                max_grad_norm=CLIP, lr_scheduler_type="constant", remove_unused_columns=False, report_to="none",
                save_strategy="no", eval_do_concat_batches=False, use_cpu=not torch.cuda.is_available(),
                disable_tqdm=True,
            ),
            train_dataset=AsTheExample(photos, n, augmented),
            data_collator=collate_as_the_example,
        )  # fmt: skip
        return timed(trainer), model


# ---- ours


class Draws:
    """The photos in the order in which they are, each augmented in another way in each epoch."""

    def __init__(self, n: int) -> None:
        self.n, self.drawn = n, 0

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[tuple[int, int]]:
        self.drawn += self.n
        return ((at, self.drawn - self.n + at) for at in range(self.n))


def ours(
    photos: PhotoSet, n: int, preset: Augmentation, precision: str, epochs: int
) -> tuple[tuple[float, float], torch.nn.Module]:
    """Return the seconds that so many epochs of n photos take in our way, and the model."""
    torch.manual_seed(0)
    step = Workload(BUILTIN, "full", batch=BATCH, image_px=SIZE_PX, precision=precision, optimizer="adamw")  # type: ignore[arg-type]
    recipe = Recipe(
        "detector", step, float(epochs), RATE, clip=CLIP, schedule="constant", warmup=0.0, patience=0, eval_steps=10**6,
        detecting=Detecting(backbone_rate=1.0, augmentation=preset),
    )  # fmt: skip
    model, _ = load_detector_model(find_detector(BUILTIN), photos.parts)
    freeze(model, recipe)
    own = photos.of("train")
    chosen = [own[at] for at in np.random.default_rng(0).permutation(len(own))[:n]]
    with tempfile.TemporaryDirectory() as place:
        data = Photos(photos, chosen, {"screw": 0}, SIZE_PX, preset, 0)
        trainer = make_trainer(recipe, model, data, None, Plain(), processor(SIZE_PX), Path(place), [])
        trainer.args.save_strategy = "no"
        trainer._get_train_sampler = lambda _=None: Draws(len(data))  # type: ignore[method-assign, assignment, misc, return-value]
        return timed(trainer), model


# ---- beside each other


def timed(trainer: Trainer) -> tuple[float, float]:
    """Train, and return the seconds of the loop and the processor's; loaders count once they have ended."""
    before = processor_seconds()
    seconds = float(trainer.train().metrics["train_runtime"])
    trainer.accelerator.free_memory()
    trainer.callback_handler.train_dataloader = None
    gc.collect()
    return seconds, processor_seconds() - before


def judged(photos: PhotoSet, model: torch.nn.Module) -> dict[str, float]:
    """Return what a model is worth on photos that it was not trained on."""
    found = Judge(Photos(photos, photos.of("val"), {"screw": 0}, SIZE_PX, keep=False), 1, Plain(), BATCH)(model)
    return {"loss": found.loss, "ap50": found.ap50, "exact": found.exact}


def processor_seconds() -> float:
    """Return what this process and those that it waited for took of the processor."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def compared(theirs: dict[str, float], ours: dict[str, float]) -> str:
    """Return how much faster ours is, and how much less of the processor it takes."""
    ratio = ours["photos_per_second"] / theirs["photos_per_second"]
    return f"{ratio:.2f} times as fast, with {theirs['processor_ms'] / ours['processor_ms']:.2f} times less processor"


def side(name: str, data: Path, n: int, precision: str, epochs: int) -> dict[str, float]:
    """Return one side's figures from a process of its own."""
    command = [sys.executable, __file__, str(data), "--photos", str(n), "--side", name, "--precision", precision]
    command += ["--epochs", str(epochs)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if found.returncode:
        raise SystemExit(found.stderr[-3000:])
    return dict(json.loads(found.stdout.splitlines()[-1]))


def main() -> None:
    """Measure; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--photos", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--megapixels", type=float, default=0.0, help="of each photo; 0: as it is")
    parser.add_argument("--side", choices=(*THEIR_SIDES, *OUR_SIDES))
    chosen = parser.parse_args()
    if chosen.side:
        photos = read_photo_set(chosen.data)
        augmented = "not" not in chosen.side
        seconds, model = (
            theirs(photos, chosen.photos, augmented, chosen.epochs)
            if chosen.side in THEIR_SIDES
            else ours(photos, chosen.photos, "bench" if augmented else "none", chosen.precision, chosen.epochs)
        )
        n = min(chosen.photos, len(photos.of("train"))) * chosen.epochs
        wall, cpu = seconds
        print(json.dumps({"photos_per_second": n / wall, "processor_ms": cpu / n * 1000, **judged(photos, model)}))
        return
    with tempfile.TemporaryDirectory() as place:
        data = chosen.data or screws(Path(place) / "screws", chosen.megapixels).folder
        rows: dict[str, list[dict[str, float]]] = {}
        for _ in range(chosen.rounds):
            for name in (*THEIR_SIDES, *OUR_SIDES):
                rows.setdefault(name, []).append(side(name, data, chosen.photos, chosen.precision, chosen.epochs))
    medians = {name: {key: float(np.median([row[key] for row in own])) for key in own[0]} for name, own in rows.items()}
    for name, row in medians.items():
        print(
            f"{name:>22}: {row['photos_per_second']:6.2f} photos a second, {row['processor_ms']:.0f} ms of "
            f"processor each; on val: loss {row['loss']:.2f}, "
            f"AP50 {row['ap50']:.3f}, exact counts {row['exact']:.2f}"
        )
    if len(THEIR_SIDES) == 1:
        print("albumentations is not installed: the example's own augmentation was left out")
    for theirs_is, ours_is in zip(THEIR_SIDES[::-1], OUR_SIDES[::-1], strict=False):
        print(f"{ours_is} beside {theirs_is}: {compared(medians[theirs_is], medians[ours_is])}")


if __name__ == "__main__":
    main()
