"""Reads datasets of the Hub whose rows are photos with their `objects`, or whose files are one of the other formats."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Image, disable_progress_bars, load_dataset
from datasets.exceptions import DatasetsError
from huggingface_hub import DatasetCard
from huggingface_hub.utils import disable_progress_bars as disable_bars_of_files

from repairai.errors import RepairError
from training.detector.labels import Said, split_of
from training.detector.object_rows import OBJECTS, SIZES, Row, photos_of, pixels
from training.from_hub import fetched

HUB = "hub:"
_NAME = re.compile(r"(?P<id>[^:@]+)(:(?P<config>[^@]+))?(@(?P<revision>.+))?")
_ALL = ("*",)


def read_hub(source: str, of_folder: Callable[[Path], Said]) -> Said:
    """Return what a dataset on the Hub says.

    Args:
        source: `hub:OWNER/NAME`, with `:CONFIG` and `@REVISION` behind it if need be.
        of_folder: Reads its files as a folder, where its rows are not photos with objects.

    Raises:
        RepairError: It is not there, or says nothing of boxes.
    """
    named = _NAME.fullmatch(source.removeprefix(HUB))
    if not named:
        raise RepairError(f"'{source}' names no dataset", "write hub:OWNER/NAME, or hub:OWNER/NAME:CONFIG@REVISION")
    if not sys.stderr.isatty():  # where bars would stand between the lines of progress
        disable_progress_bars()
        disable_bars_of_files()
    name, config, revision = named["id"], named["config"], named["revision"]
    is_local = Path(name).is_dir()
    card = Path(name) if is_local else fetched(name, ["README.md"], "dataset", revision)
    licence, url = _licence(card / "README.md"), "" if is_local else f"https://huggingface.co/datasets/{name}"
    try:
        loaded = load_dataset(name, config, revision=revision)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        loaded = None
        why = " ".join(str(error).split())[:300]
    else:
        why = "its rows have no photos with objects"
    if loaded is not None and (found := _rows(loaded, source)):
        parts, photos = photos_of(*found)
        return Said(Path(name).name, "hub", parts, photos, (), licence, url)
    try:
        said = of_folder(Path(name) if is_local else fetched(name, _ALL, "dataset", revision))
    except RepairError as error:
        parts_said = re.search(r"among the available configs: (\[.*?\])", why)
        if parts_said:
            one = f"name one, as hub:{name}:PART"
            raise RepairError(f"{name} has more than one part: {parts_said[1]}", one) from None
        raise RepairError(f"{source} cannot be read: {why}; nor as files: {error.what}", error.next_step) from None
    return Said(
        Path(name).name, said.shape, said.parts, said.photos, said.absent, licence or said.licence, url or said.url
    )  # fmt: skip


def _licence(path: Path) -> str:
    if not path.is_file():
        return ""
    said = DatasetCard.load(path).data.to_dict().get("license", "")
    return ", ".join(said) if isinstance(said, list) else str(said or "")


def _rows(loaded: Dataset | DatasetDict, source: str) -> tuple[list[Row], Sequence[str]] | None:
    """Return the rows of all splits and the names of their classes; None where they hold no photos with objects."""
    parts = loaded if isinstance(loaded, DatasetDict) else {"": loaded}
    rows: list[Row] = []
    names: Sequence[str] = ()
    for split, dataset in parts.items():
        photo = next((name for name, kind in dataset.features.items() if isinstance(kind, Image)), None)
        objects = next((name for name in OBJECTS if name in dataset.features), None)
        if photo is None or objects is None:
            return None
        names = names or _class_names(dataset.features[objects])
        raw = dataset.cast_column(photo, Image(decode=False))
        said = dataset.select_columns([objects, *(side for side in SIZES if side in dataset.features)])
        for number, row in enumerate(said):
            where = f"row {number + 1} of {split or source}"
            origin = f"{split or 'photo'}/{number + 1:06d}.jpg"
            sizes = (pixels(row.get(side)) for side in SIZES)
            rows.append(Row(where, origin, partial(_bytes, raw, photo, number), row[objects], split_of(split), *sizes))
    return rows, names


def _bytes(dataset: Dataset, column: str, number: int) -> bytes:
    photo = dataset[number][column]
    if photo is None:
        raise RepairError(f"row {number + 1} has no photo", "leave it out")
    content: bytes | None = photo.get("bytes")
    try:
        return content if content is not None else Path(photo["path"]).read_bytes()
    except (OSError, TypeError) as error:
        raise RepairError(f"the photo of row {number + 1} cannot be read: {error}", "fetch the dataset again") from None


def _class_names(kind: Any) -> Sequence[str]:
    """Return the names of the classes, wherever in a column's type they stand."""
    if isinstance(kind, ClassLabel):
        return tuple(kind.names)
    if isinstance(kind, Mapping):
        return next((names for each in kind.values() if (names := _class_names(each))), ())
    inner = getattr(kind, "feature", None)
    return _class_names(inner) if inner is not None else ()
