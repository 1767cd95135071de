"""What the verbs of `runs` print that only look: lists, one run, its log and checkpoints, runs beside each other."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from repairai.commands.follow import NOT_ENDED, follow
from repairai.commands.words import as_data, print_json
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.runs.checkpoints import Checkpoint
    from repairai.runs.compare import Came, Comparison
    from repairai.runs.folder import RunFolder

LOG_BYTES = 2**20


def _folder(chosen: argparse.Namespace) -> RunFolder:
    from repairai.runs.folder import run_folder

    return run_folder(chosen.id)


def list_runs(chosen: argparse.Namespace) -> int:
    """Print all runs, or those that fit."""
    from repairai.runs.listing import found
    from repairai.runs.queue import waiting
    from repairai.runs.state import all_runs
    from repairai.runs.words import how_far, in_words

    every = all_runs()
    runs = found(every, chosen.search, chosen.tag, chosen.sort)
    if chosen.json:
        print_json([as_data(run) for run in runs])
        return 0
    places = {each.id: place for place, each in enumerate(waiting(), 1)}
    for run in runs:
        what = " ".join(part for part in (run.kind, run.parent or run.model, run.method) if part)
        marks = "".join([" *" if run.star else "", *(f" #{tag}" for tag in run.tags)])
        how = ", ".join(how_far(run, places.get(run.id)))
        print(f"{run.id:<32} {in_words(run.state):<14} {how:<40} {what}{marks}".rstrip())
    if not every:
        print("there are no runs yet: start one with `python -m repairai train RECIPE`")
    elif not runs:
        print(f"none of {len(every)} runs fits")
    return 0


def show_run(chosen: argparse.Namespace) -> int:
    """Print how a run stands."""
    from repairai.runs.checkpoints import checkpoints
    from repairai.runs.compare import came_of
    from repairai.runs.folder import read_json
    from repairai.runs.why import why

    folder = _folder(chosen)
    came, points, said = came_of(folder), checkpoints(folder), why(folder)
    scores = read_json(folder.scores) or None
    if chosen.json:
        data = {**as_data(came), "checkpoints": [as_data(each) for each in points], "why": as_data(said)}
        print_json({**data, "command": shlex.join(came.run.command), "scores": scores})
        return 0
    lines = [*_lines(folder, came), *_exam_line(folder), *(f"  {_checkpoint_line(each)}" for each in points)]
    print("\n".join([*lines, str(said)]))
    return 0


def _exam_line(folder: RunFolder) -> list[str]:
    from repairai.runs import (
        detector_score_words,
        detector_scores,
        judge_score_words,
        judge_scores,
        score_words,
        scores,
    )

    if not folder.scores.is_file():
        return []
    try:
        if detector_scores.is_of_detector(folder.scores):
            found = detector_scores.read_detector_scores(folder.scores)
            return [f"test        {detector_score_words.said(found)}", "", detector_score_words.as_table(found), ""]
        if judge_scores.is_of_judge(folder.scores):
            judged = judge_scores.read_judge_scores(folder.scores)
            return [f"test        {judge_score_words.said(judged)}", "", judge_score_words.as_table(judged), ""]
        return [f"exam        {score_words.said(scores.read_scores(folder.scores))}"]
    except RepairError as error:
        return [f"exam        {error}"]


def _lines(folder: RunFolder, came: Came) -> list[str]:
    from repairai.runs.words import clock, in_words, progress, span

    run = came.run
    lines = [
        f"{run.id}  {in_words(run.state)}",
        f"command     {shlex.join(run.command) or 'unknown'}",
        f"folder      {folder.path}",
    ]
    if run.star or run.tags:
        lines.append(f"marks       {' '.join([*(['*'] if run.star else []), *(f'#{tag}' for tag in run.tags)])}")
    if run.note:
        lines.append(f"note        {run.note}")
    if run.parent:
        lines.append(f"evaluates   {run.parent}")
    if run.model:
        by = f", with {run.backend}" if run.task == "sop" else ""
        lines.append(f"model       {run.model}, {run.method}{by}")
    if run.started:
        times = [f"started {clock(run.started)}", f"worked {span(run.seconds)}"]
        lines.append("times       " + ", ".join([*times, f"ended {clock(run.ended)}"] if run.ended else times))
    lines.append(f"{'is at' if run.state in NOT_ENDED else 'got to':<12}{progress(run)}")
    figures = [
        *([f"lowest loss on the validation data {came.best_eval_loss:.3f} at step {came.best_step}"]
          if came.best_eval_loss is not None else []),
        *([f"at most {came.exact:.1%} of parts on validation photos counted"] if came.exact is not None else []),
        *([f"at most {came.right:.1%} of validation questions answered right"] if came.right is not None else []),
        *([f"{came.tokens_per_second:,.0f} tokens/s"] if came.tokens_per_second else []),
        *([f"{came.memory_gib:.2f} GiB held at most"] if came.memory_gib else []),
    ]  # fmt: skip
    return [*lines, f"figures     {', '.join(figures)}"] if figures else lines


def _checkpoint_line(each: Checkpoint) -> str:
    loss = f", loss on the validation data {each.eval_loss:.3f}" if each.eval_loss is not None else ""
    marks = (", the best" if each.best else "") + ("" if each.whole else ", half-written")
    return f"checkpoint of step {each.step}: {each.gib:.2f} GiB{loss}{marks}"


def log_of_run(chosen: argparse.Namespace) -> int:
    """Print the end of what a run said."""
    from repairai.runs.lines import tail
    from repairai.runs.secrets import without_secrets
    from repairai.runs.state import read_run

    folder = _folder(chosen)
    if chosen.follow and not chosen.json:
        follow(folder)
        return 0
    text = without_secrets(tail(folder.log, LOG_BYTES).decode(errors="replace"))
    lines = text.splitlines()[-chosen.lines :]
    if chosen.json:
        print_json({"id": folder.id, "lines": lines})
        return 0
    print("\n".join(lines))
    if not folder.log.exists():
        waits = read_run(folder).state == "queued"
        print("it has not begun" if waits else "it has no log: it was started in a terminal, which showed what it said")
    return 0


def why_of_run(chosen: argparse.Namespace) -> int:
    """Print why a run ended."""
    from repairai.runs.why import why

    found = why(_folder(chosen))
    if chosen.json:
        print_json(as_data(found))
    else:
        print(found)
    return 0


def checkpoints_of_run(chosen: argparse.Namespace) -> int:
    """Print from where a run can go on."""
    from repairai.runs.checkpoints import checkpoints

    found = checkpoints(_folder(chosen))
    if chosen.json:
        print_json([as_data(each) for each in found])
        return 0
    for each in found:
        print(_checkpoint_line(each))
    if not found:
        print("there is no checkpoint yet")
    return 0


def compare_runs(chosen: argparse.Namespace) -> int:
    """Print runs beside each other."""
    from repairai.runs.compare import compare

    found = compare(chosen.ids)
    if chosen.json:
        print_json(as_data(found))
        return 0
    print("\n".join(_table(found)))
    return 0


def _table(found: Comparison) -> list[str]:
    from repairai.runs.compare import figures
    from repairai.runs.words import in_words

    rows = [
        ("", *found.ids),
        ("state", *(in_words(each.run.state) for each in found.came)),
        ("steps", *("" if each.run.step is None else str(each.run.step) for each in found.came)),
        *figures(found.came),
        *found.differences,
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]
