"""Writes the recipes for judges that see, each with the fastest step that a card holds, as the planner says.

    python -m training.write_judge_recipes

Run it again when the planner has learned something; nothing in the files is written by hand. Every step learns the same
from 16 rows; on a larger card more of them go through at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from repairai.hardware.card import USABLE, Card, fit_on
from repairai.hardware.memory import Estimate, estimate
from repairai.hardware.plan import RATE
from repairai.hardware.recipe import Forecast, Recipe, saved
from repairai.hardware.ways import EFFECTIVE_BATCH
from repairai.hardware.workload import Workload

FOLDER = Path(__file__).parent / "recipes"
CARDS_GIB = (6, 8, 12)
PHOTO_PX = 1024
"""Longest side to which SmolVLM scales a photo before it is cut into four tiles: what it is shown is the region of a
part already, and more px than it has tell nothing."""
MODELS = {
    "paligemma-3b": Workload("google/paligemma-3b-pt-224", "qlora", length_tokens=384, image_px=224),
    "smolvlm-256m": Workload("HuggingFaceTB/SmolVLM-256M-Instruct", "lora", length_tokens=512, image_px=PHOTO_PX),
    "smolvlm-500m": Workload("HuggingFaceTB/SmolVLM-500M-Instruct", "lora", length_tokens=512, image_px=PHOTO_PX),
}
"""By short name: one row at a time, checkpointed. A photo of PaliGemma takes 256 places, one of SmolVLM up to 341."""
EPOCHS = 4.0
"""Rows are few, and each of them teaches one word."""


def steps_of(work: Workload) -> list[Workload]:
    """Return the steps that learn the same, the fastest first: more rows at once, then with checkpointing."""
    whole = [replace(work, batch=batch, accumulation=EFFECTIVE_BATCH // batch) for batch in (16, 8, 4, 2, 1)]
    return [*(replace(each, checkpointing=False) for each in whole), *whole]


def recipe_of(work: Workload, forecast: Forecast | None) -> Recipe:
    """Return a recipe for a person's own states."""
    return Recipe(
        "judge", work, EPOCHS, RATE[work.method], forecast, packing=False, eval_steps=20, patience=5, warmup=0.1
    )


def on_cards() -> dict[str, Recipe]:
    """Return the recipes, by name: of each model one for each card."""
    found = {}
    for short, work in MODELS.items():
        steps = estimate(steps_of(work))
        for gib in CARDS_GIB:
            card = Card(f"a card with {gib} GiB", gib * USABLE)
            fitting = next(each for each in steps if fit_on(card, each.held_gib()) == "fits")
            found[f"judge_{short}_{work.method}_{gib}gib"] = recipe_of(fitting.work, _forecast(card, fitting))
    return found


def _forecast(card: Card, found: Estimate) -> Forecast:
    low, high = found.held_gib()
    held = round(low, 2), round(high, 2)
    return Forecast(card.name, round(card.free_gib, 2), round(found.tensors_gib, 2), held, None, ())


def main() -> None:
    """Write all of them."""
    recipes = on_cards()
    for short in MODELS:
        for old in FOLDER.glob(f"judge_{short}_*.yaml"):
            old.unlink()
    for name, recipe in recipes.items():
        saved(FOLDER / f"{name}.yaml", recipe)
    print("\n".join(f"{name}.yaml" for name in sorted(recipes)))


if __name__ == "__main__":
    main()
