"""Step 2 of the SOP agent: examples and a recipe to a trained model.

    python -m training.sop_train training/recipes/sop_smollm2-135m_lora_cpu.yaml

Reads the recipe's data folder, as `sop_data` writes it. Writes a run's folder: figures, log, checkpoints and, at the
end, `model`. Given such a folder it goes on from its last whole checkpoint. It can be watched and steered from the page
and with `python -m repairai runs ...`, whoever started it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import transformers
from datasets import Dataset

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.checkpoints import remove_halves
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal
from training.arguments import NOT_SHARED
from training.given import push_where_asked, training_run
from training.out_of_memory import train_until_it_fits
from training.sop.check import after_training, look
from training.sop.examples import read_examples
from training.sop.model import find_model, load_base
from training.sop.rows import rows
from training.sop.tokens import tokens
from training.sop.trainer import SopTrainer, make_trainer
from training.to_the_end import let_go_of, tell_phase, train_to_the_end
from training.took import Took
from training.watch import Watch

COMMAND = [sys.executable, "-m", "training.sop_train", "{run}"]
LAUNCHED = {"RANK", "ACCELERATE_MIXED_PRECISION"}
"""What a launcher of several processes says to each: one that has been launched launches no more."""


Prepare = Callable[[RunFolder, Recipe, "Journal | None"], SopTrainer]


def train(folder: RunFolder, journal: Journal | None, prepare: Prepare | None = None) -> None:
    """Train what a run's recipe says, from its last whole checkpoint on where there is one.

    Args:
        folder: Of the run.
        journal: Open; None in all but the first process of a training on several GPUs.
        prepare: Makes the trainer; None: with transformers and peft as they are.

    Raises:
        RepairError: Something is not as the recipe says, or it does not fit.
        Asked: It was asked to stop or pause before its first step, or while it was judged.
    """
    recipe = read_recipe(folder.recipe)
    _refuse(recipe)
    remove_halves(folder)
    fewer = max(recipe.step.length_tokens // 2, 16)
    train_until_it_fits(
        folder,
        recipe,
        journal,
        lambda settled: (prepare or _prepared)(folder, settled, journal),
        lambda trainer, settled: _run(trainer, folder, settled, journal),
        f"one row of {recipe.step.length_tokens} tokens does not fit into memory; set length_tokens to {fewer}, "
        f"or plan again for a smaller model",
    )


def _refuse(recipe: Recipe) -> None:
    """Refuse what this script does not train."""
    if recipe.task != "sop" or recipe.step.method not in ("full", "lora", "qlora"):
        raise RepairError(
            f"the recipe is for {recipe.task} by {recipe.step.method}, and this trains the SOP agent",
            "give one with task: sop, and the method full, lora or qlora",
        )
    if not recipe.data:
        raise RepairError("the recipe names no data", "build some with `python -m repairai data build`")


def _prepared(folder: RunFolder, recipe: Recipe, journal: Journal | None) -> SopTrainer:
    """Return the trainer, with all that it needs loaded."""
    tell_phase(journal, "loading the model")
    step = recipe.step
    whole = step.method == "full" and step.master_weights  # weights in fp32, computed with in less
    model, tokenizer = load_base(
        step.model, recipe.revision, "fp32" if whole else step.precision, step.method == "qlora", step.double_quant,
        step.attention,
    )  # fmt: skip
    if not hasattr(model, "get_output_embeddings") or model.get_output_embeddings() is None:
        raise RepairError(f"{step.model} is no model that writes text", "give a language model")
    tell_phase(journal, "reading the data")
    data = read_rows(recipe, tokenizer, journal)
    watch = Watch(journal)
    trainer = make_trainer(recipe, model, tokenizer, data, folder.checkpoints, [watch, Took()])
    if journal:
        journal.event("model", **_model_words(trainer, recipe))
    return trainer


def _model_words(trainer: SopTrainer, recipe: Recipe) -> dict[str, Any]:
    """Return what is known of the model that is trained, down to the commit where it came from the Hub."""
    trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    folder = find_model(recipe.step.model, recipe.revision)
    commit = folder.name if folder.parent.name == "snapshots" else ""
    return {"text": f"{recipe.step.model}, of which {trained / 1e6:.2f} million numbers are trained", "commit": commit}


def read_rows(recipe: Recipe, tokenizer: Any, journal: Journal | None) -> tuple[Dataset, Dataset | None]:
    """Return a recipe's data as rows of tokens: to train on, and to judge with (None where there is no `val.jsonl`).

    Raises:
        RepairError: They are not there, or are none.
    """
    data, length = expanded(recipe.data), recipe.step.length_tokens
    found: list[Dataset] = []
    for name in ("train", "val"):
        path = data / f"{name}.jsonl"
        if name == "val" and not (path.is_file() and path.stat().st_size):
            return found[0], None
        made = [tokens(example, tokenizer, length) for example in read_examples(path)]
        cut = sum(each.cut for each in made)
        kept = [(each.input_ids, each.labels) for each in made if any(label >= 0 for label in each.labels)]
        if not kept:
            raise RepairError(
                f"no example of {path.name} has an answer within {length} tokens", "raise length_tokens in the recipe"
            )
        found.append(rows(kept, length, recipe.packing))
        if journal:
            what = (
                f"{name}: {len(kept)} examples in {len(found[-1])} rows of at most {length} tokens, {cut} answers cut"
            )
            sha = hashlib.sha256(path.read_bytes()).hexdigest()
            journal.event("data", what, examples=len(kept), rows=len(found[-1]), cut=cut, sha256=sha)
    return found[0], found[1]


def _run(trainer: SopTrainer, folder: RunFolder, recipe: Recipe, journal: Journal | None) -> None:
    took = train_to_the_end(
        trainer, folder, recipe, journal, lambda: _save(trainer, folder, recipe, journal),
        looks=trainer.eval_dataset is not None, rather="bf16 in place of fp16", worst="longest",
    )  # fmt: skip
    if journal:
        took.tell(journal, recipe.step)


def _save(trainer: SopTrainer, folder: RunFolder, recipe: Recipe, journal: Journal | None) -> None:
    """Write the model whole or not at all, the best one where there was one, and see that it can be used."""
    tell_phase(journal, "saving the model")
    made = folder.path / "model.part"
    trainer.save_model(str(made))
    if journal is None:
        return
    for name in NOT_SHARED:
        (made / name).unlink(missing_ok=True)
    sources = expanded(recipe.data) / "sources.json"
    if sources.is_file():  # whose text it has learned goes with it
        shutil.copy(sources, made / "sources.json")
    shutil.rmtree(folder.model, ignore_errors=True)
    made.rename(folder.model)
    tell_phase(journal, "trying the model")
    seen = look(trainer.model, trainer.processing_class, recipe)
    let_go_of(trainer)
    for sentence in after_training(folder.path, seen):
        journal.event("check", sentence)


# ---- the command


def on_several(gpus: int, folder: Path) -> list[str]:
    """Return the command that trains a run on several GPUs: one process for each, started by accelerate."""
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(gpus), "--num_machines", "1"]
    return [*launch, "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "training.sop_train", str(folder)]


def run(folder: RunFolder, prepare: Prepare | None = None, first: bool = True, program: str = "sop_train") -> int:
    """Train a run to whatever end, say which in a sentence, and return the exit code.

    Args:
        folder: Of the run.
        prepare: Makes the trainer, see `train`.
        first: It is the first of all processes that train, the one that writes the run's folder.
        program: What it is called in what is said.
    """
    transformers.logging.set_verbosity_warning()
    try:
        with Journal(folder) if first else nullcontext() as journal:
            train(folder, journal, prepare)
    except Asked as asked:
        print(f"it was asked to {asked}")
        return 1
    except (RepairError, MemoryError) as error:
        print(f"training.{program}: {error}", file=sys.stderr)
        return 2 if isinstance(error, RepairError) else 1
    print(f"the model is in {folder.model}")
    if first:
        push_where_asked(folder)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="RECIPE|RUN", help="a recipe, or a run's folder to go on with")
    parser.add_argument("--name", default="", help="of a new run; else it is called as its recipe")
    chosen = parser.parse_args(arguments)
    try:
        folder = training_run(chosen.path, chosen.name, COMMAND, _refuse)
        gpus = read_recipe(folder.recipe).gpus
    except RepairError as error:
        print(f"training.sop_train: {error}", file=sys.stderr)
        return 2
    if gpus > 1 and not os.environ.keys() & LAUNCHED:
        os.execv(sys.executable, on_several(gpus, folder.path))
    return run(folder, first=os.environ.get("RANK", "0") == "0")


if __name__ == "__main__":
    sys.exit(main())
