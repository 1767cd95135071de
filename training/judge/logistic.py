"""Logistic regression on features: one head, its strength of L2 chosen by cross-validation grouped by source."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

STRENGTHS = (1.0, 0.1, 0.02, 5e-3, 1e-3, 2e-4)
"""Of L2, on the mean loss, from strong to weak: each fit begins where the one before ended."""
USUAL = 0.02
"""Where too few sources are there to choose by."""
FOLDS = 5
ITERATIONS = 150
Rows = NDArray[np.float32]
Told = Callable[[NDArray[np.float64], float, float], None]
"""Is told weights, bias and loss after an iteration; may raise."""


@dataclass(frozen=True)
class Table:
    """Examples as numbers.

    Args:
        rows: (n, F) features, put to mean 0 and about spread 1.
        yes: (n,) whether the answer is yes.
        sources: (n,) examples of one source lie in one fold.
        weight: (n,) that an example has of its own: views of one photo share its weight.
    """

    rows: Rows
    yes: NDArray[np.bool_]
    sources: tuple[str, ...]
    weight: NDArray[np.float64]

    def of(self, kept: NDArray[np.bool_]) -> Table:
        """Return the examples that are kept."""
        sources = tuple(each for each, keep in zip(self.sources, kept, strict=True) if keep)
        return Table(self.rows[kept], self.yes[kept], sources, self.weight[kept])


def even_weights(yes: NDArray[np.bool_], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights (n,) that add up to 1 and with which yes weighs as much as no.

    Args:
        yes: (n,) whether the answer is yes.
        own: (n,) what an example weighs among those of its answer.
    """
    found = np.zeros(len(yes))
    for side in (yes, ~yes):
        if own[side].sum():
            found[side] = own[side] / own[side].sum()
    return np.asarray(found / max(found.sum(), 1e-12))


def loss_of(table: Table, weights: NDArray[np.float64], bias: float) -> float:
    """Return the mean log loss in nats, yes weighing as much as no."""
    logits = table.rows.astype(np.float64) @ weights + bias
    return float(even_weights(table.yes, table.weight) @ np.logaddexp(0, np.where(table.yes, -logits, logits)))


def fit(
    table: Table, strength: float, begin: tuple[NDArray[np.float64], float] | None = None, told: Told | None = None
) -> tuple[NDArray[np.float64], float]:
    """Return weights (F,) and bias with the least loss and penalty.

    Args:
        table: With both answers.
        strength: Of L2 on the weights; the bias is free.
        begin: From where; None from zeros.
        told: After each iteration.
    """
    side = np.where(table.yes, 1.0, -1.0)
    share = even_weights(table.yes, table.weight)
    last = [0.0]

    def cost(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = point[:-1]
        margin = side * (table.rows @ weights.astype(np.float32) + point[-1])
        slope = -share * side / (1 + np.exp(np.clip(margin, -60, 60)))
        last[0] = float(share @ np.logaddexp(0, -margin))
        gradient = np.append(table.rows.T @ slope.astype(np.float32) + strength * weights, slope.sum())
        return last[0] + strength / 2 * float(weights @ weights), gradient

    def step(point: NDArray[np.float64]) -> None:
        if told:
            told(point[:-1], float(point[-1]), last[0])

    first = np.zeros(table.rows.shape[1] + 1) if begin is None else np.append(begin[0], begin[1])
    options = {"maxiter": ITERATIONS, "gtol": 1e-5, "ftol": 1e-7}
    found = minimize(cost, first, jac=True, method="L-BFGS-B", callback=step, options=options).x
    return found[:-1], float(found[-1])


def folds_of(table: Table, most: int = FOLDS) -> list[NDArray[np.bool_]]:
    """Return which examples are held back in each fold; none where a fold would lack an answer.

    Sources are dealt out one by one, by a hash of their names within those of each answer, so that the same examples
    come into the same folds.
    """
    answers: dict[str, set[bool]] = {}
    for source, yes in zip(table.sources, table.yes.tolist(), strict=True):
        answers.setdefault(source, set()).add(yes)
    least = min(sum(side in each for each in answers.values()) for side in (True, False))
    count = min(most, least)
    if count < 2:
        return []
    dealt: dict[str, int] = {}
    for kind in sorted({tuple(sorted(each)) for each in answers.values()}):
        own = [source for source, each in answers.items() if tuple(sorted(each)) == kind]
        for number, source in enumerate(sorted(own, key=lambda name: (zlib.crc32(name.encode()), name))):
            dealt[source] = number % count
    fold = np.array([dealt[source] for source in table.sources])
    return [fold == number for number in range(count)]


def path(table: Table, strengths: Sequence[float], told: Told | None = None) -> list[tuple[NDArray[np.float64], float]]:
    """Return the heads for strengths from strong to weak, each begun where the one before ended."""
    found: list[tuple[NDArray[np.float64], float]] = []
    for strength in strengths:
        found.append(fit(table, strength, found[-1] if found else None, told))
    return found


def held_back(
    table: Table, plain: NDArray[np.bool_], strengths: Sequence[float] = STRENGTHS, told: Told | None = None
) -> NDArray[np.float64]:
    """Return the loss on what was held back for each strength, (S,), mean over folds; empty where there are no folds.

    Args:
        table: All views of all photos.
        plain: (n,) which of them are the photos themselves: only these are judged by.
        strengths: From strong to weak.
        told: After each iteration.
    """
    losses = []
    for out in folds_of(table):
        kept, judged = table.of(~out), table.of(out & plain)
        if kept.yes.all() or not kept.yes.any() or not len(judged.yes):
            continue
        losses.append([loss_of(judged, *head) for head in path(kept, strengths, told)])
    return np.mean(losses, axis=0) if losses else np.zeros(0)
