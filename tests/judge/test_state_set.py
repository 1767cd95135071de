"""A set of states: written and read, summed up; what is damaged is told in a sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.judge.state_set import (
    AnswerCounts,
    StateExample,
    StateSource,
    read_sources,
    read_state_set,
    summary,
    write_examples,
    write_sources,
)
from repairai.named_sets import STATE_SETS

ONE = StateExample("photos/a.jpg", "Is the latch open?", "Is the latch closed?", "yes", "own/a", "train")


def a_set(name: str, *examples: StateExample) -> Path:
    folder = STATE_SETS.folder(name)
    write_examples(folder, examples or (ONE,))
    return folder


def test_what_is_written_is_read_and_listed_newest_first():
    assert STATE_SETS.names() == ()
    first, second = a_set("first"), a_set("second", ONE, replace(ONE, answer="no", made_by="person"))
    os.utime(first / "examples.jsonl", (1, 1))
    assert STATE_SETS.names() == ("second", "first")
    assert [each.answer for each in read_state_set(second)] == ["yes", "no"]
    sources = (StateSource("bench", "CC0-1.0", "https://example.org", 3), StateSource("lid scenes", made_by="rendered"))
    write_sources(first, sources)
    assert (read_sources(first), read_sources(second)) == (sources, ())


def test_a_summary_counts_answers_and_independent_photos_by_split():
    examples = (
        ONE, replace(ONE, photo="photos/b.jpg", answer="no"), replace(ONE, photo="photos/c.jpg", source="own/c"),
        replace(ONE, photo="photos/d.jpg", source="own/d", split="test", answer="no", made_by="person"),
        replace(ONE, question="Is the fan on?", opposite="Is the fan off?"),
    )  # fmt: skip
    found = summary("bench", examples)
    assert (found.examples, found.photos, found.sources) == (5, 4, 3)
    assert found.splits == {"train": 4, "val": 0, "test": 1}
    latch, fan = found.questions
    assert latch.splits == {"train": AnswerCounts(2, 1, 2), "val": AnswerCounts(), "test": AnswerCounts(0, 1, 1)}
    assert (latch.yes, latch.no, latch.made_by) == (2, 2, {"import": 3, "person": 1})
    assert (fan.question, fan.yes, fan.no) == ("Is the fan on?", 1, 0)


def test_what_is_damaged_is_told():
    folder = a_set("bench")
    (folder / "examples.jsonl").write_text('{"photo": "photos/a.jpg"\n')
    with pytest.raises(RepairError, match="examples.jsonl, line 1 is not JSON"):
        read_state_set(folder)
    (folder / "sources.json").write_text("{}")
    with pytest.raises(RepairError, match="is no list"):
        read_sources(folder)
    (folder / "sources.json").write_text("[")
    with pytest.raises(RepairError, match="is not JSON"):
        read_sources(folder)
    with pytest.raises(RepairError, match="there are no states at .*states build"):
        read_state_set(folder.with_name("other"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"question": "Open"}, "two questions"), ({"answer": "maybe"}, "answer to be one of yes, no"),
        ({"split": "exam"}, "split to be one of"), ({"made_by": "me"}, "made_by to be one of"),
        ({"photo": "../a.jpg"}, "within the set's folder"), ({"source": ""}, "source of the photo"),
    ],
)  # fmt: skip
def test_an_example_that_cannot_be(wrong: dict[str, str], said: str):
    with pytest.raises(ValueError, match=said):
        replace(ONE, **wrong)
