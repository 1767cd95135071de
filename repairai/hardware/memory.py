"""Model, method and batch to memory: asks the dry run in processes of its own, and keeps what it answers."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from repairai.errors import RepairError
from repairai.files import from_data, home, to_data, write_whole
from repairai.hardware.bound import bound
from repairai.hardware.kept import recalled
from repairai.hardware.models import METHODS, Kind, find_config, kind_of
from repairai.hardware.workers import WORKERS, ask
from repairai.hardware.workload import Demand, Workload

GIB = 2**30
Device = Literal["cuda", "cpu"]
BESIDE_GIB: dict[Device, tuple[float, float]] = {"cuda": (0.14, 0.6), "cpu": (0.5, 1.3)}
"""What a process takes beside its tensors, at least and at most. CUDA's context took 141 MiB on the T4 of
`benchmarks/measured_steps.json`; the upper end is what newer cards are often seen to take, which we have not measured.
On the CPU it is Python with torch and transformers (0.5 GiB before the first step, 0.7 after it) and, at most, the
scores of words, of which the CPU's loss holds more at once than a GPU's."""
REST: dict[Device, str] = {"cuda": "CUDA context", "cpu": "Python and its libraries"}
HEAP = 1.0
"""What a process on the CPU may hold at most in holes of its heap, as a share of the tensors that come and go in a
step: glibc takes no freed block for an aligned one of the same size, and none for a longer one.

Source:
    SmolLM2-135M with AdamW in the project's own trainer, glibc 2.36: single steps of two rows by LoRA, QLoRA and full
    fine-tuning stay under 0.8, whole trainings of 150 steps took 0.64 (LoRA) and 0.92 (QLoRA), `docs/planner.md`.
    With all blocks mapped on their own (`MALLOC_MMAP_THRESHOLD_`) the holes are gone, so they are what is beside the
    tensors; but each step then takes half as much time again.
"""
SPREAD = 1.08
"""How much more the allocator may hold than its replay says: 24 of the 27 cited runs stay under it."""
NO_MATTER = ("max_position_embeddings", "rope_theta", "rope_scaling", "torch_dtype", "dtype", "transformers_version",
             "architectures", "bos_token_id", "eos_token_id", "pad_token_id", "_name_or_path")  # fmt: skip
"""Keys of a configuration that no step's memory depends on."""
KNOWN = Path(__file__).with_name("known.jsonl.gz")
"""Answers for the models that are built in, as `python -m repairai.hardware.known` writes them."""


@dataclass(frozen=True)
class Estimate:
    """What a workload takes on a GPU.

    Args:
        work: The question.
        demand: The answer, in bytes.
    """

    work: Workload
    demand: Demand

    @property
    def tensors_gib(self) -> float:
        """Return the peak of what PyTorch calls allocated."""
        return self.demand.allocated / GIB

    def held_gib(self, device: Device = "cuda") -> tuple[float, float]:
        """Return what the process will hold at its peak, at least and at most: as `nvidia-smi` shows it, or `top`."""
        low, high = BESIDE_GIB[device]
        passing = max(self.demand.allocated - self.demand.resident, 0)
        most = self.demand.reserved * SPREAD if device == "cuda" else self.demand.allocated + HEAP * passing
        return self.tensors_gib + low, max(most, self.demand.allocated) / GIB + high

    def terms_gib(self, device: Device = "cuda") -> dict[str, float]:
        """Return what the peak is made of: the tensors by kind, what the allocator holds beside them, and the rest.

        They add up to the upper end of `held_gib`.
        """
        terms = {kind: size / GIB for kind, size in self.demand.terms.items()}
        beside = BESIDE_GIB[device][1]
        slack = self.held_gib(device)[1] - beside - sum(terms.values())
        return {**terms, "allocator slack": slack, REST[device]: beside}


