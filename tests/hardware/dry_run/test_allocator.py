import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.hardware.dry_run.allocator import MIB, Allocator, OutOfMemory, replay

SIZES = st.lists(st.integers(1, 64 * MIB), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("nbytes", "allocated", "reserved"),
    [
        (1, 512, 2 * MIB),
        (513, 1024, 2 * MIB),
        (MIB, MIB, 2 * MIB),
        (MIB + 1, MIB + 512, 20 * MIB),
        (10 * MIB - 1, 10 * MIB, 10 * MIB),
        (21 * MIB, 22 * MIB, 22 * MIB),
    ],
)
def test_one_tensor_takes_a_segment_by_its_size(nbytes: int, allocated: int, reserved: int):
    allocator = Allocator()
    allocator.take(1, nbytes)
    assert (allocator.allocated, allocator.reserved) == (allocated, reserved)


def test_what_is_free_is_used_again_and_neighbours_are_joined():
    allocator = Allocator()
    for name in range(4):
        allocator.take(name, 5 * MIB)
    assert allocator.reserved == 20 * MIB
    for name in (1, 2):
        allocator.give(name)
    allocator.take(9, 10 * MIB)
    assert allocator.reserved == 20 * MIB, "two free neighbours make room for one of twice the size"


def test_a_hole_that_is_too_small_costs_a_segment():
    allocator = Allocator()
    for name in range(4):
        allocator.take(name, 5 * MIB)
    for name in (0, 2):
        allocator.give(name)
    allocator.take(9, 6 * MIB)
    assert allocator.reserved == 40 * MIB


def test_a_full_card_gives_unused_segments_back_before_it_refuses():
    allocator = Allocator(limit=100 * MIB)
    allocator.take(1, 60 * MIB)
    allocator.give(1)
    allocator.take(2, 80 * MIB)
    assert (allocator.reserved, allocator.given_back) == (80 * MIB, 1)
    with pytest.raises(OutOfMemory):
        allocator.take(3, 30 * MIB)


@given(SIZES, st.randoms())
def test_books_balance(sizes: list[int], random):
    allocator = Allocator()
    live: dict[int, int] = {}
    for name, size in enumerate(sizes):
        allocator.take(name, size)
        live[name] = -(-size // 512) * 512
        if live and random.random() < 0.5:
            gone = random.choice(sorted(live))
            allocator.give(gone)
            del live[gone]
        assert sum(live.values()) <= allocator.allocated <= allocator.reserved
        # A rest too small to be split off stays with its tensor: at most 1 MiB each.
        assert allocator.allocated <= sum(live.values()) + MIB * len(live)
    for name in live:
        allocator.give(name)
    assert allocator.allocated == 0
    whole = [block for free in allocator._free for block in free]
    assert all(block.before is None and block.after is None for block in whole), "all neighbours were joined"
    assert sum(block.size for block in whole) == allocator.reserved


@given(SIZES)
def test_a_card_as_large_as_what_was_reserved_is_enough(sizes: list[int]):
    events = [event for n, size in enumerate(sizes) for event in ((2 * n, size, "a"), (2 * n + 1, size // 2 + 1, "b"))]
    events += [(2 * n, -1, "") for n in range(0, len(sizes), 2)]
    free = replay(events)
    assert replay(events, free.reserved) == free
    assert not replay(events, free.allocated - 512).fits


def test_terms_are_those_of_the_peak():
    peak = replay([(1, MIB, "weights"), (2, 4 * MIB, "activations"), (2, -1, ""), (3, 2 * MIB, "optimizer")])
    assert peak.terms == {"weights": MIB, "activations": 4 * MIB}
    assert peak.allocated == 5 * MIB
