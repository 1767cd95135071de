"""A trained detector through our path beside transformers' own: the same checkpoint, photos and machine, in one run.

    python benchmarks/detector_inference.py [--model RUN|FOLDER] [--photos FOLDER] [--rounds N]

From the file of a photo to boxes: RepairAI reads it and runs the checkpoint's ONNX export, `transformers.pipeline` its
weights with torch. All take turns on every photo. The boxes have to be the same ones: as sets, each within a px of one
of the other's and of the same part; the pipeline cuts its edges to whole px, so ours are cut for that, too. Where it
gives one thing twice, with two labels or two boxes, we give it once: these are counted apart. Scores within 0.05 of the
threshold may fall on either side of it. On processors that multiply bf16 we compute in it, which moves edges by a px
more; the same network in fp32 is shown beside it.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from engines import timed
from PIL import Image
from transformers import pipeline
from transformers.utils import logging

from repairai.runs.folder import runs_folder
from repairai.vision import tiles
from repairai.vision.detector import RTDetrDetector, load_detector
from repairai.vision.engine import open_onnx, precision
from repairai.vision.photo import read_photo
from training.detector.calibration import iou

ROOT = Path(__file__).parents[1]
THRESHOLD, NEAR = 0.5, 0.05
SAME_PX = 1.0
DOUBLE = 0.6
"""IoU from which on two boxes of one side show the same thing."""


@dataclass(frozen=True)
class Box:
    """One detection, of either side."""

    label: str
    score: float
    box: tuple[float, ...]


@dataclass
class Agreement:
    """How far both sides give the same boxes, added up over photos."""

    same: int = 0
    doubled: int = 0
    missing: int = 0
    extra: int = 0
    farthest_px: float = 0.0

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"{self.same} boxes the same (at most {self.farthest_px:g} px apart), {self.doubled} that the pipeline "
            f"gives twice, {self.missing} only in the pipeline, {self.extra} only ours"
        )

    def add(self, ours: Sequence[Box], theirs: Sequence[Box]) -> None:
        """Hold one photo's boxes side by side, both from a little under the threshold on."""
        for mine, others, is_theirs in ((theirs, ours, True), (ours, theirs, False)):
            for each in mine:
                if each.score < THRESHOLD + NEAR:
                    continue
                near = [apart(each, other) for other in others if other.label == each.label]
                if near and min(near) <= SAME_PX:
                    self.same += is_theirs
                    self.farthest_px = max(self.farthest_px, min(near))
                elif is_theirs and self._is_double(each, theirs):
                    self.doubled += 1
                else:
                    self.missing += is_theirs
                    self.extra += not is_theirs

    @staticmethod
    def _is_double(each: Box, theirs: Sequence[Box]) -> bool:
        """Tell whether a better one of the same side shows the same thing."""
        better = [other.box for other in theirs if other is not each and other.score >= each.score]
        boxes = np.array(better, np.float32).reshape(-1, 4)
        return bool((iou(np.array([each.box], np.float32), boxes) >= DOUBLE).any())


def apart(one: Box, other: Box) -> float:
    """Return how far two boxes' edges lie from each other at most, in px."""
    return max(abs(a - b) for a, b in zip(one.box, other.box, strict=True))


def photos_in(folder: Path, detector: RTDetrDetector, most: int) -> list[Path]:
    """Return photos that are looked at whole: larger ones we also look at in tiles, which the pipeline does not."""
    found = []
    for path in sorted(folder.glob("*.jp*g")):
        width, height = Image.open(path).size
        if len(tiles.windows(width, height, detector.size_px)) == 1:
            found.append(path)
    return found[:: max(len(found) // most, 1)][:most]


def folder_of(model: str) -> Path:
    """Return the checkpoint's folder of the built-in detector, a run or a folder."""
    if model == "builtin":
        return ROOT / "repairai" / "builtin" / "detector"
    run = runs_folder() / model / "model"
    return run if run.is_dir() else Path(model)


def opened(folder: Path) -> dict[str, RTDetrDetector]:
    """Return the detector as it inspects, and in fp32 where that is another one."""
    detector = load_detector(folder)
    found = {f"RepairAI, {precision()}": detector}
    if precision() != "f32" and (folder / "model.onnx").is_file():
        found["RepairAI, f32"] = replace(detector, network=open_onnx(folder / "model.onnx", "f32"))
    return found


def seen(detector: RTDetrDetector, path: Path) -> list[Box]:
    """Return what we find on a photo, edges cut to whole px."""
    found = detector.detect_from(read_photo(path).pixels, THRESHOLD - NEAR)
    return [Box(each.label, each.score, tuple(math.trunc(edge) for edge in each.box)) for each in found]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin", help="a run's id, a folder, or builtin")
    real = ROOT.parent / "shared" / "data" / "screws_presence" / "photos"
    usual = real if real.is_dir() else ROOT / "repairai" / "builtin" / "photos"
    parser.add_argument("--photos", type=Path, default=usual, metavar="FOLDER")
    parser.add_argument("--most", type=int, default=20, help="photos that are looked at")
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    folder = folder_of(chosen.model)
    ours = opened(folder)
    detector = next(iter(ours.values()))
    paths = photos_in(chosen.photos, detector, chosen.most)
    if not paths:
        raise SystemExit(f"{chosen.photos} holds no photos that are looked at whole")
    logging.set_verbosity_error()
    pipe = pipeline("object-detection", model=str(folder), threshold=THRESHOLD - NEAR)

    def theirs(path: Path) -> list[Box]:
        return [Box(each["label"], each["score"], tuple(each["box"].values())) for each in pipe(str(path))]

    expected = [theirs(path) for path in paths]
    agreed = {}
    for name, each in ours.items():
        agreed[name] = Agreement()
        for path, boxes in zip(paths, expected, strict=True):
            agreed[name].add(seen(each, path), boxes)
    # Every run goes through the photos by itself.
    turns = {name: cycle(paths) for name in (*ours, "transformers.pipeline")}
    runs = {name: lambda name=name, each=each: seen(each, next(turns[name])) for name, each in ours.items()}
    medians = timed(
        {**runs, "transformers.pipeline": lambda: theirs(next(turns["transformers.pipeline"]))}, chosen.rounds
    )
    print(
        f"{detector.name}, input {detector.size_px} px, {len(paths)} photos, median of {chosen.rounds}; "
        f"{os.cpu_count()} cores, torch on {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}"
    )
    other = medians["transformers.pipeline"]
    for name, seconds in medians.items():
        print(f"  {name:<24} {1000 * seconds:7.1f} ms a photo, {other / seconds:5.2f} times as fast")
    for name, found in agreed.items():
        print(f"  {name}: {found}")


if __name__ == "__main__":
    main()
