"""Photo to verdict, one function: what the page, the command line and any script call."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from repairai.errors import RepairError
from repairai.files import home, pulled
from repairai.judge import judges
from repairai.judge.asking import Asking
from repairai.judge.change import check_change
from repairai.judge.count import check_count
from repairai.judge.decide import decide
from repairai.judge.limits import limits_of, measured_of
from repairai.schema import (
    Change,
    Count,
    Detector,
    Finding,
    Inspection,
    PhotoTaken,
    Reasoner,
    Requirement,
    Sight,
    State,
    StateLimits,
    View,
)
from repairai.sop.sources.plain_text import storable
from repairai.vision import detectors

if TYPE_CHECKING:
    import numpy as np

    from repairai.vision.photo import Photo

BUILTIN = detectors.BUILTIN.name
"""The detector that comes with RepairAI."""
_OPEN = 4
"""Detectors that are kept open at once."""
_FILES = ("config.json", "preprocessor_config.json", "limits.json", "model.onnx", "model.safetensors")
"""Of a checkpoint's folder: where one of them is another, it is opened anew."""
_JUDGE: dict[tuple[str, str, str, tuple[int, ...]], Reasoner] = {}
"""The judge of states that is open, one at most."""
_ONE_JUDGE = Lock()


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


def open_reasoner(name: str = "") -> Reasoner | None:
    """Return a judge of states by name, or None where nobody is to answer; loaded once, and again where it was changed.

    Args:
        name: Empty for the one in use; `nobody`; a registered judge; a run's id; a folder; OWNER/NAME of the Hub; or
            the address of a server. The one in use is always returned: where it cannot be opened, it says why as soon
            as it is asked, so that its fault takes no count away.

    Raises:
        RepairError: There is no judge of that name, or it cannot be opened.
    """
    if name:
        judge = _judge_named(name)
        return _opened(judge) if judge.kind != "nobody" else None
    judge = judges.NOBODY
    try:
        judge = judges.active()
        return _opened(judge) if judge.kind != "nobody" else None
    except RepairError as error:
        return _Unable(judge.name, error)


def measured(questions: Iterable[State], name: str = "") -> tuple[State, ...]:
    """Return those of some questions that a judge was measured on, so that asking them may settle something.

    Args:
        questions: As `repairai.sop.requirements.questions_for` reads them from a step.
        name: See `open_reasoner`; the judge is not opened for this.

    Raises:
        RepairError: There is no judge of that name, or what was measured of it cannot be read.
    """
    judge = _judge_named(name) if name else judges.active()
    if judge.kind == "nobody":
        return ()
    known = measured_of(judge.path)
    return tuple(
        each for each in questions if min(limits_of(known, said).sure for said in (each.question, each.opposite)) < 1.0
    )


@dataclass(frozen=True)
class _Unable:
    """The judge in use, where it cannot be opened."""

    name: str
    why: RepairError

    def limits(self, question: str) -> StateLimits:
        return StateLimits()

    def ask(self, photo: np.ndarray, question: str) -> float:
        raise self.why


def _judge_named(name: str) -> judges.Judge:
    """Return the judge of a name; that of a run, though it was never in use.

    Raises:
        RepairError: There is none.
    """
    trained = home() / "runs" / name / "model"
    known = any(each.name == name for each in judges.judges())
    is_run = Path(name).name == name and name not in (".", "..")
    if not known and is_run and any((trained / each).is_file() for each in judges.FILES):
        return judges.Judge(name, "local", str(trained.absolute()), run_id=name)
    return judges.named(name)


def _opened(judge: judges.Judge) -> Reasoner:
    if trouble := judges.missing(judge):
        raise RepairError(trouble, "choose another, or train it again")
    return _reasoner(judge.path, judge.name, judge.base, _judge_stamp(judge))


def _judge_stamp(judge: judges.Judge) -> tuple[int, ...]:
    """Return when the files of a judge were changed last, and those that hold what was measured of a server."""
    folders = [home() / "models" / "judge" / "limits"]
    if judge.kind == "local":
        folders.append(pulled(judge.path) or Path(judge.path))
    found = []
    for path in sorted(path for folder in folders for path in folder.glob("*")):
        with suppress(OSError):  # it is being replaced
            found.append(path.stat().st_mtime_ns)
    return tuple(found)


def _reasoner(place: str, name: str, base: str, stamp: tuple[int, ...]) -> Reasoner:
    """Return a judge, the one that is open or a new one; the old one goes first, since both may not fit on a card."""
    from repairai.judge.reasoner import load_reasoner

    with _ONE_JUDGE:
        wanted = (place, name, base, stamp)
        if wanted not in _JUDGE:
            _JUDGE.clear()
            _JUDGE[wanted] = load_reasoner(place, name, base)
        return _JUDGE[wanted]


def inspect(
    photo: Path,
    requirements: Sequence[Requirement],
    detector: Detector,
    *,
    view: View = "device",
    before: Path | None = None,
    guide: str = "",
    step: int | None = None,
    reasoner: Reasoner | None = None,
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
        reasoner: Answers questions of state; None leaves them to a person. Whatever it cannot answer stays UNCERTAIN.

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
    asked = Asking(reasoner, now.pixels)
    verdict = decide([judge(each, sight, earlier, view, matching, asked) for each in requirements])
    return Inspection(
        at=datetime.now().astimezone().isoformat(timespec="seconds"),
        photo=_taken(now),
        before=_taken(then) if then else None,
        view=view,
        guide=guide,
        step=step,
        models=(detector.name, *asked.models),
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


def judge(
    requirement: Requirement, sight: Sight, before: Sight | None, view: View, same_view: bool, asked: Asking
) -> Finding:
    """Return the finding for one requirement, from the judge whose kind it is."""
    if isinstance(requirement, Count):
        return check_count(requirement, sight, view)
    if isinstance(requirement, Change):
        return check_change(requirement, before, sight, same_view)
    return asked.check(requirement, sight)


def _taken(photo: Photo) -> PhotoTaken:
    height, width = photo.pixels.shape[:2]
    return PhotoTaken(storable(photo.name), photo.sha256, width, height)


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    names = ("repairai", "numpy", "pillow", "openvino")
    return (("python", platform.python_version()), *((name, version(name)) for name in names))
