"""Photo to verdict, one function: what the page, the command line and any script call."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from repairai.errors import RepairError
from repairai.files import home, pulled
from repairai.judge.change import check_change
from repairai.judge.count import check_count
from repairai.judge.decide import decide
from repairai.judge.region import WHOLE
from repairai.judge.state import check_state
from repairai.schema import (
    Change,
    Count,
    Detector,
    Finding,
    Inspection,
    PhotoTaken,
    Requirement,
    Sight,
    View,
)
from repairai.sop.sources.plain_text import storable
from repairai.vision import detectors

if TYPE_CHECKING:
    from repairai.vision.photo import Photo

BUILTIN = detectors.BUILTIN.name
"""The detector that comes with RepairAI."""
_OPEN = 4
"""Detectors that are kept open at once."""
_FILES = ("config.json", "preprocessor_config.json", "limits.json", "model.onnx", "model.safetensors")
"""Of a checkpoint's folder: where one of them is another, it is opened anew."""


def open_detector(name: str = "") -> Detector:
    """Return a detector by name; it is loaded once, and again only where its files were changed.

    Args:
        name: Empty for the one that inspects, and where its folder is gone for the built-in one (`detectors.trouble`
            says so); `builtin`; a run's id; the name of a folder in `<home>/models`; OWNER/NAME of one that was pulled
            from the Hub; or a path to a checkpoint folder.

    Raises:
        RepairError: There is no such detector, or it cannot be run.
    """
    place, called = detector_folder(name)
    return _loaded(place, called, _stamp(place))


def detector_folder(name: str = "") -> tuple[Path, str]:
    """Return where a detector lies, and what inspections call it; see `open_detector`.

    Raises:
        RepairError: There is no such detector.
    """
    if not name:
        chosen = detectors.active()
        name = BUILTIN if detectors.missing(chosen) else chosen.name
    for place, called in _places(name):
        if (place / "config.json").is_file():
            return place, called
    if name == BUILTIN:
        raise RepairError("the detector that comes with RepairAI is not there", "install RepairAI again")
    raise RepairError(
        f"there is no detector named {name}",
        f"use {BUILTIN}, the id of a run that has trained one, or a folder with config.json and weights",
    )


def _places(name: str) -> list[tuple[Path, str]]:
    """Return where a detector of a name may lie, with what inspections are to call it."""
    if name == BUILTIN:
        return [(Path(__file__).parent / "builtin" / "detector", BUILTIN)]
    found = [(Path(each.path), each.name) for each in detectors.inspectors() if each.name == name]
    if came := pulled(name):
        found.append((came, name))
    plain = Path(name).name
    if name == plain and plain not in ("", ".", ".."):
        found += [(home() / "runs" / name / "model", name), (home() / "models" / name, name)]
    return [*found, (Path(name), plain)]


def _stamp(place: Path) -> tuple[int, ...]:
    return tuple((place / name).stat().st_mtime_ns if (place / name).is_file() else 0 for name in _FILES)


@lru_cache(maxsize=_OPEN)
def _loaded(place: Path, called: str, stamp: tuple[int, ...]) -> Detector:
    from repairai.vision.detector import load_detector

    return load_detector(place, name=called)


def inspect(
    photo: Path,
    requirements: Sequence[Requirement],
    detector: Detector,
    *,
    view: View = "device",
    before: Path | None = None,
    guide: str = "",
    step: int | None = None,
) -> Inspection:
    """Return whether a photo shows what is required, with everything that the answer came from.

    Args:
        photo: An image file.
        requirements: What it must show; with none, nothing is judged and the outcome is UNCERTAIN.
        detector: Finds the parts.
        view: What the photo shows: on the `device`, a missing part has to be proven by its empty place; on a `mat` not.
        before: An image file from before the step, for requirements of change.
        guide: Id of the guide, for the record.
        step: Number of its step, for the record.

    Raises:
        RepairError: A file is not a photo that can be judged.
    """
    from repairai.vision.photo import read_photo
    from repairai.vision.visibility import same_view

    start = time.perf_counter()
    now = read_photo(photo)
    sight = see(now, detector)
    then = read_photo(before) if before else None
    earlier = see(then, detector) if then else None
    matching = True
    if then and earlier:
        boxes = ([each.box for each in side.detections] for side in (earlier, sight))
        matching = same_view(then.pixels, now.pixels, *boxes)
    verdict = decide([judge(each, sight, earlier, view, matching) for each in requirements])
    return Inspection(
        at=datetime.now().astimezone().isoformat(timespec="seconds"),
        photo=_taken(now),
        before=_taken(then) if then else None,
        view=view,
        guide=guide,
        step=step,
        models=(detector.name,),
        detections=sight.detections,
        before_detections=earlier.detections if earlier else (),
        visibility=sight.visibility,
        verdict=verdict,
        seconds=round(time.perf_counter() - start, 4),
        versions=_versions(),
    )


def see(photo: Photo, detector: Detector) -> Sight:
    """Return what a photo shows: what the detector finds, and how far the photo can be believed."""
    from repairai.vision.visibility import look

    with ThreadPoolExecutor(1) as aside:  # the network leaves a core idle now and then
        visibility = aside.submit(look, photo.pixels)
        return Sight(detector.detect(photo.pixels), detector.limits, visibility.result())


def judge(requirement: Requirement, sight: Sight, before: Sight | None, view: View, same_view: bool) -> Finding:
    """Return the finding for one requirement, from the judge whose kind it is."""
    if isinstance(requirement, Count):
        return check_count(requirement, sight, view)
    if isinstance(requirement, Change):
        return check_change(requirement, before, sight, same_view)
    return check_state(requirement, sight, WHOLE, None)


def _taken(photo: Photo) -> PhotoTaken:
    height, width = photo.pixels.shape[:2]
    return PhotoTaken(storable(photo.name), photo.sha256, width, height)


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    names = ("repairai", "numpy", "pillow", "openvino")
    return (("python", platform.python_version()), *((name, version(name)) for name in names))
