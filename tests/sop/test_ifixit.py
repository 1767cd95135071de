"""A guide of iFixit's API as ours: text, kinds of lines, photos, attribution."""

from typing import Any

import pytest

from repairai.errors import RepairError
from repairai.schema import Line
from repairai.sop.sources.ifixit import read_ifixit
from tests.sop.ifixit_server import api_guide


def test_a_guide_is_read_whole():
    guide = read_ifixit(api_guide(3141), "x.json")
    assert (guide.id, guide.title, guide.device) == ("ifixit-3141", "iPhone 4 Battery Replacement", "iPhone 4")
    assert (guide.subject, guide.author) == ("Battery", "Andrew")
    assert guide.licence == "CC-BY-NC-SA-3.0"
    assert guide.url == "https://www.ifixit.com/Guide/iPhone+4+Battery+Replacement/3141"
    assert guide.tools == ("Spudger", "P2 Screwdriver")
    assert guide.introduction == "Before you begin, discharge the battery."
    first, second, third, fourth = guide.steps
    assert (first.number, first.title, first.source_id) == (1, "Bottom & screws", "901")
    assert first.lines == (
        Line("Remove the two Pentalobe screws."),
        Line("Use a T5 <bit>.", "step", 1),
        Line("Never pry here: <b> is not bold.", "caution"),
        Line("Keep them.", "note"),
        Line("Mind soldering.", "reminder"),
    )
    assert first.image_urls == ("https://photos.example/1.standard",)
    assert (second.image_urls, fourth.image_urls) == ((), ())
    assert third.text == "See the photo."
    assert fourth.text == "Disconnect the battery connector."


def test_steps_follow_their_order_where_all_have_one():
    steps = [{"orderby": 2, "lines": [{"text_raw": "Last."}]}, {"orderby": 1, "lines": [{"text_raw": "First."}]}]
    assert [step.text for step in read_ifixit(api_guide(1, steps=steps), "x").steps] == ["First.", "Last."]


@pytest.mark.parametrize(
    "change",
    [
        {"tools": None, "author": None, "url": None, "introduction_raw": None, "subject": None},
        {"tools": "a spudger", "author": "Ann", "category": 4},
        {"steps": [None, 7, {"lines": [None, {"text_raw": None, "level": -2}, {"text_raw": "Lift.", "level": "x"}]}]},
        {"steps": [{"lines": [{"text_raw": "Lift \ud800."}], "media": {"type": "image", "data": {"id": 1}}}]},
        {"title": 3141, "steps": [{"lines": [{"text_raw": "Lift."}], "media": {"type": "image", "data": [None]}}]},
    ],
)
def test_dirt_is_survived(change: dict[str, Any]):
    guide = read_ifixit(api_guide(1, **change), "x.json")
    assert guide.steps[0].text
    assert guide.url.startswith("https://")
    guide.steps[0].text.encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": []}, r"x.json \('iPhone 4 Battery Replacement'\) has no steps; leave it out or fetch it again."),
        ({"steps": None}, "has no steps"),
        ({"title": " "}, "x.json has no title"),
        ({"guideid": True}, "x.json has no guide number, got True"),
    ],
)
def test_what_is_missing_is_said(change: dict[str, Any], words: str):
    with pytest.raises(RepairError, match=words):
        read_ifixit(api_guide(1, **change), "x.json")
