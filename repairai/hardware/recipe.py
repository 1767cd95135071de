"""One training as its YAML file says it: what is trained, on what, how, and what that was expected to take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import yaml

from repairai.errors import RepairError
from repairai.files import to_data, write_whole
from repairai.hardware.workload import Workload

Task = Literal["sop", "detector", "judge"]


@dataclass(frozen=True)
class Forecast:
    """What a training was expected to take when its recipe was made.

    Args:
        machine: On which card.
        free_gib: Of its memory, when it was planned.
        tensors_gib: Peak of the tensors, as PyTorch counts what is allocated.
        held_gib: At least and at most what the process holds at its peak.
        hours: At least and at most; None where nothing is known of the machine's speed.
        because: Why it is done this way.
    """

    machine: str
    free_gib: float
    tensors_gib: float
    held_gib: tuple[float, float]
    hours: tuple[float, float] | None
    because: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """One training.

    Args:
        task: Which of the three models it trains.
        step: The model, and one step of its training.
        epochs: How often the data are gone through.
        learning_rate: Its peak.
        forecast: What it was expected to take; None in recipes written by hand.
    """

    task: Task
    step: Workload
    epochs: float
    learning_rate: float
    forecast: Forecast | None = None

    def __post_init__(self) -> None:
        if self.task not in get_args(Task):
            raise ValueError(f"need task to be one of {', '.join(get_args(Task))}, got {self.task!r}")
        if not 0 < self.epochs <= 1000:
            raise ValueError(f"need epochs over 0 and at most 1000, got {self.epochs}")
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"need learning_rate between 0 and 1, got {self.learning_rate}")


FOR_OTHERS: dict[Task, tuple[str, ...]] = {
    "sop": ("image_px", "boxes", "new_tokens", "four_bit"),
    "judge": ("image_px", "boxes", "new_tokens", "four_bit"),
    "detector": (
        "length_tokens", "new_tokens", "four_bit", "attention", "loss", "rank", "targets", "adapter_precision",
        "master_weights", "double_quant", "upcast", "checkpointing", "layerwise",
    ),
}  # fmt: skip
"""Settings of a step that a task has no use for: its recipe does not name them where they are as usual."""


HEAD = "# Planned by RepairAI. The trainers that read this file come with its next releases.\n"


def saved(path: Path, recipe: Recipe) -> str:
    """Write a recipe to a YAML file, whole or not at all, and return its text.

    Raises:
        RepairError: It cannot be written, or its name is not one of a YAML file.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise RepairError(f"{path.name} is no name for a recipe", "let it end in .yaml")
    data = to_data(recipe)
    usual = {field.name: field.default for field in fields(Workload)}
    for name in FOR_OTHERS[recipe.task]:
        if data["step"][name] == usual[name]:
            del data["step"][name]
    text = HEAD + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)
    write_whole(path, text.encode())
    return text
