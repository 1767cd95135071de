"""`runs`: look at trainings, steer them, go on with them and compare them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from repairai.commands.follow import NOT_ENDED, follow
from repairai.commands.train import attend
from repairai.commands.words import MOST, as_data, noun, print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.runs.checkpoints import Checkpoint
    from repairai.runs.compare import Came, Comparison
    from repairai.runs.folder import RunFolder
    from repairai.runs.state import Run

LINES = 40
LOG_BYTES = 2**20
SAYS = {
    "stop": "it makes a checkpoint and ends",
    "pause": "it makes a checkpoint and leaves the machine to you; nothing from the queue takes its place",
    "save": "it makes a checkpoint at its next step",
    "eval": "it looks at the validation data at its next step",
}


def add_words(verbs: Any) -> None:
    """Add `runs` and its verbs to the command line."""
    verbs = noun(verbs, "runs", "look at trainings, steer them, go on with them", __doc__ or "")
    _verb(verbs, "list", _list, "all runs, newest first")
    _of_run(verbs, "show", _show, "how a run stands: its command, figures and checkpoints, and why it ended")
    log = _of_run(verbs, "log", _log, "what a run said")
    log.add_argument("--lines", type=whole(1, MOST), default=LINES, metavar="N", help="of its end")
    log.add_argument("--follow", action="store_true", help="go on until it ends; Ctrl+C asks it to stop")
    _of_run(verbs, "why", _why, "why a run ended, and what can be done now")
    _of_run(verbs, "checkpoints", _checkpoints, "from where a run can go on")
    for word, says in SAYS.items():
        _of_run(verbs, word, _ask, f"ask a run to {word}: {says}").set_defaults(word=word)
    _of_run(verbs, "kill", _kill, "end a run by force that was asked to stop and does not")
    _of_run(verbs, "resume", _resume, "let a run go on from its last whole checkpoint")
    evaluate = _of_run(verbs, "evaluate", _evaluate, "ask a trained model an exam, and its base, too")
    evaluate.add_argument("--limit", type=whole(1, MOST), metavar="N", help="questions at most")
    evaluate.add_argument("--detach", action="store_true", help="start it and come back at once")
    _verb(verbs, "compare", _compare, "runs beside each other").add_argument("ids", nargs="+", metavar="ID")
    _of_run(verbs, "delete", _delete, "delete a run with all that it made")
    queue = _verb(verbs, "queue", _queue, "the runs that wait, and in which order they come")
    queue.add_argument("--move", nargs=2, metavar=("ID", "PLACE"), help="give a run another place, from 1")
    queue.add_argument("--unqueue", metavar="ID", help="take a run out")
    queue.add_argument("--go", action="store_true", help="let runs start that wait because another was paused")


def _verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
    """Add a verb before which runs that wait are seen to: what started them may have gone down."""

    def awake(chosen: argparse.Namespace) -> int:
        from repairai.runs.queue import wake

        wake()
        return run(chosen)

    return verb(verbs, name, awake, what)


def _of_run(verbs: Any, name: str, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
    parser = _verb(verbs, name, run, what)
    parser.add_argument("id", metavar="ID")
    return parser


def _folder(chosen: argparse.Namespace) -> RunFolder:
    from repairai.runs.folder import run_folder

    return run_folder(chosen.id)


# ---- look


def _list(chosen: argparse.Namespace) -> int:
    from repairai.runs.state import all_runs
    from repairai.runs.words import in_words

    runs = all_runs()
    if chosen.json:
        print_json([as_data(run) for run in runs])
        return 0
    for run in runs:
        what = " ".join(part for part in (run.kind, run.parent or run.model, run.method) if part)
        print(f"{run.id:<32} {in_words(run.state):<14} {_how_far(run):<40} {what}".rstrip())
    if not runs:
        print("there are no runs yet: start one with `python -m repairai train RECIPE`")
    return 0


def _how_far(run: Run) -> str:
    from repairai.runs.words import clock, span

    parts = []
    if run.step is not None:
        parts.append(f"step {run.step}" + (f" of {run.total_steps}" if run.total_steps else ""))
    if run.last and run.last.loss is not None:
        parts.append(f"loss {run.last.loss:.3f}")
    if run.eta_seconds is not None:
        parts.append(f"{span(run.eta_seconds)} to go")
    elif run.ended:
        parts.append(clock(run.ended))
    return ", ".join(parts)


def _show(chosen: argparse.Namespace) -> int:
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
    from repairai.runs.scores import read_scores, said

    if not folder.scores.is_file():
        return []
    try:
        return [f"exam        {said(read_scores(folder.scores))}"]
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
    if run.parent:
        lines.append(f"evaluates   {run.parent}")
    if run.model:
        lines.append(f"model       {run.model}, {run.method}, with {run.backend}")
    if run.started:
        times = [f"started {clock(run.started)}", f"worked {span(run.seconds)}"]
        lines.append("times       " + ", ".join([*times, f"ended {clock(run.ended)}"] if run.ended else times))
    lines.append(f"{'is at' if run.state in NOT_ENDED else 'got to':<12}{progress(run)}")
    figures = [
        *([f"lowest loss on the validation data {came.best_eval_loss:.3f} at step {came.best_step}"]
          if came.best_eval_loss is not None else []),
        *([f"{came.tokens_per_second:,.0f} tokens/s"] if came.tokens_per_second else []),
        *([f"{came.memory_gib:.2f} GiB held at most"] if came.memory_gib else []),
    ]  # fmt: skip
    return [*lines, f"figures     {', '.join(figures)}"] if figures else lines


def _checkpoint_line(each: Checkpoint) -> str:
    loss = f", loss on the validation data {each.eval_loss:.3f}" if each.eval_loss is not None else ""
    marks = (", the best" if each.best else "") + ("" if each.whole else ", half-written")
    return f"checkpoint of step {each.step}: {each.gib:.2f} GiB{loss}{marks}"


def _log(chosen: argparse.Namespace) -> int:
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


def _why(chosen: argparse.Namespace) -> int:
    from repairai.runs.why import why

    found = why(_folder(chosen))
    if chosen.json:
        print_json(as_data(found))
    else:
        print(found)
    return 0


def _checkpoints(chosen: argparse.Namespace) -> int:
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


# ---- steer


def _ask(chosen: argparse.Namespace) -> int:
    from repairai.runs.launch import ask

    run = ask(chosen.id, chosen.word)
    if chosen.json:
        print_json(as_data(run))
        return 0
    print(f"{run.id} was asked to {chosen.word}: {SAYS[chosen.word]}")
    return 0


def _kill(chosen: argparse.Namespace) -> int:
    from repairai.runs.launch import kill

    run = kill(chosen.id)
    if chosen.json:
        print_json(as_data(run))
        return 0
    print(f"{run.id} was ended by force; go on with it by `python -m repairai runs resume {run.id}`")
    return 0


def _resume(chosen: argparse.Namespace) -> int:
    from repairai.runs.launch import resume

    return attend(resume(chosen.id), detach=True, json=chosen.json)


def _evaluate(chosen: argparse.Namespace) -> int:
    from repairai.runs.launch import evaluate

    folder = evaluate(chosen.id) if chosen.limit is None else evaluate(chosen.id, chosen.limit)
    return attend(folder, chosen.detach, chosen.json)


def _delete(chosen: argparse.Namespace) -> int:
    from repairai.runs.removal import delete_run

    delete_run(chosen.id)
    if chosen.json:
        print_json({"deleted": chosen.id})
    else:
        print(f"{chosen.id} is deleted")
    return 0


def _queue(chosen: argparse.Namespace) -> int:
    from repairai.runs.queue import go_on, move, unqueue, waiting
    from repairai.runs.words import clock

    if chosen.move:
        move(chosen.move[0], _place(chosen.move[1]))
    if chosen.unqueue:
        unqueue(chosen.unqueue)
    if chosen.go:
        go_on()
    found = waiting()
    if chosen.json:
        print_json([as_data(each) for each in found])
        return 0
    for place, each in enumerate(found, 1):
        when = f", not before {clock(each.not_before)}" if each.not_before else ""
        held = f", held because {each.held_by} was paused: `runs queue --go` lets it start" if each.held_by else ""
        print(f"{place}. {each.id}{when}{held}")
    if not found:
        print("no run waits")
    return 0


def _place(text: str) -> int:
    try:
        return whole(1, MOST)(text)
    except argparse.ArgumentTypeError as error:
        raise RepairError(f"{text!r:.40} is no place in the queue", str(error)) from None


# ---- compare


def _compare(chosen: argparse.Namespace) -> int:
    from repairai.runs.compare import compare

    found = compare(chosen.ids)
    if chosen.json:
        print_json(as_data(found))
        return 0
    print("\n".join(_table(found)))
    return 0


def _table(found: Comparison) -> list[str]:
    from repairai.runs.words import in_words, span

    def figure(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    rows = [
        ("", *found.ids),
        ("state", *(in_words(each.run.state) for each in found.came)),
        ("steps", *(figure(each.run.step, "d") for each in found.came)),
        ("loss", *(figure(each.loss, ".3f") for each in found.came)),
        ("lowest validation loss", *(figure(each.best_eval_loss, ".3f") for each in found.came)),
        ("tokens/s", *(figure(each.tokens_per_second, ",.0f") for each in found.came)),
        ("GiB held", *(figure(each.memory_gib, ".2f") for each in found.came)),
        ("worked", *(span(each.run.seconds) for each in found.came)),
        *found.differences,
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]
