"""Machines and plans as HTML: nothing from outside becomes live, and nothing rests on colour alone."""

from dataclasses import replace

import pytest

from repairai.hardware.card import card_of
from repairai.hardware.memory import estimate
from repairai.hardware.past import Correction, PastRun
from repairai.hardware.plan import plan
from repairai.hardware.probe import probe
from repairai.hardware.profile import Gpu, GpuUser
from repairai.hardware.ways import brief
from repairai.hardware.workload import Workload
from repairai.ui import hardware_render as render

HOSTILE = '<script>alert("x")</script>'


def test_a_machine_with_a_gpu_says_who_uses_it():
    gpu = Gpu(
        "nvidia", HOSTILE, 8.0, 0.5, (GpuUser(7, HOSTILE, 6.5), GpuUser(9, "", None)), "570.1", "12.8", "8.6", True, 61
    )
    shown = render.machine(replace(probe(), gpus=(gpu,), remarks=(f"odd {HOSTILE}",), system_name=HOSTILE))
    assert "<script" not in shown
    assert "0.5 of 8.0 GiB free" in shown
    assert "(7): 6.5 GiB" in shown
    assert "a program (9)" in shown
    assert "61 °C" in shown
    assert "tone-fail" in shown, "a card that is nearly full stands out"
    assert "<li>Odd &lt;script" in shown


def test_a_machine_without_one_is_no_error():
    assert "No GPU" in render.machine(replace(probe(), gpus=()))


def test_memory_that_is_not_known_is_not_called_full():
    shown = render.machine(replace(probe(), gpus=(Gpu("nvidia", "shared", 0, 0),)))
    assert "its memory is not known" in shown


def test_a_plan_says_in_words_what_fits():
    found = plan("sop", "meta-llama/Meta-Llama-3-8B", card_of(8))
    shown = render.plan(replace(found, model=HOSTILE))
    assert "<script" not in shown
    assert shown.count('<li class="way"') == len(found.ways)
    for word in ("fits", "does not fit", "elsewhere"):
        assert f"</span> {word}</span>" in shown
    assert "It would fit <strong>in 4 bits (QLoRA)</strong>" in shown


def test_rules_stand_beside_our_figures():
    rows = [(row, found, "fits") for row, found in zip(brief(), estimate([row.work for row in brief()]), strict=True)]
    shown = render.rules(rows, HOSTILE)
    assert "<script" not in shown
    assert "about 16 GB" in shown
    assert shown.count("<tr>") == len(rows) + 1


@pytest.mark.parametrize("seconds", [(0.5, 1.5), None])
def test_past_runs_are_listed_newest_first(seconds):
    run = PastRun("2026-11-22T10:00:00", "card", Workload(HOSTILE), 8.0, 10.0, (8.0, 9.0), 10.5, seconds, 1.25)
    shown = render.past([run, replace(run, at="2026-11-23T09:30:00")], Correction(2))
    assert "<script" not in shown
    assert shown.index("2026-11-23 09:30") < shown.index("2026-11-22 10:00")
    assert "-20.0 %" in shown
    assert ("planned 0.50 to 1.50" in shown) == (seconds is not None)
    assert "No run has been compared" in render.past([], Correction(0))
