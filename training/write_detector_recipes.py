"""Writes the recipes for detectors, each with the batch that the planner says a card holds.

    python -m training.write_detector_recipes

Run it again when the planner has learned something; nothing in the files is written by hand. A recipe's name says the
smallest card that it fits; on a larger one a larger batch only saves time, since a step is always made of 16 photos.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from repairai.hardware.card import USABLE, Card, fit_on
from repairai.hardware.memory import Estimate, estimate
from repairai.hardware.plan import DETECTOR_RATE, EPOCHS
from repairai.hardware.recipe import Detecting, Forecast, Recipe, saved
from repairai.hardware.ways import candidates
from repairai.hardware.workload import Workload

FOLDER = Path(__file__).parent / "recipes"
MODELS = {
    "rtdetrv2-r50": "PekingU/rtdetr_v2_r50vd",
    "rtdetrv2-r18": "PekingU/rtdetr_v2_r18vd",
    "rtdetr-r50": "PekingU/rtdetr_r50vd",
    "dfine-small": "ustc-community/dfine-small-coco",
    "dfine-nano": "ustc-community/dfine-nano-coco",
    "grounding-dino-tiny": "IDEA-Research/grounding-dino-tiny",
}
ONLY_FEW = ("grounding-dino-tiny",)
"""Of these the whole is more than few photos can teach."""
CARDS_GIB = (8, 12, 24)
SMALLER_PX = (640, 512)
"""Sides of the input with which the smallest card is tried where the usual one does not fit."""
NAMES = {"full": "full", "few_shot": "few-shot"}
RATES = {"dfine-small": 2e-4, "dfine-nano": 2e-4}
"""Peak learning rates that are not the usual. Source: D-FINE's own recipes take 2 to 4e-4 for its small models."""
BUILTIN = Workload(
    "builtin", "full", batch=8, accumulation=2, image_px=320, precision="fp32", optimizer="adamw", checkpointing=False
)
UNTRAINED = """# The detector that comes with RepairAI: RT-DETRv2 from random weights, for two CPU cores.
#   python -m training.builtin_data --scenes 9000
#   python -m training.builtin_model build/detector-untrained
#   python -m training.detector_train training/recipes/{name} --name builtin-detector
"""
MORE = """# The detector that comes with RepairAI, second half: on from the first, a copy of whose model is named below.
#   python -m training.detector_train training/recipes/{name} --name builtin-detector-more
"""


def recipe_of(short: str, work: Workload, forecast: Forecast | None) -> Recipe:
    """Return a recipe for a person's own photos."""
    return Recipe(
        "detector", work, EPOCHS["detector"], RATES.get(short, DETECTOR_RATE), forecast, weight_decay=1e-4, clip=0.1,
        eval_steps=25, patience=8, detecting=Detecting(),
    )  # fmt: skip


def on_cards() -> dict[str, Recipe]:
    """Return the recipes for GPUs, by name: of each model and method one for each card that holds more at a time."""
    found = {}
    for short, model in MODELS.items():
        for way in candidates("detector", model):
            if way.base.method == "full" and short in ONLY_FEW:
                continue
            batch = 0
            for gib in CARDS_GIB:
                card = Card(f"a card with {gib} GiB", gib * USABLE)
                smaller = [replace(way.base, image_px=px) for px in SMALLER_PX]
                fitting = _largest([*way.larger, way.base, *(smaller if gib == CARDS_GIB[0] else [])], card)
                if fitting and fitting.work.batch > batch:
                    batch = fitting.work.batch
                    name = f"detector_{short}_{NAMES[way.base.method]}_{gib}gib"
                    found[name] = recipe_of(short, fitting.work, _forecast(card, fitting))
                if batch == way.larger[0].batch:
                    break
    return found


def _largest(works: list[Workload], card: Card) -> Estimate | None:
    """Return the first of some steps, largest first, that a card holds; None where it holds none."""
    for work in works:
        (found,) = estimate([work])
        if fit_on(card, found.held_gib()) == "fits":
            return found
    return None


def on_a_processor() -> dict[str, Recipe]:
    """Return the recipes for a processor, by name: the built-in detector, which is small enough."""
    few = replace(BUILTIN, method="few_shot")
    rates = {"full": 3e-4, "few-shot": 5e-4}
    return {
        f"detector_builtin_{NAMES[work.method]}_cpu": replace(
            recipe_of("builtin", replace(work, accumulation=1), None),
            learning_rate=rates[NAMES[work.method]],
            epochs=40,
        )
        for work in (BUILTIN, few)
    }


def of_the_builtin() -> dict[str, tuple[str, Recipe]]:
    """Return the two recipes by which the built-in detector itself came about, each with its first lines."""
    shares = {"scenes": 0.6, "screws_presence": 0.27, "screws_amv": 0.13}
    step = replace(BUILTIN, model="build/detector-untrained", accumulation=1, boxes=12)
    strong = Detecting(backbone_rate=1.0, ema=0.998, augmentation="strong", judged="ap", shares=shares)
    first = Recipe(
        "detector", step, 12.0, 1e-3, data="build/detector", max_steps=12_000, warmup=0.3, weight_decay=1e-4, clip=1.0,
        eval_steps=500, patience=0, keep=1, detecting=strong,
    )  # fmt: skip
    more = {"scenes": 0.58, "screws_presence": 0.3, "screws_amv": 0.12}
    second = replace(
        first, step=replace(step, model="build/detector-first"), learning_rate=7e-4, max_steps=3300,
        detecting=replace(strong, shares=more),
    )  # fmt: skip
    return {
        "detector_rtdetrv2_builtin_cpu": (UNTRAINED, first), "detector_rtdetrv2_builtin_more_cpu": (MORE, second),
    }  # fmt: skip


def _forecast(card: Card, found: Estimate) -> Forecast:
    low, high = found.held_gib()
    held = round(low, 2), round(high, 2)
    return Forecast(card.name, round(card.free_gib, 2), round(found.tensors_gib, 2), held, None, ())


def main() -> None:
    """Write all of them."""
    cards = on_cards()
    for old in FOLDER.glob("detector_*.yaml"):
        old.unlink()
    for name, recipe in {**cards, **on_a_processor()}.items():
        saved(FOLDER / f"{name}.yaml", recipe)
    for name, (head, recipe) in of_the_builtin().items():
        path = FOLDER / f"{name}.yaml"
        text = saved(path, recipe)
        own = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
        path.write_text(head.format(name=path.name) + own, encoding="utf-8")
    print("\n".join(sorted(path.name for path in FOLDER.glob("detector_*.yaml"))))


if __name__ == "__main__":
    main()
