"""Works out again what comes with RepairAI: what every way of every built-in model takes.

    python -m repairai.hardware.known

Writes `known.jsonl.gz`, from which the planner answers at once where torch and transformers are the same; a test works
a few of them out anew. Run it when the dry run, the ways or the built-in shapes change: it takes half an hour.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator

from repairai.files import to_data
from repairai.hardware.memory import KNOWN, estimate, key, libraries
from repairai.hardware.models import built_in, kind_of
from repairai.hardware.recipe import Task
from repairai.hardware.ways import TASK_OF, brief, candidates
from repairai.hardware.workload import Workload

MODELS = (
    "meta-llama/Meta-Llama-3-8B", "meta-llama/Llama-3.2-3B", "meta-llama/Llama-3.2-1B", "mistralai/Mistral-7B-v0.3",
    "Qwen/Qwen2.5-3B", "Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-0.5B", "HuggingFaceTB/SmolLM2-360M",
    "PekingU/rtdetr_v2_r50vd", "PekingU/rtdetr_v2_r18vd", "IDEA-Research/grounding-dino-tiny",
    "google/paligemma-3b-pt-224", "HuggingFaceTB/SmolVLM-500M-Instruct", "HuggingFaceTB/SmolVLM-256M-Instruct",
)  # fmt: skip
"""Those that most begin with, and those that plans for them go down to; for the others a plan takes some seconds."""


def questions() -> Iterator[Workload]:
    """Yield every workload that a plan for one of `MODELS` may ask about."""
    seen: set[str] = set()
    for model in MODELS:
        config = built_in()[model]
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
    KNOWN.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    sys.stderr.write(f"\n{len(rows)} answers are written to {KNOWN.name}\n")


if __name__ == "__main__":
    main()
