"""What runs inside a job of Hugging Face: trains a recipe there, says how it goes, and sends what came of it.

    python -m training.hub_job REPO RUN HOURS

Started by `repairai.runs.hub_job` in a folder that holds RepairAI's code, `recipe.yaml` and `data/`, and, if any, the
checkpoint to go on from, in `home/runs/RUN`. The recipe is trained as it would be anywhere, as a run in `home`; each
new line of the run's files is said, numbered, on standard output, the job's log. A file `control/stop` in REPO,
or the time that is over, asks the trainer to stop with a checkpoint. In the end `result/` goes into REPO in one commit.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # the one that it comes with

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hardware.recipe import read_recipe
from repairai.hub.jobs import MARK, RESULT, STOP
from repairai.runs.checkpoints import last_whole
from repairai.runs.folder import RunFolder, new_run, read_json, run_folders
from repairai.runs.launch import trainer_command

POLL_SECONDS, ASK_SECONDS = 1.0, 15.0
SEND_SHARE = 0.1
"""Of its time that is kept for stopping and sending, ten minutes at most."""
SEND_SECONDS = 600.0
BEAT_SECONDS = 5.0


class Teller:
    """Says things on standard output, numbered, so that whoever listens again knows what is new."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def say(self, say: str, **what: Any) -> None:
        """Say one thing."""
        with self._lock:
            sys.stdout.write(MARK + json.dumps({"n": next(self._numbers), "say": say, **what}) + "\n")
            sys.stdout.flush()


class Tail:
    """The new whole lines of a file that grows."""

    def __init__(self, path: Path) -> None:
        self.path, self._offset = path, 0

    def new(self) -> list[Any]:
        """Return what the new lines hold, as JSON."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines() if line.strip()]


def train(repo: str, name: str, hours: float, teller: Teller) -> RunFolder:
    """Train the recipe that lies here, to whatever end; return the run's folder.

    Args:
        repo: Through which the job is spoken to.
        name: Of the run.
        hours: After which the job is ended from outside.
        teller: Says how it goes.

    Raises:
        RepairError: The recipe is none.
    """
    deadline = time.monotonic() + hours * 3600 - min(SEND_SECONDS, SEND_SHARE * hours * 3600)
    recipe = read_recipe(Path("recipe.yaml"))
    folder = next((each for each in run_folders() if each.id == name), None)
    command = trainer_command(recipe)
    if folder is None:
        folder = new_run(name, "train", command, text=read_text(Path("recipe.yaml")))
    else:  # its checkpoint came along, and nothing else
        folder.recipe.write_bytes(Path("recipe.yaml").read_bytes())
    process = subprocess.Popen(
        [word.replace("{run}", str(folder.path)) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    reader = threading.Thread(target=_pass_on, args=(process, teller), daemon=True)
    reader.start()
    metrics, events = Tail(folder.metrics), Tail(folder.events)
    asked_at = beat_at = time.monotonic()
    while True:
        ended = process.poll() is not None
        for line in metrics.new():
            teller.say("metric", line=line)
        for line in events.new():
            teller.say("event", line=line)
        now = time.monotonic()
        if now - beat_at > BEAT_SECONDS:
            beat_at = now
            beat = read_json(folder.heartbeat)
            teller.say("beat", **{each: beat.get(each) for each in ("phase", "step", "total_steps") if beat})
        if ended:
            reader.join()
            return folder
        if now > deadline or (now - asked_at > ASK_SECONDS and _is_asked(repo)):
            folder.control.mkdir(exist_ok=True)
            (folder.control / "stop").touch()
        if now - asked_at > ASK_SECONDS:
            asked_at = now
        time.sleep(POLL_SECONDS)


def send(repo: str, folder: RunFolder, teller: Teller) -> None:
    """Send what came of a run, in one commit: the model, or the last checkpoint where there is none, and its end."""
    made: dict[str, Path] = {}
    begin = None if folder.model.is_dir() else last_whole(folder)
    for place in (folder.model, *([begin.path] if begin else [])):
        for path in sorted(place.rglob("*")) if place.is_dir() else ():
            if path.is_file():
                made[f"{RESULT}/{path.relative_to(folder.path).as_posix()}"] = path
    if folder.exit.is_file():
        made[f"{RESULT}/exit.json"] = folder.exit
    teller.say("log", text=f"sending {len(made)} files")
    sent = [CommitOperationAdd(path_in_repo=where, path_or_fileobj=path) for where, path in made.items()]
    HfApi().create_commit(repo, sent, repo_type="dataset", commit_message="What came of it")


def _is_asked(repo: str) -> bool:
    try:
        return HfApi().file_exists(repo, STOP, repo_type="dataset")
    except (HfHubHTTPError, httpx.HTTPError):  # the Hub is busy: it is asked again soon
        return False


def _pass_on(process: subprocess.Popen[str], teller: Teller) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        teller.say("log", text=line.rstrip("\n"))


def main(arguments: list[str] | None = None) -> int:
    """Train, and send what came of it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", metavar="REPO", help="the private data set through which it is spoken to")
    parser.add_argument("run", metavar="RUN", help="what the run is called")
    parser.add_argument("hours", type=float, metavar="HOURS", help="that the job may take")
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("REPAIRAI_HOME", str(Path("home").absolute()))
    teller = Teller()
    try:
        folder = train(chosen.repo, chosen.run, chosen.hours, teller)
    except RepairError as error:
        teller.say("log", text=f"training.hub_job: {error}")
        return 2
    send(chosen.repo, folder, teller)
    return 0 if read_json(folder.exit).get("state") == "finished" else 1


if __name__ == "__main__":
    sys.exit(main())
