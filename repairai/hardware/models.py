"""What a model looks like: its `config.json`, from a folder, the public shapes that are built in, or the Hub."""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # it exports the last two by name alone
    build_hf_headers,
    get_session,
    hf_raise_for_status,
    httpx,
    validate_repo_id,
)

from repairai.errors import RepairError
from repairai.files import expanded, home, pulled, read_text, write_whole

Kind = Literal["language", "detector", "segmenter", "seeing"]
TYPES: dict[str, Kind] = {
    **dict.fromkeys(("rt_detr", "rt_detr_v2", "d_fine", "grounding-dino"), "detector"),
    **dict.fromkeys(("sam2", "sam2_video"), "segmenter"),
    **dict.fromkeys(("paligemma", "smolvlm", "idefics3"), "seeing"),
}
"""Sorts of models by their type; every other is taken for a language model."""
METHODS: dict[Kind, tuple[str, ...]] = {
    "language": ("full", "lora", "qlora", "inference"),
    "detector": ("full", "few_shot", "inference"),
    "segmenter": ("inference",),
    "seeing": ("full", "lora", "qlora", "inference"),
}
"""What is done with each sort here."""
MOST = {
    "num_hidden_layers": 512, "hidden_size": 65_536, "intermediate_size": 2**20, "num_attention_heads": 1024,
    "num_key_value_heads": 1024, "head_dim": 4096, "vocab_size": 2**21, "num_local_experts": 1024,
    "num_experts": 1024, "n_routed_experts": 1024, "num_queries": 10_000, "d_model": 65_536, "n_layer": 512,
    "n_embd": 65_536,
}  # fmt: skip
"""The largest sizes that are taken for a model's."""
NEEDED = ("hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads")
"""What a language model's configuration must say."""
OTHER_NAMES = {"n_embd", "n_layer", "d_model"}
"""Names that older families have for these."""
SHAPES = "shapes*.json"
MOST_BYTES = 2**20
"""Of a configuration: a larger file is none."""
HUB_SECONDS = 10


@cache
def built_in() -> dict[str, dict[str, Any]]:
    """Return the configurations that are built in, by the model's name on the Hub."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(Path(__file__).parent.glob(SHAPES)):
        for model in json.loads(path.read_text())["models"]:
            found |= dict.fromkeys(model["names"], model["config"])
    return found


def kind_of(config: dict[str, Any]) -> Kind:
    """Return what sort of model a configuration is of."""
    return TYPES.get(str(config.get("model_type")), "language")


def find_config(model: str) -> dict[str, Any]:
    """Return a model's configuration.

    Args:
        model: A folder with a `config.json`, the path of such a file, or a name on the Hub. No weights are read.

    Raises:
        RepairError: There is no such model, the Hub cannot be reached, or what it gives is no configuration.
    """
    place = expanded(model)
    try:
        if place.is_dir():
            return _read(place / "config.json")
        if place.suffix == ".json" and place.is_file():
            return _read(place)
    except OSError:  # a name too long for a path
        pass
    known = built_in()
    by_lower = {name.lower(): name for name in known}
    name = by_lower.get(model.strip().lower())
    if name:
        return known[name]
    if came := pulled(model.strip()):
        return _read(came / "config.json")
    return _read(_download(model.strip(), list(known)))


def _read(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise RepairError(f"{path} is no file", "give a folder with a config.json")
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise RepairError(f"{path} is no model's configuration: it has {path.stat().st_size} bytes", "check the name")
    try:
        config = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RepairError(f"{path} is not JSON: {error}", "give a model's own config.json") from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise RepairError(f"{path} does not say what type of model it is", "give a config.json with a model_type")
    _check(config, str(path))
    return config


def _check(config: dict[str, Any], where: str) -> None:
    """Refuse sizes that no model has: each would be run, and some without end."""
    text = config.get("text_config")
    for each in (config, text if isinstance(text, dict) else {}):
        for name, most in MOST.items():
            size = each.get(name)
            if size is not None and not (type(size) is int and 1 <= size <= most):
                raise RepairError(f"{where} says {name} is {size!r:.40}", f"it must be a whole number from 1 to {most}")
    if config.get("quantization_config"):
        raise RepairError(
            f"{where} is of a model that is quantised already", "name the one in 16 bits that it was made from"
        )
    lacking = [name for name in NEEDED if name not in config]
    if kind_of(config) == "language" and lacking and not isinstance(text, dict) and not OTHER_NAMES & config.keys():
        raise RepairError(f"{where} does not say {', '.join(lacking)}", "give a model's whole config.json")


def _download(model: str, known: list[str]) -> Path:
    """Return the path of a `config.json` from the Hub, kept from then on; nothing else is fetched, and once is enough.

    The Hub's own client tries five times, which is right for weights, and half a minute too long for a misspelt name.
    """
    kept = home() / "planner" / "configs" / f"{model.replace('/', '--')}.json"
    near = difflib.get_close_matches(model, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    try:
        validate_repo_id(model)
        cached = try_to_load_from_cache(model, "config.json")
        if isinstance(cached, str):
            return Path(cached)
        if kept.is_file():
            return kept
        answer = get_session().get(
            hf_hub_url(model, "config.json"), headers=build_hf_headers(), timeout=HUB_SECONDS, follow_redirects=True
        )
        hf_raise_for_status(answer)
    except HFValidationError:
        raise RepairError(f"{model!r} is no name of a model{hint}", "give a name on the Hub, or a folder") from None
    except GatedRepoError:
        raise RepairError(
            f"{model} is shown only to those who asked for it on the Hub", "ask there, and log in with `hf auth login`"
        ) from None
    except RepositoryNotFoundError:
        raise RepairError(
            f"there is no model {model} on the Hub{hint}", "give a name on the Hub, or a folder"
        ) from None
    except EntryNotFoundError:
        raise RepairError(f"{model} has no config.json on the Hub", "give a model in transformers' format") from None
    except HfHubHTTPError as error:
        reason = " ".join(str(error).split())[:200]
        raise RepairError(f"the Hub does not give the config.json of {model}: {reason}", "try again later") from None
    except (httpx.HTTPError, OSError, OfflineModeIsEnabled):
        raise RepairError(
            f"the shape of {model} is not built in, and the Hub cannot be reached{hint}",
            "give a folder with its config.json",
        ) from None
    if len(answer.content) > MOST_BYTES:
        raise RepairError(f"the config.json of {model} has {len(answer.content)} bytes", "give another model")
    write_whole(kept, answer.content)
    return kept
