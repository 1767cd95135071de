"""`runs`: look at trainings, steer them, go on with them and compare them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from repairai.commands import runs_shown as shown
from repairai.commands.train import attend, moment
from repairai.commands.words import MOST, as_data, noun, print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.runs.folder import RunFolder

LINES = 40
SAYS = {
    "stop": "it makes a checkpoint and ends",
    "pause": "it makes a checkpoint and leaves the machine to you; nothing from the queue takes its place",
    "save": "it makes a checkpoint at its next step",
    "eval": "it looks at the validation data at its next step",
}


def add_words(verbs: Any) -> None:
    """Add `runs` and its verbs to the command line."""
    verbs = noun(verbs, "runs", "look at trainings, steer them, go on with them", __doc__ or "")
    listed = _verb(verbs, "list", shown.list_runs, "all runs, newest first, or those that fit")
    listed.add_argument("--search", default="", metavar="WORDS", help="that stand in an id, a model, a tag or a note")
    listed.add_argument("--tag", default="", help="that a run has")
    listed.add_argument("--sort", choices=("newest", "loss", "score", "name"), default="newest",
                        help="lowest loss first, highest score of the exam first")  # fmt: skip
    tag = _of_run(verbs, "tag", _tag, "note tags, a star and a few words on a run; without any, print what is noted")
    tag.add_argument("words", nargs="*", metavar="WORD", help="tags to add")
    tag.add_argument("--remove", action="append", default=[], metavar="WORD", help="a tag to take away")
    tag.add_argument("--note", metavar="TEXT", help="in your own words; an empty one takes it away")
    tag.add_argument("--star", action=argparse.BooleanOptionalAction, default=None, help="or take it away")
    _of_run(verbs, "show", shown.show_run, "how a run stands: its command, figures and checkpoints, and why it ended")
    log = _of_run(verbs, "log", shown.log_of_run, "what a run said")
    log.add_argument("--lines", type=whole(1, MOST), default=LINES, metavar="N", help="of its end")
    log.add_argument("--follow", action="store_true", help="go on until it ends; Ctrl+C asks it to stop")
    _of_run(verbs, "why", shown.why_of_run, "why a run ended, and what can be done now")
    _of_run(verbs, "checkpoints", shown.checkpoints_of_run, "from where a run can go on")
    for word, says in SAYS.items():
        _of_run(verbs, word, _ask, f"ask a run to {word}: {says}").set_defaults(word=word)
    _of_run(verbs, "kill", _kill, "end a run by force that was asked to stop and does not")
    _of_run(verbs, "resume", _resume, "let a run go on from its last whole checkpoint")
    again = _of_run(verbs, "again", _again, "start a new run from a run's recipe, with its seed and its data")
    again.add_argument("--name", default="", help="of the new run; else as the other, with a number")
    again.add_argument("--at", metavar="HH:MM|DATE", help="start it then: 22:00, or 2026-03-01T22:00")
    again.add_argument("--queue", action="store_true", help="put it at the end of the queue")
    evaluate = _of_run(
        verbs, "evaluate", _evaluate, "ask a trained model an exam; show a detector or a judge its test photos"
    )
    evaluate.add_argument("--limit", type=whole(1, MOST), metavar="N",
                          help="questions or photos at most (usual: 200 questions, all photos)")  # fmt: skip
    evaluate.add_argument("--escape", type=_share, metavar="SHARE",
                          help="of wrong steps that may pass, 0.01 is 1 %%; not for agents (usual: 0.05)")  # fmt: skip
    evaluate.add_argument("--detach", action="store_true", help="start it and come back at once")
    _verb(verbs, "compare", shown.compare_runs, "runs beside each other").add_argument("ids", nargs="+", metavar="ID")
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


def _tag(chosen: argparse.Namespace) -> int:
    from repairai.runs.folder import read_json
    from repairai.runs.marks import Marks, marks_in, tags_of, write_marks

    folder = _folder(chosen)
    old = marks_in(read_json(folder.marks))
    gone = tags_of(chosen.remove)
    tags = tuple(tag for tag in tags_of([*old.tags, *chosen.words]) if tag not in gone)
    note = old.note if chosen.note is None else chosen.note
    new = Marks(tags, old.star if chosen.star is None else chosen.star, note)
    if new != old:
        new = write_marks(folder.marks, new)
    if chosen.json:
        print_json({"id": folder.id, **as_data(new)})
        return 0
    said = [*(["*"] if new.star else []), *(f"#{tag}" for tag in new.tags), *([new.note] if new.note else [])]
    print(f"{folder.id}  {' '.join(said) or 'nothing is noted on it'}")
    return 0


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

    return attend(resume(chosen.id), detach=True, as_json=chosen.json)


def _again(chosen: argparse.Namespace) -> int:
    from repairai.runs.again import again

    found = again(chosen.id, chosen.name, moment(chosen.at) if chosen.at else None, chosen.queue)
    if chosen.json:
        from repairai.runs.state import read_run

        print_json({**as_data(read_run(found.folder)), "again": chosen.id, "changed": list(found.changed)})
        return 0
    print(found.said)
    return attend(found.folder, detach=True, as_json=False)


def _evaluate(chosen: argparse.Namespace) -> int:
    from repairai.runs.launch import evaluate, usual_limit

    limit = usual_limit(chosen.id) if chosen.limit is None else chosen.limit
    folder = evaluate(chosen.id, limit, escape=chosen.escape)
    return attend(folder, chosen.detach, chosen.json)


def _share(text: str) -> float:
    """Read a share that an order can hold: 0.01, 1%."""
    from repairai.runs.order import SPANS

    least, most = SPANS["escape"]
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not least <= share <= most:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no share from {least:g} to {most:g}; 0.01 is 1 %")
    return share


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
