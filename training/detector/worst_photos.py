"""The worst photos of an evaluation, drawn to be looked at: what is there in green, what was found by its verdict."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from repairai.files import write_whole
from repairai.runs.detector_score_words import as_table, said
from repairai.runs.detector_scores import DetectorScores
from repairai.schema import Outcome, PartLimits
from repairai.vision.draw import draw, save
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import LabelledBox, PhotoSet
from training.detector.looks import Seen

EXPECTED = "#39e075"
MOST_PX = 1600
"""The longer side of a drawn photo."""
FOLDER, PAGE = "worst", "worst.md"


def draw_worst(
    folder: Path, photos: PhotoSet, scores: DetectorScores, seen: Sequence[Seen], limits: Mapping[str, PartLimits]
) -> None:
    """Draw the worst photos into a folder's `worst`, in place of what lay there, and write its page.

    Args:
        folder: Of the evaluation.
        photos: The set.
        scores: With the worst photos.
        seen: The photos that were shown.
        limits: Under which they were counted.
    """
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    by_name = {each.photo.name: each for each in seen}
    for each in scores.worst:
        own = by_name[each.photo]
        pixels = expected(read_photo(photos.path(own.photo)).pixels, own.photo.boxes)
        verdicts: dict[str, Outcome] = {part: outcome for part, outcome in each.outcomes.items()}  # type: ignore[misc]  # noqa: C416
        drawn = Image.fromarray(draw(pixels, own.sight(limits).detections, limits, verdicts))
        drawn.thumbnail((MOST_PX, MOST_PX))
        save(np.asarray(drawn), folder / FOLDER / each.drawn_as)
    write_page(folder, scores, FOLDER)


def expected(photo: NDArray[np.uint8], boxes: Sequence[LabelledBox]) -> NDArray[np.uint8]:
    """Return a photo (H, W, 3) with its labelled boxes drawn in green."""
    canvas = Image.fromarray(photo)
    pen, wide = ImageDraw.Draw(canvas), max(2, max(photo.shape[:2]) // 250)
    for each in boxes:
        pen.rectangle(each.box, outline=EXPECTED, width=wide)
    return np.asarray(canvas)


def write_page(folder: Path, scores: DetectorScores, pictures: str) -> None:
    """Write `worst.md`: what was found, and the worst photos with what was expected.

    Args:
        folder: Where.
        scores: What was found.
        pictures: Where the drawn photos lie, as seen from there.
    """
    parts = [f"# {scores.run}: its worst photos", said(scores), as_table(scores)]
    parts += [f"- {part}: undecided, because {why}." for part, why in scores.undecided.items()]
    parts.append("What is there is drawn in green, what was found in the colour of its verdict.")
    for number, each in enumerate(scores.worst, 1):
        rows = "\n".join(
            f"| {part} | {n} | {each.found[part]} | {each.outcomes[part]} |" for part, n in each.expected.items()
        )
        parts += [
            f"## {number}. {each.photo}",
            f"{each.wrong} of its counts wrong, {each.lost} of its boxes lost.",
            f'| part | there | found | "there are so many" |\n| --- | ---: | ---: | --- |\n{rows}',
            f"![{each.photo}]({pictures}/{quote(each.drawn_as)})",
        ]
    write_whole(folder / PAGE, ("\n\n".join(parts) + "\n").encode())
