"""Opens the model that judge B asks: a light classifier, a vision-language model of this machine, or a server."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import cast

from repairai.errors import RepairError
from repairai.files import expanded, pulled
from repairai.judge.limits import is_address
from repairai.schema import Reasoner

CLASSIFIER = "repairai_state_classifier"
"""The model type of a light classifier of states, in its `config.json`."""


def load_reasoner(place: str, name: str, base: str = "") -> Reasoner:
    """Return a reasoner, loaded and ready to be asked; a server is only asked once there is a question.

    Args:
        place: A folder with a `config.json` or an `adapter_config.json`, a name on the Hub, or the address of a server
            that speaks OpenAI's chat API, which may end in `#MODEL`.
        name: As it is shown and kept with inspections.
        base: What an adapter stands on, where the base that its own file names is not there; for a server the model's
            name on it. Empty: the adapter's own, or the first model that the server lists.

    Raises:
        RepairError: It is not there, or cannot be loaded.
    """
    # Each of them is imported where it is wanted: the second brings torch along, and the others must do without.
    if is_address(place):
        opened = import_module("repairai.judge.server").ServerReasoner(place, name, base)
    elif (folder := _folder(place)) is not None and _kind(folder) == CLASSIFIER:
        opened = import_module("repairai.judge.classifier").load_classifier(folder, name)
    else:
        opened = import_module("repairai.judge.vision_language").load_vision_language(place, name, base)
    return cast(Reasoner, opened)


def _folder(place: str) -> Path | None:
    """Return the folder of what lies on this machine; None for a name on the Hub that was not pulled.

    Raises:
        RepairError: It is neither a folder nor such a name.
    """
    folder = pulled(place) or expanded(place)
    if place.strip() and folder.is_dir():
        if not any((folder / name).is_file() for name in ("config.json", "adapter_config.json")):
            raise RepairError(f"{place} holds no model: there is no config.json", "give the folder of a judge")
        return folder
    if not place.strip() or place.count("/") != 1 or place.startswith(("/", ".", "~")):
        raise RepairError(
            f"there is no judge at {place!r:.120}",
            "give a folder, a name on the Hub such as OWNER/NAME, or the address of a server",
        )
    return None


def _kind(folder: Path) -> str:
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        return str(json.loads((folder / "config.json").read_bytes()).get("model_type") or "")
    return ""
