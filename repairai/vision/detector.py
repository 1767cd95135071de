"""RT-DETR, RT-DETRv2, D-FINE, and Grounding DINO trained on parts: one `detect()` over a folder or its ONNX export."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repairai.errors import RepairError
from repairai.files import read_record, read_text
from repairai.schema import Detection, PartLimits
from repairai.vision import tiles
from repairai.vision.detectors import KINDS, WORDED, inspects
from repairai.vision.engine import Network, open_onnx

LIMITS_FILE = "limits.json"
UNMEASURED = PartLimits(sure=0.7, maybe=0.2)
"""For a detector that nobody calibrated: a wide middle, so that doubt shows."""
BATCH = 8
"""Windows that go through the network at once: more is not faster on a CPU and takes memory."""


@dataclass(frozen=True)
class Limits:
    """What was measured of a detector, as `limits.json` beside its weights says it.

    Args:
        parts: For each label.
        measured_on: In words, for the page and the card.
        escape: The share of wrong steps that was tolerated when they were chosen; None where nobody said one.
        confidence: With which no more of them pass; None where nobody said one.
        photos: For each label, the independent photos with it that they were chosen on.
        undecided: Labels that stay undecided, each with why.
        made: When, ISO 8601; empty where that is not known.
    """

    parts: dict[str, PartLimits]
    measured_on: str
    escape: float | None = None
    confidence: float | None = None
    photos: dict[str, int] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)
    made: str = ""


@dataclass(frozen=True)
class RTDetrDetector:
    """A detector of the RT-DETR family, or one that a network makes look like it; see `repairai.schema.Detector`.

    Args:
        name: `name@revision`.
        labels: In the order of the network's outputs.
        limits: What was measured, for each label.
        size_px: Side of the square input.
        network: Runs the weights.
    """

    name: str
    labels: tuple[str, ...]
    limits: dict[str, PartLimits]
    size_px: int
    network: Network

    def detect(self, photo: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """Return all detections from their label's `maybe` on, best first; boxes in px of the photo (H, W, 3)."""
        found = self.detect_from(photo, min(limits.maybe for limits in self.limits.values()))
        return tuple(each for each in found if each.score >= self.limits[each.label].maybe)

    def detect_from(self, photo: NDArray[np.uint8], floor: float) -> tuple[Detection, ...]:
        """Return all detections with at least the score `floor`: what calibration looks at."""
        height, width = photo.shape[:2]
        picture = Image.fromarray(photo)
        windows = tiles.windows(width, height, self.size_px)
        found = [
            self._look(picture, windows, np.arange(start, min(start + BATCH, len(windows))), floor)
            for start in range(0, len(windows), BATCH)
        ]
        boxes, scores, labels, passes = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = tiles.merge(boxes, scores, self._places()[labels], passes)
        sides = (boxes[:, 2:] - boxes[:, :2]) / tiles.finest(windows, self.size_px)
        least = np.array([self.limits[label].min_side_px for label in self.labels])
        small = sides.min(axis=1) < least[labels]
        return tuple(
            Detection(self.labels[labels[i]], round(float(scores[i]), 4), _rounded(boxes[i]), bool(small[i]))
            for i in kept
        )

    def _look(
        self, picture: Image.Image, windows: NDArray[np.int64], batch: NDArray[np.int64], floor: float
    ) -> tuple[NDArray[Any], ...]:
        """Return boxes in px of the photo, scores, labels and windows of what is seen through a batch of windows."""
        side = self.size_px
        looks = [
            picture.resize((side, side), Image.Resampling.BILINEAR, tuple(windows[i].tolist()), reducing_gap=1.0)
            for i in batch
        ]
        logits, shares = self.network(np.stack([np.asarray(each) for each in looks]))
        # One query is one thing: where two labels claim it, the better one has it.
        labels = logits.argmax(axis=2)
        scores = 1 / (1 + np.exp(-logits.max(axis=2)))
        row, query = np.nonzero(scores >= floor)
        own = windows[batch[row]].astype(np.float32)
        origin, extent = np.tile(own[:, :2], 2), np.tile(own[:, 2:] - own[:, :2], 2)
        middle, half = shares[row, query, :2], shares[row, query, 2:] / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1).clip(0, 1) * extent + origin
        whole = np.all(boxes[:, 2:] - boxes[:, :2] >= 1, axis=1)
        finest = tiles.finest(windows, side)
        whole &= ~tiles.better_elsewhere(boxes, own, finest, picture.width, picture.height, side)
        return boxes[whole], scores[row, query][whole], labels[row, query][whole], batch[row][whole]

    def _places(self) -> NDArray[np.int64]:
        """Return for each label the kind of place that it fills: a part and its empty place share one."""
        names = list(self.labels)
        kinds = np.arange(len(names))
        for number, label in enumerate(names):
            empty = self.limits[label].empty_place
            if empty in names:
                kinds[names.index(empty)] = number
        return kinds


