"""Curves as HTML and SVG: axes that can be read, words for those who do not see them, and nothing that jumps."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repairai.ui.curves import MOST_POINTS, Line, Plot, axis_end, drawn, of_run, smoothed, ticks, written

HOSTILE = '<script>alert("x")</script>'


def test_nothing_is_drawn_of_nothing():
    assert "first step" in drawn(of_run({}))


def test_a_run_is_drawn_over_one_axis_of_steps():
    series = {
        "loss": [(1, 2.5), (100, 0.8)],
        "eval_loss": [(50, 1.2), (100, 0.9)],
        "memory_gib": [(1, 2.0), (100, 2.1)],
    }
    shown = drawn(of_run(series), 400)
    assert re.findall(r"<b>(.*?)</b>", shown) == ["Loss", "Memory"]
    assert shown.count('<span class="x" style="left:100.00%">100</span>') == 2
    assert "training: from 2.50 at step 1 to 0.800 at step 100, lowest 0.800 at step 100" in shown
    assert "validation: from 1.20 at step 50" in shown
    assert "</svg>this run" not in shown, "a line by itself needs no name"
    assert 'class="dots tone-2"' in shown


def test_hostile_names_stay_text():
    line = Line(HOSTILE, [(1, 1.0)])
    shown = drawn([Plot(HOSTILE, HOSTILE, (line, Line(HOSTILE, [(1, 2.0)], 2)))])
    assert "<script" not in shown


def test_the_axis_of_steps_seldom_moves():
    ends = [axis_end(step, None) for step in range(1, 3001)]
    assert all(end >= step for step, end in enumerate(ends, 1))
    assert len(set(ends)) < 25
    assert axis_end(90, 96) == 96
    assert axis_end(0, 10) == 1
    assert axis_end(120, 100) == 120, "a run may make more steps than were foreseen"


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9))
@example(900719926.1796875, 1.192092896e-07)
def test_ticks_hold_the_figures_and_are_few(low: float, span: float):
    high = low + span
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert found[0] <= low + 1e-6 * max(abs(low), span)
    assert found[-1] >= high - 1e-6 * max(abs(high), span)


def test_ticks_of_a_flat_line_are_still_an_axis():
    assert len(ticks(1.0, 1.0)) >= 2
    assert len(ticks(0.0, 0.0)) >= 2


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (2.345, "2.35"),
        (0.0123, "0.0123"),
        (1234.4, "1,234"),
        (2e-4, "2e-4"),
        (1.83e-4, "1.83e-4"),
        (3e7, "3e7"),
    ],
)
def test_figures_have_few_letters(value: float, said: str):
    assert written(value) == said


def test_ticks_of_one_axis_are_written_alike():
    assert [written(tick, 2.5e-4) for tick in ticks(0, 1e-3)] == ["0", "2.5e-4", "5e-4", "7.5e-4", "1e-3"]
    assert [written(tick, 0.5) for tick in ticks(0.8, 2.2)] == ["0.5", "1.0", "1.5", "2.0", "2.5"]


def test_long_lines_are_thinned_and_keep_their_extremes():
    points = [(step, 1.0 + (step == 777) * 9 - (step == 1234) * 0.9) for step in range(5000)]
    shown = drawn([Plot("Loss", "", (Line("loss", points),))])
    line = re.search(r'points="([^"]*)"', shown)
    assert line is not None
    assert len(line[1].split()) <= MOST_POINTS + 2
    assert "highest 10.0 at step 777" in shown
    assert "lowest 0.100 at step 1234" in shown


def test_a_noisy_line_shows_its_course():
    points = [(step, 1.0 + (step % 2)) for step in range(200)]
    course = [value for _, value in smoothed(points)]
    assert course[0] == 1.0, "nothing came before the first"
    assert max(course[20:]) - min(course[20:]) < 0.3
    shown = drawn(of_run({"loss": points}))
    assert 'class="raw tone-1"' in shown
    assert 'class="raw' not in drawn(of_run({"loss": points[:10]})), "a few points are no noise"


def test_dots_do_not_hide_a_line():
    assert 'class="dots' in drawn(of_run({"eval_loss": [(step, 1.0) for step in range(30)]}))
    assert 'class="dots' not in drawn(of_run({"eval_loss": [(step, 1.0) for step in range(90)]}))
