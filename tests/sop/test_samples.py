"""The built-in guides are there without any import, and good enough to work by."""

import pytest

from repairai.schema import Guide
from repairai.sop.samples import samples, samples_digest


def by_id(guide_id: str) -> Guide:
    return next(guide for guide in samples() if guide.id == guide_id)


def test_there_are_at_least_ten_of_our_own():
    assert len(samples()) >= 10
    assert len({guide.id for guide in samples()}) == len({guide.device for guide in samples()}) == len(samples())
    assert all(guide.id.startswith("sample-") for guide in samples())
    assert {(guide.licence, guide.author) for guide in samples()} == {("CC0-1.0", "RepairAI")}
    assert len(samples_digest()) == 16


@pytest.mark.parametrize("guide", samples(), ids=lambda guide: guide.id)
def test_each_can_be_worked_by(guide: Guide):
    assert 5 <= len(guide.steps) <= 9
    assert guide.title
    assert guide.subject
    assert guide.introduction
    assert guide.tools
    assert all(step.title for step in guide.steps)
    lines = [line for step in guide.steps for line in step.lines]
    assert any(line.kind == "caution" for line in lines)
    assert any("screw" in line.text.lower() and line.text.startswith(("Remove", "Install")) for line in lines)
    assert not [line.text for line in lines if not line.text.endswith((".", "!", ":"))]


@pytest.mark.parametrize(
    "guide_id", [guide.id for guide in samples() if guide.id not in ("sample-practice-block",)], ids=str
)
def test_power_goes_off_first(guide_id: str):
    first = by_id(guide_id).steps[0].text.lower()
    assert any(word in first for word in ("unplug", "switch", "shut", "battery pack"))


def test_the_practice_block_ends_with_four_screws():
    block = by_id("sample-practice-block")
    assert (block.device, block.title) == ("Practice block", "Four-screw practice block")
    assert "Install the four screws" in block.steps[1].text
    assert "Remove two screws" in block.steps[2].text
    assert "all four screws are installed" in block.steps[-1].text
