"""What of a judge of states goes into a Space: its files by an allow-list, and what they need there."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hub.contents import ADAPTER, CLASSIFIER
from repairai.hub.space_card import CARD, StateJudge

ASKS = "repairai.judge.classifier", "repairai.judge.vision_language"
"""The modules that open a light classifier and a model that reads photos and text; they are imported by name."""
CLASSIFIER_FILES = ("config.json", "model.safetensors", "backbone.onnx")
LIMITS = "state_limits.json"
READS_FILES = ("config.json", ADAPTER, "judge.json", "adapter_model.safetensors", "model.safetensors",
               "model-*-of-*.safetensors",
               "model.safetensors.index.json", "generation_config.json", "preprocessor_config.json",
               "processor_config.json", "chat_template.json", "chat_template.jinja", "tokenizer.json", "vocab.json",
               "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt",
               "tokenizer.model")  # fmt: skip
"""Of a judge's folder."""
SAFE = "safetensors>=0.5           # weights in files that hold no program\n"
READS = """\
peft>=0.21                 # its adapters, and merging them
psutil>=7.0                # memory and cores, for `hardware`
"""
"""What a judge that reads photos and text needs beside `ON_GPU`."""


def judge_files(judge: StateJudge) -> tuple[dict[str, Path], bool]:
    """Return the files of a judge by their names, and whether it is a model that reads photos and text.

    Raises:
        RepairError: One that it needs is missing.
    """
    settings = judge.folder / "config.json"
    try:
        kind = json.loads(settings.read_bytes()).get("model_type")
    except (OSError, ValueError, AttributeError, RecursionError):
        kind = None
    is_light = kind == CLASSIFIER
    names = sorted(path.name for path in judge.folder.iterdir() if path.is_file()) if judge.folder.is_dir() else []
    patterns = CLASSIFIER_FILES if is_light else READS_FILES
    found = {name: judge.folder / name for name in names if any(fnmatch(name, each) for each in patterns)}
    wanted = CLASSIFIER_FILES if is_light else ("*config.json", "*.safetensors")
    for pattern in wanted:
        if not any(fnmatch(name, pattern) for name in found):
            raise RepairError(f"the judge {judge.name} has no {pattern} in {judge.folder}", "train or pull it again")
    if ADAPTER in found and not judge.base:
        raise RepairError(
            f"the judge {judge.name} is an adapter, and nothing tells what it stands on is called on the Hub",
            "merge it with its base first",
        )
    limits = judge.limits or judge.folder / LIMITS
    more = {LIMITS: limits, CARD: judge.folder / CARD}
    return found | {name: path for name, path in more.items() if path.is_file()}, not is_light


def on_the_hub(adapter: Path, base: str) -> str:
    """Return an adapter's settings with the name on the Hub of what it stands on, whatever it is called here."""
    try:
        data = json.loads(read_text(adapter))
    except (ValueError, RecursionError):
        raise RepairError(f"{adapter} is not JSON", "train or pull it again") from None
    return json.dumps({**data, "base_model_name_or_path": base}, ensure_ascii=False, indent=2) + "\n"
