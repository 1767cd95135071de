"""A detector measured: thresholds from the validation photos, figures from the test photos beside the one in use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import write_record
from repairai.hardware.recipe import Recipe
from repairai.inspection import open_detector
from repairai.runs.detector_scores import DetectorScores, write_detector_scores
from repairai.runs.order import Order
from repairai.vision import detectors
from repairai.vision.detector import LIMITS_FILE, Limits, RTDetrDetector, load_detector
from repairai.vision.photo_set import LabelledPhoto, PhotoSet, Split
from training.detector.card import write_card
from training.detector.looks import Looks, Seen, bare, fingerprint, look_at, some_of
from training.detector.measuring import Other, Own, middles, report, thresholds
from training.detector.tolerated import ESCAPE, empty_place_of
from training.detector.trained_on import knows, place_of, trained_on, unseen
from training.detector.worst_photos import draw_worst
from training.kept_lines import Steps, Tell


@dataclass(frozen=True)
class Task:
    """What is measured.

    Args:
        name: A run's id or a folder's name.
        model: The folder of the detector.
        photos: The set.
        on: Which of its photos figures are taken from.
        escape: The share of wrong steps that may pass.
        limit: Photos at most that figures are taken from; None for all.
        seed: Of the choice of photos.
        place: Where looks are kept and scores go; None keeps nothing.
        recipe: How it was trained; None where that is not known.
    """

    name: str
    model: Path
    photos: PhotoSet
    on: Split = "test"
    escape: float = ESCAPE
    limit: int | None = None
    seed: int = Order.seed
    place: Path | None = None
    recipe: Recipe | None = None


def measure(task: Task, tell: Tell = lambda phase, done, total: None) -> DetectorScores:
    """Choose a detector's thresholds, measure it beside the one in use, and write all that is found.

    Raises:
        RepairError: The set has no such photos, the detector knows none of its parts, or a file cannot be read.
    """
    began = time.monotonic()
    tell("reading the photos", 0, 0)
    detector = load_detector(task.model, name=task.name)
    parts = tuple(label for label in detector.labels if label in task.photos.parts)
    if not parts:
        raise RepairError(
            f"{task.name} knows none of the parts in {task.photos.name}: {', '.join(task.photos.parts[:8])}",
            "give the photos that it was trained on",
        )
    if not task.photos.of(task.on):
        raise RepairError(
            f"{task.photos.name} has no labelled {task.on} photos", "label some, and give them to that split"
        )
    val, chosen, learned = _fresh(task)
    in_use, its_folder, opponent = _in_use(task.name)
    steps = Steps(tell, len(val) + len(chosen) * 2)

    places = {label: empty_place_of(label, detector.labels) for label in detector.labels}
    seen_val = _seen(task, "val", bare(detector, places), val, steps, "looking at the validation photos")
    limits = thresholds(seen_val, places, task.escape)
    seen = _seen(task, "after", bare(detector, places), chosen, steps, f"looking at the {task.on} photos")
    its_places = {label: each.empty_place for label, each in opponent.limits.items()}
    seen_before = _seen(task, "before", bare(opponent, its_places), chosen, steps, f"asking {in_use}, in use now")

    tell("comparing", steps.total, steps.total)
    own = Own(task.name, parts, limits, middles(seen_val, parts), seen)
    other = Other(in_use, opponent.labels, opponent.limits, seen_before)
    settings = {"detector": detector.name, "in use": opponent.name, "escape": f"{task.escape:g}"}
    folders = {task.name: task.model, in_use: its_folder}
    favoured = {name: how for name, folder in folders.items() if (how := knows(folder, task.photos, chosen))}
    scores = report(own, other, task.photos, task.on, settings, began, learned, favoured)
    _write(task, scores, limits, seen)
    return scores


def _fresh(task: Task) -> tuple[list[LabelledPhoto], list[LabelledPhoto], int]:
    """Return photos for thresholds and for figures that the training has not seen, and how many of the latter it has.

    Raises:
        RepairError: It has seen all of the latter.
    """
    seen = trained_on(task.model.parent, task.photos.folder)
    val, _ = unseen(task.photos.of("val"), "val", seen)
    chosen, learned = unseen(task.photos.of(task.on), task.on, seen)
    if not chosen:
        raise RepairError(
            f"{task.name} has seen all {learned} {task.on} photos of {task.photos.name} in its training, before the "
            "set was split anew",
            "train again with the set as it is now, or take new photos for the test",
        )
    return val, some_of(chosen, task.limit, task.seed), learned


def _in_use(name: str) -> tuple[str, Path, RTDetrDetector]:
    """Return name, folder and detector that a new one is held against: the one that inspects, or did before it."""
    chosen = detectors.active()
    if chosen.name == name:
        chosen = detectors.before() or detectors.BUILTIN
    if detectors.missing(chosen) or chosen.name == name:
        chosen = detectors.BUILTIN
    found = open_detector(chosen.name)
    assert isinstance(found, RTDetrDetector)
    return chosen.name, place_of(chosen.path or chosen.name), found


def _seen(
    task: Task, kind: str, detector: RTDetrDetector, photos: Sequence[LabelledPhoto], steps: Steps, phase: str
) -> list[Seen]:
    """Return photos as a detector sees them, with what was seen before a stop."""
    key = f"{detector.name} {[each.empty_place for each in detector.limits.values()]} {fingerprint(photos)}"
    looks = Looks(task.place / f"{kind}.jsonl" if task.place else None, key)
    steps.done += sum(each.name in looks.by_name for each in photos)
    return look_at(detector, task.photos, photos, looks, lambda: steps.step(phase))


def _write(task: Task, scores: DetectorScores, limits: Limits, seen: Sequence[Seen]) -> None:
    """Write thresholds and card beside the weights, scores and the worst photos where the evaluation lies."""
    write_record(task.model / LIMITS_FILE, limits)
    write_card(task.model, scores, limits, task.photos, task.recipe)
    if task.place:
        draw_worst(task.place, task.photos, scores, seen, limits.parts)
        write_detector_scores(task.place / "scores.json", scores)
