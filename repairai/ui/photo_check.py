"""A photo that is checked on the page: by which detector and judge, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

from repairai.errors import RepairError
from repairai.inspection import inspect, open_detector, open_reasoner
from repairai.judge.questions import completed
from repairai.records import Kept
from repairai.schema import Reasoner, Requirement, State, View
from repairai.sop.requirement_text import read_requirement
from repairai.ui import render, seeing
from repairai.ui.overlay import figures
from repairai.ui.state_answers import NOT_KEPT, Judged, crops_of
from repairai.ui.workbench import Workbench
from repairai.vision import detectors

Place = tuple[str, int]
"""A guide's id and a step's number; ("", 0) before one is picked."""
Said = tuple[str, str, Judged | None]
"""A verdict and the photo with its boxes, as HTML; and what stands there, for a person's answers."""


def check(
    bench: Workbench, photo: str | None, before: str | None, wanted: str, view: View, place: Place, keep: bool,
    chosen: str | None = seeing.ACTIVE, masks: str = "", judge: str | None = seeing.ACTIVE,
) -> Said:  # fmt: skip
    """Return the verdict and the photo with its boxes; or what is wrong, in one sentence."""
    try:
        if not photo:
            raise RepairError("there is no photo yet", "give one by upload, camera or paste")
        requirements = read_requirements(wanted)
        files = [Path(photo), *([Path(before)] if before and view == "before_after" else [])]
        guide, step = place
        name = (chosen or seeing.ACTIVE).strip()
        detector, trouble = open_detector(name), "" if name else detectors.trouble()
        reasoner, silent = reasoner_for(requirements, judge)
        done = inspect(
            files[0],
            requirements,
            detector,
            view=view,
            before=files[1] if len(files) > 1 else None,
            guide=guide,
            step=step or None,
            reasoner=reasoner,
        )
    except RepairError as error:
        return render.problem(str(error)), "", None
    done, fault = seeing.with_masks(done, files[0], masks)
    said = "".join(render.problem(each) for each in (trouble, silent) if each)
    said += fault + (seeing.away(judge) if reasoner and reasoner.name in done.models else "")
    kept = Kept(NOT_KEPT, done)
    try:
        if keep:
            kept = bench.records.keep(done, *files)
    except RepairError as error:  # a full disk takes nobody's verdict away
        said += render.problem(str(error))
    judged = Judged(kept, crops_of(done, files[0]))
    return said + judged.html, figures(done, detector.limits, *files), judged


def reasoner_for(requirements: list[Requirement], name: str | None) -> tuple[Reasoner | None, str]:
    """Return who answers the questions of state, and why nobody can; None where nobody is to, or there are none.

    Args:
        requirements: What the photo must show: a judge takes seconds to open, and is left alone where none is a state.
        name: As it was chosen; empty for the one in use.
    """
    if not any(isinstance(each, State) for each in requirements):
        return None, ""
    try:
        return open_reasoner((name or seeing.ACTIVE).strip()), ""
    except RepairError as error:  # which takes no count away
        return None, str(error)


def read_requirements(wanted: str) -> list[Requirement]:
    """Return the requirements in a text, one a line; empty lines do not count, known opposites may be left out."""
    return [read_requirement(completed(line)) for line in wanted.splitlines() if line.strip()]
