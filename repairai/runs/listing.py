"""Runs found by words and tags, and put into an order: for the list on the page and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Literal, get_args

from repairai.errors import RepairError
from repairai.runs.detector_scores import is_of_detector, read_detector_scores
from repairai.runs.folder import RunFolder, runs_folder
from repairai.runs.judge_scores import is_of_judge, read_judge_scores
from repairai.runs.scores import read_scores
from repairai.runs.state import Run
from repairai.runs.words import in_words

Order = Literal["newest", "loss", "score", "name"]
ORDERS: tuple[Order, ...] = get_args(Order)


def found(runs: Sequence[Run], words: str = "", tag: str = "", order: Order = "newest") -> list[Run]:
    """Return those runs that fit, in an order.

    Args:
        runs: Newest first.
        words: Each has to stand in a run's id, model, method, tags, note, state, or in the id of what it evaluates;
            "#lamp" has to be one of its tags, and "*" stands for its star.
        tag: It has to have; empty for any.
        order: "newest" first; lowest "loss" first, of the validation data where they were looked at; highest "score"
            of an exam first; by "name". Those without a figure come last.
    """
    wanted = words.casefold().split() + ([f"#{tag.lstrip('#').casefold()}"] if tag.strip("# ") else [])
    fit = [run for run in runs if all(_fits(run, word) for word in wanted)]
    if order == "name":
        return sorted(fit, key=lambda run: run.id)
    if order == "newest":
        return fit
    figure: Callable[[Run], float | None] = loss_of if order == "loss" else score_of
    sign = 1.0 if order == "loss" else -1.0
    known = {run.id: value for run in fit if (value := figure(run)) is not None}
    return sorted(fit, key=lambda run: (run.id not in known, sign * known.get(run.id, 0.0)))


def _fits(run: Run, word: str) -> bool:
    if word in ("*", "★"):
        return run.star
    if word.startswith("#"):
        return word[1:] in run.tags
    what = (run.id, run.model, run.method, run.parent, run.note, run.kind, in_words(run.state), *run.tags)
    return any(word in each.casefold() for each in what)


def loss_of(run: Run) -> float | None:
    """Return a run's newest loss, of the validation data where they were looked at; None where there is none."""
    if run.last is None:
        return None
    return run.last.loss if run.last.eval_loss is None else run.last.eval_loss


def score_of(run: Run) -> float | None:
    """Return the mean mark of a run's model in its exam; None where it took none, or that cannot be read.

    A detector's is the share of its test photos whose parts it counts exactly, a judge's its balanced accuracy.
    """
    path = RunFolder(runs_folder() / run.id).scores
    try:
        stat = path.stat()
    except OSError:
        return None
    return _score(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _score(path: Path, when: int, size: int) -> float | None:
    """Return the mean mark in a file, read once for each time that it is written: it holds every answer's."""
    try:
        if is_of_detector(path):
            return fmean(each.exact for each in read_detector_scores(path).parts.values())
        if is_of_judge(path):
            return read_judge_scores(path).whole.balanced_accuracy
        return read_scores(path).overall.after
    except RepairError:
        return None
