import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.hardware.dry_run.allocator import replay
from repairai.hardware.dry_run.trace import EDGES, Irregular, Part, again, layers_needed, unroll


def step(layers: int, period: int = 1) -> list[Part]:
    """A model that keeps one tensor a layer forward, and gives it back while it goes backward with another."""
    size = [1000 * (1 + layer % period) for layer in range(layers)]
    load = [Part("load", layer, [(layer + 1, 100 * size[layer], "weights")]) for layer in range(layers)]
    forward = [
        Part("forward", layer, [(100 + 2 * layer, size[layer], "kept"), (101 + 2 * layer, 5000, "brief"),
                                (101 + 2 * layer, -1, "")], flops=size[layer])
        for layer in range(layers)
    ]  # fmt: skip
    head = [Part("head", None, [(900, 7000, "logits")])]
    backward = [
        Part(
            "backward",
            layer,
            [(1000 + layer, size[layer], "gradients"), (100 + 2 * layer, -1, "")],
            flops=2 * size[layer],
        )
        for layer in reversed(range(layers))
    ]
    end = [Part("end", None, [(900, -1, ""), *((1000 + layer, -1, "") for layer in range(layers))])]
    return [*load, Part("ready", None), *forward, *head, *backward, *end]


def totals(parts: list[Part]) -> tuple[object, ...]:
    peak = replay(event for part in parts for event in part.events)
    return peak, sum(part.flops for part in parts)


@given(st.integers(1, 40), st.integers(1, 6), st.sampled_from(EDGES))
def test_unrolled_is_as_if_all_layers_had_run(layers: int, period: int, edge: int):
    ran = layers_needed(layers, period, edge)
    assert ran <= layers
    assert totals(unroll(step(ran, period), ran, layers, period, edge)) == totals(step(layers, period))


@given(st.integers(5, 20))
def test_once_more_is_the_same_again(layers: int):
    parts = step(layers)
    both = [*parts, *again(parts[layers:], "'")]
    names = [name for part in both for name, nbytes, _ in part.events if nbytes >= 0]
    assert len(names) == len(set(names)), "each tensor has a name of its own"
    once, twice = totals(parts), totals(both)
    assert once[0] == twice[0]
    assert 2 * once[1] == twice[1]


def test_what_does_not_repeat_is_refused():
    parts = step(5)
    begin, end = (next(each for each in parts if (each.phase, each.layer) == where) for where in
                  (("forward", 4), ("backward", 2)))  # fmt: skip
    begin.events.append((5000, 3, "only in the last layer"))
    end.events.append((5000, -1, ""))
    with pytest.raises(Irregular):
        unroll(parts, 5, 12)
    with pytest.raises(Irregular, match="goes through"):
        unroll([part for part in step(5) if (part.phase, part.layer) != ("forward", 3)], 5, 12)
