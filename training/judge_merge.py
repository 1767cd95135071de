"""A judge's adapter and its base made one model in 16 bits, for programs and servers that know no adapters.

    python -m training.judge_merge RUN [FOLDER]

As `training.sop_merge` does it for language models: one matrix in memory at a time. Afterwards both are asked the same
about the same photos, and have to answer alike.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from peft import PeftConfig, PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForImageTextToText

from repairai.errors import RepairError
from repairai.files import disk_error, expanded, write_whole
from repairai.judge.limits import STATE_LIMITS
from repairai.judge.photo_prompt import JUDGE_FILE
from repairai.judge.vision_language import VisionLanguage, load_model, load_prompt, with_adapter
from training.sop.model import find_model
from training.sop_merge import MODEL_FILES, Merged, adapter_of, file_by_file, kind_of, plain_changes, refuse

BESIDE = ("preprocessor_config.json", "processor_config.json", "chat_template.*", "tokenizer*",
          "special_tokens_map.json", "added_tokens.json", JUDGE_FILE, "sources.json", STATE_LIMITS)  # fmt: skip
"""What a judge's adapter brings along."""
QUESTIONS = ("Is the battery connector unplugged?", "Is the cover in place?")
MOST_OFF = 0.05
"""Mean difference, in nats, up to which both score yes and no alike. Rounding the merged weights to bf16 makes less."""


def merge(adapter: Path, folder: Path, base: str = "", tell: Callable[[str], None] = print) -> Merged:
    """Write an adapter and its base as one model in 16 bits, whole or not at all.

    Args:
        adapter: The adapter's folder, or a run's.
        folder: Where the model goes; new or empty.
        base: Folder of the base, or its name on the Hub; empty: the one that the adapter names.
        tell: Told what is done.

    Raises:
        RepairError: There is no adapter, its base is gone or in 4 bits, the disk is full, or the merged model does not
            answer the same; then nothing is kept.
    """
    adapter = adapter_of(adapter)
    about = PeftConfig.from_pretrained(str(adapter))
    source = find_model(base or str(about.base_model_name_or_path), None if base else about.revision)
    refuse(source, folder)
    beside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        beside.mkdir(parents=True)
        changes = plain_changes(adapter, about, source)
        if changes is None:
            tell("The base's files name their weights otherwise: the whole model is loaded to merge it.")
            count = _in_memory(adapter, source, beside)
        else:
            count = file_by_file(source, beside, changes, tell)
        _accompany(adapter, source, beside)
        tell("Asking both the same.")
        off = float((_answers(adapter, source) - _answers(beside, beside)).abs().mean())
        if not off <= MOST_OFF:
            raise RepairError(
                f"the merged model scores yes and no {off:.3f} nats apart from the base with its adapter",
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


def _in_memory(adapter: Path, source: Path, folder: Path) -> int:
    base = AutoModelForImageTextToText.from_pretrained(
        source, dtype=torch.bfloat16, trust_remote_code=False, use_safetensors=True
    )
    whole = PeftModel.from_pretrained(base, adapter)
    count = sum(hasattr(module, "lora_A") for module in whole.modules())
    whole.merge_and_unload().to(kind_of(source)).save_pretrained(folder)
    del base, whole
    gc.collect()
    return count


def _accompany(adapter: Path, source: Path, folder: Path) -> None:
    """Put what belongs to a judge beside its weights: what the adapter brings, else what the base has."""
    for place, patterns in ((adapter, BESIDE), (source, (*MODEL_FILES, *BESIDE))):
        for path in (path for pattern in patterns for path in place.glob(pattern)):
            if path.is_file() and not (folder / path.name).exists():
                shutil.copy(path, folder / path.name)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)
    config["dtype"] = str(kind_of(source)).removeprefix("torch.")
    write_whole(folder / "config.json", json.dumps(config, indent=2).encode())


def _answers(folder: Path, whole: Path) -> torch.Tensor:
    """Return how a judge scores each word for yes and no, (photos * questions, words), of photos of noise."""
    model = with_adapter(load_model(whole), folder, whole).eval()
    judge = VisionLanguage(model, load_prompt(folder.name, folder, whole), folder.name)
    noise = np.random.default_rng(7)
    photos = [noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), np.full((320, 240, 3), 90, np.uint8)]
    words = sorted(judge.prompt.answer_ids)
    found = [judge.scores(photo, each).float().log_softmax(-1)[words].cpu() for photo in photos for each in QUESTIONS]
    judge.close()
    return torch.stack(found)


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("adapter", type=Path, metavar="RUN|ADAPTER", help="the folder of a finished run, or an adapter")
    parser.add_argument("folder", type=Path, nargs="?", help="where the model goes; else into the first, as `merged`")
    parser.add_argument("--base", default="", help="the model in 16 bits; else the one that the adapter names")
    chosen = parser.parse_args(arguments)
    try:
        adapter = expanded(chosen.adapter)
        made = merge(adapter, expanded(chosen.folder) if chosen.folder else adapter / "merged", chosen.base)
    except RepairError as error:
        print(f"training.judge_merge: {error}", file=sys.stderr)
        return 2
    print(f"{made.folder}: {made.matrices} matrices merged; it scores yes and no as before, to {made.off:.4f} nats")
    return 0


if __name__ == "__main__":
    sys.exit(main())
