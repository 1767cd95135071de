"""Step 3 of a detector: thresholds from the validation photos, figures from the test photos, before and after.

    python -m training.detector_eval RUN [--escape 0.05] [--on test] [--limit N] [--seeds]
    python -m training.detector_eval --model FOLDER --data FOLDER [--out FOLDER]

RUN is a trained run, by its folder or its id, or the folder of an evaluation to go on with. The thresholds are chosen
on the validation photos for the share of wrong steps that may pass, and written beside the weights (`limits.json`) with
the card (`README.md`). Then the detector in use and the new one are shown the same test photos. Writes a run's folder
of its own: what both saw (`*.jsonl`), `scores.json`, `worst.md` and the worst photos drawn (`worst/`); the trained
run's folder gets scores and page, too. With --seeds all runs are measured whose recipes differ from RUN's by the seed
alone, and told as mean and spread: `train RECIPE --try seed=7,8,9` trains them. The other form does the same for any
detector and any set, without a run.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import read_recipe
from repairai.runs.detector_score_words import as_table, exceeded, favoured_words, learned_words, said
from repairai.runs.detector_scores import DetectorScores, write_detector_scores
from repairai.runs.folder import RunFolder, read_json, run_folder, run_folders
from repairai.runs.journal import Journal
from repairai.runs.metrics import Metric
from repairai.runs.order import Order, read_order
from repairai.vision.photo_set import read_photo_set
from training.detector.evaluation import Task, measure
from training.detector.spread import as_table as spread_table
from training.detector.spread import trained_as
from training.detector.tolerated import ESCAPE
from training.detector.worst_photos import FOLDER, write_page
from training.evaluation_script import add_order, ended, evaluated, teller, trained_run

COMMAND = [sys.executable, "-m", "training.detector_eval", "{run}"]


def evaluate(folder: RunFolder, journal: Journal) -> DetectorScores:
    """Do what the order of an evaluation says, as far as it is not done yet, and write the scores.

    Args:
        folder: Of the evaluation, with its `order.yaml`.
        journal: Open.

    Raises:
        RepairError: There is no such run, it has no photos, or no model yet.
        Asked: It was asked to stop or to pause; looks that were taken are kept.
    """
    order = read_order(folder.order)
    trained, recipe = trained_run(order, "detector", ("config.json",), "photos")
    photos = read_photo_set(Path(str(read_json(trained.about).get("directory", ""))) / expanded(recipe.data))
    escape = ESCAPE if order.escape is None else order.escape
    task = Task(
        trained.id, trained.model, photos, order.on, escape, order.limit, order.seed, folder.path, recipe
    )  # fmt: skip
    scores = measure(task, teller(journal))
    write_detector_scores(trained.scores, scores)
    write_page(trained.path, scores, f"../{folder.id}/{FOLDER}")
    exact = sum(each.exact for each in scores.parts.values()) / len(scores.parts)
    journal.metric(Metric(scores.shown.photos, time.time(), ap=scores.average[0], ap50=scores.average[1], exact=exact))
    if scores.shown.learned:
        journal.event("warning", learned_words(scores.shown))
    for warning in (*favoured_words(scores), exceeded(scores)):
        if warning:
            journal.event("warning", warning)
    for part, why in scores.undecided.items():
        journal.event("undecided", f"{part} stays undecided: {why}")
    journal.end("finished", "finished", said(scores))
    return scores


# ---- several runs of one recipe


def sisters(trained: RunFolder) -> list[RunFolder]:
    """Return the runs that have made a model by the recipe of this one, itself among them, by their seeds.

    Raises:
        RepairError: It is no training, or no other one has its recipe with another seed.
    """
    if not trained.recipe.is_file():
        raise RepairError(f"{trained.id} is no training: it has no recipe.yaml", "give the id of a training")
    recipe = read_recipe(trained.recipe)
    found = {}
    for each in run_folders():
        if (each.model / "config.json").is_file() and each.recipe.is_file():
            own = read_recipe(each.recipe)
            if replace(own, seed=recipe.seed, forecast=None) == replace(recipe, forecast=None):
                found.setdefault(own.seed, each)
    found[recipe.seed] = trained
    if len(found) == 1:
        raise RepairError(
            f"no other run has been trained by the recipe of {trained.id} with another seed",
            "train some: train RECIPE --try seed=7,8,9",
        )
    return [each for _, each in sorted(found.items())]


# ---- the command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "path", type=Path, nargs="?", metavar="RUN", help="a trained run, or an evaluation to go on with"
    )
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="a detector that is no run")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="with --model: the set of photos")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="with --model: for scores and the worst photos")
    add_order(parser, "photos", "steps", ESCAPE)
    parser.add_argument(
        "--seeds", action="store_true", help="also the runs of the same recipe with other seeds, with mean and spread"
    )
    return parser


def _of_run(path: Path, order: dict[str, Any]) -> tuple[str, DetectorScores]:
    """Evaluate a run, and return what is to be said of it, and what was found."""
    folder, scores = evaluated(path, order, COMMAND, evaluate)
    return _told(scores, folder.path), scores


def _of_seeds(path: Path, order: dict[str, Any]) -> str:
    """Evaluate all runs of a recipe, and return what is to be said of them."""
    found = []
    for trained in sisters(run_folder(path.resolve().name if path.is_dir() else str(path))):
        told, scores = _of_run(Path(trained.id), order)
        print(f"{told}\n")
        photos = read_photo_set(Path(scores.shown.path)).of("train")
        found.append(trained_as(len(photos), read_recipe(trained.recipe).seed, scores))
    return spread_table(found)


def _of_folder(model: Path, data: Path, out: Path | None, order: dict[str, Any]) -> str:
    """Measure a detector that is no run, and return what is to be said of it."""
    made = Order(model.name, **{"limit": None, **order})
    place = out or model.parent / f"{model.name}-evaluation"
    escape = made.escape or ESCAPE
    task = Task(model.name, model, read_photo_set(data), made.on, escape, made.limit, made.seed, place)
    return _told(measure(task), place)


def _told(scores: DetectorScores, place: Path) -> str:
    return f"{said(scores)}\n\n{as_table(scores)}\n\nthe worst photos are in {place / 'worst.md'}"


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    parser = _parser()
    chosen = vars(parser.parse_args(arguments))
    path, model, data, out, seeds = (chosen.pop(name) for name in ("path", "model", "data", "out", "seeds"))
    order = {name: value for name, value in chosen.items() if value is not None}
    if (path is None) == (model is None) or (model is None) != (data is None) or (seeds and path is None):
        parser.error("give a RUN, or --model and --data")

    def script() -> str:
        if model is not None:
            return _of_folder(model, data, out, order)
        return _of_seeds(path, order) if seeds else _of_run(path, order)[0]

    return ended("training.detector_eval", script)


if __name__ == "__main__":
    sys.exit(main())
