"""Writes the recipes for the SOP agent, each with what the planner says that it takes.

    python -m training.write_recipes

Run it again when the planner has learned something; nothing in the files is written by hand.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from repairai.hardware.card import CARDS_GIB, USABLE, Card, fit_on
from repairai.hardware.memory import Device, Estimate, estimate
from repairai.hardware.plan import RATE
from repairai.hardware.recipe import Forecast, Recipe, saved
from repairai.hardware.ways import candidates
from repairai.hardware.workload import Workload

FOLDER = Path(__file__).parent / "recipes"
MODELS = {
    "llama3-8b": "meta-llama/Meta-Llama-3-8B-Instruct",
    "mistral-7b": "mistralai/Mistral-7B-Instruct-v0.3",
    "llama3.2-3b": "meta-llama/Llama-3.2-3B-Instruct",
    "llama3.2-1b": "meta-llama/Llama-3.2-1B-Instruct",
    "qwen2.5-0.5b": "Qwen/Qwen2.5-0.5B-Instruct",
    "qwen2.5-1.5b": "Qwen/Qwen2.5-1.5B-Instruct",
    "qwen3-0.6b": "Qwen/Qwen3-0.6B",
    "qwen3-1.7b": "Qwen/Qwen3-1.7B",
}
ON_A_PROCESSOR = "HuggingFaceTB/SmolLM2-135M-Instruct"
LARGE = ("llama3-8b", "mistral-7b")
"""Of these full fine-tuning is written out as well: of smaller ones it fits where LoRA does."""


def on_gpus() -> dict[str, Workload]:
    """Return one step of each recipe for GPUs, by model and method."""
    found = {}
    for short, model in MODELS.items():
        lora, qlora, _, by_layer = (each.base for each in candidates("sop", model))
        found |= {f"{short}_lora": lora, f"{short}_qlora": qlora}
        if short in LARGE:
            found[f"{short}_full"] = by_layer
    return found


def on_a_processor() -> dict[str, Workload]:
    """Return one step of each recipe for a processor: no checkpointing, adapters in fp32, rows by length, unpacked.

    Attention is what rows cost there: many examples in one row cost more than the fill of rows of like length. Two rows
    at a time take half the memory of four and no more time: a processor is busy with either.
    """
    lora = Workload(
        ON_A_PROCESSOR,
        "lora",
        batch=2,
        accumulation=4,
        checkpointing=False,
        optimizer="adamw",
        adapter_precision="fp32",
    )
    return {"smollm2-135m_lora": lora, "smollm2-135m_qlora": replace(lora, method="qlora")}


def card_for(found: Estimate) -> tuple[str, float, float]:
    """Return the smallest card that holds a step, by name, with its size and what of it a process gets, in GiB."""
    for gib in CARDS_GIB:
        card = Card(f"a card with {gib} GiB", gib * USABLE)
        if fit_on(card, found.held_gib()) == "fits":
            return card.name, gib, card.free_gib
    raise ValueError(f"need a step that some card holds, got one of {found.held_gib()[1]:.0f} GiB")


def write(name: str, work: Workload, found: Estimate, device: Device) -> None:
    """Write one recipe."""
    machine, gib, free = card_for(found) if device == "cuda" else ("a processor", 0, 0.0)
    low, high = found.held_gib(device)
    forecast = Forecast(machine, round(free, 2), round(found.tensors_gib, 2), (round(low, 2), round(high, 2)), None, ())
    recipe = Recipe(
        "sop", work, 3.0 if device == "cuda" else 1.0, RATE[work.method] if device == "cuda" else 1e-3, forecast,
        eval_steps=50 if device == "cuda" else 25, packing=device == "cuda",
    )  # fmt: skip
    saved(FOLDER / f"sop_{name}_{f'{gib:g}gib' if gib else 'cpu'}.yaml", recipe)


def main() -> None:
    """Write all of them."""
    for old in FOLDER.glob("sop_*.yaml"):
        old.unlink()
    for device, works in (("cuda", on_gpus()), ("cpu", on_a_processor())):
        for (name, work), found in zip(works.items(), estimate(list(works.values())), strict=True):
            write(name, work, found, device)  # type: ignore[arg-type]
    print("\n".join(sorted(path.name for path in FOLDER.glob("sop_*.yaml"))))


if __name__ == "__main__":
    main()
