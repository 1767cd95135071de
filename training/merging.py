"""An adapter and its base made one model in 16 bits: what is the same for models of text and for judges that see.

Adds each adapter to its matrix and writes the model in the base's own files, one matrix in memory at a time, so that a
model is merged that is larger than the memory. Adapters of other sorts than LoRA on plain matrices are merged by peft,
with the whole model in memory. A base that is stored in 4 bits is refused: rounded once more it would forget what it
has learned.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import shutil
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from repairai.errors import RepairError
from repairai.files import disk_error, expanded, write_whole
from training.sop.model import find_model

PREFIX = "base_model.model."
"""Before the names of a base's modules in peft's files."""
MODEL_FILES = ("config.json", "generation_config.json", "*.jinja", "tokenizer*", "special_tokens_map.json", "*.model",
               "vocab*", "merges.txt", "added_tokens.json")  # fmt: skip
Tell = Callable[[str], None]
"""Is told what is done."""


@dataclass(frozen=True)
class Merged:
    """What came of a merge.

    Args:
        folder: Of the model.
        matrices: To which an adapter was added.
        off: How far its scores lie apart from those of the base with its adapter: mean over all words, in nats.
    """

    folder: Path
    matrices: int
    off: float


class Merging(ABC):
    """How models of one kind are merged: what belongs to them beside their weights, and how both are asked the same."""

    program = ""
    """Of the command, for people."""
    scored = ""
    """What both score: "words"."""

    @abstractmethod
    def load(self, source: Path) -> Any:
        """Return the base, in bf16."""

    @abstractmethod
    def accompany(self, adapter: Path, source: Path, folder: Path) -> None:
        """Put what belongs to a model beside its weights; its `config.json` is seen to afterwards."""

    @abstractmethod
    def apart(self, adapter: Path, source: Path, folder: Path) -> tuple[float, float]:
        """Return how far base with adapter and merged model score apart, in nats, and how far they may."""

    def merge(self, adapter: Path, folder: Path, base: str = "", tell: Tell = print) -> Merged:
        """Write an adapter and its base as one model in 16 bits, whole or not at all.

        Args:
            adapter: The adapter's folder, or a run's.
            folder: Where the model goes; new or empty.
            base: Folder of the base, or its name on the Hub; empty: the one that the adapter names.
            tell: Told what is done.

        Raises:
            RepairError: There is no adapter, its base is gone or in 4 bits, the disk is full, or the merged model is
                not the same; then nothing is kept.
        """
        adapter = adapter_of(adapter)
        about = PeftConfig.from_pretrained(str(adapter))
        source = find_model(base or str(about.base_model_name_or_path), None if base else about.revision)
        refuse(source, folder)
        beside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
        try:
            beside.mkdir(parents=True)
            count = self._merged(adapter, about, source, beside, tell)
            self.accompany(adapter, source, beside)
            _say_dtype(source, beside)
            tell("Asking both the same.")
            off, most = self.apart(adapter, source, beside)
            if not off <= most:
                raise RepairError(
                    f"the merged model scores {self.scored} {off:.3f} nats apart from the base with its adapter",
                    "nothing was kept; tell RepairAI's makers which base it is",
                )
            if folder.is_dir():
                folder.rmdir()
            beside.rename(folder)
        except OSError as error:
            raise disk_error(folder, error) from None
        except SafetensorError as error:
            raise RepairError(f"weights cannot be read or written: {error}", "see that the disk is not full") from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return Merged(folder, count, off)

    def _merged(self, adapter: Path, about: Any, source: Path, folder: Path, tell: Tell) -> int:
        """Write the merged weights, and return how many matrices were changed."""
        changes = plain_changes(adapter, about, source)
        if changes is not None:
            return file_by_file(source, folder, changes, tell)
        tell(
            "This is no LoRA on matrices that the base's files name as it does: the whole model is loaded to merge it."
        )
        base = self.load(source)
        whole = PeftModel.from_pretrained(base, adapter)
        count = sum(hasattr(module, "lora_A") for module in whole.modules())
        whole.merge_and_unload().to(kind_of(source)).save_pretrained(folder)
        del base, whole
        gc.collect()
        return count

    def command(self, arguments: list[str] | None, description: str | None) -> int:
        """Run the merge as a command; return its exit code."""
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )  # fmt: skip
        parser.add_argument(
            "adapter", type=Path, metavar="RUN|ADAPTER", help="the folder of a finished run, or an adapter"
        )
        parser.add_argument(
            "folder", type=Path, nargs="?", help="where the model goes; else into the first, as `merged`"
        )
        parser.add_argument("--base", default="", help="the model in 16 bits; else the one that the adapter names")
        chosen = parser.parse_args(arguments)
        try:
            adapter = expanded(chosen.adapter)
            made = self.merge(adapter, expanded(chosen.folder) if chosen.folder else adapter / "merged", chosen.base)
        except RepairError as error:
            print(f"training.{self.program}: {error}", file=sys.stderr)
            return 2
        print(
            f"{made.folder}: {made.matrices} matrices merged; it scores {self.scored} as before, to {made.off:.4f} nats"
        )
        return 0


def adapter_of(path: Path) -> Path:
    """Return the folder of an adapter, which a run has in `model`.

    Raises:
        RepairError: There is none.
    """
    found = path / "model" if (path / "model").is_dir() else path
    if (found / "adapter_config.json").is_file():
        return found
    if (found / "config.json").is_file():
        raise RepairError(f"{found} is a whole model: there is nothing to merge", "use it as it is")
    raise RepairError(f"{path} holds no adapter", "give the folder of a finished run, or of an adapter")


def refuse(source: Path, folder: Path) -> None:
    """Refuse a base that merging would ruin, and a folder that cannot take the model.

    Args:
        source: Folder of the base.
        folder: Where the model goes.

    Raises:
        RepairError: It is so.
    """
    if "quantization_config" in json.loads((source / "config.json").read_text(encoding="utf-8")):
        raise RepairError(
            f"the base {source} is stored in few bits, and merging into those ruins it",
            "name the model in 16 bits that it was made from with --base",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RepairError(f"{folder} is there already", "choose a new folder")
    needed = sum(path.stat().st_size for path in source.glob("*.safetensors"))
    near = next(each for each in (folder, *folder.resolve().parents) if each.is_dir())
    free = shutil.disk_usage(near).free
    if free < needed:
        raise RepairError(
            f"the model takes {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free on the disk",
            "free some space, or choose a folder on another disk",
        )


# ---- the matrices


def plain_changes(adapter: Path, about: Any, source: Path) -> dict[str, Callable[[], torch.Tensor]] | None:
    """Return what is added to each weight of the base, by its name in the base's files, worked out when asked for.

    None where it is not that simple: another sort of adapter, or a base whose files name their weights otherwise.

    Args:
        adapter: Folder of the adapter.
        about: Its configuration.
        source: Folder of the base.

    Source:
        Hu 2021, "LoRA": W + alpha / r * B A; Kalajdzievski 2023 for the root of r in rank-stabilised LoRA.
    """
    odd = ("use_dora", "fan_in_fan_out", "modules_to_save", "rank_pattern", "alpha_pattern", "trainable_token_indices",
           "lora_bias", "target_parameters", "use_qalora", "use_bdlora", "alora_invocation_tokens",
           "arrow_config")  # fmt: skip
    if about.peft_type != "LORA" or about.bias != "none" or any(getattr(about, name, None) for name in odd):
        return None
    scale = about.lora_alpha / (math.sqrt(about.r) if about.use_rslora else about.r)
    file = adapter / "adapter_model.safetensors"
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
    known = {name for _, name in _weights(source)}
    found: dict[str, Callable[[], torch.Tensor]] = {}
    for name in names:
        if not name.endswith(".lora_A.weight"):
            continue
        module = name.removesuffix(".lora_A.weight")
        weight = f"{module.removeprefix(PREFIX)}.weight"
        if weight not in known or f"{module}.lora_B.weight" not in names:
            return None
        found[weight] = _change(file, module, scale)
    return found if 2 * len(found) == len(names) else None


def _change(file: Path, module: str, scale: float) -> Callable[[], torch.Tensor]:
    def worked_out() -> torch.Tensor:
        with safe_open(file, "pt") as opened:
            into, out = (opened.get_tensor(f"{module}.lora_{each}.weight").float() for each in "AB")
        return scale * (out @ into)

    return worked_out


def _weights(source: Path) -> Iterator[tuple[Path, str]]:
    """Yield the names of a model's weights with the files that they lie in."""
    for path in sorted(source.glob("*.safetensors")):
        with safe_open(path, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118  # it is no dict
                yield path, name


def file_by_file(
    source: Path, folder: Path, changes: dict[str, Callable[[], torch.Tensor]], tell: Callable[[str], None]
) -> int:
    """Write the base's files anew with the changes, and return how many there were."""
    kind = kind_of(source)
    names: dict[str, str] = {}
    for path in sorted({path for path, _ in _weights(source)}):
        tell(f"Merging {path.name}.")
        tensors: dict[str, torch.Tensor] = {}
        with safe_open(path, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118
                weight = opened.get_tensor(name)
                if name in changes:
                    weight = weight.float() + changes[name]()
                tensors[name] = weight.to(kind).contiguous() if weight.is_floating_point() else weight
        save_file(tensors, folder / path.name, {"format": "pt"})
        names |= dict.fromkeys(tensors, path.name)
    if len(set(names.values())) > 1:
        size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(names.items()))}
        write_whole(folder / "model.safetensors.index.json", json.dumps(index, indent=2).encode())
    return len(changes)


def kind_of(source: Path) -> torch.dtype:
    """Return in which 16 bits a model is written: in its own, else in bf16."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    return torch.float16 if config.get("dtype", config.get("torch_dtype")) == "float16" else torch.bfloat16


def copied(place: Path, patterns: tuple[str, ...], folder: Path) -> None:
    """Copy a folder's files of these names into another, where they are not there yet."""
    for path in (path for pattern in patterns for path in place.glob(pattern)):
        if path.is_file() and not (folder / path.name).exists():
            shutil.copy(path, folder / path.name)


def _say_dtype(source: Path, folder: Path) -> None:
    """Write into a merged model's configuration in which 16 bits it is."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)
    config["dtype"] = str(kind_of(source)).removeprefix("torch.")
    write_whole(folder / "config.json", json.dumps(config, indent=2).encode())
