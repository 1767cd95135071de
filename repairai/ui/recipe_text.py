"""A recipe as text in an editor: read strictly, and changed a value at a time with all else left as it is written."""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from repairai.errors import RepairError
from repairai.files import home, read_text, write_whole
from repairai.hardware.recipe import Detecting, Recipe, Task, read_recipe, saved
from repairai.runs.folder import slug_of

NAME = "recipe.yaml"
"""What faults call the text."""
STEP, DETECTING = "step", "detecting"

TITLES = {
    "full": "full", "lora": "LoRA", "qlora": "QLoRA", "few-shot": "frozen backbone", "linear-probe": "light classifier",
}  # fmt: skip


def parsed(text: str) -> Recipe:
    """Return the recipe that a text is.

    Raises:
        RepairError: It is none, with all that is wrong with it.
    """
    if not text.strip():
        raise RepairError("there is no recipe yet", "plan one, or take a ready one")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_text(text, encoding="utf-8")
        return read_recipe(path)


def written(recipe: Recipe) -> str:
    """Return a recipe as text."""
    with tempfile.TemporaryDirectory() as folder:
        return saved(Path(folder) / NAME, recipe)


def problems(error: RepairError) -> list[str]:
    """Return what is wrong with a recipe, one by one."""
    _, found, rest = error.what.partition(" is not a Recipe: ")
    return rest.split("; ") if found else [str(error)]


def value_of(recipe: Recipe, key: str) -> Any:
    """Return the value of a key, "step.batch" for one of the step."""
    head, _, tail = key.rpartition(".")
    return getattr({STEP: recipe.step, DETECTING: recipe.detecting or Detecting()}.get(head, recipe), tail)


def changed(text: str, key: str, value: Any) -> str:
    """Return a recipe's text with one value changed, and its comments and order kept where it is written in lines.

    Args:
        text: YAML.
        key: "epochs", or "step.batch" for a key of the step, or "detecting.ema" for one that only detectors have.
        value: A number or a text.

    Raises:
        RepairError: The text is no recipe at all.
    """
    try:
        data: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError):
        parsed(text)  # which says what is wrong
        raise
    if not isinstance(data, dict) or not isinstance(data.get(STEP), dict):
        raise RepairError("there is no recipe yet", "plan one, or take a ready one")
    head, _, name = key.rpartition(".")
    if head and not isinstance(data.get(head), dict):
        data[head] = {}
    (data[head] if head else data)[name] = value
    line_by_line = _changed_line(text, key, value)
    with suppress(yaml.YAMLError, ValueError):
        if yaml.safe_load(line_by_line) == data:
            return line_by_line
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120))


def _changed_line(text: str, key: str, value: Any) -> str:
    head, _, name = key.rpartition(".")
    shown = _scalar(value)
    lines = text.splitlines()
    inside, indent, last = head == "", "", -1
    for at, line in enumerate(lines):
        key_line = re.match(r"(\s*)([A-Za-z_]+)\s*:", line)
        if key_line is None:
            continue
        depth, found = key_line[1], key_line[2]
        if head and not depth:
            inside = found == head
            last = at if inside else last
            continue
        if not inside or (not head and depth):
            continue
        indent, last = indent or depth, at
        if found == name:
            comment = re.search(r"\s+#.*$", line)
            lines[at] = f"{depth}{name}: {shown}{comment[0] if comment else ''}"
            return "\n".join(lines) + "\n"
    place = len(lines) if not head else last + 1
    lines.insert(place, f"{indent or ('  ' if head else '')}{name}: {shown}")
    return "\n".join(lines) + "\n"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    # YAML takes 1e-4 for a text: a number needs its point.
    return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value)) if isinstance(value, float) else yaml.safe_dump(value).split()[0]


# ---- recipes that lie ready


@dataclass(frozen=True)
class Ready:
    """A recipe that can be taken.

    Args:
        title: What it says in a list.
        path: Where it lies.
    """

    title: str
    path: Path


def ready_recipes(task: Task = "sop") -> list[Ready]:
    """Return the person's own recipes, newest first, then those that come with RepairAI for a task.

    Args:
        task: What they train: an SOP agent, if nothing is said.
    """
    own = sorted(own_recipes().glob(f"{task}_*.yaml"), key=_changed, reverse=True)
    others = (path for path in own_recipes().glob("*.yaml") if not _has_task(path) and _task_in(path) == task)
    own += sorted(others, key=_changed, reverse=True)
    found = [Ready(f"yours: {path.stem}", path) for path in own]
    for folder in _shipped():
        found += [Ready(title_of(path), path) for path in sorted(folder.glob(f"{task}_*.yaml"), key=_size)]
    return found


def shipped(name: str) -> Path:
    """Return where a recipe that comes with RepairAI lies.

    Raises:
        RepairError: No recipes came with it.
    """
    for folder in _shipped():
        return folder / name
    raise RepairError("the folder `training` is not there", "run this where RepairAI was cloned")


def _shipped() -> list[Path]:
    spec = find_spec("training")
    return [Path(place) / "recipes" for place in (spec.submodule_search_locations or [] if spec else [])]


def own_recipes() -> Path:
    """Return where the person's recipes are kept."""
    return home() / "recipes"


def title_of(path: Path) -> str:
    """Return what a ready recipe is, read from its name `sop_MODEL_METHOD_MEMORY.yaml`."""
    parts = path.stem.split("_")
    if len(parts) != 4:
        return path.stem
    _, model, method, memory = parts
    card = "on the processor" if memory == "cpu" else f"on a card with {memory.removesuffix('gib')} GiB"
    return f"{model} · {TITLES.get(method, method)} · {card}"


def _size(path: Path) -> tuple[int, str]:
    """Return how much memory a ready recipe wants, by its name: the smallest stand first."""
    gib = re.search(r"_(\d+)gib$", path.stem)
    return int(gib[1]) if gib else 0, path.stem


def _has_task(path: Path) -> bool:
    return path.name.startswith(("sop_", "detector_", "judge_"))


def _task_in(path: Path) -> str:
    """Return the task of a recipe that its name does not tell; one that cannot be read is shown with the agent's."""
    try:
        found = re.search(r"^task:\s*['\"]?(\w+)", read_text(path), re.MULTILINE)
    except RepairError:
        found = None
    return found[1] if found else "sop"


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def kept(name: str, text: str, last: str) -> Path:
    """Keep a recipe under a run's name, so that the command line can start it, and return where it lies.

    A file that was not written for this very page is never written over.

    Args:
        name: Of the run.
        text: Of the recipe.
        last: Path that was returned before; empty for none.

    Raises:
        RepairError: The name is none, or the disk is full.
    """
    slug = slug_of(name)
    for number in range(1, 1000):
        path = own_recipes() / f"{slug if number == 1 else f'{slug}-{number}'}.yaml"
        if str(path) == last or not path.exists() or read_text(path) == text:
            break
    if not path.exists() or read_text(path) != text:
        write_whole(path, text.encode())
    return path
