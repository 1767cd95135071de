import json
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.speed import Rates, measured_rates, step_seconds
from repairai.hardware.workload import Demand

RATES = Rates("card", {"bf16": 1e12, "fp16": 1e12, "fp32": 1e11}, 1e11)
DEMAND = Demand(1, 1, 1, {}, 1, 1, flops=2 * 10**12, traffic=10**11)


def test_a_step_takes_at_least_its_slower_half_and_at_most_both_and_more():
    assert step_seconds(DEMAND, 1, "bf16", RATES) == (2.0, 4.5)
    assert step_seconds(DEMAND, 4, "bf16", RATES) == (8.0, 18.0)
    assert step_seconds(DEMAND, 1, "fp32", RATES)[0] == 20.0


@pytest.mark.slow
def test_this_machine_is_measured_once_and_then_known(home: Path):
    found = measured_rates("cpu", "A CPU")
    assert found.bandwidth > 1e8
    assert min(found.flops.values()) > 1e8
    (kept,) = (home / "planner" / "rates").iterdir()
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "device": "seen before"}))
    assert measured_rates("cpu", "A CPU").device == "seen before"
    kept.write_text("[" * 200_000)
    assert measured_rates("cpu", "A CPU").flops, "what is damaged is measured again"


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(RepairError, match="cannot be measured"):
        measured_rates("abacus", "")
