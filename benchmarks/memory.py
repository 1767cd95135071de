"""How near the planner comes to measured memory, beside other tools on the same rows; and to real steps on this CPU.

    python benchmarks/memory.py [--rivals PYTHON]

The rows are those of `benchmarks/measured_steps.json`: real runs on a T4, published by others. `--rivals` names the
Python of an environment with fitcheck-llm 0.3.1, ftuneai 0.4.1 and canifinetune 0.4.1, which `memory_rivals.py` asks;
accelerate is asked here. Nothing of ours was fitted to any row; fitcheck's constants were, to those marked `seen`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from accelerate.commands.estimate import estimate_training_usage
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from repairai.hardware.dry_run.language import demand
from repairai.hardware.memory import SPREAD
from repairai.hardware.workload import Workload

HERE = Path(__file__).parent
MEASURED = json.loads((HERE / "measured_steps.json").read_text())
ROWS = MEASURED["rows"]
MIB = 2**20
REAL = {
    "full, plain": {"checkpointing": False, "loss": "full"},
    "full, checkpointing": {"checkpointing": True, "loss": "full"},
    "full, eager attention": {"checkpointing": False, "loss": "full", "attention": "eager"},
    "full, batch 4": {"checkpointing": False, "loss": "full", "batch": 4},
}
"""Steps that are run for real on this CPU, in fp32 with AdamW."""
SHAPE = {
    "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 12,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 16384, "tie_word_embeddings": True,
}  # fmt: skip
CHILD = """
import json, sys, torch
from transformers import AutoConfig, AutoModelForCausalLM
asked = json.loads(sys.argv[1])
def status(name):
    return int([line.split()[1] for line in open("/proc/self/status") if line.startswith(name)][0])
def step(layers, length):
    settings = AutoConfig.for_model(**{**asked["shape"], "num_hidden_layers": layers})
    settings._attn_implementation, settings.use_cache = asked["attention"], False
    model = AutoModelForCausalLM.from_config(settings).train()
    if asked["checkpointing"]:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    ids = torch.zeros(asked["batch"], length, dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[0, 0] = 0  # one example is padded, so that attention has a mask as in the dry run
    for _ in range(2):
        loss = model(input_ids=ids, labels=ids, attention_mask=mask).loss
        loss.backward()
        del loss
        optimizer.step()
        optimizer.zero_grad()
step(1, 32)  # what libraries set up once is no part of a step
before = status("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
step(asked["shape"]["num_hidden_layers"], asked["length"])
print((status("VmHWM") - before) / 1024)
"""
"""A process's own peak: Linux starts its count anew where a 5 is written to `clear_refs`."""


def workload(row: dict[str, Any]) -> Workload:
    """Return the step of a measured run."""
    quantised = row["method"] == "qlora"
    return Workload(
        row["model"], row["method"], batch=row["batch"], length_tokens=row["length_tokens"], rank=row["rank"],
        attention=row["attention"], optimizer="adamw", loss="full_kept", targets="attention", precision="fp16",
        adapter_precision="fp32", double_quant=False, upcast=quantised, autocast=False,
    )  # fmt: skip


def ours() -> list[dict[str, float]]:
    """Return our figures, with the seconds that each took."""
    found = []
    for row in ROWS:
        start = time.perf_counter()
        each = demand(workload(row), MEASURED["shapes"][row["model"]])
        seconds = time.perf_counter() - start
        found.append({"allocated_mib": each.allocated / MIB, "reserved_mib": each.reserved / MIB, "seconds": seconds})
    return found


def accelerates() -> list[dict[str, float]]:
    """Return the figures of `accelerate estimate-memory`, "training using Adam" in float16: it knows no adapters."""
    sizes = {}
    for name, shape in MEASURED["shapes"].items():
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**shape))
        model.tie_weights()
        sizes[name] = sum(parameter.numel() for parameter in model.parameters()) * 2
    found = []
    for row in ROWS:
        start = time.perf_counter()
        usage = estimate_training_usage(sizes[row["model"]], "float16")
        peak = max(value for value in usage.values() if value != -1) / MIB
        found.append({"allocated_mib": peak, "reserved_mib": peak, "seconds": time.perf_counter() - start})
    return found


