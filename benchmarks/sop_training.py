"""Training a small language model on a processor: ours beside `trl sft` with its defaults, and what each lever gives.

    python benchmarks/sop_training.py MODEL DATA [--steps 6]

MODEL is a folder with a Llama-like model, DATA a folder that `training.sop_data` wrote. Both sides train the same
adapters on the same examples for as many optimizer steps, each in a process of its own, one after the other; both
adapters are then judged by the same code on the same held-out examples. After that each lever is tried by itself,
interleaved in one process. Tokens are counted without fill.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from trl import SFTTrainer

from repairai.hardware.recipe import Recipe, saved
from repairai.hardware.workload import Workload
from training.sop.examples import Example, read_examples
from training.sop.model import load_base
from training.sop.rows import rows
from training.sop.tokens import Tokens, tokens
from training.sop.trainer import SopTrainer, make_trainer

BATCH, LENGTH, RATE = 8, 1024, 1e-3
REPEATS = 5
GIB_OF_KIB = 2**20


@dataclass(frozen=True)
class Side:
    """What one side took: seconds of the training loop, seconds with all that comes before it, peak memory in GiB."""

    seconds: float
    whole_seconds: float
    gib: float
    adapter: Path


def our_step(model: str) -> Workload:
    """Return one step as our recipe for processors has it."""
    return Workload(
        model, "lora", batch=4, accumulation=2, length_tokens=LENGTH, checkpointing=False, optimizer="adamw",
        adapter_precision="fp32",
    )  # fmt: skip


def run(command: list[str], environment: dict[str, str]) -> tuple[str, float, float]:
    """Return what a command printed, its seconds, and the peak memory of the largest process in GiB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        # Both sides alike: threads that spin while they wait would cost whoever shares the machine.
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", **environment}
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        out.seek(0)
        text = out.read()
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} failed:\n{text[-3000:]}")
    return text, time.perf_counter() - began, used.ru_maxrss / GIB_OF_KIB


def ours(model: str, data: Path, steps: int, place: Path) -> Side:
    """Train with our recipe for processors."""
    recipe = Recipe(
        "sop", our_step(model), 1.0, RATE, data=str(data), max_steps=steps, packing=False, schedule="constant",
        warmup=0.0, patience=0, eval_steps=steps,
    )  # fmt: skip
    saved(place / "ours.yaml", recipe)
    home = place / "home"
    command = [sys.executable, "-m", "training.sop_train", str(place / "ours.yaml")]
    text, whole, gib = run(command, {"REPAIRAI_HOME": str(home)})
    return Side(train_seconds(text), whole, gib, home / "runs" / "ours" / "model")


def theirs(model: str, data: Path, steps: int, place: Path) -> Side:
    """Train with `trl sft`: only the adapters, the step and the rate are set as ours, all else is its default."""
    command = [
        str(Path(sys.executable).with_name("trl")), "sft", "--model_name_or_path", model, "--dataset_name", str(data),
        "--output_dir", str(place / "theirs"), "--max_steps", str(steps), "--learning_rate", str(RATE),
        "--lr_scheduler_type", "constant", "--use_peft", "--lora_r", "16", "--lora_alpha", "16", "--use_rslora",
        "--lora_dropout", "0.0", "--lora_target_modules", "all-linear", "--report_to", "none", "--use_cpu",
    ]  # fmt: skip
    text, whole, gib = run(command, {})
    return Side(train_seconds(text), whole, gib, place / "theirs")


def train_seconds(text: str) -> float:
    """Return the seconds of the training loop that a Trainer printed."""
    (line,) = [line for line in text.splitlines() if "train_runtime" in line]
    return float(line.split("'train_runtime': ")[1].split(",")[0].strip("'"))


def first_step(run: Path) -> tuple[float, float]:
    """Return when a run's process began and when its first step was made, in seconds since 1970."""
    began = json.loads((run / "process.json").read_text())["started"]
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return began, next(line["time"] for line in lines if "loss" in line)


def held_out(model: str, adapter: Path | None, judged: list[Tokens]) -> float:
    """Return the mean loss of the trained tokens of examples that were not trained on."""
    base, tokenizer = load_base(model)
    whole = PeftModel.from_pretrained(base, adapter) if adapter else base
    trainer = plain_trainer(whole, tokenizer, judged, our_step(model))
    whole.eval()
    total = count = 0.0
    with torch.no_grad():
        for each in trainer.train_dataset:
            batch = trainer.data_collator([each])
            n = int((batch["labels"][:, 1:] >= 0).sum())
            with trainer.precision():
                total += n * float(SopTrainer.compute_loss(trainer, whole, batch))
            count += n
    return total / count


def plain_trainer(model: Any, tokenizer: Any, made: list[Tokens], step: Workload) -> SopTrainer:
    """Return a trainer that is only used for its parts."""
    data = rows([(each.input_ids, each.labels) for each in made], step.length_tokens, packing=False)
    recipe = Recipe("sop", step, 1.0, RATE, max_steps=1, patience=0, packing=False)
    recipe = recipe if not hasattr(model, "peft_config") else replace(recipe, step=replace(step, method="full"))
    return make_trainer(recipe, model, tokenizer, (data, None), Path(tempfile.mkdtemp()), [])


# ---- levers


