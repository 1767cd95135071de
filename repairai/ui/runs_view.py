"""What the Runs tab shows: read from the runs' folders, a part for each place on the page."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.runs.checkpoints import checkpoints
from repairai.runs.detector_scores import is_of_detector
from repairai.runs.events import read_events
from repairai.runs.folder import RunFolder, run_folder
from repairai.runs.hub_speaking import may_cost
from repairai.runs.judge_scores import is_of_judge
from repairai.runs.lines import tail
from repairai.runs.listing import Order, found
from repairai.runs.queue import Waiting, waiting, wake
from repairai.runs.scores import read_scores
from repairai.runs.secrets import without_secrets
from repairai.runs.state import Run, read_run
from repairai.runs.why import why
from repairai.ui import curves, detector_runs, judge_runs, render, runs_render, scores_render
from repairai.ui.run_kinds import AGENT, kind_of
from repairai.ui.watched import Watched

LOG_BYTES = 24 * 1024
"""Of a log's end that the page shows."""
ANSWER_SECONDS = 60.0
"""That a run may take to do what it is asked, before it can be ended by force."""
PARTS = (
    "runs", "head", "said", "buttons", "plots", "figures", "scores", "answering", "checkpoints", "events", "log",
    "command", "recipe",
)  # fmt: skip
"""What is shown, each a place of its own on the page."""


def view(watched: Watched, chosen: str, words: str = "", order: Order = "newest") -> dict[str, str]:
    """Return what is to be seen now, by part.

    Args:
        watched: What was read before.
        chosen: Id of the run that is shown; empty for none.
        words: That the runs in the list have to fit, see `found`.
        order: Of the list.
    """
    runs = watched.runs()
    waits = any(run.state == "queued" for run in runs)
    if waits:
        wake()
    empty = {**dict.fromkeys(PARTS, ""), "head": runs_render.NONE_CHOSEN if runs else ""}
    queue = waiting() if waits else []
    listed = runs_render.listed(found(runs, words, order=order), chosen, queue, len(runs))
    shown = {"runs": listed, "answering": AGENT.in_use()}
    if not chosen:
        return {**empty, **shown}
    try:
        folder = run_folder(chosen)
    except RepairError as error:
        return {**empty, **shown, "head": render.problem(str(error))}
    run = next((each for each in runs if each.id == chosen), None) or read_run(folder)
    return {**empty, **shown, **_of(watched, folder, run, queue)}


def first(watched: Watched) -> str:
    """Return the id of the run that is shown where none was chosen: one at work, else the newest; empty for none."""
    runs = watched.runs()
    at_work = (run.id for run in runs if run.state in runs_render.AT_WORK)
    return next(at_work, runs[0].id if runs else "")


def _of(watched: Watched, folder: RunFolder, run: Run, order: Sequence[Waiting]) -> dict[str, str]:
    series = watched.series(folder)
    kind = kind_of(folder) if run.kind == "train" else AGENT
    said = None if run.state in runs_render.AT_WORK and not run.asked else why(folder)
    recipe = folder.recipe if folder.recipe.exists() else folder.order
    log = without_secrets(tail(folder.log, LOG_BYTES).decode(errors="replace"))
    return {
        "head": runs_render.head(run),
        "said": runs_render.told(said.said, said.mend) if said else "",
        "buttons": " ".join(buttons(folder, run, order)),
        "plots": curves.drawn(curves.of_run(series), run.total_steps) if run.state != "queued" else "",
        "figures": runs_render.figures(run, series),
        "scores": watched.made_of(folder.scores, _scores) or _no_scores(folder, run),
        "answering": kind.in_use(),
        "checkpoints": runs_render.points_of_return(checkpoints(folder)),
        "events": runs_render.happened(read_events(folder.events)),
        "log": runs_render.log(log),
        "command": shlex.join(run.command),
        "recipe": _text(recipe),
    }


def buttons(folder: RunFolder, run: Run, order: Sequence[Waiting] = ()) -> list[str]:
    """Return the names of what can be done with a run now, the likeliest first.

    Args:
        folder: Of the run.
        run: How it stands.
        order: The queue.
    """
    if run.state == "queued":
        held = any(each.id == run.id and each.held_by for each in order)
        return [*(["go_on"] if held else []), "first", "unqueue"]
    if run.state in runs_render.AT_WORK:
        if not run.asked:
            return ["stop", "pause", *(["save", "look"] if run.kind == "train" else [])]
        return ["kill"] if _asked_seconds(folder, run.asked) > ANSWER_SECONDS else []
    found = ["resume"] if run.can_resume else []
    if folder.model.is_dir() and run.kind == "train":
        kind = kind_of(folder)
        judged = folder.scores.is_file()
        found += ["activate", "evaluate"] if judged else ["evaluate", "activate"]
        found += ["back"] if kind.has_past() else []
        found += [kind.mark] if kind.mark else []
    return [*found, *(["again"] if run.kind == "train" else []), "kill" if may_cost(folder) else "delete"]


def _asked_seconds(folder: RunFolder, what: str) -> float:
    try:
        return time.time() - (folder.control / what).stat().st_mtime
    except OSError:
        return 0.0


def _no_scores(folder: RunFolder, run: Run) -> str:
    if run.kind != "train" or not folder.model.is_dir():
        return ""
    return kind_of(folder).no_scores


def _scores(path: Path) -> str:
    if is_of_detector(path):
        return detector_runs.scores(path)
    if is_of_judge(path):
        return judge_runs.scores(path)
    try:
        return scores_render.scores(read_scores(path))
    except RepairError as error:
        return render.problem(str(error))


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except RepairError as error:
        return f"# {error}"
