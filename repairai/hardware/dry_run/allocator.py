"""What PyTorch's CUDA caching allocator holds while a program runs: a replay of its rules on a list of events.

A tensor takes a block of a segment; a segment is what the driver was asked for, and stays when its tensors are gone.
So a process holds more than its tensors: how much more depends on their order, and is played through here.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field

MIB = 2**20
ROUND = 512
"""Every block is a multiple of this many bytes."""
SMALL, SMALL_SEGMENT = MIB, 2 * MIB
"""Blocks up to the first lie in segments of the second."""
MEDIUM, MEDIUM_SEGMENT = 10 * MIB, 20 * MIB
"""Larger ones under the first lie in segments of the second; those above have a segment of their own."""
LARGE_ROUND = 2 * MIB


def rounded(nbytes: int) -> int:
    """Return the size of the block that a tensor of so many bytes takes."""
    return max(ROUND, -(-nbytes // ROUND) * ROUND) if nbytes else 0


class OutOfMemory(Exception):
    """A segment is more than the card has left, even after all unused segments were given back."""


@dataclass
class _Block:
    size: int
    pool: int
    free: bool = False
    before: _Block | None = None
    after: _Block | None = None
    number: int = 0

    def __lt__(self, other: _Block) -> bool:
        return (self.size, self.number) < (other.size, other.number)


@dataclass
class Allocator:
    """The allocator with its default settings.

    Args:
        limit: Bytes of segments that the card can give; None is without end.

    Source:
        The rules of `CUDACachingAllocator` (PyTorch 2.13, c10/cuda/CUDACachingAllocator.cpp, default settings): sizes
        above, best fit among free blocks, a rest is split off above 512 bytes (small) or 1 MiB (large), free
        neighbours are joined, and segments are given back only when the card has no more.
    """

    limit: int | None = None
    allocated: int = 0
    reserved: int = 0
    peak_allocated: int = 0
    peak_reserved: int = 0
    given_back: int = 0
    _free: tuple[list[_Block], list[_Block]] = field(default_factory=lambda: ([], []))
    _live: dict[int, _Block] = field(default_factory=dict)
    _made: int = 0

    def take(self, name: int, nbytes: int) -> None:
        """Allocate so many bytes under a name.

        Raises:
            OutOfMemory: The card cannot give a segment for them.
        """
        if not nbytes:
            return
        size = rounded(nbytes)
        pool = int(size > SMALL)
        free = self._free[pool]
        at = bisect.bisect_left(free, _Block(size, pool))
        block = free.pop(at) if at < len(free) else self._segment(size, pool)
        rest = block.size - size
        if rest >= ROUND and (pool == 0 or rest > SMALL):
            self._split(block, size)
        block.free = False
        self._live[name] = block
        self.allocated += block.size
        self.peak_allocated = max(self.peak_allocated, self.allocated)

    def give(self, name: int) -> None:
        """Free what was allocated under a name; nothing where there is none."""
        block = self._live.pop(name, None)
        if block is None:
            return
        self.allocated -= block.size
        free = self._free[block.pool]
        for other in (block.before, block.after):
            if other is not None and other.free:
                free.pop(bisect.bisect_left(free, other))
                block = self._join(other, block) if other is block.before else self._join(block, other)
        block.free = True
        bisect.insort(free, block)

    def _new(self, size: int, pool: int) -> _Block:
        self._made += 1
        return _Block(size, pool, number=self._made)

    def _segment(self, size: int, pool: int) -> _Block:
        if pool == 0:
            wanted = SMALL_SEGMENT
        elif size < MEDIUM:
            wanted = MEDIUM_SEGMENT
        else:
            wanted = -(-size // LARGE_ROUND) * LARGE_ROUND
        if self.limit is not None and self.reserved + wanted > self.limit:
            self._give_back()
            if self.reserved + wanted > self.limit:
                raise OutOfMemory
        self.reserved += wanted
        self.peak_reserved = max(self.peak_reserved, self.reserved)
        return self._new(wanted, pool)

    def _give_back(self) -> None:
        """Give all wholly free segments back to the card: slow, and the last resort."""
        self.given_back += 1
        for free in self._free:
            whole = [block for block in free if block.before is None and block.after is None]
            self.reserved -= sum(block.size for block in whole)
            free[:] = [block for block in free if block.before is not None or block.after is not None]

    def _split(self, block: _Block, size: int) -> None:
        rest = self._new(block.size - size, block.pool)
        block.size = size
        rest.free, rest.before, rest.after = True, block, block.after
        if block.after is not None:
            block.after.before = rest
        block.after = rest
        bisect.insort(self._free[block.pool], rest)

    def _join(self, first: _Block, second: _Block) -> _Block:
        first.size += second.size
        first.after = second.after
        if second.after is not None:
            second.after.before = first
        return first


@dataclass(frozen=True)
class Peak:
    """What a list of events came to.

    Args:
        allocated: Most bytes in tensors at once.
        reserved: Most bytes in segments at once.
        terms: Bytes by kind of tensor at the moment when tensors took most.
        fits: Whether the card's limit was enough.
        given_back: How often segments had to be given back to the card to go on: slow where it happens.
    """

    allocated: int
    reserved: int
    terms: dict[str, int]
    fits: bool
    given_back: int


Event = tuple[int, int, str]
"""(name, bytes, kind) where a tensor begins; (name, -1, "") where it ends."""


def replay(events: Iterable[Event], limit: int | None = None) -> Peak:
    """Return what a list of events comes to on a card with so many bytes for segments."""
    allocator = Allocator(limit)
    kinds: dict[int, tuple[str, int]] = {}
    now: dict[str, int] = {}
    terms: dict[str, int] = {}
    peak, fits = 0, True
    for name, nbytes, kind in events:
        if nbytes < 0:
            allocator.give(name)
            if name in kinds:
                kind, size = kinds.pop(name)
                now[kind] -= size
            continue
        try:
            allocator.take(name, nbytes)
        except OutOfMemory:
            fits = False
            break
        kinds[name] = kind, rounded(nbytes)
        now[kind] = now.get(kind, 0) + rounded(nbytes)
        if allocator.allocated > peak:
            peak, terms = allocator.allocated, {}
            terms.update(now)
    return Peak(allocator.peak_allocated, allocator.peak_reserved, terms, fits, allocator.given_back)
