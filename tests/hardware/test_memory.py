"""What a workload takes: asked of a process of its own, kept, bounded where the family is not known."""

import json
import random
import sys
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest

from repairai.errors import RepairError
from repairai.hardware import memory, workers
from repairai.hardware.bound import bound
from repairai.hardware.known import questions
from repairai.hardware.memory import KNOWN, Estimate, estimate, key
from repairai.hardware.models import built_in, find_config
from repairai.hardware.workload import Demand, Method, Workload

TINY = {"model_type": "llama", "hidden_size": 256, "num_hidden_layers": 3, "vocab_size": 3000, "intermediate_size": 512,
        "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Workload:
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    return Workload(str(tmp_path), length_tokens=32)


def test_what_was_asked_before_is_not_run_again(tiny: Workload, home: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[int, int]] = []
    first, second = estimate([tiny, replace(tiny, batch=2)], lambda done, of: told.append((done, of)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert second.tensors_gib > first.tensors_gib > 0
    monkeypatch.setattr(memory, "ask", lambda question: pytest.fail("asked again"))
    assert estimate([tiny])[0] == first


def test_two_batches_show_what_happens_with_any_number(tiny: Workload):
    two, many = estimate([replace(tiny, accumulation=n) for n in (2, 16)])
    assert two.demand == many.demand


def test_an_answer_that_was_cut_short_is_asked_for_again(tiny: Workload, home: Path):
    (found,) = estimate([tiny])
    (kept,) = (home / "planner").rglob("*.json")
    kept.write_text(kept.read_text()[:30])
    assert estimate([tiny]) == [found]
    assert json.loads(kept.read_text())["allocated"] == found.demand.allocated


def test_a_full_disk_keeps_nobody_from_an_answer(tiny: Workload, small_disk: Path, monkeypatch: pytest.MonkeyPatch):
    (small_disk / "full").write_bytes(b"x" * 400_000)
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    assert estimate([tiny])[0].tensors_gib > 0


def test_a_process_that_dies_is_told(tiny: Workload, monkeypatch: pytest.MonkeyPatch):
    alone(monkeypatch)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RepairError, match="ended before it answered"):
        estimate([tiny])


def test_a_process_that_was_killed_is_started_again(tiny: Workload, monkeypatch: pytest.MonkeyPatch):
    worker = alone(monkeypatch)
    worker.start().kill()
    worker.start().stdin.close()
    assert estimate([tiny])
    worker.stop()


def alone(monkeypatch: pytest.MonkeyPatch) -> workers._Worker:
    """Let one process answer, which no other test has asked."""
    worker, free = workers._Worker(), Queue()
    free.put(worker)
    monkeypatch.setattr(workers, "_free", lambda: free)
    return worker


def test_a_process_that_is_too_slow_is_stopped(tiny: Workload, monkeypatch: pytest.MonkeyPatch):
    worker = alone(monkeypatch)
    monkeypatch.setattr(workers, "ANSWER_SECONDS", 0.2)
    with pytest.raises(RepairError, match=r"not worked out within 0.2 s"):
        estimate([tiny])
    monkeypatch.setattr(workers, "ANSWER_SECONDS", 180)
    assert estimate([tiny]), "the next question starts another"
    worker.stop()


def test_the_terms_add_up_to_what_is_held(tiny: Workload):
    (found,) = estimate([tiny])
    low, high = found.held_gib()
    assert low < high
    assert sum(found.terms_gib().values()) == pytest.approx(high)
    assert {"weights", "adapters", "activations", "CUDA context"} <= set(found.terms_gib())


STEPS = (
    ("lora", 1024, 3.67), ("qlora", 1024, 3.82), ("qlora", 900, 3.75), ("qlora", 512, 2.48), ("full", 1024, 3.90),
    ("lora", 1024, 4.85), ("qlora", 1024, 4.73),
)  # fmt: skip
"""Of SmolLM2-135M on a processor, two rows at a time: method, tokens, most GiB that such a step was seen to hold. The
last two are whole trainings, whose heap grows: the span has to leave room for that beside a few steps."""


@pytest.mark.parametrize(("method", "length", "took"), STEPS)
def test_what_steps_on_a_processor_took_lies_in_the_span(method: Method, length: int, took: float):
    step = Workload(
        "HuggingFaceTB/SmolLM2-135M-Instruct", method, batch=2, accumulation=4, length_tokens=length,
        checkpointing=False, optimizer="adamw", adapter_precision="fp32",
    )  # fmt: skip
    (found,) = estimate([step])
    low, high = found.held_gib("cpu")
    assert low <= took * 1.02
    assert took <= high
    assert abs((low + high) / 2 / took - 1) < 0.36
    assert sum(found.terms_gib("cpu").values()) == pytest.approx(high)


def test_weights_that_only_lie_there_make_no_holes():
    demand = Demand(2**30, 2**30, 2**30, {"weights": 2**30}, 1, 0, 1, 1)
    work = Workload("a", "inference")
    lying = Estimate(work, demand).held_gib("cpu")[1]
    assert lying < Estimate(work, replace(demand, resident=0)).held_gib("cpu")[1]


def test_a_family_that_is_not_known_gets_a_bound(tiny: Workload, tmp_path: Path):
    (known,) = estimate([tiny])
    (tmp_path / "config.json").write_text(json.dumps({**TINY, "model_type": "newfangled"}))
    (found,) = estimate([tiny])
    assert "a bound from its size (transformers knows no models of type newfangled)" in found.demand.bound
    assert found.demand.allocated > known.demand.allocated - known.demand.terms["workspace"]


def test_a_family_that_is_not_known_and_says_no_size_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "newfangled"}')
    with pytest.raises(RepairError, match="does not say hidden_size"):
        estimate([Workload(str(tmp_path))])


def known_answers() -> list[Estimate]:
    language = [work for work in questions() if "num_hidden_layers" in find_config(work.model)]
    return estimate(language)


def test_the_bound_is_one():
    for each in known_answers():
        most = bound(each.work, find_config(each.work.model), "to compare")
        assert most.allocated >= each.demand.allocated, each.work
        assert most.reserved >= each.demand.reserved, each.work


def test_what_comes_with_repairai_is_what_is_found_anew(monkeypatch: pytest.MonkeyPatch):
    if not memory._known():
        pytest.skip(f"{KNOWN.name} was made with other versions of torch or transformers")
    works = list(questions())
    some = random.Random(11).sample(works, 8)
    kept = estimate(some)
    monkeypatch.setattr(memory, "_known", dict)
    assert estimate(some) == kept
    assert all(memory.key(work, built_in()[work.model]) for work in works)


def test_all_that_a_plan_may_ask_of_built_in_models_comes_with_repairai():
    known = memory._known()
    if not known:
        pytest.skip(f"{KNOWN.name} was made with other versions of torch or transformers")
    missing = [work for work in questions() if key(work, built_in()[work.model]) not in known]
    assert not missing, f"run python -m repairai.hardware.known: {len(missing)} are missing, such as {missing[0]}"


def test_a_demand_is_read_as_it_was_written():
    from repairai.files import from_data, to_data

    demand = Demand(3, 4, 2, {"weights": 1}, 10, 5, 100, 200)
    assert from_data(to_data(demand), Demand, "here") == demand
