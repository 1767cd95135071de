"""Where the files of a pretrained model lie: a folder, one of the person's models, or the Hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import expanded, home, pulled, read_text
from repairai.hub_files import snapshot

WANTED = ["*.json", "*.safetensors", "*.txt", "*.model"]
"""No weights but safetensors, which hold no program."""


def find_pretrained(name: str) -> Path:
    """Return the folder of a model's weights and settings; what is on the Hub and not here is fetched.

    Args:
        name: A folder, the name of a folder in `<home>/models`, or a name on the Hub.

    Raises:
        RepairError: There is no such model, it may not be had, or its weights are in a form that can hold programs.
    """
    places = [expanded(name), home() / "models" / name]
    folder = next((place for place in places if place.is_dir()), None) or pulled(name) or snapshot(name, WANTED)
    if not (folder / "config.json").is_file():
        raise RepairError(f"{folder} holds no config.json", "give the folder of a model as transformers saves it")
    if not any(folder.glob("*.safetensors")):
        raise RepairError(
            f"{name} has no weights in safetensors, and others are not read as they may hold programs",
            "give a model that has them",
        )
    return folder


def kind_of(folder: Path) -> str:
    """Return the model type that a folder's `config.json` names; empty where it names none.

    Raises:
        RepairError: It is not JSON.
    """
    try:
        config: Any = json.loads(read_text(folder / "config.json"))
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{folder / 'config.json'} is not JSON: {error}", "copy the model again") from None
    return str(config.get("model_type", "")) if isinstance(config, dict) else ""
