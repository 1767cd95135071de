"""What goes to the Hub of a run, of built data, of photos and of states: files by an allow-list, and their card.

Weights go as safetensors and ONNX, never as pickles. What belongs to this machine stays here: logs, checkpoints,
figures by the step, and every path, which is cut down to a name, replaced by a name on the Hub, or refused. Each parcel
is looked through for tokens and for paths of this machine before anybody gets it.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import yaml

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hub.card import model_card
from repairai.hub.data_card import data_card
from repairai.hub.push import Parcel
from repairai.hub.push_folder import tidy
from repairai.hub.staging import place_of
from repairai.judge.limits import STATE_LIMITS
from repairai.judge.state_set import SOURCES
from repairai.named_sets import DATA_SETS, PHOTO_SETS, STATE_SETS
from repairai.runs.folder import RunFolder, run_folder
from repairai.runs.sharing.example_files import example_facts, example_files
from repairai.runs.sharing.judge_facts import judge_facts
from repairai.runs.sharing.model_facts import BUILTIN, agent_facts, data_folder, detector_facts
from repairai.runs.sharing.origins import hub_name
from repairai.runs.sharing.photo_files import photo_facts, photo_files
from repairai.runs.sharing.staged import (
    VOCABULARY,
    Files,
    as_json,
    is_path,
    json_of,
    last_of,
    refuse_private,
    staged,
    sweep,
    without_paths,
)
from repairai.runs.sharing.state_files import state_facts, state_files
from repairai.vision.photo_set import read_photo_set

ADAPTER = "adapter_config.json"
BASE = "base_model_name_or_path"
MERGED = "merged"
"""In a run's folder, where `training.sop_merge`, or `training.judge_merge`, puts adapter and base made one."""
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "*.jinja",
             "vocab.json", "vocab.txt", "merges.txt", "*.model", "sources.json")  # fmt: skip
WHOLE = ("config.json", "generation_config.json", "model.safetensors", "model-*-of-*.safetensors",
         "model.safetensors.index.json", *TOKENIZER)  # fmt: skip
ALLOWED = {
    "adapter": (ADAPTER, "adapter_model.safetensors", *TOKENIZER),
    "agent": WHOLE,
    "detector": ("preprocessor_config.json", "processor_config.json", "limits.json", "model.onnx", *WHOLE),
    "judge": (ADAPTER, "adapter_model.safetensors", "preprocessor_config.json", "processor_config.json",
              "video_preprocessor_config.json", "chat_template.json", "backbone.onnx", "judge.json", STATE_LIMITS,
              *WHOLE),
}  # fmt: skip
"""Of a model's folder, what may go: the rest stays, whatever it is."""


def of_run(run_id: str, repo: str = "", *, merged: bool = False, base: str = "") -> Parcel:
    """Return a run's model with its card.

    Args:
        run_id: Of a finished training.
        repo: OWNER/NAME, for the card's lines of use; empty: OWNER and the run's name.
        merged: Adapter and base as one model, as `training.sop_merge` or `training.judge_merge` has written it.
        base: Name on the Hub of the model that an adapter stands on, where only a folder of this machine is known.

    Raises:
        RepairError: There is no such run, it has made no model, nothing tells its base's name on the Hub, or a file
            tells something that must not go.
    """
    folder = run_folder(run_id)
    if not folder.recipe.is_file():
        raise RepairError(f"{run_id} has trained no model: it is an evaluation", "give the run that it evaluates")
    recipe = read_recipe(folder.recipe)
    source = folder.path / MERGED if merged else folder.model
    _refuse_unmade(run_id, source, merged, recipe.task)
    repo = repo or f"OWNER/{run_id}"
    if recipe.task == "detector":
        facts, kind, on = detector_facts(folder, recipe, repo), "detector", hub_name(recipe.step.model)
    elif recipe.task == "judge":
        kind, on = "judge", base or _base_of(folder, recipe)
        if (source / ADAPTER).is_file() and not hub_name(on):
            raise _without_base(run_id, on)
        facts = judge_facts(folder, recipe, repo, on)
        if merged:
            facts = replace(facts, library="transformers")
    else:
        kind = "adapter" if (source / ADAPTER).is_file() else "agent"
        on = base or _base_of(folder, recipe)
        if kind == "adapter" and not hub_name(on):
            raise _without_base(run_id, on)
        facts = agent_facts(folder, recipe, repo, "adapter" if kind == "adapter" else "agent", on)
    place = place_of("runs", f"{run_id}-{MERGED}" if merged else run_id)
    files = (*_model_files(source, kind, place, hub_name(on)), _recipe_file(recipe, place, on))
    if kind == "judge":
        files = (*files, *_beside_judge(folder, recipe, place, {name for name, _ in files}))
    return _checked("model", files, model_card(facts), place)


def of_sop_data(name: str, repo: str = "") -> Parcel:
    """Return built data for the SOP agent with their card.

    Args:
        name: Of the build.
        repo: OWNER/NAME, for the card's lines of use.

    Raises:
        RepairError: There are none, or a file of them tells something that must not go.
    """
    folder = DATA_SETS.known(name)
    place = place_of("sop", name)
    card = data_card(example_facts(folder, repo or f"OWNER/{name}"))
    return _checked("dataset", example_files(folder, place), card, place)


