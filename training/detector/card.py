"""The card of a trained detector: what it knows, what it was trained on and how, what was measured, where it fails."""

from __future__ import annotations

from pathlib import Path

import yaml

from repairai.files import write_whole
from repairai.hardware.recipe import Recipe
from repairai.runs.detector_score_words import as_table, said
from repairai.runs.detector_scores import Confusion, DetectorScores
from repairai.runs.figures import percent
from repairai.vision.detector import Limits
from repairai.vision.photo_set import SPLITS, PhotoSet

BUILTIN_LICENCE = "Apache-2.0"
OPEN = {"apache-2.0", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "mit", "cc-by-nc-sa-3.0", "cc-by-nc-4.0"}
"""Licences that the Hub knows by these names."""


def write_card(folder: Path, scores: DetectorScores, limits: Limits, photos: PhotoSet, recipe: Recipe | None) -> None:
    """Write `README.md` into a model's folder.

    Args:
        folder: The model's.
        scores: What was measured of it.
        limits: Its thresholds.
        photos: That it was trained and measured on.
        recipe: How it was trained; None where that is not known.
    """
    base = recipe.step.model if recipe else ""
    parts = [
        _head(scores, photos, base),
        f"# {scores.run}: a detector for {', '.join(scores.parts)}",
        said(scores),
        _data(photos),
        _training(recipe),
        f"## Figures\n\n{as_table(scores)}\n\n{_measured(scores)}",
        _curve(scores),
        "## What is taken for what\n\n" + _confusion(scores.confusion),
        _limits(limits),
        _fails(scores),
    ]
    write_whole(folder / "README.md", ("\n\n".join(filter(None, parts)) + "\n").encode())


def _head(scores: DetectorScores, photos: PhotoSet, base: str) -> str:
    """Return the settings that the Hub reads."""
    licences = {each.licence.casefold() for each in photos.sources}
    own = licences.pop() if len(licences) == 1 else "other"
    settings: dict[str, object] = {
        "license": own if own in OPEN else "other",
        "library_name": "transformers",
        "pipeline_tag": "object-detection",
        "tags": ["repairai", "repair", "object-detection"],
    }
    if "/" in base and not Path(base).exists():
        settings["base_model"] = base
    return f"---\n{yaml.safe_dump(settings, sort_keys=False)}---"


def _data(photos: PhotoSet) -> str:
    rows = [
        f"| {_cell(each.name)} | {each.photos or ''} | {_cell(each.licence) or 'not said'} | {_cell(each.url)} |"
        for each in photos.sources
    ]
    counts = ", ".join(f"{len(photos.of(split))} for {split}" for split in SPLITS)
    boxes = [box for each in photos.photos if each.labelled for box in each.boxes]
    drawn = sum(box.by.startswith("model:") for box in boxes)
    looked = sum(box.by.startswith("model:") and box.checked for box in boxes)
    by_model = f" {drawn} of its {len(boxes)} boxes were drawn by a model, and a person looked at {looked} of these."
    return (
        f"## Data\n\nThe set `{photos.name}`: {counts}; no source of photos stands in two of these."
        f"{by_model if drawn else ''}\n\n| from | photos | licence | where |\n| --- | ---: | --- | --- |\n"
        + "\n".join(rows)
    )


def _training(recipe: Recipe | None) -> str:
    if recipe is None:
        return ""
    step, more = recipe.step, recipe.detecting
    rows = {
        "began with": f"`{step.model}`" + (f", {BUILTIN_LICENCE}" if step.model == "builtin" else ""),
        "method": step.method.replace("_", "-"), "epochs": f"{recipe.epochs:g}", "batch": step.batch,
        "accumulation": step.accumulation, "input": f"{step.image_px} px", "precision": step.precision,
        "learning rate": f"{recipe.learning_rate:g}", "seed": recipe.seed,
    }  # fmt: skip
    if more:
        rows |= {"the backbone's share of it": more.backbone_rate, "mean of weights": more.ema,
                 "augmentation": more.augmentation, "best by": more.judged}  # fmt: skip
    lines = "\n".join(f"| {name} | {_cell(str(value))} |" for name, value in rows.items())
    return f"## Training\n\nWith RepairAI (`python -m repairai train`).\n\n| | |\n| --- | --- |\n{lines}"


