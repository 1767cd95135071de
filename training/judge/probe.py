"""Trains a light classifier of states: a linear head for each question, on what a frozen image backbone sees.

The answers of `train` are learned from. How strongly weights are held back, and whether mirrored photos and other light
help, is chosen by cross-validation on them, grouped by source; `val` stays out, since thresholds are chosen on it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from repairai.errors import RepairError
from repairai.files import to_data, write_record
from repairai.hardware.recipe import Recipe
from repairai.judge.classifier import (
    BACKBONE,
    CONFIG,
    WEIGHTS,
    ClassifierConfig,
    Taught,
    load_classifier,
    open_backbone,
)
from repairai.judge.questions import key
from repairai.judge.state_set import SOURCES, StateExample, read_state_set
from repairai.named_sets import STATE_SETS
from repairai.runs.folder import RunFolder
from repairai.runs.journal import Journal
from repairai.runs.metrics import Metric, forget_after
from training.judge.backbone import Backbone, export, load_backbone
from training.judge.features import View, mirrors, read_fitted, seen
from training.judge.logistic import STRENGTHS, USUAL, Table, fit, held_back, loss_of

MOST_VIEWED = 3000
"""Photos above which only the photos themselves are learned from: there are enough of them."""
LEAST_SPREAD = 0.1
"""Of a feature, as a share of the middle one of all: one that hardly ever changes says nothing when it does."""

AS_WELL = 0.005
"""Losses on what was held back, in nats, that are no further apart say nothing for either."""


@dataclass(frozen=True)
class Head:
    """One question with its examples.

    Args:
        taught: The question.
        rows: Numbers of its examples.
        yes: Whether the answer to the question, as it is taught, is yes.
    """

    taught: Taught
    rows: tuple[int, ...]
    yes: tuple[bool, ...]


@dataclass(frozen=True)
class Fitted:
    """What came of one head.

    Args:
        weights: (F,).
        bias: Of yes.
        strength: Of L2.
        views: Whether versions of the photos were learned from, too.
        held_back: Loss on what was held back; None where there were too few sources to hold any back.
        losses: On `train` and on `val`, first of a head that knows nothing, then after each iteration; the latter
            None where there is no `val`.
    """

    weights: NDArray[np.float64]
    bias: float
    strength: float
    views: bool
    held_back: float | None
    losses: tuple[tuple[float, float | None], ...]


def train(folder: RunFolder, recipe: Recipe, journal: Journal) -> None:
    """Train what a recipe with the method `linear_probe` says; the run's model folder is a judge at once.

    Args:
        folder: Of the run.
        recipe: With its states under `data`.
        journal: Open.

    Raises:
        RepairError: The states or the backbone cannot be used.
        Asked: It was asked to stop or to pause: it takes minutes, and begins anew.
    """
    _phase(journal, "reading the states")
    data = STATE_SETS.meant(recipe.data)
    examples = [each for each in read_state_set(data) if each.split in ("train", "val")]
    heads = heads_of(examples)
    journal.event("states", _said(examples, heads), questions=[to_data(each.taught) for each in heads])
    _phase(journal, "loading the backbone")
    made = folder.path / "model.part"
    shutil.rmtree(made, ignore_errors=True)
    backbone = load_backbone(recipe.step.model, recipe.step.image_px, recipe.revision)
    export(backbone, made / BACKBONE)
    learned = fit_heads(data, examples, heads, backbone, made / BACKBONE, journal)
    _phase(journal, "saving the model")
    _tell(folder, learned.fits, heads, journal)
    steps = max(len(each.losses) for each in learned.fits) - 1
    journal.phase("saving the model", steps, steps)  # the photos that were counted before are no steps
    save(made, backbone, heads, learned)
    if (data / SOURCES).is_file():  # whose photos it has learned from goes with it
        shutil.copyfile(data / SOURCES, made / SOURCES)
    load_classifier(made)  # as an inspection does
    shutil.rmtree(folder.model, ignore_errors=True)
    made.rename(folder.model)
    questions = "1 question" if len(heads) == 1 else f"{len(heads)} questions"
    journal.end("finished", "finished", f"learned {questions} in {steps} steps", "", steps)


# ---- questions


def heads_of(examples: Sequence[StateExample]) -> tuple[Head, ...]:
    """Return the questions of a set, each with its examples.

    A question and its opposite are one, and so are questions that differ by a place alone, unless one photo answers
    them differently: then the photo shows all places, and each is a question of its own.

    Raises:
        RepairError: No question has examples of both answers to learn from.
    """
    grouped = _grouped(examples, key)
    clashing = {name for name, rows in grouped.items() if _clashes(examples, rows)}
    if clashing:
        grouped = _grouped(examples, lambda question: _plain(question) if key(question) in clashing else key(question))
    heads = []
    for rows in grouped.values():
        first = examples[rows[0][0]]
        yes = tuple((examples[row].answer == "yes") != turned for row, turned in rows)
        heads.append(Head(Taught(first.question, first.opposite), tuple(row for row, _ in rows), yes))
    whole = [each for each in heads if len(_answers(each, examples)) == 2]
    if not whole:
        raise RepairError(
            "no question has states for training of both answers", "add photos of the other state to the set"
        )
    return tuple(whole)


def _grouped(examples: Sequence[StateExample], same: Callable[[str], str]) -> dict[str, list[tuple[int, bool]]]:
    """Return numbers of examples by question, each with whether it asks the opposite of the first one's."""
    found: dict[str, list[tuple[int, bool]]] = {}
    for number, each in enumerate(examples):
        question, opposite = same(each.question), same(each.opposite)
        if question == opposite:  # they differ by their places alone
            question, opposite = _plain(each.question), _plain(each.opposite)
        turned = question not in found and opposite in found
        found.setdefault(opposite if turned else question, []).append((number, turned))
    return found


