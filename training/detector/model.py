"""A detector to train on: from a folder, the Hub or what comes with RepairAI, with a head for a person's own parts."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForObjectDetection, RTDetrImageProcessor

import repairai.builtin
from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe
from repairai.vision.detectors import KINDS, WORDED
from training.detector.norms import quicken
from training.from_hub import fetched

BUILTIN = "builtin"
"""Stands for the detector that comes with RepairAI, in recipes."""
WANTED = ["*.json", "*.safetensors", "*.txt"]
STRIDE_PX = 32
"""Of the coarsest features: sides of the input are multiples of it."""
SMALL_BATCH = 8
"""Photos under which their mean and spread say less than those that the model has learned from."""
FEW_TOKENS = 128
"""Tokens up to which attention that is spelled out learns faster on a processor than the fused one; it takes memory by
their square."""
_HEAD = re.compile(r"class_embed|score_head")
"""Weights with one row for each part, in all three families."""


@dataclass(frozen=True)
class Parts:
    """What a new head knows of the old one.

    Args:
        names: Of the new head, by number.
        kept: Of those, what the old one knew too.
        fresh: Of those, what is learned from nothing.
        left_out: What the old one knew and the new one does not.
    """

    names: tuple[str, ...]
    kept: tuple[str, ...]
    fresh: tuple[str, ...]
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a sentence."""
        said = [f"knows already: {', '.join(self.kept)}"] if self.kept else []
        said += [f"learns anew: {', '.join(self.fresh)}"] if self.fresh else []
        said += [f"no longer looks for: {', '.join(_few(self.left_out))}"] if self.left_out else []
        return "; ".join(said)


def find_detector(name: str, revision: str | None = None) -> Path:
    """Return the folder of a detector: a folder's own, the built-in one's, or where one of the Hub was fetched to.

    Raises:
        RepairError: There is no such model, or it has no safetensors.
    """
    if name == BUILTIN:
        return Path(repairai.builtin.__file__).parent / "detector"
    folder = expanded(name)
    if not folder.is_dir():
        folder = fetched(name, WANTED, revision=revision)
    if not (folder / "config.json").is_file():
        raise RepairError(f"{folder} holds no config.json", "give the folder of a detector as transformers saves it")
    if not any(folder.glob("*.safetensors")):
        raise RepairError(
            f"{name} has no weights in safetensors, and others are not read as they may hold programs",
            "give a detector that has them",
        )
    return folder


def kind_of(folder: Path) -> str:
    """Return the model type of a folder, which is one that is trained here.

    Raises:
        RepairError: It is another.
    """
    try:
        kind = str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type", "no model type"))
    except (OSError, ValueError, AttributeError):
        kind = "no configuration"
    if kind not in (*KINDS, *WORDED):
        raise RepairError(
            f"{folder.name} holds {kind}, which is no detector that is trained here",
            f"give one of {', '.join((*KINDS, *WORDED))}",
        )
    return kind


def load_detector_model(folder: Path, parts: Sequence[str]) -> tuple[Any, Parts]:
    """Return a detector of the RT-DETR family with a head for these parts, and what that knows of the old one.

    Args:
        folder: As `find_detector` gives it.
        parts: By number.

    Raises:
        RepairError: The folder holds no such detector.
    """
    old = _open(folder)
    config = copy.deepcopy(old.config)
    config.id2label = dict(enumerate(parts))
    config.label2id = {part: number for number, part in enumerate(parts)}
    config.anchor_image_size = config.eval_size = None  # sizes for which the old one was made beforehand
    known = {spelled(str(name)): int(number) for number, name in old.config.id2label.items()}
    rows = [(new, known[spelled(part)]) for new, part in enumerate(parts) if spelled(part) in known]
    model = type(old)(config)
    weights, before = model.state_dict(), old.state_dict()
    with torch.no_grad():
        for name, value in weights.items():
            if _HEAD.search(name):
                _take_rows(value, before[name], rows)
            else:
                value.copy_(before[name])
    taken = [parts[new] for new, _ in rows]
    names = [str(old.config.id2label[number]) for number in sorted(old.config.id2label)]
    left_out = tuple(name for name in names if spelled(name) not in {spelled(part) for part in parts})
    return model, Parts(tuple(parts), tuple(taken), tuple(p for p in parts if p not in taken), left_out)


