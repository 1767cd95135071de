"""`plan` and `memory`: what can be trained on a card, how, and what one step of it takes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.hardware.card import Card
    from repairai.hardware.memory import Estimate
    from repairai.hardware.plan import TrainingPlan, Way
    from repairai.hardware.workload import Workload

TASKS = ("sop", "detector", "judge")


def add_words(verbs: Any) -> None:
    """Add `plan` and `memory` to the command line."""
    ask = verb(verbs, "plan", _plan, "the ways to train a model on a card, best first: what each takes, and why")
    ask.add_argument("--task", choices=TASKS, default="sop", help="which of the three models it is to be")
    ask.add_argument("--model", metavar="ID", help="a name on the Hub, or a folder with a config.json")
    ask.add_argument("--vram-gib", type=float, metavar="N", help="for a card of this size, instead of this machine's")
    ask.add_argument("--length-tokens", type=whole(16, 2**20), default=1024, metavar="N", help="of an example")
    ask.add_argument("--examples", type=whole(1, 10**8), default=1000, metavar="N", help="in the data, for the time")
    ask.add_argument("--save", type=Path, metavar="FILE", help="write the best way, or the one of --way, as a recipe")
    ask.add_argument("--way", type=whole(1, 99), default=1, metavar="N", help="which of the ways to save")
    take = verb(verbs, "memory", _memory, "what one training step, or one answer, takes on a GPU")
    take.add_argument("--model", required=True, metavar="ID", help="a name on the Hub, or a folder with a config.json")
    _workload_words(take)


def _workload_words(parser: argparse.ArgumentParser) -> None:
    from repairai.hardware.workload import Workload

    for field in fields(Workload)[1:]:
        name = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(name, action=argparse.BooleanOptionalAction, default=field.default)
        elif isinstance(field.default, int):
            parser.add_argument(name, type=int, default=field.default, metavar="N")
        else:
            parser.add_argument(name, default=field.default)


# ---- plan


def _plan(chosen: argparse.Namespace) -> int:
    from repairai.hardware.plan import plan
    from repairai.hardware.recipe import saved
    from repairai.hardware.ways import DEFAULT

    found = plan(
        chosen.task,
        DEFAULT[chosen.task] if chosen.model is None else chosen.model,
        _card(chosen),
        length_tokens=chosen.length_tokens,
        examples=chosen.examples,
        told=_told,
    )
    if chosen.save:
        saved(chosen.save, found.recipe(chosen.way - 1))
    if chosen.json:
        print_json(as_data(found))
        return 0
    print("\n".join(_lines(found)))
    if chosen.save:
        print(f"\nway {chosen.way} is written to {chosen.save}")
    return 0


def _card(chosen: argparse.Namespace) -> Card:
    from repairai.hardware.card import card_for
    from repairai.hardware.probe import probe

    return card_for(chosen.vram_gib, probe())


def _told(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\rworked out {done} of {of} settings", end="" if done < of else "\n", file=sys.stderr, flush=True)


def _lines(found: TrainingPlan) -> list[str]:
    card = found.card
    lines = [f"{found.task}: {found.model} on {card.name}, with {card.free_gib:.1f} GiB for one process"]
    for number, way in enumerate(found.ways, 1):
        lines += ["", *_way_lines(number, way)]
    if not card.here:
        lines += [
            "",
            "A desktop on the same card takes from its memory. Times are told for a card that is in this machine.",
        ]
    return lines


def _way_lines(number: int, way: Way) -> list[str]:
    from repairai.hardware.plan import spoken

    lines = [f"{number}. {way.fit.upper():<12} {way.title}: {spoken(way.held_gib)}, {way.disk_gib:.0f} GiB of disk"]
    if way.hours:
        lines[0] += f", {way.hours[0]:.1f} to {way.hours[1]:.1f} hours"
    lines += [f"   {said}" for said in way.because]
    if way.change:
        lines.append(f"   would fit {way.change.what}: {spoken(way.change.held_gib)}")
    if way.bound:
        lines.append(f"   {way.bound}")
    return lines


# ---- memory


def _memory(chosen: argparse.Namespace) -> int:
    from repairai.hardware.memory import estimate

    (found,) = estimate([_work(chosen)])
    if chosen.json:
        print_json(_as_answer(found))
        return 0
    low, high = found.held_gib()
    print(f"tensors  {found.tensors_gib:7.2f} GiB at their peak, as PyTorch counts what is allocated")
    print(f"process  {low:7.2f} to {high:.2f} GiB, as nvidia-smi shows it; of that")
    for term, gib in sorted(found.terms_gib().items(), key=lambda each: -each[1]):
        print(f"         {gib:7.2f} GiB {term}")
    print(f"numbers  {found.demand.parameters / 1e9:7.3f} billion, {found.demand.trained / 1e6:.1f} million trained")
    print(f"work     {found.demand.flops / 1e12:7.1f} TFLOP a batch")
    if found.demand.bound:
        print(found.demand.bound)
    return 0


def _work(chosen: argparse.Namespace) -> Workload:
    from repairai.hardware.workload import FIELDS, Workload

    try:
        return Workload(**{name: getattr(chosen, name) for name in FIELDS})
    except ValueError as error:
        raise RepairError(str(error), "see `memory --help`") from None


def _as_answer(found: Estimate) -> dict[str, Any]:
    data: dict[str, Any] = as_data(found)
    return {**data, "tensors_gib": found.tensors_gib, "held_gib": found.held_gib(), "terms_gib": found.terms_gib()}