def rivals(python: str) -> dict[str, list[dict[str, float]]]:
    """Return the figures of the tools in an environment of their own."""
    rows = [
        {
            "model": row["model"], "method": {"lora": "lora-fp16", "qlora": "qlora-nf4"}[row["method"]],
            "attention": row["attention"], "batch": row["batch"], "sequence_length": row["length_tokens"],
            "lora_rank": row["rank"], "targets": "q,k,v,o", "gradient_checkpointing": True,
        }
        for row in ROWS
    ]  # fmt: skip
    asked = json.dumps({"shapes": MEASURED["shapes"], "rows": rows})
    done = subprocess.run(
        [python, str(HERE / "memory_rivals.py")], input=asked, capture_output=True, text=True, check=True
    )
    answer: dict[str, list[dict[str, float]]] = json.loads(done.stdout)
    return answer


def line(name: str, found: list[dict[str, float]], which: Iterable[int]) -> str:
    """Return one tool's errors on some rows."""
    cells = []
    for what in ("allocated_mib", "reserved_mib"):
        errors = [100 * abs(found[i][what] / ROWS[i][what] - 1) for i in which if found[i].get(what) is not None]
        cells.append(f"{statistics.mean(errors):7.2f} {max(errors):7.2f}" if errors else f"{'—':>15}")
    seconds = statistics.median(each["seconds"] for each in found)
    return f"  {name:<28} {cells[0]}   {cells[1]}   {1000 * seconds:8.2f} ms"


def compare(python: str | None) -> None:
    """Print every tool's errors."""
    tools = {"the planner": ours(), "accelerate estimate-memory": accelerates()}
    if python:
        tools |= rivals(python)
    print("error in %, of peak allocated (mean, worst), of peak reserved (mean, worst); time of one estimate")
    for title, role in (("fitcheck's constants were fitted to them", "seen"), ("held out by fitcheck", "held out")):
        which = [number for number, row in enumerate(ROWS) if row["rivals"] == role]
        print(f"{len(which)} runs, {title}")
        for name, found in tools.items():
            print(line(name, found, which))
    inside = [
        each["allocated_mib"] <= row["reserved_mib"] <= SPREAD * each["reserved_mib"]
        for row, each in zip(ROWS, tools["the planner"], strict=True)
    ]
    seen = [within for row, within in zip(ROWS, inside, strict=True) if row["rivals"] == "seen"]
    print(
        f"reserved lies within our band in {sum(seen)} of the first {len(seen)}, in {sum(inside)} of all {len(inside)}"
    )


def real() -> None:
    """Print what steps really take on this CPU beside what the dry run says."""
    quiet = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_ARENA_MAX": "1"}
    print("real steps on this CPU, fp32 with AdamW, 512 tokens: the process's own peak beside the dry run")
    for name, changes in REAL.items():
        work = Workload(
            "real", "full", precision="fp32", optimizer="adamw", autocast=False,
            **{"batch": 2, "length_tokens": 512, **changes},
        )  # fmt: skip
        asked = {
            "shape": SHAPE, "attention": work.attention, "checkpointing": work.checkpointing, "batch": work.batch,
            "length": work.length_tokens,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", CHILD, json.dumps(asked)],
            capture_output=True, text=True, check=True, env={**os.environ, **quiet, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        found = demand(work, SHAPE)
        planned = (found.allocated - found.terms["workspace"]) / MIB
        took = float(done.stdout.split()[-1])
        print(f"  {name:<24} planned {planned:7.0f} MiB, took {took:7.0f} MiB: {100 * (planned / took - 1):+5.1f} %")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", metavar="PYTHON", help="the Python of the other tools' environment")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    compare(chosen.rivals)
    real()


if __name__ == "__main__":
    main()
