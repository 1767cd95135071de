"""How good a detector gets from few photos: trained on 5, 10, 20, 50 of a set, each several times, as mean and spread.

    python -m training.detector_few_shot NAME --photos 5 10 20 50 --seeds 3 [--recipe FILE] [--steps N] [--escape 0.05]

NAME is a set of photos, or its folder. For each number and seed so many photos of `train` are drawn, no two of one
source, the larger draws holding the smaller ones; the set's own `val` chooses the best weights and the thresholds, its
own `test` gives the figures. A single small training says little, since which photos are drawn and where the weights
begin moves it by more than most changes do. Each is a run like any other; what is trained already is not trained again.
Writes the table to `<home>/few_shot/NAME.json`, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from dataclasses import asdict, replace
from pathlib import Path

import transformers
import yaml

from repairai.errors import RepairError
from repairai.files import disk_error, home, to_data, write_whole
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.named_sets import PHOTO_SETS
from repairai.runs.figures import percent
from repairai.runs.folder import RunFolder, new_run, run_folders
from repairai.runs.journal import Asked, Journal
from repairai.vision.photo_set import PHOTOS, PhotoSet, read_photo_set, write_photo_set
from training.detector.evaluation import Task, measure
from training.detector.spread import Trained, as_table, trained_as
from training.detector.tolerated import ESCAPE, MOST
from training.detector_train import COMMAND, train

RECIPE = Path(__file__).parent / "recipes" / "detector_builtin_few-shot_cpu.yaml"
SEEDS = 3


def few(photos: PhotoSet, n: int, seed: int, folder: Path) -> PhotoSet:
    """Return a set with only n of the photos for training, no two of one source, and all others.

    Args:
        photos: The whole set.
        n: How many.
        seed: Of the draw; with the same one, more photos hold the fewer.
        folder: Where it goes; the photos themselves stay where they are.

    Raises:
        RepairError: There are not so many, or it cannot be written.
    """
    order = list(photos.of("train"))
    random.Random(seed).shuffle(order)
    first = {each.source or each.name: each for each in reversed(order)}
    drawn = [each for each in order if first[each.source or each.name] is each][:n]
    if len(drawn) < n:
        raise RepairError(
            f"{photos.name} has {len(drawn)} independent photos for training, and {n} are asked for", "ask for fewer"
        )
    names = {each.name for each in drawn}
    kept = tuple(each for each in photos.photos if each.split != "train" or each.name in names)
    made = replace(photos, folder=folder, photos=kept)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / PHOTOS).exists():
            os.symlink((photos.folder / PHOTOS).absolute(), folder / PHOTOS, target_is_directory=True)
    except OSError as error:
        raise disk_error(folder, error) from None
    write_photo_set(made)
    return made


def shot(photos: PhotoSet, recipe: Recipe, n: int, seed: int, name: str, escape: float) -> Trained:
    """Train on n photos, unless that is done, and measure what came of it on the set's test photos.

    Raises:
        RepairError: It cannot be trained, or a run of this name was trained otherwise.
        Asked: It was asked to stop or to pause; started again it goes on.
    """
    run_id = f"{name}-{n}-photos-{seed}"
    own = few(photos, n, seed, home() / "few_shot" / name / f"{n}-photos-{seed}")
    text = yaml.safe_dump(to_data(replace(recipe, data=str(own.folder.absolute()), seed=seed)), sort_keys=False)
    folder = next((each for each in run_folders() if each.id == run_id), None)
    if folder is None:
        folder = new_run(run_id, "train", COMMAND, text=text)
    elif read_recipe(folder.recipe) != replace(recipe, data=str(own.folder.absolute()), seed=seed):
        raise RepairError(f"the run {folder.id} was trained by another recipe", "delete it, or give another --name")
    if not folder.model.is_dir():
        with Journal(folder) as journal:
            train(folder, journal)
    return _measured(folder, own, recipe, n, seed, escape)


def _measured(folder: RunFolder, own: PhotoSet, recipe: Recipe, n: int, seed: int, escape: float) -> Trained:
    scores = measure(Task(folder.id, folder.model, own, escape=escape, place=folder.path, recipe=recipe))
    return trained_as(n, seed, scores)


def main(arguments: list[str] | None = None) -> int:
    """Run the trainings; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="NAME", help="a set of photos, or its folder")
    parser.add_argument("--photos", type=int, nargs="+", default=[5, 10, 20, 50], metavar="N", help="to train on")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"trainings of each (usual: {SEEDS})")
    parser.add_argument("--recipe", type=Path, default=RECIPE, metavar="FILE", help=f"usual: {RECIPE.name}")
    parser.add_argument("--steps", type=int, metavar="N", help="of each training; else as the recipe says")
    parser.add_argument("--escape", type=float, default=ESCAPE, metavar="SHARE", help="of wrong steps that may pass")
    parser.add_argument("--name", default="", help="of the runs; else the set's")
    chosen = parser.parse_args(arguments)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    shots: list[Trained] = []
    if not 0 < chosen.escape <= MOST or min(*chosen.photos, chosen.seeds) < 1:  # before hours of training
        parser.error(f"need --escape above 0 and at most {MOST}, and one photo and one seed at least")
    try:
        photos = read_photo_set(PHOTO_SETS.meant(chosen.data))
        recipe = read_recipe(chosen.recipe)
        recipe = replace(recipe, max_steps=chosen.steps or recipe.max_steps, forecast=None)
        name = chosen.name or f"few-{photos.name[:40]}"
        for n in chosen.photos:
            for seed in range(recipe.seed, recipe.seed + chosen.seeds):
                shots.append(shot(photos, recipe, n, seed, name, chosen.escape))
                print(f"{shots[-1].run}: {percent(shots[-1].counted)} counted exactly, AP50 {shots[-1].ap50:.3f}")
                text = json.dumps([asdict(each) for each in shots], indent=2)
                write_whole(home() / "few_shot" / f"{name}.json", text.encode())
    except Asked as asked:
        print(f"it was asked to {asked}; started again, it goes on")
        return 1
    except (RepairError, ValueError) as error:
        print(f"training.detector_few_shot: {error}", file=sys.stderr)
        return 2
    print(as_table(shots))
    return 0


if __name__ == "__main__":
    sys.exit(main())
