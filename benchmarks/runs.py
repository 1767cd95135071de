"""Times what watching a run costs, beside reading its whole file each time, in one run.

    python benchmarks/runs.py [--lines 100000] [--polls 200] [--runs 200]

A poll is what the page does every two seconds for a run that it shows: the state from the folder, and the curve's new
points. The other way is what many trainers' pages do: all lines are read and decoded again at each poll. The lines are
those of a real run: a loss and eight more figures a step, a look at the validation data every 50 steps.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from statistics import median, quantiles

from repairai.processes import own
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.journal import Journal
from repairai.runs.metrics import Curve
from repairai.runs.process import write_process
from repairai.runs.state import all_runs, read_run

AIM_MS = 50
EVAL_STEPS = 50
Took = tuple[float, float]
"""By the clock, and of the processor, ms."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000, help="that the run has when it is first looked at")
    parser.add_argument("--polls", type=int, default=200, help="that are timed for each number of new lines")
    parser.add_argument("--runs", type=int, default=200, help="in the list of all runs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["REPAIRAI_HOME"] = place
        watch(given.lines, given.polls)
        list_all(given.runs)


def watch(lines: int, polls: int) -> None:
    """Time polls of one long run, and what else there is."""
    folder = long_run(lines)
    size = folder.metrics.stat().st_size / 1e6
    load = f", with {os.getloadavg()[0]:.1f} other processes at work on average" if hasattr(os, "getloadavg") else ""
    print(f"a run of {lines:,} lines, {size:.1f} MB, on {os.cpu_count()} cores{load}\n")
    head()
    whole = timed(lambda: read_whole(folder), 5)
    shown("reading the whole file each time", whole)
    first = timed(lambda: Curve(folder.metrics).poll(), 20)
    shown("first look (some lines, all looks, the end)", first)
    curve, step = Curve(folder.metrics), lines
    curve.poll()
    worst = 0.0
    for new in (0, 1, 10, 100):
        took: list[Took] = []
        for _ in range(polls):
            append(folder, range(step, step + new))
            step += new
            took += timed(lambda: poll(folder, curve), 1)
        shown(f"poll after {new} new lines, with the state", took)
        worst = max(worst, quantile(took))
    assert curve.last
    assert curve.last.step == step - 1, "the newest line is shown"
    print(
        f"\nreading the whole file takes {middle(whole) / middle(took):,.0f} times as long as a poll of 100 new lines"
    )
    for what, slowest in (("polls", worst), ("the first look", quantile(first))):
        print(f"{what}: {'kept' if slowest < AIM_MS else 'MISSED'}, p95 is {slowest:.1f} ms, the aim is {AIM_MS} ms")
    print()


def list_all(count: int) -> None:
    """Time the list of all runs."""
    for number in range(count):
        finished_run(number)
    took = timed(all_runs, 20)
    head()
    shown(f"the list of {count + 1} runs", took)


def poll(folder: RunFolder, curve: Curve) -> list[list[tuple[int, float]]]:
    """Do what the page does: how the run stands, and the points of its curves."""
    read_run(folder)
    curve.poll()
    return [curve.series(name) for name in curve.names()]


def read_whole(folder: RunFolder) -> list[dict[str, float]]:
    """Do what a page does that keeps nothing in mind."""
    return [json.loads(line) for line in folder.metrics.read_text().splitlines()]


def long_run(lines: int) -> RunFolder:
    """Return a run at work with so many lines."""
    folder = new_run("long", "train", ["python"], text="task: sop\nstep: {model: a/b}\n")
    write_process(folder, own())
    beat = {"time": time.time(), "phase": "training", "step": lines, "total_steps": 2 * lines, "pid": os.getpid()}
    folder.heartbeat.write_text(json.dumps(beat))
    append(folder, range(lines))
    return folder


def append(folder: RunFolder, steps: range) -> None:
    """Add lines as a trainer writes them."""
    dice = random.Random(steps.start)
    rows = []
    for step in steps:
        row = {
            "step": step,
            "time": 1.7e9 + step * 2.031,
            "loss": 1 + dice.random(),
            "learning_rate": 2e-4 * dice.random(),
        }
        row |= {"grad_norm": dice.random(), "epoch": step / 1000, "tokens": step * 4096, "tokens_per_second": 2017.123}
        row |= {"memory_gib": 6.123, "gpu_gib": 7.01, "temperature_c": 61.0}
        if step % EVAL_STEPS == 0:
            row = {"step": step, "time": row["time"], "eval_loss": 1 + dice.random()}
        rows.append(json.dumps(row) + "\n")
    with folder.metrics.open("a") as file:
        file.write("".join(rows))


def finished_run(number: int) -> None:
    """Make a run that ended, with a thousand lines and two checkpoints."""
    folder = new_run(f"run-{number}", "train", ["python"], text="task: sop\nstep: {model: a/b}\n")
    append(folder, range(1000))
    for step in (950, 1000):
        path = folder.checkpoints / f"checkpoint-{step}"
        path.mkdir(parents=True)
        (path / "whole").write_text(json.dumps({"step": step, "eval_loss": 1.0}))
    with Journal(folder) as journal:
        journal.phase("training", 1000, 1000)
        journal.end("finished", "finished", "trained 1000 steps")


def timed(work: Callable[[], object], times: int) -> list[Took]:
    """Return how long something took each time, ms: by the clock, and of the processor."""
    found = []
    for _ in range(times):
        began = time.perf_counter(), time.process_time()
        work()
        found.append(((time.perf_counter() - began[0]) * 1000, (time.process_time() - began[1]) * 1000))
    return found


def middle(took: list[Took]) -> float:
    """Return the median by the clock."""
    return median(clock for clock, _ in took)


def quantile(took: list[Took]) -> float:
    """Return the 95th of a hundred by the clock."""
    return quantiles([clock for clock, _ in took], n=20)[-1]


def head() -> None:
    """Print what the columns are."""
    print(f"{'':<44} {'median ms':>10} {'p95 ms':>8} {'CPU ms':>8}")


def shown(what: str, took: list[Took]) -> None:
    """Print a row."""
    print(f"{what:<44} {middle(took):>10.2f} {quantile(took):>8.2f} {median(cpu for _, cpu in took):>8.2f}")


if __name__ == "__main__":
    main()