def estimate(works: Sequence[Workload], told: Callable[[int, int], None] = lambda done, of: None) -> list[Estimate]:
    """Return what each workload takes.

    Args:
        works: Any number; what was asked before is not run again.
        told: Called with how many of how many are done.

    Raises:
        RepairError: A model is not there, or the dry run cannot be started.
    """
    configs = {model: find_config(model) for model in dict.fromkeys(work.model for work in works)}
    questions = [(work, configs[work.model]) for work in works]
    for work, config in questions:
        _check(work, kind_of(config))
    found = [_recall(work, config) for work, config in questions]
    missing = [number for number, demand in enumerate(found) if demand is None]
    done = len(works) - len(missing)
    told(done, len(works))
    if missing:
        pool = ThreadPoolExecutor(WORKERS)
        answers = [pool.submit(_run, *questions[number]) for number in missing]
        try:
            for number, answer in zip(missing, answers, strict=True):
                found[number] = answer.result()
                done += 1
                told(done, len(works))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after one that failed nobody waits for the others
    return [Estimate(work, demand) for work, demand in zip(works, found, strict=True) if demand is not None]


def _check(work: Workload, kind: Kind) -> None:
    if work.method == "linear_probe":
        raise RepairError(
            "what a linear layer on a frozen backbone takes is not worked out: only the backbone's answers are kept",
            f"choose {' or '.join(METHODS[kind])}, or train it: it needs no graphics card",
        )
    if work.method not in METHODS[kind]:
        raise RepairError(
            f"{work.model} is a {kind} model, for which there is no {work.method} here",
            f"choose {' or '.join(METHODS[kind])}",
        )


# ---- what was asked before


def _recall(work: Workload, config: dict[str, Any]) -> Demand | None:
    name = key(work, config)
    known = _known().get(name)
    if known is not None:
        return known
    return recalled(_kept(name), Demand)


def key(work: Workload, config: dict[str, Any]) -> str:
    """Return a name for a question: the same for all models of one shape."""
    asked = {**to_data(_asked(work)), "model": ""}
    config = {name: value for name, value in config.items() if name not in NO_MATTER}
    return hashlib.sha256(json.dumps([asked, config], sort_keys=True).encode()).hexdigest()[:24]


def _asked(work: Workload) -> Workload:
    """Return the workload that is run: two batches show all that happens with any number of them."""
    return replace(work, accumulation=min(work.accumulation, 2))


def _kept(name: str) -> Path:
    return home() / "planner" / _answerer() / f"{name}.json"


@cache
def _answerer() -> str:
    """Return a name for what answers: the dry run's own source, and the libraries that it runs."""
    sources = sorted((Path(__file__).parent / "dry_run").glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    return f"torch-{version('torch')}-transformers-{version('transformers')}-{digest}"


@cache
def _known() -> dict[str, Demand]:
    """Return the answers that come with RepairAI, where they were found with the libraries that are installed."""
    try:
        head, *lines = gzip.decompress(KNOWN.read_bytes()).decode().splitlines()
        if json.loads(head) != libraries():
            return {}
    except (OSError, EOFError, ValueError, zlib.error):  # not there, or damaged: everything is worked out
        return {}
    rows = (json.loads(line) for line in lines)
    return {row["key"]: from_data(row["demand"], Demand, KNOWN.name) for row in rows}


def libraries() -> dict[str, str]:
    """Return the versions that decide what a step takes: of torch and transformers, to the second number."""
    return {name: ".".join(version(name).split("+")[0].split(".")[:2]) for name in ("torch", "transformers")}


# ---- what was not


def _run(work: Workload, config: dict[str, Any]) -> Demand:
    answer = ask(json.dumps({"workload": to_data(_asked(work)), "config": config}))
    if "impossible" in answer:
        raise RepairError(f"{work.model}: {answer['impossible']}", "change what is named")
    if "refused" in answer:
        return bound(work, config, answer["refused"])
    demand = from_data(answer["demand"], Demand, "the dry run's answer")
    with suppress(RepairError):  # a full disk: it is run again next time
        write_whole(_kept(key(work, config)), json.dumps(to_data(demand)).encode())
    return demand
