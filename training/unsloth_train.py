"""Step 2 of the SOP agent with unsloth: the same training as `sop_train`, its model loaded and sped up by unsloth.

    python -m training.in_environment unsloth RECIPE

Started so, in the environment of unsloth's own, never by hand from RepairAI's: it goes on there as
`python -m training.unsloth_train RUN`. The run folder, its figures, what can be asked of it, the tokens and the adapter
are those of `sop_train`, so its adapter is loaded by transformers and peft anywhere.

On a processor all of it is stock transformers with unsloth's settings, and rows are packed as in `sop_train`. On a GPU
unsloth puts its own attention in, which does not see where one packed example ends, so there each example has a row of
its own. unsloth quantises the scales of 4-bit blocks too, whatever the recipe says.

unsloth may report to its makers what machine it runs on: that is switched off here.
"""

from __future__ import annotations

# Before transformers, trl and peft, which it changes as they are imported.
import unsloth  # isort: split

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Journal
from training import sop_train
from training.sop.model import ALPHA, DTYPES, find_model, load_tokenizer
from training.sop.trainer import SopTrainer, make_trainer
from training.took import Took
from training.watch import Watch

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
LAYERS = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]


def prepared(folder: RunFolder, recipe: Recipe, journal: Journal | None) -> SopTrainer:
    """Return the trainer of a run, its model by unsloth.

    Args:
        folder: Of the run.
        recipe: With the batch that fits.
        journal: Of the run.

    Raises:
        RepairError: The model or the data are not as the recipe says.
        Asked: It was asked to stop or pause.
    """
    if recipe.gpus > 1:
        raise RepairError("unsloth trains on one GPU here", "set gpus: 1 in the recipe, or backend: trl")
    _phase(journal, "loading the model")
    model, tokenizer = load(recipe)
    _phase(journal, "reading the data")
    if torch.cuda.is_available() and recipe.packing:
        recipe = replace(recipe, packing=False)
        if journal:
            journal.event("unpacked", "on a GPU, unsloth gets one example a row")
    data = sop_train.read_rows(recipe, tokenizer, journal)
    return make_trainer(recipe, model, tokenizer, data, folder.checkpoints, [Watch(journal), Took()])


def load(recipe: Recipe) -> tuple[Any, Any]:
    """Return a recipe's model as unsloth loads it, with its adapters where it trains such, and its tokenizer.

    Raises:
        RepairError: There is no such model, or unsloth does not take it.
    """
    step, full = recipe.step, recipe.step.method == "full"
    folder = find_model(step.model, recipe.revision)
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = os.environ["HF_HUB_OFFLINE"] = "1"  # all of it is here now
    checkpointing = "unsloth" if step.checkpointing else False
    try:
        model, _ = unsloth.FastLanguageModel.from_pretrained(
            model_name=str(folder),
            max_seq_length=step.length_tokens,
            dtype=DTYPES["fp32" if full and step.master_weights else step.precision],
            load_in_4bit=step.method == "qlora",
            full_finetuning=full,
            use_gradient_checkpointing=checkpointing,
            trust_remote_code=False,
        )
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RepairError(f"unsloth does not load {step.model}: {reason}", "take the backend trl") from None
    if not full:
        model = unsloth.FastLanguageModel.get_peft_model(
            model,
            r=step.rank,
            target_modules=LAYERS if step.targets == "all" else ATTENTION,
            lora_alpha=recipe.alpha or ALPHA,
            lora_dropout=recipe.dropout,
            use_rslora=recipe.rslora,
            use_gradient_checkpointing=checkpointing,
            random_state=recipe.seed,
        )
    # Not the one that unsloth returns: it may get tokens of its own, and adapters must fit the model as it is.
    return model, load_tokenizer(folder)


def _phase(journal: Journal | None, name: str) -> None:
    if journal:
        journal.check()
        journal.phase(name)


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run's folder")
    return sop_train.run(RunFolder(parser.parse_args(arguments).run), prepared, program="unsloth_train")


if __name__ == "__main__":
    sys.exit(main())
