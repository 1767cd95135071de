"""A trainer that learns nothing: it counts steps, writes figures and checkpoints, and obeys, as a real one does."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.runs import journal as journal_of_runs
from repairai.runs.checkpoints import last_whole, remove_halves
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import Metric, forget_after

KEEP = 2


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--step-seconds", type=float, default=0.02)
    parser.add_argument("--every", type=int, default=4, help="steps between checkpoints")
    parser.add_argument("--bytes", type=int, default=100, help="that a checkpoint weighs")
    parser.add_argument("--loading", type=float, default=0.0, help="seconds")
    parser.add_argument("--says", type=int, default=0, help="bytes on standard output")
    parser.add_argument("--lock-seconds", type=float, default=journal_of_runs.LOCK_SECONDS)
    parser.add_argument("--fails-at", type=int, default=-1)
    parser.add_argument("--fails", default="", help="how")
    chosen = parser.parse_args()
    journal_of_runs.LOCK_SECONDS = chosen.lock_seconds
    folder = RunFolder(chosen.path)
    try:
        with Journal(folder) as journal:
            train(folder, journal, chosen)
    except Asked as asked:
        sys.stdout.write(f"it was asked to {asked}\n")
        return 1
    except RepairError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def train(folder: RunFolder, journal: Journal, chosen: argparse.Namespace) -> None:
    journal.phase("loading the model", total_steps=chosen.steps)
    until = time.monotonic() + chosen.loading
    while time.monotonic() < until:
        journal.check()
        time.sleep(0.01)
    sys.stdout.write("x" * 1023 + "\n" if chosen.says else "")
    for _ in range(chosen.says // 1024):
        sys.stdout.write("x" * 1023 + "\n")
    remove_halves(folder)
    begin = last_whole(folder)
    first = begin.step if begin else 0
    forget_after(folder.metrics, first if begin else -1)
    for step in range(first + 1, chosen.steps + 1):
        time.sleep(chosen.step_seconds)
        if step == chosen.fails_at:
            fail(chosen.fails)
        journal.phase("training", step, chosen.steps)
        looks = step % chosen.every == 0
        loss = {"eval_loss" if looks else "loss": 1 / step}
        journal.metric(Metric(step, time.time(), tokens_per_second=100.0, memory_gib=0.1, **loss))
        asked = journal.asked()
        if journal.take("eval"):
            journal.metric(Metric(step, time.time(), eval_loss=1 / step))
        if journal.take("save") or asked or looks:
            save(folder, journal, step, chosen.bytes)
        if asked:
            raise Asked(asked)
    folder.model.mkdir(exist_ok=True)
    write_whole(folder.model / "weights", b"learned")
    journal.end("finished", "finished", f"trained {chosen.steps} steps")


def save(folder: RunFolder, journal: Journal, step: int, size: int) -> None:
    journal.phase("saving", step)
    path = folder.checkpoints / f"checkpoint-{step}"
    path.mkdir(parents=True, exist_ok=True)
    with (path / "weights").open("wb") as file:
        file.write(b"w" * size)
    write_whole(path / "whole", json.dumps({"step": step, "eval_loss": 1 / step}).encode())
    older = sorted(folder.checkpoints.iterdir(), key=lambda each: int(each.name.split("-")[1]))[:-KEEP]
    for each in older:
        for file in each.iterdir():
            file.unlink()
        each.rmdir()
    journal.phase("training", step)


def fail(how: str) -> None:
    if how == "token":
        raise ValueError(f"the Hub refused {os.environ['HF_TOKEN']}")
    if how == "memory":
        raise MemoryError("as much as there is")
    if how == "refused":
        raise RepairError("the data are wrong", "mend them")
    if how == "dies":
        os._exit(3)
    raise ValueError("a fault of the trainer")


if __name__ == "__main__":
    sys.exit(main())