def _measured(scores: DetectorScores) -> str:
    shown = scores.shown
    return (
        f"On {shown.photos} of {shown.of} {shown.split} photos of {shown.sources} sources. `count exact`: the parts "
        "that are sure are as many as there are. Verdicts are asked for the true number, one more and one fewer, on a "
        "mat: `wrong steps passed` are of the latter two, `right steps failed` of the first. `exact at one threshold`: "
        "where nothing is left undecided."
    )


def _curve(scores: DetectorScores) -> str:
    points = scores.curve.points[:: max(len(scores.curve.points) // 8, 1)]
    lines = "\n".join(f"| {each.width:.2f} | {percent(each.decided)} | {percent(each.escape)} |" for each in points)
    return (
        "## Risk and coverage\n\nAs doubt between `maybe` and `sure` gets wider, less is decided and less goes wrong; "
        f"the area under wrong steps passed over share decided is {scores.curve.area:.4f}.\n\n"
        f"| width of doubt | decided | wrong steps passed |\n| ---: | ---: | ---: |\n{lines}"
    )


def _confusion(found: Confusion) -> str:
    names = [*found.parts, "nothing"]
    head = f"| there, down; found, across | {' | '.join(_cell(each) for each in names)} |\n| --- |" + " ---: |" * len(
        names
    )
    rows = (
        f"| {_cell(name)} | {' | '.join(str(n) for n in row)} |" for name, row in zip(names, found.found, strict=True)
    )
    return "\n".join([head, *rows])


def _limits(limits: Limits) -> str:
    rows = "\n".join(
        f"| {_cell(label)} | {limits.photos.get(label, '')} | {each.maybe:.3f} | "
        + (f"{each.sure:.3f}" if label not in limits.undecided else "never")
        + f" | {each.min_side_px:g} | {_cell(each.empty_place or '')} |"
        for label, each in limits.parts.items()
    )
    why = "".join(f"\n- {_cell(label)} stays undecided: {reason}." for label, reason in limits.undecided.items())
    rule = (
        f"Chosen so that at most {percent(limits.escape)} of wrong steps pass with {100 * limits.confidence:g} % "
        "confidence, and at most twice as many right steps fail, on photos like the validation photos: for each part, "
        "of the steps that ask for fewer than there are and of those that ask for more, each by itself; photos of one "
        "source count as one (Wilks' tolerance limits). Where the best weights were chosen on the same photos, too, "
        "these look a little better than new ones. "
        if limits.escape is not None and limits.confidence is not None
        else ""
    )
    return (
        f"## Thresholds\n\n{rule}Measured on {limits.measured_on}. A part counts from `sure` on; from `maybe` on it is "
        "in doubt, and the verdict may be left undecided.\n\n| part | photos | maybe | sure | shortest side, px of the "
        f"input | its empty place |\n| --- | ---: | ---: | ---: | ---: | --- |\n{rows}\n{why}"
    ).rstrip()


def _fails(scores: DetectorScores) -> str:
    weak = sorted(scores.parts.items(), key=lambda row: row[1].counted or 0.0)[:3]
    told = ", ".join(f"{part} ({percent(each.counted or 0.0)} of photos)" for part, each in weak if each.shown)
    return (
        "## Where it fails\n\n"
        f"- Counted exactly least often at one threshold: {told or 'no part that a photo shows'}.\n"
        "- Its thresholds hold for photos taken as these were. In another light, at another bench or on another device "
        "check its verdicts on photos whose answer you know, and evaluate it anew.\n"
        "- Parts that it was not trained on it does not see, or takes for those that it knows."
    )


def _cell(text: str) -> str:
    """Return text that no cell of a table is left by."""
    return " ".join(text.replace("|", "/").split())
