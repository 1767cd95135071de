"""Facts of 290 MyFixit steps, written down by hand before the reader was tuned: the texts have not drifted.

How to annotate is told in `rules` of requirements_gold.json, so that another person would write the same. The texts
stay where they lie; only their ids, a hash of their words and the facts are kept here.
"""

import hashlib
import json
from pathlib import Path

GOLD = json.loads((Path(__file__).parent / "requirements_gold.json").read_text())


def test_texts_are_the_ones_that_were_read(shared: Path):
    texts: dict[tuple[str, int], set[str]] = {}
    for file in {step["file"] for step in GOLD["steps"]}:
        for line in (shared / "myfixit" / file).read_text().splitlines():
            for step in json.loads(line)["Steps"]:
                hashed = hashlib.sha256(step["Text_raw"].encode()).hexdigest()[:16]
                texts.setdefault((file, step["StepId"]), set()).add(hashed)
    drifted = [s["step_id"] for s in GOLD["steps"] if s["sha256"] not in texts.get((s["file"], s["step_id"]), set())]
    assert not drifted, "these steps no longer say what they said when they were annotated"


def test_both_halves_are_large_and_hold_steps_that_ask_nothing():
    for half in ("develop", "held_out"):
        steps = [step for step in GOLD["steps"] if step["half"] == half]
        assert len(steps) >= 120
        assert sum(not step["facts"] for step in steps) >= 20
