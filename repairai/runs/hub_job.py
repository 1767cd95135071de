"""A run whose training is done by Hugging Face Jobs: what goes there, what is heard of it, what comes back.

    python -m repairai.runs.hub_job RUN_FOLDER

This process stays here, computes nothing, and writes the run's folder as a trainer would: figures, events, log, signs
of life and, at the end, `model`. The job itself runs `training.hub_job`. Both speak through one private data set on the
Hub: code, data and recipe go up, a file `control/stop` asks it to stop, `result/` comes back; then it is deleted. Where
this process ends, the job goes on, and `runs resume` listens again.
"""

from __future__ import annotations

import json
import queue
import secrets
import shutil
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.hardware.recipe import Job, Recipe, read_recipe
from repairai.hub import jobs, push
from repairai.hub_faults import Unreachable
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.hub_ending import found, job_of
from repairai.runs.hub_sent import cost, sent_files
from repairai.runs.hub_speaking import JOB, Speaking, read_speaking, write_speaking
from repairai.runs.journal import Asked, Journal
from repairai.runs.lines import append_line
from repairai.runs.pushing import push_trained
from repairai.runs.secrets import without_secrets

POLL_SECONDS, LOOK_SECONDS = 0.5, 10.0
GRACE_SECONDS = 600.0
"""That a job may take to stop with a checkpoint and to send it, before it is cancelled."""
LOST_SECONDS = 900.0
"""Without an answer of the Hub, after which this process gives up listening; the job itself goes on."""
BOOT = (
    "import os, sys; from huggingface_hub import snapshot_download; "
    "folder = snapshot_download(sys.argv[1], repo_type='dataset', local_dir='job'); os.chdir(folder); "
    "os.execvp('uv', ['uv', 'run', '--no-project', '--with-requirements', 'requirements.txt', "
    "'python', '-m', 'training.hub_job', *sys.argv[1:]])"
)
"""What the job's machine, which has only uv, runs first."""


def follow(folder: RunFolder, journal: Journal) -> None:
    """Start a run's job where it has none that works, listen to it until it ends, and bring back what it made.

    Raises:
        RepairError: Something that it needs is not there, it failed, or the Hub is gone for long.
        Asked: It was asked to stop or to pause, and did so.
    """
    speaking = read_speaking(folder)
    if speaking and (job := found(speaking)):
        speaking = replace(speaking, id=job.id, address=job.address)
        write_speaking(folder, speaking)
        journal.event("job", f"listens again to the job {speaking.id}")
    else:
        speaking = _begin(folder, read_recipe(folder.recipe), journal)
    asked, seen = _listen(folder, speaking, journal, _Notes(folder))
    ended = _bring_back(folder, speaking, journal)
    push.remove(speaking.repo, "dataset")
    (folder.path / JOB).unlink(missing_ok=True)
    if ended.get("state") == "finished":
        step = ended.get("step")
        journal.end("finished", "finished", str(ended.get("said")), "", step if isinstance(step, int) else None)
        push_trained(folder)
        return
    if asked or ended.get("state") in ("stopped", "paused"):
        if asked:
            raise Asked(asked)
        journal.end("stopped", "out of time", str(ended["said"]), f"go on with `runs resume {folder.id}`")
        return
    said = str(ended.get("said") or seen.message or f"the job ended as {seen.stage} without a word")
    mend = str(ended.get("mend") or f"read its log: `python -m repairai runs log {folder.id}`, and {speaking.address}")
    raise RepairError(f"on Hugging Face Jobs: {said}", mend)


def _begin(folder: RunFolder, recipe: Recipe, journal: Journal) -> Speaking:
    """Send what the job needs, and start it."""
    asking = recipe.job or Job()
    price = cost(asking)
    journal.phase("sending code and data")
    speaking = Speaking(f"{price.owner}/repairai-job-{folder.id}"[:96].rstrip("-."), owner=price.owner)
    files = sent_files(recipe, folder)
    card = (
        "# A training of RepairAI\n\nCode, data and recipe of a run on Hugging Face Jobs. It is deleted when the run "
        "has come back.\n"
    )
    push.send(push.Parcel("dataset", files, card), speaking.repo, private=True, message="What the job needs")
    journal.check()
    journal.phase("waiting for a machine")
    command = ["uv", "run", "--no-project", "--with", "huggingface_hub>=2.0,<3", "python", "-c", BOOT]
    command += [speaking.repo, folder.id, str(asking.timeout_hours)]
    speaking = replace(speaking, key=secrets.token_hex(8))
    write_speaking(folder, speaking)  # before: where this process ends in the next moment, the job is found by its key
    try:
        job = jobs.begin(command, asking.flavor, asking.timeout_hours, folder.id, price.owner, speaking.key)
    except RepairError as error:
        if not isinstance(error, Unreachable):
            (folder.path / JOB).unlink()
            with suppress(RepairError):
                push.remove(speaking.repo, "dataset")
        raise
    speaking = replace(speaking, id=job.id, address=job.address)
    write_speaking(folder, speaking)
    journal.event("job", f"the job {job.id} was started: {price.said}", id=job.id, address=job.address)
    return speaking


