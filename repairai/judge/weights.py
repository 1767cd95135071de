"""The files of a judge's weights: where they lie, what an adapter stands on, and what is wrong with them."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded, pulled
from repairai.hub_files import snapshot

ADAPTER = "adapter_config.json"
WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
"""Files of a model on the Hub that are fetched: no weights but safetensors, which hold no program."""
_PIECE = 2**20


def fetched(place: str, revision: str | None = None) -> Path:
    """Return the folder of a model; what is only on the Hub is fetched into the cache of its client.

    Raises:
        RepairError: It is neither here nor to be had.
    """
    folder = pulled(place) or expanded(place)
    return folder if folder.is_dir() else snapshot(place, WANTED, revision=revision)


def base_of(folder: Path, place: str, base: str) -> Path:
    """Return the folder of what an adapter stands on."""
    if not (folder / "adapter_model.safetensors").is_file():
        raise RepairError(f"{place} holds no adapter_model.safetensors", "save the adapter as safetensors")
    about = json.loads((folder / ADAPTER).read_text("utf-8"))
    named = str(about.get("base_model_name_or_path") or "")
    if Path(named).is_absolute() and not Path(named).is_dir():
        if not base:
            raise RepairError(f"the base of {place} is not there: {named}", "put it back, or train again")
        named = ""
    if not (named or base):
        raise RepairError(f"{place} does not say which model it stands on", "give a whole model")
    return fetched(named or base, about.get("revision") if named else None)


def revision_of(folder: Path) -> str:
    """Return what tells the weights in a folder from others, in eight letters: their commit, else of what they hold."""
    if folder.parent.name == "snapshots":
        return folder.name[:8]
    found = blake2b(digest_size=4)
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        with path.open("rb") as file:
            found.update(f"{path.name} {size}".encode() + file.read(_PIECE))
            file.seek(max(size - _PIECE, 0))
            found.update(file.read(_PIECE))
    return found.hexdigest()


def refused(name: str, error: BaseException) -> RepairError:
    """Return what a person needs to hear when a model cannot be opened."""
    if isinstance(error, RepairError):
        return error
    said = str(error)
    if "safetensors" in said and isinstance(error, OSError):
        return RepairError(f"{name} has no weights as safetensors", "choose a model that has: others can run code")
    lines = said.strip().splitlines()
    return RepairError(
        f"{name} cannot be opened: {lines[0][:200] if lines else type(error).__name__}", "choose another model"
    )