def of_photo_set(name: str, repo: str = "") -> Parcel:
    """Return a set of labelled photos with its card.

    Args:
        name: Of the set.
        repo: OWNER/NAME, for the card's lines of use.

    Raises:
        RepairError: There is none, none of its photos has a box, or the disk is full.
    """
    photos = read_photo_set(PHOTO_SETS.folder(name))
    place = place_of("photos", name)
    files = photo_files(photos, place)
    return _checked("dataset", files, data_card(photo_facts(photos, repo or f"OWNER/{name}")), place)


def of_state_set(name: str, repo: str = "") -> Parcel:
    """Return a set of states with its card.

    Args:
        name: Of the set.
        repo: OWNER/NAME, for the card's lines of use.

    Raises:
        RepairError: There is none, it holds no example, a photo of it is gone, or the disk is full.
    """
    folder = STATE_SETS.folder(name)
    place = place_of("states", name)
    card = data_card(state_facts(folder, repo or f"OWNER/{name}"))
    return _checked("dataset", state_files(folder, place), card, place)


def lacks_base(run_id: str) -> bool:
    """Tell whether a run has made an adapter, and nothing here tells what its base is called on the Hub.

    Raises:
        RepairError: There is no such run, or its recipe is damaged.
    """
    folder = run_folder(run_id)
    if not (folder.model / ADAPTER).is_file():
        return False
    return not hub_name(_base_of(folder, read_recipe(folder.recipe)))


# ---- a model's files


def _refuse_unmade(run_id: str, source: Path, merged: bool, task: str) -> None:
    if merged and not (source / "config.json").is_file():
        raise RepairError(
            f"{run_id} is not merged with its base yet",
            f"merge it first: python -m training.{task}_merge {source.parent}",
        )
    if not any((source / name).is_file() for name in ("config.json", ADAPTER)):
        raise RepairError(f"{run_id} has made no model yet", f"let it train to its end first: runs show {run_id}")
    if not any(source.glob("*.safetensors")):
        raise RepairError(f"the model of {run_id} has no weights in safetensors", "train it again")


def _base_of(folder: RunFolder, recipe: Recipe) -> str:
    """Return what a run's model stands on: the recipe's name for it, else the adapter's own."""
    if hub_name(recipe.step.model) or not (folder.model / ADAPTER).is_file():
        return recipe.step.model
    named = str(json_of(folder.model / ADAPTER).get(BASE) or "")
    return named if hub_name(named) else recipe.step.model


def _without_base(run_id: str, base: str) -> RepairError:
    return RepairError(
        f"the adapter of {run_id} stands on {last_of(base) if is_path(base) else base!r}, a folder of this machine "
        "that nobody else has",
        "say what that is called on the Hub (--base OWNER/NAME), or push the merged model",
    )


def _model_files(source: Path, kind: str, place: Path, base: str) -> Files:
    """Return what of a model's folder may go; settings in which a path stands are written anew."""
    found = sorted(path for path in source.iterdir() if path.is_file())
    chosen = [path for path in found if any(fnmatch(path.name, pattern) for pattern in ALLOWED[kind])]
    return tuple((path.name, _settings(path, place, base)) for path in chosen)


def _beside_judge(folder: RunFolder, recipe: Recipe, place: Path, there: set[str]) -> Files:
    """Return what belongs to a judge and does not lie in its folder: where its photos came from, and its thresholds.

    A merged model lies beside the one that was measured, and answers alike.
    """
    beside = {SOURCES: data_folder(folder, recipe) / SOURCES, STATE_LIMITS: folder.model / STATE_LIMITS}
    found = {name: path for name, path in beside.items() if name not in there and path.is_file()}
    return tuple((name, staged(place, name, as_json(without_paths(json_of(path))))) for name, path in found.items())


def _settings(path: Path, place: Path, base: str) -> Path:
    """Return where a file lies as it may go: its own place, or a copy in which no path stands."""
    if path.suffix != ".json" or VOCABULARY.fullmatch(path.name):
        return path
    data = json_of(path)
    clean = without_paths(data)
    if path.name == ADAPTER:
        clean[BASE] = base
    return path if clean == data else staged(place, path.name, as_json(clean))


def _recipe_file(recipe: Recipe, place: Path, base: str) -> tuple[str, Path]:
    """Return the recipe as it goes along: with names in place of folders, without what concerns this machine."""
    data = to_data(recipe)
    for own in ("forecast", "push", "where", "job"):
        data.pop(own, None)
    data["data"] = last_of(recipe.data) if recipe.data else ""
    model = recipe.step.model
    data["step"]["model"] = model if model == BUILTIN else hub_name(base) or last_of(model)
    text = yaml.safe_dump(without_paths(data), sort_keys=False, allow_unicode=True, width=120)
    return "recipe.yaml", staged(place, "recipe.yaml", text.encode())


def _checked(kind: str, files: Files, card: str, place: Path) -> Parcel:
    """Return a parcel once nothing in it tells what must not go; what earlier ones left is deleted."""
    refuse_private(files, card)
    sweep(place, [path for _, path in files])
    tidy()
    return Parcel(kind, files, card)  # type: ignore[arg-type]