def _rounded(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(float(edge), 1) for edge in box)
    return left, top, right, bottom


def load_detector(folder: Path, engine: str = "auto", name: str = "") -> RTDetrDetector:
    """Return the detector in a checkpoint folder.

    Args:
        folder: Holds `config.json`, `preprocessor_config.json`, weights (`model.onnx` or `model.safetensors`) and,
            where it was calibrated, `limits.json`.
        engine: `onnx`, `torch`, or `auto`: ONNX where it is there, which needs no torch.
        name: What inspections call it; empty takes the folder's.

    Raises:
        RepairError: The folder is not a detector that inspects, or its weights are missing.
    """
    config = _json(folder / "config.json")
    kind = config.get("model_type", "no model type")
    if not inspects(config):
        what = "finds what words say and was trained on no parts" if kind in WORDED else "is no detector of ours"
        mend = f"give one of {', '.join(KINDS)}, or one of {', '.join(WORDED)} trained on your parts"
        raise RepairError(f"{folder.name} holds {kind}, which {what}", mend)
    labels = _labels(config, folder)
    size_px = _input_size(_json(folder / "preprocessor_config.json"), folder, kind in WORDED)
    weights = folder / (
        "model.onnx" if engine != "torch" and (folder / "model.onnx").is_file() else "model.safetensors"
    )
    if not weights.is_file() or (engine == "onnx" and weights.suffix != ".onnx"):
        raise RepairError(f"{folder.name} has no weights that {engine} can run", "give a folder with its weights")
    measured = read_record(folder / LIMITS_FILE, Limits).parts if (folder / LIMITS_FILE).is_file() else {}
    with weights.open("rb") as file:  # some have a GB of them
        revision = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return RTDetrDetector(
        name=f"{name or folder.name}@{revision}",
        labels=labels,
        limits={label: measured.get(label, UNMEASURED) for label in labels},
        size_px=size_px,
        network=open_onnx(weights) if weights.suffix == ".onnx" else _open(folder, labels if kind in WORDED else ()),
    )


def _open(folder: Path, named: tuple[str, ...]) -> Network:
    from repairai.vision.checkpoint import open_checkpoint  # torch takes seconds to import: only where it is used

    return open_checkpoint(folder, named)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{path} is not JSON: {error}", "copy the detector's folder again") from None
    if not isinstance(content, dict):
        raise RepairError(f"{path} holds no settings", "copy the detector's folder again")
    return content


def _labels(config: dict[str, Any], folder: Path) -> tuple[str, ...]:
    names = config.get("id2label")
    if not isinstance(names, dict) or {*names} != {str(number) for number in range(len(names))} or not names:
        raise RepairError(
            f"{folder.name}/config.json does not name the detector's parts, numbered from 0, under id2label",
            "copy the detector's folder again",
        )
    return tuple(str(names[str(number)]) for number in range(len(names)))


def _input_size(processor: dict[str, Any], folder: Path, normalised: bool) -> int:
    size = processor.get("size")
    size = size if isinstance(size, dict) else {}
    square = size.get("height") and size.get("height") == size.get("width")
    if not square or bool(processor.get("do_normalize")) != normalised:
        raise RepairError(
            f"{folder.name} wants photos of size {size}, normalised: {bool(processor.get('do_normalize'))}",
            f"give a detector with a square input and pixels {'normalised' if normalised else 'from 0 to 1'}, as its "
            "kind has",
        )
    return int(size["height"])
