"""Records to HTML: what comes from outside never becomes live."""

import numpy as np
import pytest

from repairai.schema import (
    Count,
    Detection,
    Finding,
    Guide,
    Inspection,
    Line,
    PartAction,
    PartLimits,
    PhotoTaken,
    Step,
    Verdict,
    Visibility,
)
from repairai.ui import render
from repairai.ui.overlay import overlay

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>${alert(1)}{{alert(1)}}\"'&"
LIMITS = {"screw": PartLimits(0.6, 0.3), "screw_hole": PartLimits(0.6, 0.3)}


def inspection(outcome="PASS", action="") -> Inspection:
    finding = Finding(Count("screw", 4, 4), outcome, "exactly 4 screws", HOSTILE, "count_met", (4, 4), action)
    return Inspection(
        "2026-01-02T03:04:05+00:00",
        PhotoTaken(HOSTILE, "0" * 64, 10, 10),
        None,
        "device",
        HOSTILE,
        1,
        ("a@b",),
        (),
        (),
        Visibility(1, 0, 1),
        Verdict(outcome, (finding,)),
        0.1,
        (),
    )


def guide() -> Guide:
    return Guide(
        id=HOSTILE,
        title=HOSTILE,
        device=HOSTILE,
        licence=HOSTILE,
        steps=(Step(1, (Line(HOSTILE), Line("Remove the fan.", "caution")), title=HOSTILE, tools=(HOSTILE,)),),
        url="javascript:alert(1)",
        author=HOSTILE,
    )


@pytest.mark.parametrize(
    "html",
    [
        render.verdict(inspection()),
        render.verdict(inspection("UNCERTAIN", HOSTILE)),
        render.step(guide(), guide().steps[0], (PartAction("remove", "fan", 1, (0, 20)),)),
        render.problem(HOSTILE),
        overlay(np.zeros((80, 80, 3), np.uint8), (Detection("screw", 0.9, (1, 1, 9, 9)),), LIMITS, {}, HOSTILE),
    ],
    ids=["verdict", "action", "step", "problem", "overlay"],
)
def test_nothing_from_outside_becomes_live(html):
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "javascript:" not in html
    assert "onerror=alert(1)>" not in html


def test_the_verdict_is_word_icon_and_colour_together():
    for outcome, icon in render.ICONS.items():
        html = render.verdict(inspection(outcome, "Look again." if outcome != "PASS" else ""))
        assert f'data-outcome="{outcome}"' in html
        assert f"<strong>{outcome}</strong>" in html
        assert icon in html
        assert f"verdict-{outcome.lower()}" in html
        assert ("What to do next" in html) == (outcome != "PASS")


def test_the_words_a_requirement_was_read_from_are_marked_in_their_line():
    step = Step(1, (Line("First open the case."), Line("Remove the four screws & the fan."), Line("Close it.")))
    start = step.text.index("Remove the four screws")
    actions = (PartAction("remove", "screw", 4, (start, start + len("Remove the four screws"))),)
    html = render.step(Guide("g", "t", "d", "CC0-1.0", (step,)), step, actions)
    assert "<mark>Remove the four screws</mark> &amp; the fan." in html
    assert html.count("<mark>") == 1


def test_only_web_addresses_become_links():
    step = (Step(1, (Line("x"),)),)
    assert 'href="https://www.ifixit.com/Guide/1"' in render.source(
        Guide("g", "t", "d", "CC", step, url="https://www.ifixit.com/Guide/1")
    )
    assert "<a" not in render.source(guide())


def test_boxes_are_toggled_by_label_and_doubt_is_drawn_dashed():
    found = (
        Detection("screw", 0.9, (1, 1, 9, 9)),
        Detection("screw", 0.4, (11, 1, 19, 9)),
        Detection("screw_hole", 0.9, (21, 1, 29, 9), small=True),
    )
    html = overlay(np.zeros((3000, 2000, 3), np.uint8), found, LIMITS, {"screw": "UNCERTAIN"}, "photo.jpg")
    assert html.count('type="checkbox"') == 2
    assert html.count(" unsure") >= 2
    assert "tone-uncertain" in html
    assert "tone-unasked" in html
    assert "1 + 1 unsure" in html
    assert 'viewBox="0 0 2000 3000"' in html


def test_a_label_that_the_detector_no_longer_has_is_still_drawn():
    html = overlay(np.zeros((80, 80, 3), np.uint8), (Detection("rivet", 0.4, (1, 1, 9, 9)),), LIMITS, {}, "old.jpg")
    assert 'data-label="rivet"' in html
    assert " unsure" not in html


def test_a_box_says_its_label_where_it_has_the_room():
    found = (Detection("screw_hole", 0.9, (10, 100, 300, 200)), Detection("screw", 0.9, (400, 100, 430, 130)))
    html = overlay(np.zeros((800, 720, 3), np.uint8), found, LIMITS, {}, "photo.jpg")
    assert ">screw hole 0.90</text>" in html
    assert ">0.90</text>" in html
    assert "<title>screw 0.90</title>" in html
