"""Draws detections onto a photo: a box, a label and its score, coloured by what became of the part."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from repairai.files import disk_error, write_whole
from repairai.schema import Detection, Outcome, PartLimits
from repairai.vision.masks import decode

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # it has its own drawing where OpenCV is not installed
    import supervision as sv

COLOURS: dict[Outcome, str] = {"PASS": "#1a7f4b", "FAIL": "#c0392b", "UNCERTAIN": "#b7791f"}
UNASKED = "#64748b"
VEIL = 0.45
"""Share of a mask's colour in what is seen of a part."""


def draw(
    photo: NDArray[np.uint8],
    detections: Sequence[Detection],
    limits: Mapping[str, PartLimits],
    outcomes: Mapping[str, Outcome],
) -> NDArray[np.uint8]:
    """Return a copy of the photo (H, W, 3) with the detections drawn in.

    Args:
        photo: RGB uint8.
        detections: Those under `sure` are marked with a question mark; those with a mask are coloured in.
        limits: Of the detector.
        outcomes: What became of each part that was asked for; the others are drawn in grey.
    """
    if not detections:
        return photo.copy()
    palette = [*COLOURS.values(), UNASKED]
    names = list(COLOURS)
    colour = [names.index(outcomes[d.label]) if d.label in outcomes else len(names) for d in detections]
    found = sv.Detections(xyxy=np.array([d.box for d in detections], dtype=np.float32), class_id=np.array(colour))
    words = [
        f"{d.label.replace('_', ' ')} {d.score:.2f}{'' if d.score >= limits[d.label].sure and not d.small else ' ?'}"
        for d in detections
    ]
    colours = sv.ColorPalette.from_hex(palette)
    size = max(photo.shape[:2])
    coloured = photo.copy()
    for each, number in zip(detections, colour, strict=True):
        _veil(coloured, each, palette[number])
    canvas = coloured[:, :, ::-1].copy()  # supervision draws in BGR
    canvas = sv.BoxAnnotator(colours, thickness=max(2, size // 400)).annotate(canvas, found)
    label = sv.LabelAnnotator(colours, text_scale=max(0.4, size / 2000), text_padding=max(3, size // 400))
    return np.ascontiguousarray(label.annotate(canvas, found, words)[:, :, ::-1])


def _veil(photo: NDArray[np.uint8], detection: Detection, colour: str) -> None:
    """Colour a detection's mask in, in place; nothing as large as the photo is made for it."""
    mask = detection.mask
    if mask is None:
        return
    window = photo[mask.top : mask.top + mask.height, mask.left : mask.left + mask.width]
    inside = decode(mask)
    window[inside] = (1 - VEIL) * window[inside] + VEIL * np.array(ImageColor.getrgb(colour))


def save(photo: NDArray[np.uint8], path: Path) -> None:
    """Write a photo (H, W, 3) as JPEG, whole or not at all.

    Raises:
        RepairError: The file cannot be written.
    """
    content = io.BytesIO()
    try:
        Image.fromarray(photo).save(content, "JPEG", quality=92)
    except OSError as error:  # a JPEG has at most 65,500 px each way
        raise disk_error(path, error) from None
    write_whole(path, content.getvalue())
