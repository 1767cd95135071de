"""The tensors of one training step in the order in which they begin and end, and the same step with more layers.

A model's layers are alike, so a step of three or five of them tells all about a step of thirty-two: the part of a
middle layer is repeated, with its own tensors each time. That is exact, whichever operation the peak falls on, and it
is checked: a part that does not repeat is refused, and the whole model has to be run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from repairai.hardware.dry_run.allocator import Event

EDGES = (1, 2)
"""Layers at either end that keep a part of their own, since their neighbours are not all layers: one is enough where
each layer keeps only its input, two where it keeps all."""


class Irregular(Exception):
    """The parts of the layers are not alike."""


@dataclass
class Part:
    """What happens while one layer is at work, or between layers.

    Args:
        phase: `load`, `forward`, `backward`, `optimizer`, ...; numbered, so that no two passes share one.
        layer: Its number from 0; None between layers.
        events: Tensors that begin and end.
        flops: Floating-point operations.
        traffic: Bytes that they read and write.
    """

    phase: str
    layer: int | None
    events: list[Event] = field(default_factory=list)
    flops: int = 0
    traffic: int = 0


def layers_needed(layers: int, period: int, edge: int = EDGES[-1]) -> int:
    """Return how many layers have to be run to tell about so many, of which every `period`-th is of one kind."""
    least = period + 2 * edge
    return layers if layers <= least else least + (layers - least) % period


def unroll(parts: list[Part], ran: int, layers: int, period: int = 1, edge: int = EDGES[-1]) -> list[Part]:
    """Return the parts of a model with `layers` layers from those of one with `ran`.

    Args:
        parts: In order, as they ran.
        ran: What `layers_needed` said.
        layers: Of the whole model.
        period: Layers of one kind come every so many.
        edge: Of `EDGES`.

    Raises:
        Irregular: The layers' parts do not repeat.
    """
    return _Unrolled(parts, ran, layers, period, edge).parts() if layers > ran else parts


class _Unrolled:
    def __init__(self, parts: list[Part], ran: int, layers: int, period: int, edge: int) -> None:
        self.ran, self.layers, self.period, self.edge = ran, layers, period, edge
        self.given = parts
        self.born: dict[int, tuple[str, int | None, int, int]] = {}
        for part in parts:
            begun = (event for event in part.events if event[1] >= 0)
            for order, (name, nbytes, _) in enumerate(begun):
                self.born[name] = part.phase, part.layer, order, nbytes
        self.live: dict[tuple[str, int | None, int] | int, tuple[int, int]] = {}
        self.last: dict[int, int] = {}
        self.made = 0

    def template(self, layer: int) -> int:
        """Return the layer that ran whose part stands for a layer of the whole model."""
        if layer < self.edge:
            return layer
        if layer >= self.layers - self.edge:
            return layer - self.layers + self.ran
        return self.edge + (layer - self.edge) % self.period

    def parts(self) -> list[Part]:
        found: list[Part] = []
        for _, group in groupby(self.given, key=lambda part: part.phase if part.layer is not None else None):
            same = list(group)
            if same[0].layer is None:
                found += [self._repeat(part, None) for part in same]
                continue
            by_layer = {part.layer: part for part in same if part.layer is not None}
            order = [part.layer for part in same if part.layer is not None]
            if sorted(by_layer) != list(range(self.ran)) or len(order) != self.ran:
                raise Irregular(f"{same[0].phase} goes through layers {order}")
            numbers = range(self.layers) if order == sorted(by_layer) else range(self.layers - 1, -1, -1)
            self.last = {self.template(layer): layer for layer in numbers}
            found += [self._repeat(by_layer[self.template(layer)], layer) for layer in numbers]
        return found

    def _repeat(self, part: Part, layer: int | None) -> Part:
        events: list[Event] = []
        order = 0
        for name, nbytes, kind in part.events:
            if nbytes >= 0:
                self.made += 1
                key = name if layer is None else (part.phase, layer, order)
                self.live[key] = self.made, nbytes
                events.append((self.made, nbytes, kind))
                order += 1
            else:
                events += [(self._end(key, nbytes), -1, "") for key, nbytes in self._ended(name, part, layer)]
        return Part(part.phase, layer, events, part.flops, part.traffic)

    def _ended(
        self, name: int, part: Part, layer: int | None
    ) -> Iterator[tuple[tuple[str, int | None, int] | int, int]]:
        """Yield what ends in the whole model where one tensor ended in the run, with its bytes."""
        phase, of, order, nbytes = self.born[name]
        if of is None:  # of what all layers of a kind share, the last of them lets go
            if layer is None or part.layer is None or self.last[part.layer] == layer:
                yield name, nbytes
        elif layer is None:  # between layers, what all of them left behind ends together
            for each in range(self.layers):
                if self.template(each) == of:
                    yield (phase, each, order), nbytes
        else:
            assert part.layer is not None
            yield (phase, layer + of - part.layer, order), nbytes

    def _end(self, key: tuple[str, int | None, int] | int, nbytes: int) -> int:
        name, size = self.live.pop(key, (0, -1))
        if size != nbytes:
            raise Irregular(f"{key} of {nbytes} bytes ends where {size} bytes began")
        return name


def again(parts: list[Part], phases: str) -> list[Part]:
    """Return parts once more, as another pass with tensors of its own: names and phases get a new mark.

    What ended in a part without having begun in any of them is left out.
    """
    shift = 1 + max((name for part in parts for name, _, _ in part.events), default=0)
    begun = {name for part in parts for name, nbytes, _ in part.events if nbytes >= 0}
    return [
        Part(
            part.phase + phases,
            part.layer,
            [(name + shift, nbytes, kind) for name, nbytes, kind in part.events if name in begun],
            part.flops,
            part.traffic,
        )
        for part in parts
    ]
