"""A photo with its boxes, toggled by label and coloured by verdict: plain HTML, SVG and CSS, no script."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repairai.schema import Box, Detection, Inspection, Mask, Outcome, PartLimits, State, part_of
from repairai.ui.render import ICONS
from repairai.vision.masks import polygons
from repairai.vision.photo import read_photo

LONGEST_PX = 1600
"""The page shows a photo at this size at most: sharp on any screen, and small enough to travel with the verdict."""
MAX_LABELS = 12
"""Labels that have a rule in `style.css` to hide them."""
LOOKED = (
    '<label class="toggle tone-region"><input type="checkbox" checked class="show-region" data-label="region">'
    "where the judge looked</label>"
)
LETTER = 0.6
"""Width of a letter to its height, rather too much than too little."""


def overlay(
    photo: NDArray[np.uint8],
    detections: Sequence[Detection],
    limits: Mapping[str, PartLimits],
    outcomes: Mapping[str, Outcome],
    title: str,
    regions: Sequence[tuple[str, Box]] = (),
) -> str:
    """Return a figure of a photo (H, W, 3) with a box for each detection and a checkbox for each label.

    Args:
        photo: RGB uint8.
        detections: Those that only may be there are drawn dashed, with a question mark.
        limits: Of the detector.
        outcomes: What became of each part that was asked for; the others are drawn in grey.
        title: What the photo shows, for those who do not see it, and to tell two figures apart.
        regions: Where a judge of states looked, each with the question, in px of the photo.
    """
    height, width = photo.shape[:2]
    labels = sorted({each.label for each in detections}, key=lambda name: (name not in outcomes, name))[:MAX_LABELS]
    toggles = "".join(_toggle(number, name, detections, limits, outcomes) for number, name in enumerate(labels))
    boxes = "".join(
        _box(each, labels.index(each.label), width, limits, outcomes) for each in detections if each.label in labels
    )
    boxes += "".join(_region(question, box, width) for question, box in regions)
    looked = LOOKED if regions else ""
    return (
        f'<figure class="overlay">{toggles or "<p>No parts were found in this photo.</p>"}{looked}'
        f'<div class="stage"><img src="{data_url(photo)}" alt="{escape(title)}" width="{width}" height="{height}">'
        f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{boxes}</svg></div>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )


def figures(done: Inspection, limits: Mapping[str, PartLimits], photo: Path, before: Path | None = None) -> str:
    """Return the photo of an inspection with its boxes, and the one from before where there is one.

    Raises:
        RepairError: A file is no longer the photo it was.
    """
    outcomes = {part: each.outcome for each in done.verdict.findings if (part := part_of(each.requirement))}
    shown = overlay(read_photo(photo).pixels, done.detections, limits, outcomes, done.photo.name, regions_of(done))
    if before and done.before:
        name = f"Before: {done.before.name}"
        shown += overlay(read_photo(before).pixels, done.before_detections, limits, {}, name)
    return shown


def regions_of(done: Inspection) -> list[tuple[str, Box]]:
    """Return where a judge of states looked, each with its question; nothing of what it saw as a whole."""
    return [
        (each.requirement.question, each.region)
        for each in done.verdict.findings
        if isinstance(each.requirement, State) and each.region is not None
    ]


def _tone(label: str, outcomes: Mapping[str, Outcome]) -> str:
    return outcomes[label].lower() if label in outcomes else "unasked"


def _is_sure(detection: Detection, limits: Mapping[str, PartLimits]) -> bool:
    # A record may hold a label that the detector of today does not know: nothing says that it was in doubt.
    known = limits.get(detection.label, PartLimits(0, 0))
    return detection.score >= known.sure and not detection.small


def _toggle(
    number: int,
    label: str,
    detections: Sequence[Detection],
    limits: Mapping[str, PartLimits],
    outcomes: Mapping[str, Outcome],
) -> str:
    own = [each for each in detections if each.label == label]
    sure = sum(_is_sure(each, limits) for each in own)
    doubt = f" + {len(own) - sure} unsure" if len(own) > sure else ""
    icon = f'<span aria-hidden="true">{ICONS[outcomes[label]]}</span> ' if label in outcomes else ""
    return (
        f'<label class="toggle tone-{_tone(label, outcomes)}"><input type="checkbox" checked class="show-{number}" '
        f'data-label="{escape(label)}">{icon}{escape(label.replace("_", " "))} <b>{sure}{doubt}</b></label>'
    )


def _box(
    detection: Detection, number: int, width: int, limits: Mapping[str, PartLimits], outcomes: Mapping[str, Outcome]
) -> str:
    left, top, right, bottom = detection.box
    inside = _mask(detection.mask) if detection.mask else ""
    sure = _is_sure(detection, limits)
    size = max(11.0, width / 45)
    score = f"{detection.score:.2f}" + ("" if sure else " ?")
    name = f"{detection.label.replace('_', ' ')} {score}"
    words = name if len(name) * size * LETTER <= right - left else score
    up = top - size * 0.3 if top > 1.4 * size else bottom + size
    return (
        f'<g class="box label-{number} tone-{_tone(detection.label, outcomes)}{"" if sure else " unsure"}">'
        f"<title>{escape(name)}</title>{inside}"
        f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'
        f'<text x="{left}" y="{up:.1f}" font-size="{size:.1f}">{escape(words)}</text></g>'
    )


def _region(question: str, box: Box, width: int) -> str:
    left, top, right, bottom = box
    size = max(11.0, width / 45)
    words = question if len(question) * size * LETTER <= right - left else ""
    return (
        f'<g class="region"><title>{escape(question)}</title><rect x="{left}" y="{top}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}"/><text x="{left + size * 0.4:.1f}" y="{bottom - size * 0.5:.1f}" '
        f'font-size="{size:.1f}">{escape(words)}</text></g>'
    )


def _mask(mask: Mask) -> str:
    """Return the px of a part as one shape; its holes stay open."""
    path = "".join(f"M{'L'.join(f'{x:g},{y:g}' for x, y in ring)}Z" for ring in polygons(mask))
    return f'<path class="mask" fill-rule="evenodd" d="{path}"/>'


def data_url(photo: NDArray[np.uint8], longest_px: int = LONGEST_PX) -> str:
    """Return a photo (H, W, 3) as the address of an image.

    Args:
        photo: RGB uint8.
        longest_px: Its longer side at most.
    """
    picture = Image.fromarray(photo)
    picture.thumbnail((longest_px, longest_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
