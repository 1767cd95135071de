"""The folder of a Space that inspects: RepairAI's own code as far as it needs it, and what it inspects with.

What goes in is found from the Space's page on: the modules that it imports, and no others; of the folders of a detector
and of a judge the files that are named here. So `.env`, runs, data and tokens cannot come along, wherever they lie.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import disk_error, read_record, read_text, to_data
from repairai.hub.contents import ADAPTER, WORDED
from repairai.hub.own_code import SOURCES, own_code
from repairai.hub.space_card import CARD, Eyes, StateJudge, written_card
from repairai.hub.space_contents import BUILTIN, COUNTS, FILE, Contents
from repairai.hub.space_judge import ASKS, READS, SAFE, judge_files, on_the_hub
from repairai.schema import Guide

PAGE = "repairai.ui.inspector"
"""The module from which on the Space's code is found."""
MODEL_FILES = ("config.json", "preprocessor_config.json", "limits.json", CARD)
"""Of a detector's folder, beside its weights."""
TOKENIZER = ("tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
"""Likewise of one that reads the names of its parts; it has one of the first two."""
ONNX, WEIGHTS = "model.onnx", "model.safetensors"
ON_GPU = """\
torch>=2.8,<2.12           # runs the detector; ZeroGPU has 2.8 to 2.11
transformers>=5.18,<6      # RT-DETR, RT-DETRv2, D-FINE; before 5.18 their loss is wrong
safetensors>=0.5           # weights in files that hold no program
"""
"""What a detector without an ONNX export needs. Source: hub-docs, Spaces, ZeroGPU, 2026-08-22."""
_TEMPLATE = ("app.py", "requirements.txt", CARD)
_OWN = "repairai/builtin"


@dataclass(frozen=True)
class Built:
    """A Space's folder.

    Args:
        folder: Where it lies.
        files: Path in the Space and file, all of them but the card.
        card: Its README, with the header that the Hub reads.
        contents: What it inspects with.
        guides: How many it shows.
    """

    folder: Path
    files: tuple[tuple[str, Path], ...]
    card: str
    contents: Contents
    guides: int


def build(
    out: Path,
    eyes: Eyes | None = None,
    guides: Sequence[Guide] | None = None,
    *,
    judge: StateJudge | None = None,
    title: str = "",
    with_torch: bool = False,
) -> Built:
    """Make the folder of a Space, whole or not at all.

    Args:
        out: A folder that is not there yet, or is empty.
        eyes: The detector; None takes the one that comes with RepairAI.
        guides: Those that it shows, built-in ones among them; None takes all built-in ones.
        judge: Who answers questions of state; None leaves them to the visitor.
        title: Its name for people; empty takes the usual one.
        with_torch: Run the detector with torch, on a GPU, although it has an ONNX export for the processor.

    Raises:
        RepairError: The folder holds something, a file is missing or says nothing, or the disk is full.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RepairError(f"{out} is there already and holds something", "give a folder that is not there yet")
    own = _builtin_guides()
    shown = tuple(own.values() if guides is None else guides)
    if not shown:
        raise RepairError("a Space without a guide has nothing to inspect by", "name one: guides list")
    own_ids, ids = {guide.id for guide in own.values()}, {guide.id for guide in shown}
    further = _named([guide for guide in shown if guide.id not in own_ids])
    weights = _weights(eyes, with_torch) if eyes else ONNX
    answers, reads = judge_files(judge) if judge else ({}, False)
    contents = Contents(
        detector=eyes.name if eyes else BUILTIN,
        folder="detector" if eyes else "",
        guides=tuple(further),
        judge=judge.name if judge else COUNTS,
        on_gpu=weights == WEIGHTS or reads,
        judge_folder="judge" if judge else "",
        judge_base=judge.base if judge else "",
    )
    card = written_card(read_text(template(CARD)), contents, eyes, shown, title, judge)
    starts = [PAGE, *([ASKS[reads]] if judge else [])]
    copied = dict(_code(contents, {path for path, guide in own.items() if guide.id in ids}, starts))
    copied |= {f"judge/{name}": path for name, path in answers.items()}
    if eyes:
        copied |= {f"detector/{name}": path for name, path in _detector_files(eyes, weights).items()}
    needs = _requirements(contents.on_gpu, reads, bool(judge))
    written = {FILE: _json(contents), **_about(), "requirements.txt": needs}
    written |= {path: _json(guide) for path, guide in further.items()}
    if judge and judge.base:
        written[f"judge/{ADAPTER}"] = on_the_hub(copied.pop(f"judge/{ADAPTER}"), judge.base)
    _lay(out, copied, {**written, CARD: card})
    files = tuple((path, out / path) for path in sorted({*copied, *written}))
    return Built(out, files, card, contents, len(shown))


def _lay(out: Path, copied: Mapping[str, Path], written: Mapping[str, str]) -> None:
    """Put the files into a neighbour of the folder, which then takes its name."""
    beside = out.with_name(f".{out.name}-{uuid.uuid4().hex[:8]}")
    try:
        for path, source in copied.items():
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, beside / path)
        for path, text in written.items():
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).write_text(text, encoding="utf-8")
        if out.exists():
            out.rmdir()
        os.replace(beside, out)
    except OSError as error:
        raise disk_error(out, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


# ---- what goes in


def _builtin_guides() -> dict[str, Guide]:
    """Return the guides that come with RepairAI, by their paths."""
    there = own_code(("repairai",))
    return {path: read_record(file, Guide) for path, file in there
            if path.startswith(f"{_OWN}/guides/") and file.suffix == ".json"}  # fmt: skip


def _code(contents: Contents, guides: Collection[str], starts: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield RepairAI's own files that the Space's modules need, and of its guides those with these paths."""
    there = dict(own_code(("repairai",)))
    modules = set().union(*(_imported(start, there) for start in starts))
    folders = {path.rpartition("/")[0] for path in modules}
    for path, file in there.items():
        folder = path.rpartition("/")[0]
        if path.startswith(f"{_OWN}/"):
            # The photos to try are of what the built-in detector knows.
            is_seen = not contents.folder and ("/photos/" in path or file.name in (*MODEL_FILES, ONNX))
            if file.suffix == ".py" or is_seen or path in guides:
                yield path, file
        elif path in modules or (folder in folders and file.suffix == ".css"):
            yield path, file
    yield "app.py", template("app.py")


def _imported(start: str, there: Mapping[str, Path]) -> set[str]:
    """Return the paths of a module and of all of RepairAI's that it imports, wherever in them the import stands."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        parts = waiting.pop().split(".")
        for length in range(1, len(parts) + 1):
            stem = "/".join(parts[:length])
            path = next((each for each in (f"{stem}.py", f"{stem}/__init__.py") if each in there), "")
            if path and path not in found:
                found.add(path)
                waiting += _names(there[path])
    return found


def _names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("repairai"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("repairai"):
            yield from (f"{node.module}.{each.name}" for each in node.names)


def template(name: str) -> Path:
    """Return a file of `spaces/inspector`, from the repository or from where it was installed.

    Raises:
        RepairError: It is in neither.
    """
    place = SOURCES / "spaces" / "inspector" / name
    if place.is_file():
        return place
    try:
        installed = distribution("repairai").files or []
    except PackageNotFoundError:
        installed = []
    for each in installed:
        if each.as_posix().endswith(f"share/repairai/inspector/{name}"):
            return Path(str(each.locate()))
    raise RepairError(f"the Space's {name} did not come with this RepairAI", "install it from its repository")


def _weights(eyes: Eyes, with_torch: bool) -> str:
    """Return which of a detector's weights go along."""
    for name in MODEL_FILES[:2]:
        if not (eyes.folder / name).is_file():
            raise RepairError(f"the detector {eyes.name} has no {name} in {eyes.folder}", "train or pull it again")
    if (eyes.folder / ONNX).is_file() and not with_torch:
        return ONNX
    if not (eyes.folder / WEIGHTS).is_file():
        raise RepairError(f"the detector {eyes.name} has no {WEIGHTS} in {eyes.folder}", "train or pull it again")
    return WEIGHTS


def _detector_files(eyes: Eyes, weights: str) -> dict[str, Path]:
    """Return what of a detector's folder goes along, by name."""
    config = _config(eyes.folder)
    names = [*MODEL_FILES, weights]
    if config.get("model_type") in WORDED and weights == WEIGHTS:
        if not config.get("id2label"):
            raise RepairError(f"{eyes.name} finds what words say and was trained on no parts", "train it on yours")
        if not any((eyes.folder / name).is_file() for name in TOKENIZER[:2]):
            what = f"the detector {eyes.name} has no {TOKENIZER[0]} in {eyes.folder}, to read the names of its parts"
            raise RepairError(what, "train or pull it again")
        names += TOKENIZER
    return {name: eyes.folder / name for name in names if (eyes.folder / name).is_file()}


def _config(folder: Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself; nothing where it says nothing."""
    try:
        found = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _about() -> dict[str, str]:
    """Return what says which RepairAI this is, where Python looks for it, and its licence."""
    installed = distribution("repairai")
    lines = [
        "Metadata-Version: 2.4",
        "Name: repairai",
        f"Version: {installed.version}",
        "License-Expression: Apache-2.0",
    ]
    found = {f"repairai-{installed.version}.dist-info/METADATA": "\n".join([*lines, ""])}
    licence = SOURCES / "LICENSE"
    text = licence.read_text("utf-8") if licence.is_file() else installed.read_text("licenses/LICENSE")
    return {**found, "LICENSE": text} if text else found


def _requirements(on_gpu: bool, reads: bool, judges: bool) -> str:
    light = SAFE if judges and not on_gpu else ""
    return read_text(template("requirements.txt")) + (READS if reads else "") + (ON_GPU if on_gpu else light)


def _json(record: object) -> str:
    return json.dumps(to_data(record), ensure_ascii=False, indent=2) + "\n"


def _named(guides: Sequence[Guide]) -> dict[str, Guide]:
    """Return guides by the paths that they get."""
    found: dict[str, Guide] = {}
    for guide in guides:
        name = _plain(guide.id)
        while f"guides/{name}.json" in found:
            name += "_"
        found[f"guides/{name}.json"] = guide
    return found


def _plain(name: str) -> str:
    return "".join(each if each.isalnum() and each.isascii() or each in "-_" else "-" for each in name)[:100]