def _listen(folder: RunFolder, speaking: Speaking, journal: Journal, notes: _Notes) -> tuple[str, jobs.Seen]:
    """Write down what a job says until it ends; return what it was asked, "stop", "pause" or nothing, and its end."""
    said: queue.Queue[str | None] = queue.Queue()
    asked, asked_at, looked_at, reached_at = "", 0.0, 0.0, time.monotonic()
    listener: threading.Thread | None = None
    while True:
        if listener is None or not listener.is_alive():
            listener = threading.Thread(target=_hear, args=(job_of(speaking), said), daemon=True)
            listener.start()
        speaking = _write_down(folder, speaking, said, journal, notes)
        now = time.monotonic()
        if journal.asked() and not asked:
            asked, asked_at = journal.asked(), now
            _ask(speaking, journal)
        if now - looked_at > LOOK_SECONDS or (asked and now - looked_at > POLL_SECONDS):
            looked_at = now
            try:
                seen = jobs.look(job_of(speaking))
            except RepairError as error:
                if now - reached_at > LOST_SECONDS:
                    raise RepairError(
                        f"the Hub was not reached for {LOST_SECONDS / 60:.0f} minutes: {error.what}",
                        f"the job goes on; listen to it again with `runs resume {folder.id}`",
                    ) from None
                continue
            reached_at = now
            if seen.has_ended:
                listener.join(LOOK_SECONDS)  # the end of its log
                _write_down(folder, speaking, said, journal, notes)
                return asked, seen
            if asked and now - asked_at > GRACE_SECONDS:
                jobs.cancel(job_of(speaking))
        time.sleep(POLL_SECONDS)


def _hear(job: jobs.Job, said: queue.Queue[str | None]) -> None:
    """Put all lines of a job into a queue; it ends with the job, or when the connection breaks off."""
    with suppress(RepairError):
        for line in jobs.lines(job):
            said.put(line)


def _write_down(
    folder: RunFolder, speaking: Speaking, said: queue.Queue[str | None], journal: Journal, notes: _Notes
) -> Speaking:
    """Write what was heard into the run's folder; return what is known now."""
    heard = speaking.heard
    while True:
        try:
            line = said.get_nowait() or ""
        except queue.Empty:
            break
        if not line.startswith(jobs.MARK):
            sys.stdout.write(without_secrets(line) + "\n")
            continue
        with suppress(ValueError, KeyError, TypeError, OSError):
            told = json.loads(line[len(jobs.MARK) :])
            if int(told["n"]) > heard:
                heard = int(told["n"])
                _take(told, notes, journal)
    sys.stdout.flush()
    if heard != speaking.heard:
        speaking = replace(speaking, heard=heard)
        write_speaking(folder, speaking)
    return speaking


class _Notes:
    """What a job told of itself in a run's figures and events, each once.

    Where this process ends between writing lines down and writing down how far it has heard, they are told again. Each
    has the time in it, so that the same line is the same thing.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self._known = folder, set[str]()
        for path in (folder.metrics, folder.events):
            with suppress(FileNotFoundError):
                self._known.update(path.read_text(encoding="utf-8", errors="replace").split("\n"))

    def add(self, path: Path, line: str) -> None:
        """Add a line to one of the files, where it is not there yet."""
        if line not in self._known:
            append_line(path, line)


def _take(told: dict[str, object], notes: _Notes, journal: Journal) -> None:
    """Write one thing that a job told where a trainer would write it."""
    say = told["say"]
    if say == "log":
        sys.stdout.write(without_secrets(str(told["text"])) + "\n")
    elif say == "metric":
        notes.add(notes.folder.metrics, json.dumps(told["line"]))
    elif say == "event":
        line = told["line"]
        if isinstance(line, dict) and line.get("kind") not in ("began", "ended"):
            notes.add(notes.folder.events, without_secrets(json.dumps(line, ensure_ascii=False)))
    elif say == "beat":
        step, total = told.get("step"), told.get("total_steps")
        journal.phase(
            str(told["phase"]), step if isinstance(step, int) else None, total if isinstance(total, int) else None
        )


def _ask(speaking: Speaking, journal: Journal) -> None:
    """Ask a job to stop with a checkpoint; one that has not begun is cancelled."""
    if jobs.look(job_of(speaking)).waits:
        jobs.cancel(job_of(speaking))
        return
    journal.phase("asking the job to stop")
    push.put(speaking.repo, "dataset", jobs.STOP, b"stop\n")


def _bring_back(folder: RunFolder, speaking: Speaking, journal: Journal) -> dict[str, object]:
    """Fetch what a job made into the run's folder; return how it ended there, empty where it did not say."""
    journal.phase("bringing the result back")
    made = folder.path / "result.part"
    shutil.rmtree(made, ignore_errors=True)
    found = jobs.bring(speaking.repo, jobs.RESULT, made)
    for name in ("model", "checkpoints"):
        if (found / name).is_dir():
            target = folder.path / name
            target.mkdir(exist_ok=True)
            for each in (found / name).iterdir():
                old = target / each.name
                shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
                each.rename(old)
    ended = read_json(found / "exit.json")
    shutil.rmtree(made, ignore_errors=True)
    return ended


def main(arguments: list[str] | None = None) -> int:
    """Follow the job of a run; see the module's first lines."""
    given = sys.argv[1:] if arguments is None else arguments
    folder = RunFolder(Path(given[0]))
    try:
        with Journal(folder) as journal:
            follow(folder, journal)
    except Asked as asked:
        sys.stdout.write(f"it was asked to {asked}\n")
        return 1
    except RepairError as error:
        sys.stderr.write(f"repairai.runs.hub_job: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
