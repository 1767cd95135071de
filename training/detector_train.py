"""Step 2 of the detector: labelled photos and a recipe to a trained model, in safetensors and ONNX.

    python -m training.detector_train training/recipes/detector_builtin_full_cpu.yaml
    python -m training.detector_train overfit NAME [--model M]
    python -m training.detector_train preview NAME --preset bench --out FOLDER

Reads the recipe's set of photos, as `detector_data` writes it. Writes a run's folder: figures, log, checkpoints and, at
the end, `model`. Given such a folder it goes on from its last whole checkpoint. It can be watched and steered from the
page and with `python -m repairai runs ...`, whoever started it. `overfit` proves in a minute that labels and loss are
right; `preview` shows what a photo goes through.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import transformers

from repairai.errors import RepairError
from repairai.files import expanded, to_data
from repairai.hardware.recipe import Augmentation, Recipe, read_recipe
from repairai.named_sets import PHOTO_SETS
from repairai.runs.checkpoints import remove_halves
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal
from repairai.vision.detector import load_detector
from training.arguments import NOT_SHARED
from training.detector.export import export, parity
from training.detector.forward import Plain
from training.detector.model import BUILTIN, STRIDE_PX, find_detector, freeze
from training.detector.needed import commit_of, load, looked_at, model_words, read_data, warn
from training.detector.overfit import overfit
from training.detector.photos import Photos, check
from training.detector.preview import contact_sheet
from training.detector.trained_on import SOURCES, keep, trained_on
from training.detector.trainer import DetectorTrainer, make_trainer
from training.given import push_where_asked, training_run
from training.out_of_memory import train_until_it_fits
from training.to_the_end import let_go_of, tell_phase, train_to_the_end
from training.took import Took
from training.watch import Watch

COMMAND = [sys.executable, "-m", "training.detector_train", "{run}"]
PARITY_PHOTOS = 8


def train(folder: RunFolder, journal: Journal) -> None:
    """Train what a run's recipe says, from its last whole checkpoint on where there is one.

    Args:
        folder: Of the run.
        journal: Open.

    Raises:
        RepairError: Something is not as the recipe says, or it does not fit.
        Asked: It was asked to stop or pause before its first step, or while it was judged.
    """
    recipe = read_recipe(folder.recipe)
    refuse(recipe)
    remove_halves(folder)
    train_until_it_fits(
        folder,
        recipe,
        journal,
        lambda settled: _prepared(folder, settled, journal),
        lambda trainer, settled: _run(trainer, folder, settled, journal),
        f"one photo of {recipe.step.image_px} px does not fit into memory; lower image_px, take few_shot in place of "
        "full, or plan again for a smaller model",
    )


def refuse(recipe: Recipe) -> None:
    """Refuse what this script does not train.

    Raises:
        RepairError: The recipe is for something else, or asks for what a detector does not bear.
    """
    step = recipe.step
    if recipe.task != "detector" or step.method not in ("full", "few_shot"):
        raise RepairError(
            f"the recipe is for {recipe.task} by {step.method}, and this trains detectors",
            "give one with task: detector, and the method full or few_shot",
        )
    if step.precision == "fp16":
        raise RepairError("fp16 makes a detector's losses overflow", "take fp32, or bf16 where the card computes in it")
    if recipe.gpus > 1:
        raise RepairError(f"the recipe wants {recipe.gpus} GPUs, and detectors are trained on one", "set gpus: 1")
    if step.image_px % STRIDE_PX:
        near = max(round(step.image_px / STRIDE_PX), 1) * STRIDE_PX
        raise RepairError(f"image_px is {step.image_px}, no multiple of {STRIDE_PX}", f"take {near}")
    if not recipe.data:
        raise RepairError("the recipe names no data", "import photos with `python -m repairai photos import`")


# ---- what is needed


def _prepared(folder: RunFolder, recipe: Recipe, journal: Journal) -> DetectorTrainer:
    """Return the trainer, with all that it needs loaded."""
    tell_phase(journal, "reading the data")
    photos = read_data(expanded(recipe.data), journal)
    check(photos, (*photos.of("train"), *photos.of("val")), journal.check)
    tell_phase(journal, "loading the model")
    model, forward, saved_with, parts = load(recipe, photos.parts)
    freeze(model, recipe)
    journal.event("model", model_words(model, recipe), commit=commit_of(recipe))
    journal.event("parts", str(parts), **to_data(parts))
    train_on, judge = looked_at(recipe, photos, forward)
    warn(journal, model, train_on, photos)
    keep(folder.path, photos, recipe.step.model)
    watch = Watch(journal)
    return make_trainer(recipe, model, train_on, judge, forward, saved_with, folder.checkpoints, [watch, Took()])


# ---- the training


def _run(trainer: DetectorTrainer, folder: RunFolder, recipe: Recipe, journal: Journal) -> None:
    took = train_to_the_end(
        trainer, folder, recipe, journal, lambda: _save(trainer, folder, recipe, journal),
        looks=trainer.judge is not None, rather="fp32 in place of bf16", go_on=trainer.mean.load,
    )  # fmt: skip
    step = recipe.step
    took.tell(journal, replace(step, model=str(find_detector(step.model, recipe.revision))))


def _save(trainer: DetectorTrainer, folder: RunFolder, recipe: Recipe, journal: Journal) -> None:
    """Write the model whole or not at all: the mean of the best checkpoint, with its export."""
    tell_phase(journal, "saving the model")
    best = trainer.state.best_model_checkpoint
    if best:
        trainer.mean.load(Path(best))
    model = trainer.mean.model.cpu().eval()
    made = folder.path / "model.part"
    shutil.rmtree(made, ignore_errors=True)
    model.save_pretrained(made)
    trainer.processing_class.save_pretrained(made)
    for name in NOT_SHARED:
        (made / name).unlink(missing_ok=True)
    # Whose photos it has learned from goes with it, as it was when it began: the set may be gone by now.
    kept = trained_on(folder.path, expanded(recipe.data)).sources
    sources = json.dumps([vars(source) for source in kept], indent=2, ensure_ascii=False)
    (made / SOURCES).write_text(sources + "\n", encoding="utf-8")
    if isinstance(trainer.forward, Plain):
        tell_phase(journal, "exporting the model")
        journal.event("check", _exported(model, recipe.step.image_px, made, _examples(trainer)))
    else:
        load_detector(made)  # as an inspection does
    shutil.rmtree(folder.model, ignore_errors=True)
    made.rename(folder.model)
    let_go_of(trainer)


def _exported(model: Any, size_px: int, made: Path, photos: list[np.ndarray]) -> str:
    """Write the export beside the weights, and return how far it is from them; it is loaded as an inspection does."""
    export(model, size_px, made / "model.onnx")
    load_detector(made)
    return str(parity(model, made / "model.onnx", photos))


def _examples(trainer: DetectorTrainer) -> list[np.ndarray]:
    """Return some photos as the model takes them, (size, size, 3) uint8."""
    if trainer.judge is not None:
        items = trainer.judge.items()[:PARITY_PHOTOS]
    else:
        photos: Photos = trainer.train_dataset
        rng = np.random.default_rng(0)
        items = [photos.whole(index, rng) for index in range(min(PARITY_PHOTOS, len(photos)))]
    return [item["pixel_values"].numpy() for item in items]


# ---- the command


def _train(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="RECIPE|RUN", help="a recipe, or a run's folder to go on with")
    parser.add_argument("--name", default="", help="of a new run; else it is called as its recipe")
    chosen = parser.parse_args(arguments)
    folder = training_run(chosen.path, chosen.name, COMMAND, refuse)
    with Journal(folder) as journal:
        train(folder, journal)
    print(f"the model is in {folder.model}")
    push_where_asked(folder)
    return 0


def _overfit(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.detector_train overfit")
    parser.add_argument("name", help="of a set of photos, or its folder")
    parser.add_argument("--model", default=BUILTIN, help="a detector's folder or name on the Hub (default: built-in)")
    parser.add_argument("--seconds", type=float, default=60.0, help="that it may take (default: 60)")
    parser.add_argument("--progress-json", action="store_true", help="print a line of JSON for each step")
    chosen = parser.parse_args(arguments)

    def told(step: int, loss: float) -> None:
        print(json.dumps({"step": step, "loss": loss}) if chosen.progress_json else f"step {step}: loss {loss:.2f}")

    found = overfit(read_data(PHOTO_SETS.meant(chosen.name)), chosen.model, chosen.seconds, told)
    print(json.dumps(to_data(found)) if chosen.progress_json else str(found))
    return 0 if found.right else 1


def _preview(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.detector_train preview")
    parser.add_argument("name", help="of a set of photos, or its folder")
    parser.add_argument("--preset", choices=get_args(Augmentation), default="bench")
    parser.add_argument("--out", type=Path, required=True, help="folder for preview.jpg")
    parser.add_argument("--image-px", type=int, default=320, help="side of the model's input")
    parser.add_argument("--photos", type=int, default=4, help="photos, a row each")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    photos = read_data(PHOTO_SETS.meant(chosen.name))
    print(contact_sheet(photos, chosen.preset, chosen.out, chosen.image_px, chosen.photos, seed=chosen.seed))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    words = sys.argv[1:] if arguments is None else arguments
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    ways = {"overfit": _overfit, "preview": _preview}
    try:
        return ways[words[0]](words[1:]) if words and words[0] in ways else _train(words)
    except Asked as asked:
        print(f"it was asked to {asked}")
        return 1
    except (RepairError, MemoryError) as error:
        print(f"training.detector_train: {error}", file=sys.stderr)
        return 2 if isinstance(error, RepairError) else 1


if __name__ == "__main__":
    sys.exit(main())
