"""Answers questions about workloads, a line each: the planner's work, in a process of its own.

    python -m repairai.hardware.dry_run < questions > answers

A question is `{"workload": {...}, "config": {...}}`, its answer `{"demand": {...}}`, `{"impossible": "..."}` where such
a step cannot be, or `{"refused": "..."}` where the model is of a family that is not known.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from repairai.hardware.models import kind_of
from repairai.hardware.workload import Demand, Workload

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

MOST_BYTES = 6 * 2**30
"""Of memory that this process may ask for; while it answered for the built-in models it held about half a GiB."""

ROOMS = {"detector": "detectors", "segmenter": "detectors", "seeing": "vision_language", "language": "language"}


def room(work: Workload, config: dict[str, Any]) -> str:
    """Return the name of the module that runs a workload of a model."""
    name = ROOMS[kind_of(config)]
    return "generation" if (name, work.method) == ("language", "inference") else name


def answer(line: str) -> dict[str, Any]:
    """Return the answer to one question."""
    asked = json.loads(line)
    work, config = Workload(**asked["workload"]), asked["config"]
    module = import_module(f"repairai.hardware.dry_run.{room(work, config)}")
    demand: Callable[[Workload, dict[str, Any]], Demand] = module.demand
    try:
        return {"demand": dataclasses.asdict(demand(work, config))}
    except Exception as error:  # noqa: BLE001  # whatever a model of an unknown shape raises is an answer
        said = " ".join(str(error).split())[:300]
        if "Unrecognized model" in said:
            return {"refused": f"transformers knows no models of type {config.get('model_type')}"}
        ours = isinstance(error, ValueError) and said.startswith("need ")
        return {"impossible": said} if ours else {"refused": f"{type(error).__name__}: {said}"}


def _keep_within_bounds() -> None:
    """Take no more memory than a dry run ever needs, and end with whoever asks, however that one ended."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Answer until there are no more questions."""
    gc.disable()  # which takes a third of the time of importing torch and transformers
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    _keep_within_bounds()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()
        gc.collect()
        gc.freeze()  # what is there now stays


if __name__ == "__main__":
    main()
