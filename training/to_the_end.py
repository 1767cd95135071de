"""Trains to the end, to a stop or to a fault: what is the same whatever is trained, and writes down how it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.runs.checkpoints import last_whole
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import forget_after
from training.out_of_memory import let_go
from training.took import Took
from training.watch import Watch, held_gib

Kind = TypeVar("Kind")


def train_to_the_end(
    trainer: Any, folder: RunFolder, recipe: Recipe, journal: Journal | None, save: Callable[[], None], *,
    looks: bool, rather: str, worst: str = "largest", go_on: Callable[[Path], None] = lambda _: None,
) -> Took:  # fmt: skip
    """Try the worst step, then train, from the last whole checkpoint on where there is one; return what it took.

    Args:
        trainer: Of transformers, with `try_worst`, and with `Watch` and `Took` among its callbacks.
        folder: Of the run.
        recipe: With the batch that fits.
        journal: Of the run; None in all but the first process of a training on several GPUs.
        save: Writes the model; it is called where the training was not left before its end.
        looks: Whether there is anything to judge with, so that a new run is judged before its first step.
        rather: What to use for numbers that hold more: "bf16 in place of fp16".
        worst: What the worst step is.
        go_on: Loads from a checkpoint what the trainer does not.

    Raises:
        RepairError: The loss is no number.
        Asked: It was asked to stop or to pause.
    """
    watch, took = _callback(trainer, Watch), _callback(trainer, Took)
    tell_phase(journal, f"trying the {worst} step")
    seconds = trainer.try_worst()
    if journal:
        text = f"the {worst} batch took {seconds:.1f} s, and {held_gib():.2f} GiB at most; it fits"
        journal.event("first_step", text, seconds=seconds, memory_gib=held_gib())
    begin = last_whole(folder)
    if begin is None:
        trainer.args.eval_on_start = looks
    else:
        go_on(begin.path)
    if journal:
        forget_after(folder.metrics, begin.step if begin else -1)
        if begin:
            journal.event("resumed", f"goes on from step {begin.step}", step=begin.step)
    trainer.train(resume_from_checkpoint=str(begin.path) if begin else None)
    step = trainer.state.global_step
    if watch.fault:
        raise RepairError(
            f"training ended: {watch.fault}",
            f"halve learning_rate ({recipe.learning_rate:g}), or use {rather}, and start again",
        )
    if watch.asked:
        raise Asked(watch.asked)
    save()
    if journal:
        ended = "" if step >= trainer.state.max_steps else " early, since it no longer got better"
        journal.end("finished", "finished", f"trained {step} steps{ended}", "", step)
    return took


def _callback(trainer: Any, kind: type[Kind]) -> Kind:
    return next(each for each in trainer.callback_handler.callbacks if isinstance(each, kind))


def tell_phase(journal: Journal | None, name: str) -> None:
    """Write down what a training is at, and leave where that is asked.

    Raises:
        Asked: To stop or to pause.
    """
    if journal:
        journal.check()
        journal.phase(name)


def let_go_of(trainer: Any) -> None:
    """Give back the memory of a trainer that has saved its model: two models at once may be one too many."""
    trainer.accelerator.free_memory()
    trainer.model = trainer.model_wrapped = trainer.optimizer = trainer.lr_scheduler = None
    let_go()
