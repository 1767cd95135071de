"""A trained detector as ONNX, and whether the export finds what the model finds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from repairai.vision.engine import open_onnx

FLOOR = 0.3
"""Score from which on a detection has to be in both; below, ties decide which queries are asked at all."""
SAME_PX, SAME_SCORE = 1.0, 0.01
"""Up to which differences detections are called the same."""
FEWEST = 5
"""Detections of a photo that are held against each other where fewer reach `FLOOR`."""


@dataclass(frozen=True)
class Parity:
    """How far an export is from its model, as sets: queries come in any order.

    Args:
        photos: That were looked at.
        compared: Detections that were held against each other.
        box_px: Largest difference of an edge, px of the input.
        score: Largest difference of a score.
    """

    photos: int
    compared: int
    box_px: float
    score: float

    def __str__(self) -> str:
        """Return it in a sentence."""
        same = (
            "finds the same" if self.box_px <= SAME_PX and self.score <= SAME_SCORE else "does not find quite the same"
        )
        return (
            f"the export {same}: {self.compared} detections on {self.photos} photos, largest difference of a "
            f"box {self.box_px:.2f} px, of a score {self.score:.4f}"
        )


class _Plain(torch.nn.Module):
    """The model as ONNX wants it: one tensor in, two out."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.model(pixel_values=pixel_values)
        return found.logits, found.pred_boxes


def export(model: torch.nn.Module, size_px: int, path: Path) -> None:
    """Write a model as ONNX: `pixel_values` (n, 3, size, size) to `logits` and `pred_boxes` (n, queries, ...)."""
    with warnings.catch_warnings():  # the tracer takes what is fixed in a detector for something that might change
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Plain(model).eval(),
            (torch.zeros(1, 3, size_px, size_px),),
            str(path),
            dynamo=False,  # the newer exporter does not take D-FINE
            opset_version=17,
            input_names=["pixel_values"],
            output_names=["logits", "pred_boxes"],
            dynamic_axes={name: {0: "batch"} for name in ("pixel_values", "logits", "pred_boxes")},
        )


def parity(model: Any, path: Path, photos: Sequence[NDArray[np.uint8]]) -> Parity:
    """Return how far the export in a file is from its model.

    Args:
        model: On any device.
        path: Of the export.
        photos: RGB uint8 (size, size, 3), as the model takes them.
    """
    exported = open_onnx(path, "f32")
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    pairs = []
    for photo in photos:
        with torch.no_grad():
            pixels = torch.from_numpy(photo.copy()).to(device).permute(2, 0, 1)[None].float() / 255
            outputs = model(pixel_values=pixels)
        own = outputs.logits[0].float().cpu().numpy(), outputs.pred_boxes[0].float().cpu().numpy()
        logits, boxes = exported(photo[None])
        pairs.append((own, (logits[0], boxes[0])))
    model.train(was_training)
    found = [_differences(own, other, photos[0].shape[0]) for own, other in pairs]
    found += [_differences(other, own, photos[0].shape[0]) for own, other in pairs]
    everything = np.concatenate(found) if found else np.zeros((0, 2))
    box, score = everything.max(axis=0) if len(everything) else (0.0, 0.0)
    return Parity(len(photos), len(everything), float(box), float(score))


def _differences(
    own: tuple[NDArray[Any], NDArray[Any]], other: tuple[NDArray[Any], NDArray[Any]], size_px: int
) -> NDArray[np.float64]:
    """Return for each detection that counts how far the nearest of the others is, (n, 2): box in px, score."""
    scores, boxes = 1 / (1 + np.exp(-own[0])), own[1]
    others, other_boxes = 1 / (1 + np.exp(-other[0])), other[1]
    best = scores.max(axis=1)
    order = np.argsort(-best)
    chosen = order[: max(FEWEST, int(np.sum(best >= FLOOR)))]
    boxed = np.abs(boxes[chosen][:, None] - other_boxes[None]).max(axis=2) * size_px
    scored = np.abs(scores[chosen][:, None] - others[None]).max(axis=2)
    nearest = (boxed / size_px + scored).argmin(axis=1)
    rows = np.arange(len(chosen))
    return np.stack([boxed[rows, nearest], scored[rows, nearest]], axis=1)
