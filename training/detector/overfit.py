"""Whether labels and loss are right: what cannot learn eight photos by heart will learn nothing from more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from repairai.hardware.recipe import Detecting, Recipe
from repairai.hardware.workload import Workload
from repairai.vision.detectors import WORDED
from repairai.vision.photo_set import LabelledPhoto, PhotoSet
from training.detector.forward import Plain
from training.detector.judged import Judge, Judged
from training.detector.model import (
    BUILTIN,
    find_detector,
    freeze,
    groups,
    kind_of,
    load_detector_model,
    still,
)  # fmt: skip
from training.detector.photos import Photos, collate

PHOTOS = 8

BATCH = 4
RATE = 5e-4
EXACT, AP50 = 0.999, 0.9
"""From which on photos are known by heart."""
LOOK_STEPS = 20
LEAST_PX = 8.0


@dataclass(frozen=True)
class Overfit:
    """What came of it.

    Args:
        right: Whether labels and loss are right, as far as these photos show.
        photos: That were learned.
        steps: That it took.
        seconds: Likewise.
        loss: Of the first and of the last step.
        exact: Share of pairs of a photo and a part that are counted exactly at the end.
        ap50: Average precision at IoU 0.50 at the end.
        said: In sentences, what that means and what looks wrong.
    """

    right: bool
    photos: int
    steps: int
    seconds: float
    loss: tuple[float, float]
    exact: float
    ap50: float
    said: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in sentences."""
        return "\n".join(self.said)


def overfit(
    photos: PhotoSet, model: str = BUILTIN, seconds: float = 60.0, told: Callable[[int, float], None] = lambda *_: None
) -> Overfit:
    """Return whether a detector can learn eight of the photos by heart.

    Args:
        photos: The set.
        model: `builtin`, a folder, or a name on the Hub.
        seconds: That it may take.
        told: Called with each step and its loss.

    Raises:
        RepairError: There is no such detector, or a photo cannot be read.
    """
    place = find_detector(model)
    if kind_of(place) in WORDED:  # labels are the same for all, and this one learns them within the minute
        place = find_detector(BUILTIN)
    size = _input_px(place)
    step = Workload(model, "full", batch=BATCH, image_px=size, precision="fp32", optimizer="adamw")
    recipe = Recipe("detector", step, 1.0, RATE, weight_decay=0.0, clip=1.0, detecting=Detecting(backbone_rate=1.0))
    torch.manual_seed(0)
    network, _ = load_detector_model(place, photos.parts)
    freeze(network, recipe)
    chosen = _eight(photos)
    numbers = {part: number for number, part in enumerate(photos.parts)}
    judge = Judge(Photos(photos, chosen, numbers, size, keep=False), len(photos.parts), Plain(), BATCH)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    began = time.monotonic()
    losses, judged = _learn(network.to(device), judge, recipe, began + seconds, told)
    return _told(chosen, judged, losses, time.monotonic() - began, size)


def _input_px(place: object) -> int:
    """Return the side of a detector's input, at most what a processor learns within the minute."""
    return 320


def _eight(photos: PhotoSet) -> list[LabelledPhoto]:
    """Return photos that show each part, as far as eight can."""
    left = sorted(photos.of("train"), key=lambda each: (not each.boxes, len(each.boxes), each.name))
    chosen: list[LabelledPhoto] = []
    seen: set[str] = set()
    while left and len(chosen) < PHOTOS:
        best = max(left, key=lambda each: len({box.part for box in each.boxes} - seen))
        left.remove(best)
        chosen.append(best)
        seen |= {box.part for box in best.boxes}
    return chosen


def _learn(
    network: torch.nn.Module, judge: Judge, recipe: Recipe, until: float, told: Callable[[int, float], None]
) -> tuple[list[float], Judged]:
    """Train until the photos are known by heart, or time is over; return the losses and what it is worth then."""
    optimizer = torch.optim.AdamW(groups(network, recipe), lr=RATE)
    device = next(network.parameters()).device
    forward, quiet, rng = Plain(), still(network, recipe), np.random.default_rng(0)
    losses: list[float] = []
    judged = judge(network)
    order: list[int] = []
    while time.monotonic() < until:
        if len(order) < BATCH:
            order += rng.permutation(len(judge)).tolist()
        batch = collate([judge.items()[at] for at in order[:BATCH]])
        order = order[BATCH:]
        network.train()
        for layer in quiet:
            layer.eval()
        labels = [{name: value.to(device) for name, value in each.items()} for each in batch["labels"]]
        loss = forward(network, batch["pixel_values"].to(device), labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        told(len(losses), losses[-1])
        if not math.isfinite(losses[-1]):
            break
        if len(losses) % LOOK_STEPS == 0:
            judged = judge(network)
            if judged.exact >= EXACT and judged.ap50 >= AP50:
                return losses, judged
    return losses, judge(network)


def _told(chosen: list[LabelledPhoto], judged: Judged, losses: list[float], seconds: float, size_px: int) -> Overfit:
    right = judged.exact >= EXACT and judged.ap50 >= AP50
    span = (losses[0], losses[-1]) if losses else (math.nan, math.nan)
    figures = (
        f"{len(chosen)} photos, {len(losses)} steps in {seconds:.0f} s: the loss went from {span[0]:.1f} to "
        f"{span[1]:.1f}, {judged.exact:.0%} of counts are exact, average precision at IoU 0.50 is {judged.ap50:.2f}."
    )
    found = Overfit(
        right, len(chosen), len(losses), round(seconds, 1), span, judged.exact, judged.ap50, (figures,)
    )  # fmt: skip
    if right:
        return replace(found, said=("Labels and loss are right: the photos are known by heart.", figures))
    return replace(found, said=(figures, *_wrong(chosen, judged, losses, size_px)))


def _wrong(chosen: list[LabelledPhoto], judged: Judged, losses: list[float], size_px: int) -> tuple[str, ...]:
    """Return in sentences what looks wrong."""
    if losses and not math.isfinite(losses[-1]):
        return ("The loss became no number: look for boxes without a size, with `photos doctor`.",)
    sides = [
        min((box.box[2] - box.box[0]) * size_px / each.width, (box.box[3] - box.box[1]) * size_px / each.height)
        for each in chosen
        for box in each.boxes
    ]
    small = sum(side < LEAST_PX for side in sides)
    found = []
    if small:
        found.append(
            f"{small} of {len(sides)} parts have a side under {LEAST_PX:.0f} px at the model's input of {size_px} px: "
            "take a larger image_px, or closer photos."
        )
    if len(losses) >= LOOK_STEPS and np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5]):
        found.append("The loss falls, so it learns, and has not learned these photos by heart yet: give it more time.")
    else:
        found.append("The loss does not fall: look at the boxes on the photos, some will lie beside their parts.")
    if judged.ap50 < 0.3 and len(losses) >= LOOK_STEPS:
        found.append("Few boxes are where the labels have them: see whether labels turn with the photos' EXIF.")
    return tuple(found)
