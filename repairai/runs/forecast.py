"""What a run will write on the disk, from its recipe, beside what is free there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import expanded, home
from repairai.hardware.bound import BYTES, STATE
from repairai.hardware.kept import recalled
from repairai.hardware.models import built_in, find_config
from repairai.hardware.probe import room
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.runs.folder import runs_folder

GIB = 2**30
BESIDE_GIB = 0.03
"""Of a checkpoint and of a model beside their weights: tokenizer, settings, state of the schedule. Llama 3's tokenizer
takes 17 MB."""
BUILTIN_DETECTOR = Path(__file__).parents[1] / "builtin" / "detector"
PROBE = "linear_probe"
LINE_GIB = 0.001
"""Of a linear layer and what is kept beside it: the answers of a judge of a thousand questions take less."""
LEAST_GIB = 0.1
"""That a run of which nothing else is known writes."""


@dataclass(frozen=True)
class DiskForecast:
    """What a run writes.

    Args:
        checkpoint_gib: One checkpoint, with the optimizer's state; None where the model's size is not known here.
        model_gib: What comes of it; None likewise.
        keep: Checkpoints that are kept. One more is there while the oldest is not yet deleted.
        free_gib: Free where runs lie.
    """

    checkpoint_gib: float | None
    model_gib: float | None
    keep: int
    free_gib: float

    @property
    def wanted_gib(self) -> float:
        """All that lies there at once, at most."""
        if self.checkpoint_gib is None or self.model_gib is None:
            return LEAST_GIB
        return (self.keep + 1) * self.checkpoint_gib + self.model_gib


def disk_forecast(recipe: Recipe) -> DiskForecast:
    """Return what a recipe's run will write. The Hub is not asked: a model that is not known here has no figures.

    Raises:
        RepairError: The disk cannot be looked at, or the model's `config.json` is damaged.
    """
    free = room("runs", runs_folder()).free_gib
    if recipe.task == "detector":
        return _of_a_detector(recipe, free)
    if recipe.step.method == PROBE:
        return _of_a_probe(recipe, free)
    config = known_config(recipe.step.model)
    if config is None:
        return DiskForecast(None, None, recipe.keep, free)
    weights, state = written_bytes(recipe.step, config)
    model = weights / GIB + BESIDE_GIB
    return DiskForecast(model + state / GIB, model, recipe.keep, free)


def _of_a_detector(recipe: Recipe, free_gib: float) -> DiskForecast:
    """Return what a detector's run writes, from the weights that it begins with, which are kept in fp32.

    A checkpoint holds them, AdamW's two numbers for each, and their running mean; the model is there as ONNX too.
    """
    folder = BUILTIN_DETECTOR if recipe.step.model == "builtin" else expanded(recipe.step.model)
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / GIB if folder.is_dir() else 0.0
    if not weights:
        return DiskForecast(None, None, recipe.keep, free_gib)
    return DiskForecast(4 * weights, 2 * weights, recipe.keep, free_gib)


def _of_a_probe(recipe: Recipe, free_gib: float) -> DiskForecast:
    """Return what the training of a linear layer writes: little, and beside it the backbone that sees for it."""
    if recipe.step.model == "builtin":
        weights = (BUILTIN_DETECTOR / "model.onnx").stat().st_size / GIB
    else:
        folder = expanded(recipe.step.model)
        weights = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / GIB if folder.is_dir() else 0.0
    if not weights:
        return DiskForecast(None, None, recipe.keep, free_gib)
    return DiskForecast(LINE_GIB, weights + LINE_GIB, recipe.keep, free_gib)


def check_disk(recipe: Recipe, there_gib: float = 0.0) -> DiskForecast:
    """Return what a recipe's run will write, where there is room for it.

    Args:
        recipe: Of the run.
        there_gib: Of it that lies there already.

    Raises:
        RepairError: There is not.
    """
    found = disk_forecast(recipe)
    wanted = found.wanted_gib - there_gib
    if wanted <= found.free_gib:
        return found
    what = f"{recipe.keep + 1} checkpoints and the model" if found.model_gib is not None else "its files"
    mend = f"free {wanted - found.free_gib:.1f} GiB under {home()}"
    if recipe.keep > 1 and found.checkpoint_gib and wanted - (recipe.keep - 1) * found.checkpoint_gib <= found.free_gib:
        mend += ", or keep fewer checkpoints with `keep: 1` in the recipe"
    raise RepairError(f"the run wants {wanted:.1f} GiB of disk for {what}, and {found.free_gib:.1f} GiB are free", mend)


def written_bytes(work: Workload, config: dict[str, Any]) -> tuple[int, int]:
    """Return the bytes of the weights that a checkpoint holds, and of the optimizer's state beside them."""
    whole, adapters = counted(work, config)
    if work.method == "full":
        own = BYTES["fp32" if work.master_weights else work.precision]
        trained = whole
    else:
        own, trained = BYTES[work.adapter_precision], adapters
    return trained * own, int(trained * STATE[work.optimizer] * (own if work.optimizer == "adamw" else 1))


def counted(work: Workload, config: dict[str, Any]) -> tuple[int, int]:
    """Return a decoder's weights, and those of the adapters that a workload puts on it.

    Of a model that reads photos too, the adapters stand on the side of language.

    Args:
        work: Its rank and targets count.
        config: The model's `config.json`, with the names that Llama's has; (0, 0) where it has others.

    Source:
        Hu et al. 2021, "LoRA": rank * (inputs + outputs) weights for each matrix.
    """
    seeing, text = config.get("vision_config"), config.get("text_config")
    if isinstance(seeing, dict) and isinstance(text, dict):
        whole, adapters = counted(work, text)
        return whole + _tower(seeing) if whole else 0, adapters
    width, layers, words = (_size(config, name) for name in ("hidden_size", "num_hidden_layers", "vocab_size"))
    heads, inner = _size(config, "num_attention_heads"), _size(config, "intermediate_size")
    if not (width and layers and words and heads and inner):
        return 0, 0
    head = _size(config, "head_dim") or width // heads
    keys = _size(config, "num_key_value_heads") or heads
    attention = [(width, heads * head), (width, keys * head), (width, keys * head), (heads * head, width)]
    rest = [(width, inner), (width, inner), (inner, width)] * max(_size(config, "num_local_experts"), 1)
    embeddings = words * width * (1 if config.get("tie_word_embeddings") else 2)
    matrices = attention + (rest if work.targets == "all" else [])
    whole = layers * sum(inputs * outputs for inputs, outputs in attention + rest) + embeddings
    return whole, layers * work.rank * sum(inputs + outputs for inputs, outputs in matrices)


def _tower(config: dict[str, Any]) -> int:
    """Return the weights of a vision tower, as far as they lie in its layers."""
    width, layers, inner = (_size(config, name) for name in ("hidden_size", "num_hidden_layers", "intermediate_size"))
    return layers * (4 * width * width + 2 * width * inner)


def known_config(model: str) -> dict[str, Any] | None:
    """Return the configuration of a model that lies in a folder, is built in or was asked for before; None else.

    Raises:
        RepairError: It is damaged.
    """
    if expanded(model).is_dir():
        return find_config(model)
    by_lower = {name.lower(): config for name, config in built_in().items()}
    if model.strip().lower() in by_lower:
        return by_lower[model.strip().lower()]
    kept: dict[str, Any] | None = recalled(
        home() / "planner" / "configs" / f"{model.strip().replace('/', '--')}.json", dict
    )
    return kept


def _size(config: dict[str, Any], name: str) -> int:
    got = config.get(name)
    return got if type(got) is int and 0 < got < 10**9 else 0
