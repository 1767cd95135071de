"""Step 2 of the SOP agent with axolotl: our recipe as its configuration, its training watched and steered as ours is.

    python -m training.in_environment axolotl RECIPE

Started so, in the environment of axolotl's own; it goes on there as `python -m training.axolotl_train RUN`. It writes
the examples as tokens, the same that the other backends train on, and `axolotl.yaml` into the run's folder, and starts
axolotl's own training on it in this process, with a plugin that writes the figures and obeys what is asked.

What is tested is LoRA and full training on a processor, in fp32. On a GPU it was never run, for want of one: there the
configuration was held against axolotl's schema, and no more. The longest step is not tried before the first, and a
batch that does not fit is not halved, as `sop_train` does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from repairai.errors import RepairError
from repairai.files import expanded, write_whole
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.checkpoints import last_whole, remove_halves
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import forget_after
from training.axolotl_plugin import Watched
from training.axolotl_recipe import as_axolotl, text_of
from training.sop.check import after_training, look
from training.sop.examples import read_examples
from training.sop.model import find_model, load_tokenizer
from training.sop.tokens import tokens
from training.watch import Watch

MADE = ("adapter_config.json", "adapter_model*", "model*.safetensors*", "config.json", "generation_config.json")


def train(folder: RunFolder, journal: Journal | None) -> None:
    """Train what a run's recipe says with axolotl, from its last whole checkpoint on where there is one.

    Args:
        folder: Of the run.
        journal: Open; None in all but the first process of a training on several GPUs.

    Raises:
        RepairError: Something is not as the recipe says, or axolotl does not take it.
        Asked: It was asked to stop or pause.
    """
    recipe = read_recipe(folder.recipe)
    _phase(journal, "reading the data")
    model = find_model(recipe.step.model, recipe.revision)
    os.environ["HF_HUB_OFFLINE"] = "1"  # all of it is here now
    config = folder.path / "axolotl.yaml"
    if journal:
        remove_halves(folder)
        _prepare(folder, recipe, model, journal, config)
    watch = Watched.watch = Watch(journal)
    _phase(journal, "loading the model")
    try:
        _start(config)
    except Asked:
        _save_where_left()
        raise
    if watch.fault:
        raise RepairError(
            f"training ended: {watch.fault}", f"halve learning_rate ({recipe.learning_rate:g}) and start again"
        )
    if watch.asked:
        raise Asked(watch.asked)
    if journal:
        _keep(folder, recipe, model, journal)


def _start(config: Path) -> None:
    """Run axolotl's training to its end."""
    from axolotl.cli.train import do_cli  # noqa: PLC0415  # it looks at the environment as it is imported

    do_cli(config=str(config))


def _prepare(folder: RunFolder, recipe: Recipe, model: Path, journal: Journal, config: Path) -> None:
    """Write the tokens and the configuration, and forget the figures of steps that will be made anew."""
    judged = write_tokens(folder, recipe, load_tokenizer(model), journal)
    begin = last_whole(folder)
    made = as_axolotl(
        recipe, str(model), folder.path, gpu=torch.cuda.is_available(), judged=judged, resume=begin and begin.path
    )
    write_whole(config, text_of(made).encode())
    forget_after(folder.metrics, begin.step if begin else -1)
    if begin:
        journal.event("resumed", f"goes on from step {begin.step}", step=begin.step)


def write_tokens(folder: RunFolder, recipe: Recipe, tokenizer: Any, journal: Journal) -> bool:
    """Write a recipe's examples as tokens into the run's folder, and return whether there are some to judge with.

    Raises:
        RepairError: They are not there, or are none.
    """
    data, length = expanded(recipe.data), recipe.step.length_tokens
    for name in ("train", "val"):
        path = data / f"{name}.jsonl"
        if name == "val" and not (path.is_file() and path.stat().st_size):
            return False
        made = [tokens(example, tokenizer, length) for example in read_examples(path)]
        kept = [each for each in made if any(label >= 0 for label in each.labels)]
        if not kept:
            raise RepairError(
                f"no example of {path.name} has an answer within {length} tokens", "raise length_tokens in the recipe"
            )
        rows = [
            {"input_ids": each.input_ids, "attention_mask": [1] * len(each.input_ids), "labels": each.labels}
            for each in kept
        ]
        write_whole(folder.path / "axolotl" / f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
        cut = sum(each.cut for each in made)
        journal.event("data", f"{name}: {len(kept)} examples, {cut} answers cut", examples=len(kept), cut=cut)
    return True


def _save_where_left() -> None:
    """Save a checkpoint where it was asked to leave in the middle of an evaluation."""
    trainer = Watched.trainer
    if trainer is None or not trainer.state.global_step or trainer.optimizer is None:
        return
    if not (Path(trainer.args.output_dir) / f"checkpoint-{trainer.state.global_step}" / "whole").is_file():
        trainer._save_checkpoint(trainer.model, trial=None)
        trainer.callback_handler.on_save(trainer.args, trainer.state, trainer.control)


def _keep(folder: RunFolder, recipe: Recipe, model: Path, journal: Journal) -> None:
    """Move the model, which axolotl saves among its checkpoints, to where runs have theirs, and see that it works."""
    trainer, tokenizer = Watched.trainer, load_tokenizer(model)
    seen = look(trainer.model, tokenizer, recipe)
    _phase(journal, "saving the model")
    made = folder.path / "model.part"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for pattern in MADE:
        for path in folder.checkpoints.glob(pattern):
            if path.name == "config.json" and recipe.step.method != "full":
                continue  # of the base, which the adapter names
            shutil.move(path, made / path.name)
    for path in folder.checkpoints.iterdir():
        if path.is_file():
            path.unlink()
    tokenizer.save_pretrained(made)
    sources = expanded(recipe.data) / "sources.json"
    if sources.is_file():
        shutil.copy(sources, made / "sources.json")
    shutil.rmtree(folder.model, ignore_errors=True)
    made.rename(folder.model)
    shutil.rmtree(folder.path / "axolotl", ignore_errors=True)
    _phase(journal, "trying the model")
    for sentence in after_training(folder.path, seen):
        journal.event("check", sentence)
    step = trainer.state.global_step
    early = "" if step >= trainer.state.max_steps else " early, since it no longer got better"
    journal.end("finished", "finished", f"trained {step} steps{early}", "", step)


def _phase(journal: Journal | None, name: str) -> None:
    if journal:
        journal.check()
        journal.phase(name)


def on_several(gpus: int, folder: Path) -> list[str]:
    """Return the command that trains a run on several GPUs: one process for each, started by accelerate."""
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(gpus), "--num_machines", "1"]
    return [*launch, "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "training.axolotl_train", str(folder)]


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run's folder")
    folder = RunFolder(parser.parse_args(arguments).run)
    first = os.environ.get("RANK", "0") == "0"
    try:
        gpus = read_recipe(folder.recipe).gpus
        if gpus > 1 and "RANK" not in os.environ:
            os.execv(sys.executable, on_several(gpus, folder.path))
        with Journal(folder) if first else nullcontext() as journal:
            train(folder, journal)
    except Asked as asked:
        print(f"it was asked to {asked}")
        return 1
    except RepairError as error:
        print(f"training.axolotl_train: {error}", file=sys.stderr)
        return 2
    print(f"the model is in {folder.model}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
