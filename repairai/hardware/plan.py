"""Task and card to a plan: the ways to train, ranked, each with what it takes, whether that fits, and why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from repairai.errors import RepairError
from repairai.hardware.card import CARDS_GIB, CLOUD, ORDER, USABLE, Card, Fit, fit_on, timed
from repairai.hardware.memory import Estimate, estimate
from repairai.hardware.recipe import Detecting, Forecast, Recipe, Task
from repairai.hardware.speed import step_seconds
from repairai.hardware.ways import Candidate, candidates, otherwise, smaller_models
from repairai.hardware.workload import Workload

KEPT = 3
"""Checkpoints that a run keeps at most: the best, the last, and the one being written."""
EPOCHS: dict[Task, float] = {"sop": 3.0, "detector": 50.0, "judge": 3.0}
RATE = {"full": 1e-5, "lora": 2e-4, "qlora": 2e-4}
"""Peak learning rates that published recipes of these methods use."""
DETECTOR_RATE = 1e-4
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Change:
    """What would make a way fit.

    Args:
        what: In words.
        held_gib: What it would then hold, at least and at most.
        fit: On the card as it is, or on the one that the words name.
    """

    what: str
    held_gib: tuple[float, float]
    fit: Fit


@dataclass(frozen=True)
class Way:
    """One way to train, with what it takes.

    Args:
        title: In words.
        work: One step of it.
        fit: On the card.
        tensors_gib: Peak of its tensors.
        held_gib: What the process holds at its peak, at least and at most.
        terms_gib: What the upper end of that is made of.
        hours: For all of the training, at least and at most; None where the card's speed is not known.
        disk_gib: For the model's download and the run's checkpoints.
        because: Why it is done this way, or why not, in sentences.
        change: The one change that makes it fit, where it does not.
        bound: Says that the figures are a bound, where the model's family is not known; empty else.
    """

    title: str
    work: Workload
    fit: Fit
    tensors_gib: float
    held_gib: tuple[float, float]
    terms_gib: dict[str, float]
    hours: tuple[float, float] | None
    disk_gib: float
    because: tuple[str, ...]
    change: Change | None = None
    bound: str = ""


@dataclass(frozen=True)
class TrainingPlan:
    """The ways to train a model on a card, the best first.

    Args:
        task: Which of the three models it is to be.
        model: That was asked for.
        card: It was planned for.
        examples: The data's size that times are for.
        ways: Never empty.
    """

    task: Task
    model: str
    card: Card
    examples: int
    ways: tuple[Way, ...]

    def recipe(self, number: int = 0) -> Recipe:
        """Return a way as a recipe.

        Raises:
            RepairError: There is no such way, or it does not fit.
        """
        if not 0 <= number < len(self.ways):
            raise RepairError(f"there is no way {number + 1}", f"give a number from 1 to {len(self.ways)}")
        way = self.ways[number]
        if way.fit not in ("fits", "tight"):
            raise RepairError(f"{way.title} does not fit {self.card.name}", "choose another way")
        rate = DETECTOR_RATE if self.task == "detector" else RATE[way.work.method]
        forecast = Forecast(
            self.card.name, round(self.card.free_gib, 2), round(way.tensors_gib, 2), _rounded(way.held_gib),
            way.hours and _rounded(way.hours), way.because,
        )  # fmt: skip
        if self.task == "detector":
            return Recipe(
                self.task, way.work, EPOCHS[self.task], rate, forecast, weight_decay=1e-4, clip=0.1,
                detecting=Detecting(),
            )  # fmt: skip
        return Recipe(self.task, way.work, EPOCHS[self.task], rate, forecast)


def plan(
    task: Task,
    model: str,
    card: Card,
    *,
    length_tokens: int = 1024,
    examples: int = 1000,
    told: Told = lambda done, of: None,
) -> TrainingPlan:
    """Return the ways to train a model for a task on a card, the best first.

    Args:
        task: Which of the three models it is to be.
        model: A name on the Hub, or a folder with a `config.json`.
        card: What it has to fit.
        length_tokens: Of an example, for models of text.
        examples: In the data, for the time.
        told: Called with how many of how many settings are worked out.

    Raises:
        RepairError: There is no such model, or it is none for this task.
    """
    card = timed(card)

    def ways_of(name: str) -> list[Candidate]:
        return candidates(task, name, length_tokens, card.bf16, cpu=card.device == "cpu")

    own, below = ways_of(model), [each for name in smaller_models(model)[:2] for each in ways_of(name)[:2]]
    planner = _Planner(task, card, examples)
    planner.work_out([each.base for each in (*own, *below)], told)
    roomy = [each for each in own if planner.fit(each.base) == "fits"]
    narrow = [each for each in own if planner.fit(each.base) == "does not fit"]
    more = [work for each in roomy for work in each.larger]
    planner.work_out(more + [work for each in narrow for _, work in each.changes[:1]], told)
    ways = [planner.way(each) for each in own]
    fitting = [way for way in ways if way.fit == "fits"]
    ways += planner.smaller(below)
    if not fitting or fitting[0].work.method != own[0].base.method:
        ways += planner.cloud(own[0])
    ways.sort(key=lambda way: (ORDER.index(way.fit), _endless(way)))
    if ways[0].fit in ("fits", "tight"):
        ways[0] = planner.explained(ways[0])
    return TrainingPlan(task, model, card, examples, tuple(ways))


def _endless(way: Way) -> bool:
    """Return whether a way takes over a day even at best: those come behind others that fit."""
    return way.hours is not None and way.hours[0] > 24


class _Planner:
    """Works out ways for one task and card."""

    def __init__(self, task: Task, card: Card, examples: int) -> None:
        self.task, self.card, self.examples = task, card, examples
        self.known: dict[Workload, Estimate] = {}

    def work_out(self, works: list[Workload], told: Told = lambda done, of: None) -> None:
        """Find out what several settings take, side by side."""
        self.known |= zip(works, estimate(works, told), strict=True)

    def of(self, work: Workload) -> Estimate:
        if work not in self.known:
            self.work_out([work])
        return self.known[work]

    def held(self, work: Workload) -> tuple[float, float]:
        low, high = self.of(work).held_gib(self.card.device)
        return low * self.card.past.memory, high * self.card.past.memory

    def fit(self, work: Workload) -> Fit:
        return fit_on(self.card, self.held(work))

    def way(self, candidate: Candidate) -> Way:
        """Return the soonest setting of a candidate that fits, else its most frugal one."""
        roomy = self.fit(candidate.base) == "fits"
        chosen = next((work for work in candidate.larger if roomy and self.fit(work) == "fits"), candidate.base)
        way = self._way(candidate.title, chosen, self.fit(chosen))
        if way.fit != "does not fit":
            return way
        return replace(way, change=self._change(candidate))

    def _way(self, title: str, work: Workload, fit: Fit) -> Way:
        found, disk = self.of(work), self._disk(self.of(work))
        terms = {term: gib * self.card.past.memory for term, gib in found.terms_gib(self.card.device).items()}
        return Way(
            title, work, fit, found.tensors_gib * self.card.past.memory, self.held(work), terms,
            self._hours(work), disk, self._said(work, disk), bound=found.demand.bound,
        )  # fmt: skip

    def _change(self, candidate: Candidate) -> Change:
        """Return the one change that makes a candidate fit: of its own, else the card that it needs."""
        for what, work in candidate.changes:
            if self.fit(work) in ("fits", "tight"):
                return Change(what, self.held(work), self.fit(work))
        held = self.held(candidate.base)
        usable, what = (USABLE, "on a card with") if self.card.device == "cuda" else (1.0, "with free memory of")
        size = next((gib for gib in CARDS_GIB if held[1] <= gib * usable), None)
        what = f"{what} {size} GiB" if size else "on several cards"
        return Change(what, held, "elsewhere")

    def smaller(self, below: list[Candidate]) -> list[Way]:
        """Return for each smaller model the first of its ways that fits."""
        found: dict[str, Way] = {}
        for each in below:
            if each.base.model not in found and self.fit(each.base) == "fits":
                found[each.base.model] = self.way(each)
        return list(found.values())

    def cloud(self, candidate: Candidate) -> list[Way]:
        """Return the wanted way on the smallest card that can be hired for it."""
        for name, gib, bf16 in CLOUD:
            there = Card(name, gib * USABLE, bf16)
            held = self.of(candidate.base).held_gib()
            if (bf16 or candidate.base.precision != "bf16") and fit_on(there, held) == "fits":
                way = self._way(f"{candidate.title}, in the cloud on {name}", candidate.base, "elsewhere")
                said = f"of Hugging Face's cards with {candidate.base.precision}, {name} is the smallest that it fits"
                return [
                    replace(
                        way, hours=None, held_gib=held, terms_gib=self.of(candidate.base).terms_gib(), because=(said,)
                    )
                ]
        return []

    def explained(self, way: Way) -> Way:
        """Return a way with the reasons for its settings, in figures."""
        others = otherwise(way.work)
        self.work_out([work for _, work in others])
        said = [sentence.format(f"{spoken(self.held(work))} ({self.fit(work)})") for sentence, work in others]
        return replace(way, because=(*way.because, *said))

    def _said(self, work: Workload, disk_gib: float) -> tuple[str, ...]:
        free = self.card.disk_gib
        if free is None or disk_gib <= free:
            return (self._settings(work),)
        return self._settings(work), f"it wants {disk_gib:.0f} GiB of disk, of which {free:.0f} are free"

    def _settings(self, work: Workload) -> str:
        whole = work.batch * work.accumulation
        batch = f"{work.batch} at a time" + (
            f", {work.accumulation} times for a step of {whole}" if work.accumulation > 1 else ""
        )
        if self.task == "detector":
            return f"photos of {work.image_px} px, {batch}, in {work.precision}"
        what = "with" if work.checkpointing else "without"
        return f"examples of {work.length_tokens:,} tokens, {batch}, in {work.precision}, {what} gradient checkpointing"

    def _hours(self, work: Workload) -> tuple[float, float] | None:
        if self.card.rates is None:
            return None
        steps = math.ceil(self.examples * EPOCHS[self.task] / (work.batch * work.accumulation))
        low, high = step_seconds(self.of(work).demand, work.accumulation, work.precision, self.card.rates)
        factor = steps * self.card.past.seconds / 3600
        return low * factor, high * factor

    def _disk(self, found: Estimate) -> float:
        """Return the model's download in 16 bits (detectors: 32), and a run's checkpoints with their optimizer."""
        size = 4 if self.task == "detector" else 2
        state = 2 * 4 if found.work.optimizer == "adamw" else 2
        return (found.demand.parameters * size + KEPT * found.demand.trained * (size + state)) / 2**30


def spoken(held_gib: tuple[float, float]) -> str:
    """Return a span of GiB in words."""
    low, high = held_gib
    return f"{low:.1f} to {high:.1f} GiB"


def _rounded(span: tuple[float, float]) -> tuple[float, float]:
    return round(span[0], 2), round(span[1], 2)
