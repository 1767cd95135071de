"""What the buttons of the Runs tab do with a run, each answered with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from repairai.runs import launch, queue
from repairai.runs.again import again as start_again
from repairai.runs.folder import read_json, run_folder
from repairai.runs.marks import Marks, marks_in, tags_of, write_marks
from repairai.runs.removal import refuse_active
from repairai.runs.state import read_run
from repairai.runs.why import why
from repairai.ui import run_kinds, runs_render
from repairai.ui.writers import make_room

LABELS = {
    "resume": "Go on with it", "stop": "Stop", "pause": "Pause: I need the machine", "save": "Save now",
    "look": "Evaluate now", "kill": "End it by force", "go_on": "Let the queue go on", "first": "Make it the next",
    "unqueue": "Take it out of the queue", "again": "Start again from this recipe", "delete": "Delete it",
    "evaluate": "Evaluate it", "activate": "Make it the active agent", "back": "Back to the one before",
}  # fmt: skip
"""The buttons, in the order in which they stand."""
HINTS = {
    "stop": "It makes a whole checkpoint first, and can go on later.",
    "pause": "It makes a checkpoint and leaves the machine to you; nothing from the queue takes its place.",
    "save": "It makes a checkpoint at its next step.",
    "look": "It looks at the validation data at its next step.",
}


def resume(run_id: str) -> str:
    """Let a run go on, or put it into the queue."""
    folder = launch.resume(run_id)
    run = read_run(folder)
    if run.state == "queued":
        return f"{run_id} is in the queue. {why(folder).said}"
    at = f"step {run.checkpoint_step:,}" if run.checkpoint_step is not None else "its beginning"
    return f"{run_id} goes on from {at}. {make_room()}".strip()


def _ask(word: launch.Word) -> Callable[[str], str]:
    name = "look" if word == "eval" else word

    def ask(run_id: str) -> str:
        launch.ask(run_id, word)
        return f"{run_id} was asked to {'evaluate' if word == 'eval' else word}. {HINTS[name]}"

    return ask


def kill(run_id: str) -> str:
    """End a run by force."""
    launch.kill(run_id)
    return f"{run_id} was ended by force."


def go_on(_: str) -> str:
    """Let runs start that wait because another was paused."""
    freed = queue.go_on()
    return f"The queue goes on with {' and '.join(freed)}." if freed else "No run was held."


def foremost(run_id: str) -> str:
    """Give a waiting run the first place."""
    queue.move(run_id, 1)
    return f"{run_id} is the next one in the queue."


def unqueue(run_id: str) -> str:
    """Take a run out of the queue."""
    queue.unqueue(run_id)
    return f"{run_id} was taken out of the queue."


def evaluate(run_id: str, limit: int | None, percent: float | None = None) -> str:
    """Start an evaluation; return what became of it, as HTML.

    Args:
        run_id: Of the training.
        limit: Questions at most; None for all.
        percent: For a detector or a judge, how many wrong steps of a hundred may pass.
    """
    is_agent = run_kinds.kind_of(run_folder(run_id)) is run_kinds.AGENT
    folder = launch.evaluate(run_id, limit) if is_agent else run_kinds.evaluate(run_id, percent)
    run = read_run(folder)
    if run.state == "queued":
        how = escape(why(folder).said)
    else:
        how = f"Its scores appear here when it is done. {make_room()}".strip()
    return said_of(f"{run_id} takes its exam as ", runs_render.link(run.id), f". {how}")


def again(run_id: str) -> str:
    """Start a new run from a run's recipe; return what became of it, as HTML."""
    found = start_again(run_id)
    run = read_run(found.folder)
    how = why(found.folder).said if run.state == "queued" else make_room()
    return said_of("It is started again as ", runs_render.link(run.id), escape(f". {found.said} {how}".rstrip()))


def said_of(sentence: str, *html: str) -> str:
    """Return a sentence for the person, with HTML that is escaped already behind it."""
    return f'<p class="answer">{escape(sentence)}{"".join(html)}</p>' if sentence else ""


def doomed(run_id: str) -> str:
    """Return what is lost where a run is deleted, as a question.

    Raises:
        RepairError: It cannot be deleted, because its model answers.
    """
    folder = run_folder(run_id)
    refuse_active(run_id)
    gib = sum(each.stat().st_size for each in folder.path.rglob("*") if each.is_file()) / 2**30
    what = "its model, its checkpoints and its scores" if folder.model.is_dir() else "its checkpoints and its figures"
    size = f"{gib:.1f} GiB" if gib >= 0.1 else f"{gib * 1024:.0f} MiB"
    return f'<p class="doomed">Delete {escape(run_id)} with {what}: {size}? This cannot be undone.</p>'


def noted_on(run_id: str) -> Marks:
    """Return what the person noted on a run.

    Raises:
        RepairError: There is no such run.
    """
    return marks_in(read_json(run_folder(run_id).marks))


def note_on(run_id: str, star: bool, tags: str, note: str) -> str:
    """Note something on a run; return what was done, empty where it is as it was.

    Args:
        run_id: The run.
        star: It is one of the good ones.
        tags: With spaces or commas between them.
        note: In the person's words.
    """
    new = Marks(tags_of(tags.replace(",", " ").split()), star, " ".join(note.split()))
    if new == noted_on(run_id):
        return ""
    write_marks(run_folder(run_id).marks, new)
    return f"It is noted on {run_id}."


def activate(run_id: str, force: bool) -> tuple[bool, str]:
    """Put a run's model to use where it is no worse; return whether it is in use, and why, as HTML.

    Args:
        run_id: Of the training.
        force: Whatever its exam says.
    """
    return run_kinds.kind_of(run_folder(run_id)).activate(run_id, force)


def back(run_id: str) -> str:
    """Make the agent, detector or judge active again that was so before: the kind that this run trained."""
    return run_kinds.kind_of(run_folder(run_id)).back()


ACTIONS: dict[str, Callable[[str], str]] = {
    "resume": resume, "stop": _ask("stop"), "pause": _ask("pause"), "save": _ask("save"), "look": _ask("eval"),
    "kill": kill, "go_on": go_on, "first": foremost, "unqueue": unqueue,
    "back": back,
}  # fmt: skip
"""Those that need nothing but the run's id."""
