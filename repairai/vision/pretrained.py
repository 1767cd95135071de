"""Where the files of a pretrained model lie: a folder, one of the person's models, or the Hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from repairai.errors import RepairError
from repairai.files import expanded, home, pulled, read_text

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
    folder = next((place for place in places if place.is_dir()), None) or pulled(name) or _fetched(name)
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


def _fetched(name: str) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=WANTED))
    except HFValidationError:
        raise RepairError(f"'{name}' is neither a folder nor a name on the Hub", "check it") from None
    except GatedRepoError:
        raise RepairError(
            f"{name} is given only to those who asked for it on the Hub",
            f"ask for it at huggingface.co/{name}, then log in with `hf auth login`",
        ) from None
    except RepositoryNotFoundError:
        raise RepairError(
            f"there is no model {name} on the Hub, or it may not be seen without a login",
            "check the name; if it is private, log in with `hf auth login`",
        ) from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise RepairError(
            f"the model {name} is not on this machine, and the Hub cannot be reached",
            "check the name, go online, or give a folder",
        ) from None
    except HfHubHTTPError as error:
        reason = " ".join(str(error).split())[:200]
        raise RepairError(f"the Hub does not give {name}: {reason}", "try again later") from None
