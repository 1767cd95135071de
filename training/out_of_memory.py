"""Trains until it fits: where memory runs out, half as many examples go through at once, twice as often."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from repairai.hardware.recipe import Recipe
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal, is_out_of_memory


def train_until_it_fits(
    folder: RunFolder,
    recipe: Recipe,
    journal: Journal | None,
    prepare: Callable[[Recipe], Any],
    run: Callable[[Any, Recipe], None],
    too_large: str,
) -> None:
    """Train a run with the batch that fits.

    Args:
        folder: Of the run.
        recipe: As it was read.
        journal: Of the run; None in all but the first process of a training on several GPUs.
        prepare: Makes the trainer of a recipe.
        run: Trains with it to the end, a stop or a fault.
        too_large: What to say where one example at a time does not fit.

    Raises:
        Asked: It was asked to stop or pause; a checkpoint is there, where a step was made.
        MemoryError: One example at a time does not fit.
    """
    while True:
        trainer = None
        settled = settled_batch(folder, recipe)
        try:
            trainer = prepare(settled)
            run(trainer, settled)
        except Asked as asked:
            _leave(trainer, asked)
            raise
        except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is one of the latter
            if not is_out_of_memory(error):
                raise
            _keep_what_is_there(trainer)
            _halve(settled, journal, f"{too_large} ({' '.join(str(error).split())[:160]})")
            del trainer, error
            let_go()
            continue
        return


def settled_batch(folder: RunFolder, recipe: Recipe) -> Recipe:
    """Return the recipe with the batch that was found to fit: the run's events say to what it was halved."""
    step = recipe.step
    if folder.events.is_file():
        for line in folder.events.read_text(encoding="utf-8", errors="replace").splitlines():
            if '"halved"' in line:
                try:
                    event = json.loads(line)
                    step = replace(step, batch=event["batch"], accumulation=event["accumulation"])
                except (ValueError, KeyError, TypeError):  # a line that was cut: the one before it counts
                    continue
    return replace(recipe, step=step)


def _halve(recipe: Recipe, journal: Journal | None, too_large: str) -> None:
    """Write down that from now on half as many examples go through at once, twice as often.

    Raises:
        MemoryError: It is one already, or there is no journal to write to.
    """
    step = recipe.step
    if step.batch == 1 or journal is None or step.layerwise:
        raise MemoryError(too_large)
    batch = step.batch // 2
    accumulation = -(-step.batch * step.accumulation // batch)
    journal.event(
        "halved",
        f"memory ran out: {batch} at a time from now on, {accumulation} times for a step, which learns the same",
        batch=batch, accumulation=accumulation,
    )  # fmt: skip


def _keep_what_is_there(trainer: Any) -> None:
    """Save a checkpoint of the steps that were made, as far as memory allows it."""
    if trainer is None or trainer.state.global_step == 0 or trainer.optimizer is None:
        return
    if (Path(trainer.args.output_dir) / f"checkpoint-{trainer.state.global_step}").is_dir():
        return
    trainer.model.zero_grad(set_to_none=True)
    let_go()
    try:
        _checkpoint(trainer)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise


def _checkpoint(trainer: Any) -> None:
    trainer._save_checkpoint(trainer.model, trial=None)
    trainer.callback_handler.on_save(trainer.args, trainer.state, trainer.control)


def _leave(trainer: Any, asked: Asked) -> None:
    """Save a checkpoint where it was asked to leave in the middle of an evaluation."""
    if trainer is not None and trainer.state.global_step and trainer.optimizer is not None:
        step = trainer.state.global_step
        if not (Path(trainer.args.output_dir) / f"checkpoint-{step}" / "whole").is_file():
            _checkpoint(trainer)


def let_go() -> None:
    """Give memory back that nothing uses any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
