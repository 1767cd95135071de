"""Cards: the YAML at the head of a README, and what the Hub says about it."""

import re
from typing import TYPE_CHECKING, Any

import yaml

from .store import Blob
from .wire import Answer, Request, route

if TYPE_CHECKING:
    from .server import HubServer

HEAD = re.compile(rb"\A---\r?\n(.*?)\r?\n---\s*(?:\n|\Z)", re.DOTALL)
LICENCES = {
    *("apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m", "bigcode-openrail-m"),
    *("afl-3.0", "artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "c-uda"),
    *("cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
    *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0"),
    *("cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2"),
    *("agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "h-research"),
    *("intel-research", "lppl-1.3c", "ms-pl", "apple-ascl", "mpl-2.0", "odc-by", "odbl", "openmdw-1.0"),
    *("openrail++", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl", "lgpl-lr"),
    *("deepfloyd-if-license", "fair-noncommercial-research-license", "llama2", "llama3", "llama3.1", "llama3.2"),
    *("llama3.3", "llama4", "grok2-community", "gemma", "unknown", "other"),
}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
SDKS = {"gradio", "docker", "static"}
NAME_OF_A_REPO = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


def head_of(content: bytes) -> dict[str, Any] | None:
    """The YAML at the head, or None where there is none.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    found = HEAD.match(content)
    read = yaml.safe_load(found[1]) if found else None
    return read if isinstance(read, dict) else None


def card_data(files: dict[str, Blob]) -> dict[str, Any]:
    """What a repo's README says of itself, empty where it says nothing."""
    readme = files.get("README.md")
    if readme is None or readme.content is None:
        return {}
    try:
        return head_of(readme.content) or {}
    except yaml.YAMLError:
        return {}


def as_list(value: Any) -> list[str]:
    return [] if value is None else [str(each) for each in value] if isinstance(value, list) else [str(value)]


def tags_of(card: dict[str, Any]) -> list[str]:
    """The tags under which a card's repo is found."""
    tags = as_list(card.get("tags"))
    tags += [card[key] for key in ("library_name", "pipeline_tag", "sdk") if isinstance(card.get(key), str)]
    tags += as_list(card.get("language"))
    for key, word in (("license", "license"), ("base_model", "base_model"), ("datasets", "dataset")):
        tags += [f"{word}:{each}" for each in as_list(card.get(key))]
    return list(dict.fromkeys(tags))


def faults_of(content: str, kind: str) -> tuple[list[str], list[str]]:
    """Errors and warnings about a card, as the Hub gives them before a commit."""
    try:
        card = head_of(content.encode())
    except yaml.YAMLError as error:
        return [f"YAML Metadata Error: {error}"], []
    if card is None:
        if kind == "space":
            return ["Missing configuration in README. Base README.md template: sdk, app_file"], []
        return [], ["empty or missing yaml metadata in repo card"]
    errors = [
        f'"license" must be one of the known licences, got "{each}"'
        for each in as_list(card.get("license"))
        if each not in LICENCES
    ]
    for key in ("base_model", "datasets", "models"):
        for each in as_list(card.get(key)):
            if not NAME_OF_A_REPO.fullmatch(each):
                errors.append(f'"{key}" with value "{each}" is not valid. Use a model id from https://hf.co/models.')
    if kind == "model":
        errors += index_faults(card)
    if kind == "space":
        errors += space_faults(card)
    return errors, []


def index_faults(card: dict[str, Any]) -> list[str]:
    errors = []
    for n, model in enumerate(card.get("model-index") or ()):
        if "name" not in model:
            errors.append(f'"model-index[{n}].name" is required')
        for m, result in enumerate(model.get("results") or ()):
            where = f"model-index[{n}].results[{m}]"
            if not (result.get("task") or {}).get("type"):
                errors.append(f'"{where}.task.type" is required')
            if not {"name", "type"} <= {*(result.get("dataset") or {"name": 0, "type": 0})}:
                errors.append(f'"{where}.dataset" needs a name and a type')
            for metric in result.get("metrics") or [{}]:
                if "type" not in metric or metric.get("value") is None:
                    errors.append(f'"{where}.metrics" need a type and a value')
    return errors


def space_faults(card: dict[str, Any]) -> list[str]:
    errors = []
    if card.get("sdk") not in SDKS:
        errors.append(f'"sdk" must be one of {sorted(SDKS)}')
    for key in ("colorFrom", "colorTo"):
        if key in card and card[key] not in COLOURS:
            errors.append(f'"{key}" must be one of {sorted(COLOURS)}')
    if len(str(card.get("short_description", ""))) > 60:
        errors.append('"short_description" length must be less than or equal to 60 characters long')
    if "sdk_version" in card and not isinstance(card["sdk_version"], str):
        errors.append('"sdk_version" must be a string')
    if "python_version" in card and not re.fullmatch(r"3\.\d+(\.\d+)?", str(card["python_version"])):
        errors.append('"python_version" must be a version of Python 3')
    return errors


@route("POST", "/api/validate-yaml")
def validate(hub: "HubServer", request: Request) -> Answer:
    asked = request.json()
    errors, warnings = faults_of(asked["content"], asked.get("repoType") or "model")
    said = {"errors": [{"message": each} for each in errors], "warnings": [{"message": each} for each in warnings]}
    return Answer(said, 400 if errors else 200)