def _clashes(examples: Sequence[StateExample], rows: Sequence[tuple[int, bool]]) -> bool:
    answers: dict[str, bool] = {}
    return any(
        answers.setdefault(examples[row].photo, (examples[row].answer == "yes") != turned)
        != ((examples[row].answer == "yes") != turned)
        for row, turned in rows
    )


def _answers(head: Head, examples: Sequence[StateExample]) -> set[bool]:
    return {yes for row, yes in zip(head.rows, head.yes, strict=True) if examples[row].split == "train"}


def _plain(question: str) -> str:
    return " ".join(question.lower().split())


# ---- the heads


@dataclass(frozen=True)
class Learned:
    """All heads, and what features are made even by.

    Args:
        fits: One for each head.
        mean: (F,) taken off.
        scale: (F,) by which they are divided.
    """

    fits: tuple[Fitted, ...]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]


def fit_heads(
    data: Path, examples: Sequence[StateExample], heads: Sequence[Head], backbone: Backbone, network: Path,
    journal: Journal | None = None,
) -> Learned:  # fmt: skip
    """Return the heads of all questions, learned from the examples of `train`.

    Args:
        data: Folder of the set.
        examples: Of `train` and `val`.
        heads: Of `heads_of`.
        backbone: Exported.
        network: The export: what is learned from is seen as it will be at the bench.
        journal: Is told how far it is, and may ask to stop; None for neither.

    Raises:
        RepairError: A photo cannot be read.
        Asked: It was asked to stop or to pause.
    """
    names = sorted({examples[row].photo for head in heads for row in head.rows})
    place = {name: number for number, name in enumerate(names)}

    def tell(phase: str, done: int, total: int) -> None:
        if journal:
            journal.check()
            journal.phase(phase, done, total)

    photos = read_fitted(data, names, backbone.image_px, lambda done: tell("reading the photos", done, len(names)))
    run = open_backbone(network, backbone.mean, backbone.std)
    kinds: list[View] = ["plain"]
    if len(names) <= MOST_VIEWED:
        kinds.append("lit")
        kinds += ["mirrored"] if any(mirrors(each.taught.question, each.taught.opposite) for each in heads) else []
    total = len(kinds) * len(names)
    looks: dict[View, NDArray[np.float32]] = {}
    for number, kind in enumerate(kinds):
        before = number * len(names)
        looks[kind] = seen(run, photos, kind, lambda done, at=before: tell("looking at the photos", at + done, total))
    learned = {place[examples[row].photo] for head in heads for row in head.rows if examples[row].split == "train"}
    mean, scale = evened(looks["plain"][sorted(learned)])
    even = {kind: (each - mean) / scale for kind, each in looks.items()}
    fits = []
    for number, head in enumerate(heads):
        tell("choosing weights", number, len(heads))
        fits.append(_fit_head(head, examples, place, even, (lambda *_: journal.check()) if journal else None))
    return Learned(tuple(fits), mean, scale)


