"""Trains a vision-language model to answer questions of state: LoRA, QLoRA, or all of its language side.

`training.judge_train` calls it with a run's folder. What comes of it is a folder that `repairai.judge.reasoner` opens:
the adapter or the model, the tokenizer, how photos are made into pixels, and how the model was taught to read.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from datasets import Dataset

from repairai.errors import RepairError
from repairai.files import write_record
from repairai.hardware.recipe import Recipe
from repairai.judge.photo_prompt import JUDGE_FILE, PhotoPrompt
from repairai.judge.state_set import EXAMPLES, SOURCES, Split, read_state_set
from repairai.judge.vision_language import VisionLanguage
from repairai.named_sets import STATE_SETS
from repairai.runs.checkpoints import remove_halves
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Journal
from training.arguments import NOT_SHARED
from training.judge.vlm_model import load_for_training
from training.judge.vlm_rows import both_ways, evened, read_photo
from training.judge.vlm_trainer import VisionLanguageTrainer, make_trainer
from training.out_of_memory import train_until_it_fits
from training.sop.model import find_model
from training.to_the_end import let_go_of, tell_phase, train_to_the_end
from training.took import Took
from training.watch import Watch

METHODS = ("lora", "qlora", "full")
TRIED = 40
"""Rows of the validation photos that the trained model is asked, both ways round."""


def train(folder: RunFolder, recipe: Recipe, journal: Journal) -> None:
    """Train what a recipe says, from its last whole checkpoint on where there is one.

    Args:
        folder: Of the run.
        recipe: As it was read.
        journal: Open.

    Raises:
        RepairError: Something is not as the recipe says, or it does not fit.
        Asked: It was asked to stop or pause before its first step, or while it was judged.
    """
    refuse(recipe)
    remove_halves(folder)
    train_until_it_fits(
        folder,
        recipe,
        journal,
        lambda settled: _prepared(folder, settled, journal),
        lambda trainer, settled: _run(trainer, folder, settled, journal),
        f"one photo of {recipe.step.image_px} px does not fit into memory; lower image_px, take qlora in place of "
        f"{recipe.step.method}, or plan again for a smaller model",
    )


def refuse(recipe: Recipe) -> None:
    """Refuse what is not trained here.

    Raises:
        RepairError: The recipe is for something else, or asks for what a judge does not bear.
    """
    if recipe.task != "judge" or recipe.step.method not in METHODS:
        raise RepairError(
            f"the recipe is for {recipe.task} by {recipe.step.method}, and this trains judges that see",
            f"give one with task: judge, and the method {', '.join(METHODS[:-1])} or {METHODS[-1]}",
        )
    if recipe.gpus > 1:
        raise RepairError(f"the recipe wants {recipe.gpus} GPUs, and judges are trained on one", "set gpus: 1")
    if not recipe.data:
        raise RepairError("the recipe names no states", "build some with `python -m repairai states build`")


# ---- what is needed


def _prepared(folder: RunFolder, recipe: Recipe, journal: Journal) -> VisionLanguageTrainer:
    """Return the trainer, with all that it needs loaded."""
    tell_phase(journal, "reading the data")
    data = read_rows(STATE_SETS.meant(recipe.data), journal)
    tell_phase(journal, "loading the model")
    model, prompt = load_for_training(recipe)
    trainer = make_trainer(recipe, model, prompt, data, folder.checkpoints, [Watch(journal), Took()])
    trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    found = find_model(recipe.step.model, recipe.revision)
    journal.event(
        "model",
        f"{recipe.step.model}, of which {trained / 1e6:.2f} million numbers are trained, none of them in what sees",
        commit=found.name if found.parent.name == "snapshots" else "",
    )
    return trainer


def read_rows(folder: Path, journal: Journal) -> tuple[Dataset, Dataset | None]:
    """Return a set of states as rows: to train on, and to judge with (None where no photo is for that).

    Raises:
        RepairError: There is no such set, or no example to train on.
    """
    examples = read_state_set(folder)
    sha = hashlib.sha256((folder / EXAMPLES).read_bytes()).hexdigest()
    found: dict[Split, Dataset] = {}
    for split in ("train", "val"):
        own = [each for each in examples if each.split == split]
        rows = both_ways(evened(own) if split == "train" else own, folder)
        if rows:
            found[split] = Dataset.from_list(rows)
            sources = len({each.source for each in own})
            what = f"{split}: {len(own)} examples from {sources} photos, asked both ways round: {len(rows)} rows"
            journal.event("data", what, examples=len(own), rows=len(rows), sources=sources, sha256=sha)
    if "train" not in found:
        raise RepairError(f"{folder.name} has no example to train on", "build it again with more photos")
    return found["train"], found.get("val")


# ---- the training


def _run(trainer: VisionLanguageTrainer, folder: RunFolder, recipe: Recipe, journal: Journal) -> None:
    took = train_to_the_end(
        trainer, folder, recipe, journal, lambda: _save(trainer, folder, recipe, journal),
        looks=trainer.eval_dataset is not None, rather="bf16 in place of fp16",
    )  # fmt: skip
    took.tell(journal, recipe.step)


def _save(trainer: VisionLanguageTrainer, folder: RunFolder, recipe: Recipe, journal: Journal) -> None:
    """Write the model whole or not at all, the best one where there was one, and ask it."""
    tell_phase(journal, "saving the model")
    made = folder.path / "model.part"
    trainer.save_model(str(made))
    keep_beside(made, trainer.prompt)
    sources = STATE_SETS.meant(recipe.data) / SOURCES
    if sources.is_file():  # whose photos it has learned from goes with it
        shutil.copy(sources, made / SOURCES)
    shutil.rmtree(folder.model, ignore_errors=True)
    made.rename(folder.model)
    tell_phase(journal, "trying the model")
    if trainer.eval_dataset is not None:
        journal.event("check", _tried(trainer))
    let_go_of(trainer)


def keep_beside(made: Path, prompt: PhotoPrompt) -> None:
    """Put what belongs to a judge's weights beside them, and take away what is nobody's business.

    Args:
        made: Folder of the weights.
        prompt: Of the model.
    """
    prompt.tokenizer.save_pretrained(made)
    prompt.image_processor.save_pretrained(made)
    write_record(made / JUDGE_FILE, prompt.reading)
    for name in NOT_SHARED:
        (made / name).unlink(missing_ok=True)


def _tried(trainer: VisionLanguageTrainer) -> str:
    """Return in a sentence how many answers about validation photos are right."""
    rows = trainer.eval_dataset
    apart = max(len(rows) // TRIED, 1)
    trainer.model.eval()
    judge = VisionLanguage(trainer.model, trainer.prompt, "the trained model")
    right = tried = unsaid = 0
    for at in range(0, len(rows), apart):
        row = rows[at]
        tried += 1
        try:
            right += (judge.ask(read_photo(row["photo"]), row["question"]) >= 0.5) == (row["answer"] == "yes")
        except RepairError:  # it says neither
            unsaid += 1
    neither = f", and says neither yes nor no to {unsaid}" if unsaid else ""
    return f"Of {tried} questions about photos that it did not learn from it answers {right} rightly{neither}."
