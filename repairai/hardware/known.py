"""Works out again what comes with RepairAI: what every way of every built-in model takes.

    python -m repairai.hardware.known

Writes `known.jsonl`, from which the planner answers at once where torch and transformers are the same; a test works a
few of them out anew. Run it when the dry run, the ways or the built-in shapes change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from repairai.files import to_data
from repairai.hardware.memory import KNOWN, estimate, key, libraries
from repairai.hardware.models import built_in
from repairai.hardware.recipe import Task
from repairai.hardware.ways import TASK_OF, brief, candidates, kind_of
from repairai.hardware.workload import Workload


def questions() -> Iterator[Workload]:
    """Yield every workload that a plan for a built-in model may ask about, of those of one shape only one."""
    seen: set[str] = set()
    for model, config in built_in().items():
        task: Task = TASK_OF[kind_of(config)]
        for candidate in candidates(task, model):
            for work in candidate.all:
                name = key(work, config)
                if name not in seen:
                    seen.add(name)
                    yield work
    for row in brief():
        name = key(row.work, built_in()[row.work.model])
        if name not in seen:
            seen.add(name)
            yield row.work


def main() -> None:
    """Work everything out and write it."""

    def told(done: int, of: int) -> None:
        sys.stderr.write(f"\r{done} of {of}")

    found = estimate(list(questions()), told)
    rows = [
        {"key": key(each.work, built_in()[each.work.model]), "demand": to_data(each.demand)}
        for each in found
        if not each.demand.bound
    ]
    lines = [json.dumps(libraries()), *(json.dumps(row) for row in rows)]
    KNOWN.write_text("\n".join(lines) + "\n")
    sys.stderr.write(f"\n{len(rows)} answers are written to {KNOWN.name}\n")


if __name__ == "__main__":
    main()