def evened(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what features (n, F) are made even by: their mean and their spread, which is never next to nothing."""
    spread = features.std(axis=0)
    return features.mean(axis=0), spread + max(float(np.median(spread)) * LEAST_SPREAD, 1e-6)


def _fit_head(
    head: Head, examples: Sequence[StateExample], place: dict[str, int], even: dict[View, NDArray[np.float32]],
    told: Callable[..., None] | None,
) -> Fitted:  # fmt: skip
    """Return a head with the strength, and with the views of its photos, that did best on what was held back."""
    views: list[View] = [kind for kind in even if kind != "mirrored" or mirrors(*vars(head.taught).values())]
    found = []
    for kinds in [views[:1], views] if len(views) > 1 else [views]:
        table, plain = _table(head, examples, place, even, kinds, "train")
        losses = held_back(table, plain, told=told)
        # Of strengths that do as well the strongest: it is the least sure of itself.
        best = int(np.argmax(losses <= losses.min() + AS_WELL)) if len(losses) else STRENGTHS.index(USUAL)
        found.append((float(losses[best]) if len(losses) else None, STRENGTHS[best], len(kinds) > 1, table))
    # Where nothing could be held back, versions of few photos are better than those few alone.
    lost, strength, viewed, table = found[-1] if found[0][0] is None else min(found, key=lambda each: each[0])
    judged = _table(head, examples, place, even, views[:1], "val")[0]
    losses_by_step: list[tuple[float, float | None]] = []
    nothing = np.zeros(table.rows.shape[1])

    def note(weights: NDArray[np.float64], bias: float, loss: float) -> None:
        if told:
            told()
        losses_by_step.append((loss, loss_of(judged, weights, bias) if len(judged.yes) else None))

    note(nothing, 0.0, loss_of(table, nothing, 0.0))
    weights, bias = fit(table, strength, told=note)
    return Fitted(weights, bias, strength, viewed, lost, tuple(losses_by_step))


def _table(
    head: Head, examples: Sequence[StateExample], place: dict[str, int], even: dict[View, NDArray[np.float32]],
    kinds: Sequence[View], split: str,
) -> tuple[Table, NDArray[np.bool_]]:  # fmt: skip
    """Return a head's examples of a split in so many views, and which of the rows are the photos themselves."""
    own = [(row, yes) for row, yes in zip(head.rows, head.yes, strict=True) if examples[row].split == split]
    at = [place[examples[row].photo] for row, _ in own]
    rows = np.concatenate([even[kind][at] for kind in kinds])
    yes = np.tile(np.array([side for _, side in own], bool), len(kinds))
    sources = tuple(examples[row].source for row, _ in own) * len(kinds)
    weight = np.full(len(yes), 1.0 / len(kinds))
    return Table(rows, yes, sources, weight), np.arange(len(yes)) < len(own)


# ---- told and saved


def save(made: Path, backbone: Backbone, heads: Sequence[Head], learned: Learned) -> None:
    """Write a classifier's folder, whose backbone lies in it already; `load_classifier` reads it."""
    config = ClassifierConfig(
        questions=tuple(each.taught for each in heads),
        image_px=backbone.image_px,
        features=len(learned.mean),
        mean=backbone.mean,
        std=backbone.std,
        backbone=backbone.name,
    )
    write_record(made / CONFIG, config)
    weights = {
        "weight": np.stack([each.weights for each in learned.fits]).astype(np.float32),
        "bias": np.array([each.bias for each in learned.fits], np.float32),
        "feature_mean": learned.mean.astype(np.float32),
        "feature_scale": learned.scale.astype(np.float32),
    }
    save_file(weights, made / WEIGHTS)


def _tell(folder: RunFolder, fits: Sequence[Fitted], heads: Sequence[Head], journal: Journal) -> None:
    """Write a curve of all heads together, and for each what was chosen."""
    forget_after(folder.metrics, -1)
    steps = max(len(each.losses) for each in fits)
    for step in range(steps):
        now = [each.losses[min(step, len(each.losses) - 1)] for each in fits if each.losses]
        looked = [loss for _, loss in now if loss is not None]
        eval_loss = float(np.mean(looked)) if looked else None
        loss = float(np.mean([each for each, _ in now]))
        journal.metric(Metric(step, time.time(), loss=loss, eval_loss=eval_loss))
    for head, found in zip(heads, fits, strict=True):
        views = "mirrored photos and other light help" if found.views else "photos as they are"
        lost = (
            "too few sources to hold any back" if found.held_back is None else f"loss {found.held_back:.3f} held back"
        )
        text = f"{head.taught.question} L2 of {found.strength:g}, {views}: {lost}"
        journal.event("head", text, strength=found.strength, views=found.views, held_back=found.held_back)


def _said(examples: Sequence[StateExample], heads: Sequence[Head]) -> str:
    """Return what is learned from, in a sentence."""
    parts = []
    for head in heads:
        own = [yes for row, yes in zip(head.rows, head.yes, strict=True) if examples[row].split == "train"]
        parts.append(f"{head.taught.question} {sum(own)} times yes, {len(own) - sum(own)} times no")
    return "learns " + "; ".join(parts)


def _phase(journal: Journal, name: str) -> None:
    journal.check()
    journal.phase(name)