def levers(model: str, made: list[Tokens]) -> list[tuple[str, float]]:
    """Return the tokens a second of each lever on top of those before it, median of interleaved repeats."""
    step = our_step(model)
    stock = replace(step, precision="fp32", checkpointing=True)
    order = list(range(len(made)))
    random.Random(0).shuffle(order)
    order = order[: BATCH * REPEATS]
    by_length = sorted(order, key=lambda at: len(made[at].input_ids))
    shuffled = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    alike = [by_length[at : at + BATCH] for at in range(0, len(by_length), BATCH)]
    slow, quick = loaded(stock, made), loaded(step, made)
    ways: list[tuple[str, Callable[[int], float]]] = [
        ("trl's defaults", lambda n: one(slow, shuffled[n], BATCH, theirs_too=True, checkpointing=True)),
        ("only trained tokens scored", lambda n: one(slow, shuffled[n], BATCH, checkpointing=True)),
        ("no checkpointing", lambda n: one(slow, shuffled[n], BATCH)),
        ("weights in bf16", lambda n: one(quick, shuffled[n], BATCH)),
        ("rows of like length, 4 at a time", lambda n: one(quick, alike[n], 4)),
    ]
    taken: dict[str, list[float]] = {name: [] for name, _ in ways}
    for n in range(len(shuffled)):
        for name, way in ways:
            taken[name].append(way(n))
    count = sum(len(made[at].input_ids) for at in order)
    return [(name, count / sum(seconds)) for name, seconds in taken.items()]


def loaded(step: Workload, made: list[Tokens]) -> SopTrainer:
    """Return a trainer of a step with its model."""
    model, tokenizer = load_base(step.model, precision=step.precision)
    trainer = plain_trainer(model, tokenizer, made, step)
    trainer.args.bf16 = True
    return trainer


def one(trainer: SopTrainer, at: list[int], batch: int, theirs_too: bool = False, checkpointing: bool = False) -> float:
    """Return the seconds that some examples take, forward and back."""
    if checkpointing:
        trainer.model.gradient_checkpointing_enable({"use_reentrant": False})
        trainer.model.enable_input_require_grads()
    else:
        trainer.model.gradient_checkpointing_disable()
    trainer.model.train()
    loss_of = SFTTrainer.compute_loss if theirs_too else SopTrainer.compute_loss
    began = time.perf_counter()
    for start in range(0, len(at), batch):
        inputs = trainer.data_collator([trainer.train_dataset[row] for row in at[start : start + batch]])
        if theirs_too:
            inputs.pop("n_tokens")
        with trainer.precision():
            loss = loss_of(trainer, trainer.model, inputs)
        loss.backward()
    trainer.model.zero_grad(set_to_none=True)
    return time.perf_counter() - began


# ---- the command


def as_trl_wants(data: Path, place: Path, steps: int) -> tuple[Path, list[Example]]:
    """Write the examples that are trained on as prompts and completions, and return them."""
    examples = read_examples(data / "train.jsonl")
    random.Random(7).shuffle(examples)
    examples = examples[: steps * BATCH]
    folder = place / "prompts"
    folder.mkdir()
    lines = [json.dumps({"prompt": each.prompt, "completion": list(each.messages[-1:])}) for each in examples]
    (folder / "train.jsonl").write_text("\n".join(lines))
    same = place / "data"
    same.mkdir()
    chosen = {json.dumps([dict(m) for m in each.messages]) for each in examples}
    kept = [
        line
        for line in (data / "train.jsonl").read_text().splitlines()
        if json.dumps(json.loads(line)["messages"]) in chosen
    ]
    (same / "train.jsonl").write_text("\n".join(kept))
    return folder, examples


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        prompts, examples = as_trl_wants(chosen.data, place, chosen.steps)
        _, tokenizer = load_base(chosen.model)
        made = [tokens(each, tokenizer, LENGTH) for each in examples]
        judged = [tokens(each, tokenizer, LENGTH) for each in read_examples(chosen.data / "val.jsonl")][:40]
        count = sum(len(each.input_ids) for each in made)
        print(f"{len(examples)} examples, {count} tokens, {chosen.steps} steps, {torch.get_num_threads()} threads")
        sides = {
            "trl sft": theirs(chosen.model, prompts, chosen.steps, place),
            "RepairAI": ours(chosen.model, place / "data", chosen.steps, place),
        }
        print(f"{'':<10} {'tokens/s':>9} {'loop s':>8} {'whole s':>8} {'peak GiB':>9} {'held-out loss':>14}")
        print(f"{'untrained':<10} {'':>9} {'':>8} {'':>8} {'':>9} {held_out(chosen.model, None, judged):14.3f}")
        for name, side in sides.items():
            loss = held_out(chosen.model, side.adapter, judged)
            line = f"{name:<10} {count / side.seconds:9.0f} {side.seconds:8.1f} {side.whole_seconds:8.1f}"
            print(f"{line} {side.gib:9.2f} {loss:14.3f}")
        began, first = first_step(place / "home" / "runs" / "ours")
        print(f"from its start to its first step RepairAI took {first - began:.1f} s, the try of the longest in it")
        ratio = sides["trl sft"].seconds / sides["RepairAI"].seconds
        print(f"RepairAI trains {ratio:.2f} times the tokens a second of trl sft")
        found = levers(chosen.model, made)
        print(f"\nlever by lever, forward and back, median load of {REPEATS} interleaved rounds:")
        for (name, rate), before in zip(found, [found[0], *found], strict=False):
            print(f"{name:<34} {rate:7.0f} tokens/s  x{rate / before[1]:.2f}  in all x{rate / found[0][1]:.2f}")
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB_OF_KIB:.2f} GiB")


if __name__ == "__main__":
    main()