def _open(folder: Path) -> Any:
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        return AutoModelForObjectDetection.from_pretrained(
            folder, config=config, dtype=torch.float32, trust_remote_code=False, use_safetensors=True
        )
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RepairError(f"{folder.name} cannot be loaded as a detector: {reason}", "give another model") from None


def _take_rows(new: torch.Tensor, old: torch.Tensor, rows: list[tuple[int, int]]) -> None:
    """Put the rows of known parts where they belong in a new head; an embedding's last row stands for no part."""
    for to, row in rows:
        new[to] = old[row]
    if new.ndim == 2 and new.shape[1:] == old.shape[1:] and _has_row_for_none(new, old):
        new[-1] = old[-1]


def _has_row_for_none(new: torch.Tensor, old: torch.Tensor) -> bool:
    """The embedding of the denoised parts has one row more, of zeros, for the fill."""
    return bool((old[-1] == 0).all() and (new[-1] == 0).all())


def spelled(part: str) -> str:
    """Return a part's name as names are held against each other: "Screw hole" is "screw_hole"."""
    return re.sub(r"[\s_-]+", " ", part.strip().casefold())


def _few(names: Sequence[str], most: int = 8) -> list[str]:
    return [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)


# ---- what is trained


def freeze(model: Any, recipe: Recipe) -> None:
    """Leave what a recipe does not train as it is: for few-shot the backbone, and a text's encoder with it."""
    frozen = recipe.step.method == "few_shot" or (recipe.detecting and not recipe.detecting.backbone_rate)
    if frozen:
        for name, weight in model.named_parameters():
            if is_backbone(name):
                weight.requires_grad_(False)


def is_backbone(name: str) -> bool:
    """Tell whether a weight is of the backbone, by its name."""
    return ".backbone." in f".{name}" or ".text_backbone." in f".{name}"


def still(model: Any, recipe: Recipe) -> list[torch.nn.Module]:
    """Return the layers that stay as in an evaluation while the rest trains.

    Those of a frozen backbone; and each BatchNorm where a batch has few photos, unless it has learned nothing yet.
    """
    found: list[torch.nn.Module] = []
    if recipe.step.method == "few_shot":
        found += [layer for name, layer in model.named_modules() if name.endswith(("backbone", "text_backbone"))]
    norms = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    learned = any(layer.num_batches_tracked is not None and int(layer.num_batches_tracked) > 0 for layer in norms)
    if recipe.step.batch < SMALL_BATCH and learned:
        found += norms
    return found


def groups(model: torch.nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the weights that are trained, in groups of one learning rate and one weight decay.

    The backbone's rate is a share of the others'; norms and biases, which have one dimension, do not decay.
    """
    detecting = recipe.detecting
    slow = detecting.backbone_rate if detecting else 0.1
    # The first group's rate is the one that is shown: the recipe's own.
    found: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {(False, True): [], (False, False): []}
    for name, weight in _trained(model):
        found.setdefault((is_backbone(name), weight.ndim > 1), []).append(weight)
    return [
        {
            "params": weights,
            "lr": recipe.learning_rate * (slow if backbone else 1.0),
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (backbone, decays), weights in found.items()
        if weights
    ]


def _trained(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


def suit_processor(model: Any, size_px: int) -> None:
    """Let a detector of the RT-DETR family learn as a processor does it fastest; it learns the same.

    Weights lie in memory as convolutions read them, which would else put them in order at each step; `norms` sees to
    what does not like that order.

    Args:
        model: It.
        size_px: Side of its input.
    """
    model.to(memory_format=torch.channels_last)
    quicken(model)
    if max(model.config.num_queries, (size_px // STRIDE_PX) ** 2) <= FEW_TOKENS:
        model.set_attn_implementation("eager")


def processor(size_px: int) -> Any:
    """Return what turns photos into a detector's input: a square, from 0 to 1."""
    return RTDetrImageProcessor(size={"height": size_px, "width": size_px})
