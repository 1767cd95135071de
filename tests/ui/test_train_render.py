"""Data, examples, recipes and forecasts as HTML: figures are there, and nothing from outside becomes live."""

from dataclasses import replace

from repairai.hardware.card import card_of
from repairai.runs.forecast import DiskForecast
from repairai.ui import train_render as render
from repairai.ui.foreseen import Foreseen
from repairai.ui.photos.scripted import Progress

HOSTILE = '<script>alert("x")</script>'
LENGTHS = {
    "histogram": [5, 20, 5, 0, 0, 0, 0, 0, 1], "median_tokens": 190, "p95_tokens": 380, "longest_tokens": 1100,
    "answer_tokens": 900, "answers_cut": 1, "prompts_cut": 0,
}  # fmt: skip
REPORT = {
    "name": "mine", "made": "2026-11-23T03:02:02+00:00", "sources": ["library"], "seed": 7, "length_tokens": 1024,
    "counted_with": "an estimate", "split_by": "device",
    "examples": {"train": {"how_to": 30, "odd": 1}, "val": {"how_to": 3}, "exam": {}},
    "devices": {"train": 9, "val": 1, "exam": 0}, "guides": {"train": 12, "val": 2, "exam": 0},
    "lengths": {"train": LENGTHS, "val": {**LENGTHS, "answers_cut": 0}, "exam": {**LENGTHS, "answers_cut": 0}},
    "steps_left_out": {}, "shared_texts": 4, "steps_dropped": {"train": 0, "val": 3, "exam": 2},
    "examples_dropped": {"train": 0, "val": 0, "exam": 0}, "leaks": 0, "copies": {"train": 6, "val": 0, "exam": 0},
    "near_copies": {"val": 1, "exam": 0}, "near_score": 0.8, "nearest": [], "origins": {"ifixit": 34},
    "licences": {"CC-BY-NC-SA-3.0": 34}, "terms": ["iFixit's terms of use forbid training"], "notes": ["exam is empty"],
    "problems": ["a.json: broken"], "n_problems": 1, "seconds": 1.0,
}  # fmt: skip


def test_a_report_says_what_is_in_the_data():
    shown = render.report(REPORT)
    for words in (
        "How to do it", "odd", "1 of 34 (2.9%)", "5 were dropped", "CC-BY-NC-SA-3.0 34", "Exam is empty.",
        "terms of use forbid training.", "1 entries could not be read", "a.json: broken", "The line is at 1,024",
    ):  # fmt: skip
        assert words in shown, words
    assert shown.count("<rect") == 4
    assert 'class="limit"' in shown


def test_hostile_words_stay_text():
    lists, counts = ("terms", "notes", "problems"), ("licences", "origins")
    report = {
        **REPORT, **dict.fromkeys(lists, [HOSTILE]), **dict.fromkeys(counts, {HOSTILE: 1}),
        **dict.fromkeys(("name", "counted_with", "split_by"), HOSTILE), "examples": {"train": {HOSTILE: 1}},
    }  # fmt: skip
    foreseen = replace(FORESEEN, faults=(HOSTILE,), remarks=(HOSTILE,), card=replace(card_of(8), name=HOSTILE))
    sample = {"task": HOSTILE, "device": HOSTILE, "guide_id": HOSTILE, "source": {"licence": HOSTILE},
              "spans": [{"text": HOSTILE, "trained": True}, {"text": HOSTILE, "trained": False}]}  # fmt: skip
    shown = [
        render.report(report), render.sample([sample], 0, HOSTILE), render.recipe(HOSTILE, HOSTILE),
        render.problems([HOSTILE]), render.building(Progress(HOSTILE, HOSTILE, HOSTILE)),
        render.forecast(foreseen),
    ]  # fmt: skip
    assert not [each for each in shown if "<script" in each]


def test_an_example_marks_what_is_learned_and_can_be_leafed_through():
    spans = [{"text": "<|user|>How?", "trained": False}, {"text": "1. So.<|end|>", "trained": True}]
    found = [{"task": "how_to", "device": f"lamp {n}", "guide_id": "g", "source": {}, "spans": spans} for n in range(3)]
    shown = render.sample(found, 1, "/models/Tiny-1B")
    assert "&lt;|user|&gt;How?<mark>1. So.&lt;|end|&gt;</mark>" in shown
    assert "Example 2 of 3" in shown
    assert "as Tiny-1B sees it" in shown
    assert "lamp 0" in render.sample(found, 3, "")
    assert "lamp 2" in render.sample(found, -1, "")
    assert render.sample([], 0, "") == ""


def test_a_build_shows_how_far_it_is():
    assert 'aria-valuenow="50"' in render.building(Progress("Building mine", "mine", "making", 5, 10))
    assert "aria-valuenow" not in render.building(Progress("mine"))


FORESEEN = Foreseen(DiskForecast(0.5, 0.2, 2, 100.0), card_of(8), (4.0, 5.0), 240, (0.5, 1.5), (), ())


def test_a_forecast_says_what_is_free_and_what_fits():
    shown = render.forecast(FORESEEN)
    assert "1.70 GiB of 100.0 GiB free: 3 checkpoints of 0.50 GiB and the model" in shown
    assert "4.0 to 5.0 of 7.4 GiB free on a card with 8 GiB" in shown
    assert "240 steps, 30 min to 1 h 30 min" in shown
    assert "class=bad" not in shown


def test_what_does_not_fit_is_red_and_says_so():
    disk = DiskForecast(50.0, 20.0, 2, 100.0)
    shown = render.forecast(replace(FORESEEN, disk=disk, held_gib=(9.0, 11.0), faults=("there is no folder of data",)))
    assert shown.count('class="bad"') + shown.count("class=bad") == 3
    assert shown.count("does not fit</span>") == 2
    assert "There is no folder of data." in shown


def test_what_is_not_known_is_told():
    shown = render.forecast(
        replace(FORESEEN, disk=DiskForecast(None, None, 2, 9.0), held_gib=None, hours=None, steps=None)
    )
    assert "the model&#x27;s size is not known here" in shown
    assert "the first steps will tell" in shown
    assert "being worked out" in render.forecast(replace(FORESEEN, held_gib=None, hours=None, at_once=True))
