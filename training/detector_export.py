"""Writes a trained detector as ONNX again, or in 8 bits, and says what that costs.

    python -m training.detector_export RUN            model.onnx
    python -m training.detector_export RUN --int8     model.int8.onnx, beside it

In 8 bits a detector is smaller and, on some processors, faster; what it loses in exact counts is measured on the
validation photos. `--use` makes it the one that inspects, and keeps the other as `model.fp32.onnx`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from repairai.errors import RepairError
from repairai.files import expanded, write_whole
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.folder import RunFolder, run_folder
from repairai.vision.engine import Network, open_onnx
from training.detector.export import export, parity
from training.detector.forward import Plain
from training.detector.int8 import in_8_bits
from training.detector.judged import Judge, Judged
from training.detector.model import load_detector_model
from training.detector.needed import looked_at, read_data

CALIBRATED_ON = 64
"""Photos for training on which the ranges of the numbers are read."""
TIMED, BOXES_PX = 10, 8


def _opened(run: str) -> tuple[RunFolder, Recipe]:
    """Return a run that has made a detector.

    Raises:
        RepairError: There is none, or it has made another model or none yet.
    """
    folder = RunFolder(Path(run)) if Path(run).is_dir() else run_folder(run)
    recipe = read_recipe(folder.recipe)
    if recipe.task != "detector":
        raise RepairError(f"{folder.id} trained a {recipe.task}", "give the run of a detector")
    if not (folder.model / "model.safetensors").is_file():
        raise RepairError(f"{folder.id} has made no model yet", "let it train to its end")
    if not (folder.model / "model.onnx").is_file() and "dino" in (folder.model / "config.json").read_text():
        raise RepairError(f"{folder.id} trained Grounding DINO, which stays as it is", "train another detector")
    return folder, recipe


def _judges(recipe: Recipe) -> tuple[list[np.ndarray], Judge]:
    """Return photos for training as the model takes them, and the judge of those for validation."""
    train_on, judge = looked_at(recipe, read_data(expanded(recipe.data)), Plain())
    if judge is None:
        raise RepairError("no photos are for validation, so the loss cannot be measured", "give some the split val")
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(train_on))[:CALIBRATED_ON]
    return [train_on.whole(int(at), rng)["pixel_values"].numpy() for at in chosen], judge


def to_int8(folder: RunFolder, recipe: Recipe) -> dict[str, float | int | str]:
    """Write `model.int8.onnx` and return what it costs: exact counts before and after, size and time.

    Raises:
        RepairError: The environment lacks what quantises, or there is nothing to measure on.
    """
    photos, judge = _judges(recipe)
    plain, small = folder.model / "model.fp32.onnx", folder.model / "model.int8.onnx"
    if not plain.is_file():  # else the other one inspects in 8 bits already
        plain = folder.model / "model.onnx"
    in_8_bits(plain, small, photos)
    before, after = (judge.of_network(open_onnx(path)) for path in (plain, small))
    found = {
        "photos": len(judge), "exact_before": before.exact, "exact_after": after.exact, "ap_before": before.ap,
        "ap_after": after.ap, "bytes_before": plain.stat().st_size, "bytes_after": small.stat().st_size,
        "ms_before": _milliseconds(open_onnx(plain), photos), "ms_after": _milliseconds(open_onnx(small), photos),
    }  # fmt: skip
    said = _said(before, after, found)
    write_whole(folder.model / "int8.json", json.dumps({**found, "said": said}, indent=2).encode() + b"\n")
    return {**found, "said": said}


def _said(before: Judged, after: Judged, found: dict[str, float | int]) -> str:
    lost = (before.exact - after.exact) * 100
    return (
        f"in 8 bits {after.exact:.1%} of the counts on {found['photos']} validation photos are exact, before "
        f"{before.exact:.1%}: {lost:.1f} points lost; {found['bytes_after'] / 2**20:.1f} MiB in place of "
        f"{found['bytes_before'] / 2**20:.1f}, {found['ms_after']:.0f} ms a look in place of {found['ms_before']:.0f}"
    )


def _milliseconds(network: Network, photos: list[np.ndarray]) -> float:
    network(photos[0][None])
    took = []
    for at in range(TIMED):
        began = time.perf_counter()
        network(photos[at % len(photos)][None])
        took.append(time.perf_counter() - began)
    return float(np.median(took) * 1000)


def again(folder: RunFolder, recipe: Recipe) -> str:
    """Write `model.onnx` anew, also where one in 8 bits inspects, and return how far it is from the model."""
    labels = json.loads((folder.model / "config.json").read_text(encoding="utf-8"))["id2label"]
    model, _ = load_detector_model(folder.model, [labels[str(number)] for number in range(len(labels))])
    made = folder.model / "model.part.onnx"
    export(model, recipe.step.image_px, made)
    photos, _ = _judges(recipe)
    found = parity(model, made, photos[:BOXES_PX])
    made.replace(folder.model / "model.onnx")
    (folder.model / "model.fp32.onnx").unlink(missing_ok=True)
    return str(found)


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="of a detector: its id or its folder")
    parser.add_argument("--int8", action="store_true", help="in 8 bits, beside the other")
    parser.add_argument("--use", action="store_true", help="let the one in 8 bits inspect")
    parser.add_argument("--progress-json", action="store_true", help="print what came of it as JSON")
    chosen = parser.parse_args(arguments)
    try:
        folder, recipe = _opened(chosen.run)
        if not chosen.int8:
            print(again(folder, recipe))
            return 0
        found = to_int8(folder, recipe)
        if chosen.use:
            _use(folder)
    except RepairError as error:
        print(f"training.detector_export: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found) if chosen.progress_json else found["said"])
    if chosen.use and not chosen.progress_json:
        print(f"it inspects from now on; its thresholds are those of before: runs evaluate {folder.id}")
    return 0


def _use(folder: RunFolder) -> None:
    plain = folder.model / "model.fp32.onnx"
    if not plain.is_file():
        shutil.copy(folder.model / "model.onnx", plain)
    shutil.copy(folder.model / "model.int8.onnx", folder.model / "model.onnx")


if __name__ == "__main__":
    sys.exit(main())
