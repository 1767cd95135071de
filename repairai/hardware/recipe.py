"""One training as its YAML file says it: what is trained, on what, how, and what that was expected to take."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, get_args

import yaml

from repairai.errors import RepairError
from repairai.files import from_data, read_data, to_data, write_whole
from repairai.hardware.workload import Workload

Task = Literal["sop", "detector", "judge"]
Backend = Literal["trl", "unsloth", "axolotl"]
Schedule = Literal["cosine", "linear", "constant"]
Where = Literal["here", "hf-jobs"]
VERSION = 1
"""Of the form of recipes: it grows when an older RepairAI could no longer read a newer recipe rightly."""
SPANS: dict[str, tuple[float, float]] = {
    "epochs": (1e-3, 1000), "learning_rate": (1e-9, 1), "max_steps": (1, 10**9), "alpha": (1, 10**4),
    "dropout": (0, 0.9), "warmup": (0, 0.9), "weight_decay": (0, 1), "clip": (1e-6, 1000), "eval_steps": (1, 10**9),
    "patience": (0, 1000), "keep": (1, 1000), "seed": (0, 2**32 - 1),
    "gpus": (1, 64), "version": (1, VERSION),
}  # fmt: skip
"""From what to what a number of a recipe goes."""
DETECTING_SPANS: dict[str, tuple[float, float]] = {"backbone_rate": (0, 1), "ema": (0, 0.99999)}
"""Likewise, of what only a detector asks for."""
JOB_SPANS: dict[str, tuple[float, float]] = {"timeout_hours": (0.1, 168)}
"""Likewise, of a training on Hugging Face Jobs."""


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


Augmentation = Literal["none", "bench", "strong"]
Judged = Literal["exact", "ap"]


@dataclass(frozen=True)
class Detecting:
    """What only the training of a detector asks for.

    Args:
        backbone_rate: The backbone's learning rate, as a share of the recipe's; a backbone that is frozen has none.
        ema: Decay of the running mean of the weights, which is what is judged and kept; 0 keeps the weights themselves.
        augmentation: What a photo goes through each time: `bench` knows other lights, blur, turns and distances,
            `strong` also hands, glare and noise.
        judged: By what the best weights are told: `exact` is the share of exact counts and, at half the weight, COCO's
            average precision; `ap` is the latter alone.
        shares: How often each source of photos is drawn, relative to the others; empty: every photo equally often.
    """

    backbone_rate: float = 0.1
    ema: float = 0.998
    augmentation: Augmentation = "bench"
    judged: Judged = "exact"
    shares: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (least, most) in DETECTING_SPANS.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"need {name} from {least:g} to {most:g}, got {getattr(self, name)}")
        for name, choices in (("augmentation", Augmentation), ("judged", Judged)):
            if getattr(self, name) not in get_args(choices):
                raise ValueError(
                    f"need {name} to be one of {', '.join(get_args(choices))}, got {getattr(self, name)!r}"
                )
        if any(share <= 0 for share in self.shares.values()):
            raise ValueError(f"need shares above 0, got {self.shares}")


@dataclass(frozen=True)
class Job:
    """What only a training on Hugging Face Jobs asks for.

    Args:
        flavor: The machine, as the Hub calls it; `train --where hf-jobs` shows what it costs before it begins.
        timeout_hours: After which it is ended, so that no mistake costs more. A little earlier the training is asked to
            stop, and its last checkpoint is brought back.
        owner: The organisation that pays; empty for the account that is logged in.
    """

    flavor: str = "l4x1"
    timeout_hours: float = 4.0
    owner: str = ""

    def __post_init__(self) -> None:
        least, most = JOB_SPANS["timeout_hours"]
        if not least <= self.timeout_hours <= most:
            raise ValueError(f"need timeout_hours from {least:g} to {most:g}, got {self.timeout_hours:g}")


@dataclass(frozen=True)
class Recipe:
    """One training.

    Args:
        task: Which of the three models it trains.
        step: The model, and one step of its training.
        epochs: How often the data are gone through.
        learning_rate: Its peak.
        forecast: What it was expected to take; None in recipes written by hand.
        data: Folder with `train.jsonl` and `val.jsonl`; empty where it is told when the training starts.
        revision: Of the model on the Hub; None takes its newest.
        backend: What runs the training: `trl` here; `unsloth` and `axolotl` each in an environment of their own.
        max_steps: End after so many optimizer steps, whatever `epochs` says; None for no such end.
        packing: Several short examples share one row of `length_tokens`, none seeing another.
        alpha: Scale of the adapters; None: 16.
        rslora: The scale is divided by the root of the rank, so that higher ranks go on learning.
        dropout: Share of the adapters' inputs that is dropped.
        schedule: How the learning rate falls after its peak.
        warmup: Share of the steps in which it rises to it.
        weight_decay: Of AdamW.
        clip: Largest norm of the gradients.
        eval_steps: Optimizer steps between looks at the validation data; each is followed by a checkpoint.
        patience: Looks without getting better after which the training ends; 0 for never.
        keep: Checkpoints that are kept, the best among them.
        seed: Of the adapters' first weights and of the order.
        gpus: How many of them train together, each with `batch` examples at a time.
        detecting: For the task `detector`; None takes what is usual.
        push: OWNER/NAME on the Hub, where the model goes once it is trained, private; empty: it stays here.
        where: `here`, or `hf-jobs`: on a machine of Hugging Face, paid by the minute.
        job: For `hf-jobs`; None takes what is usual.
        version: Of this form of recipe.

    Source:
        `alpha` over the root of the rank: Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning
        with LoRA".
    """

    task: Task
    step: Workload
    epochs: float
    learning_rate: float
    forecast: Forecast | None = None
    data: str = ""
    revision: str | None = None
    backend: Backend = "trl"
    max_steps: int | None = None
    packing: bool = True
    alpha: int | None = None
    rslora: bool = True
    dropout: float = 0.0
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    weight_decay: float = 0.0
    clip: float = 1.0
    eval_steps: int = 50
    patience: int = 3
    keep: int = 2
    seed: int = 7
    gpus: int = 1
    detecting: Detecting | None = None
    push: str = ""
    where: Where = "here"
    job: Job | None = None
    version: int = VERSION

    def __post_init__(self) -> None:
        if problems := [*self._choices(), *self._numbers()]:
            raise ValueError("; ".join(problems))

    def _choices(self) -> list[str]:
        return [
            f"need {name} to be one of {', '.join(get_args(choices))}, got {getattr(self, name)!r}"
            for name, choices in (("task", Task), ("backend", Backend), ("schedule", Schedule), ("where", Where))
            if getattr(self, name) not in get_args(choices)
        ]

    def _numbers(self) -> list[str]:
        found = [(name, getattr(self, name), *span) for name, span in SPANS.items()]
        return [
            f"need {name} from {least:g} to {most:g}, got {got}"
            for name, got, least, most in found
            if got is not None and not least <= got <= most
        ]


FOR_OTHERS: dict[Task, tuple[str, ...]] = {
    "sop": ("image_px", "boxes", "new_tokens", "four_bit"),
    "judge": ("image_px", "boxes", "new_tokens", "four_bit"),
    "detector": (
        "length_tokens", "new_tokens", "four_bit", "attention", "loss", "rank", "targets", "adapter_precision",
        "master_weights", "double_quant", "upcast", "checkpointing", "layerwise",
    ),
}  # fmt: skip
"""Settings of a step that a task has no use for: its recipe does not name them where they are as usual."""


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in a YAML file.

    Raises:
        RepairError: It is none, with all that is wrong with it; or it is of a newer RepairAI.
    """
    data = read_data(path)
    version = data.get("version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise RepairError(
            f"{path.name} is a recipe of version {version}, and this RepairAI knows version {VERSION}",
            "update RepairAI, or take a recipe that it has written",
        )
    return from_data(data, Recipe, path.name)


HEADS: dict[Task, str] = {
    "sop": "# Planned by RepairAI. Build data with `python -m repairai data build`, then train with\n"
    "#   python -m repairai train {name}\n",
    "detector": "# Planned by RepairAI. Import photos with `python -m repairai photos import`, then train with\n"
    "#   python -m repairai train {name}\n",
    "judge": "# Planned by RepairAI. Build states with `python -m repairai states build`, then train with\n"
    "#   python -m repairai train {name}\n",
}


def saved(path: Path, recipe: Recipe) -> str:
    """Write a recipe to a YAML file, whole or not at all, and return its text.

    Raises:
        RepairError: It cannot be written, or its name is not one of a YAML file.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise RepairError(f"{path.name} is no name for a recipe", "let it end in .yaml")
    data = to_data(recipe)
    for name in ("detecting", "push", "where", "job"):
        if getattr(recipe, name) == getattr(Recipe, name):
            del data[name]
    usual = {field.name: field.default for field in fields(Workload)}
    for name in FOR_OTHERS[recipe.task]:
        if data["step"][name] == usual[name]:
            del data["step"][name]
    head = HEADS[recipe.task].format(name=path.name)
    text = head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)
    write_whole(path, text.encode())
    return text
