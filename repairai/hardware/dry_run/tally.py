"""The parts of a run, summed up."""

from __future__ import annotations

from repairai.hardware.dry_run.allocator import Allocator, replay
from repairai.hardware.dry_run.trace import Part
from repairai.hardware.workload import Demand


def tally(parts: list[Part], parameters: int, trained: int, batches: int) -> Demand:
    """Return what a run asks of a card.

    Args:
        parts: In order. What there is before the one with the phase `ready` is resident; operations are counted in
            those whose phase ends with `'`.
        parameters: Of the model.
        trained: Of those, how many are trained.
        batches: That were gone through in those phases.
    """
    peak = replay(event for part in parts for event in part.events)
    ready = next(number for number, part in enumerate(parts) if part.phase == "ready")
    loaded = Allocator()
    for name, nbytes, _ in (event for part in parts[:ready] for event in part.events):
        loaded.give(name) if nbytes < 0 else loaded.take(name, nbytes)
    last = [part for part in parts if part.phase.endswith("'")]
    return Demand(
        allocated=peak.allocated,
        reserved=peak.reserved,
        resident=loaded.allocated,
        terms={kind: size for kind, size in sorted(peak.terms.items()) if size},
        parameters=parameters,
        trained=trained,
        flops=sum(part.flops for part in last) // batches,
        traffic=sum(part.traffic for part in last) // batches,
    )
