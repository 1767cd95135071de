"""Runs as HTML: every state has a word, an icon and a colour, and nothing from outside becomes live."""

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from repairai.runs.checkpoints import Checkpoint
from repairai.runs.compare import Came, Comparison
from repairai.runs.detector_scores import WorstPhoto, write_detector_scores
from repairai.runs.events import Event
from repairai.runs.folder import new_run
from repairai.runs.metrics import Metric
from repairai.runs.queue import Waiting
from repairai.runs.scores import Compared, ExamSheet, Lengths, Loss, Mark, Sample, Scores
from repairai.runs.state import Run, State
from repairai.sop.agents import STEPS, Agent
from repairai.ui import curves, detector_runs, scores_render
from repairai.ui import runs_render as render
from tests.runs.test_detector_gate import figures, judged, marks, trained

HOSTILE = '<script>alert("x")</script>'
NOW = time.time()


def run(**changes) -> Run:
    usual = Run(
        "lamps", "train", "running", "", "training", 40, 120, NOW - 90, NOW - 60, None, 60.0, 120.0, 0.0,
        Metric(40, NOW, loss=0.8123), None, ("python", "-m", "x"), "sop", "Some/Model-1B", "lora", "trl", "", None,
        False, 30,
    )  # fmt: skip
    return replace(usual, **changes)


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_is_told_in_a_word_an_icon_and_a_colour(state: State):
    shown = render.badge(run(state=state))
    icon, tone = render.STATES[state]
    assert icon in shown
    assert f"badge-{tone}" in shown
    assert state.split("_")[-1] in shown


def test_the_list_shows_how_far_each_is_and_which_is_chosen():
    shown = render.listed([run(), run(id="other", state="queued", step=None, eta_seconds=None, last=None)], "lamps", [
        Waiting("other", 1.0, None, NOW)])  # fmt: skip
    assert shown.count("aria-current") == 1
    assert 'href="?run=lamps"' in shown
    assert "step 40 of 120 · loss 0.812 · 2 min to go" in shown
    assert 'aria-valuenow="33"' in shown
    assert "number 1 in the queue" in shown
    assert "There are no runs yet" in render.listed([], "")


def test_many_runs_are_listed_in_part():
    shown = render.listed([run(id=f"r{number}") for number in range(70)], "r0")
    assert shown.count('class="run"') == render.LISTED
    assert "20 more are not listed" in shown


def test_what_is_hostile_stays_text():
    bad = run(id=HOSTILE, phase=HOSTILE, model=HOSTILE, parent=HOSTILE, backend=HOSTILE, kind="evaluate")
    shown = [
        render.listed([bad], HOSTILE), render.head(bad), render.told(HOSTILE, HOSTILE), render.log(HOSTILE),
        render.happened([Event(NOW, HOSTILE, HOSTILE)]),
        render.compared(Comparison((HOSTILE,), (Came(bad, 1, 1, 1, 1, 1),), {HOSTILE: {}}, ((HOSTILE, HOSTILE),))),
        scores_render.scores(scores(HOSTILE)), scores_render.decision(True, HOSTILE),
        scores_render.answering(Agent(HOSTILE, "local", "x"), Agent(HOSTILE, "local", "x")),
    ]  # fmt: skip
    assert not [each for each in shown if "<script" in each]


def test_a_silent_run_says_so():
    assert "no sign of life for 70 s" in render.head(run(silent_seconds=70.0))
    assert "no sign of life" not in render.head(run(silent_seconds=5.0))


def test_what_a_button_does_is_not_said_again():
    shown = render.told("It ended when `x`.", "Free some space. Resume it: `python -m repairai runs resume lamps`.")
    assert "<code>x</code>" in shown
    assert "Free some space." in shown
    assert "runs resume" not in shown
    other = render.told("It failed.", "Read its log with `python -m repairai runs log lamps`.")
    assert "runs log lamps" in other


def test_figures_name_the_best_look():
    series = {"loss": [(40, 0.8)], "eval_loss": [(20, 0.9), (40, 1.1)], "temperature_c": [(40, 61)]}
    shown = render.figures(run(), series)
    assert "1.10, best 0.900 at step 20" in shown
    assert "61.0 °C" in shown
    assert render.figures(run(last=None), {}) == ""


def test_checkpoints_say_which_is_best_and_which_is_no_use():
    points = [
        Checkpoint(10, Path("a"), 0.5, 0.9, True, True), Checkpoint(20, Path("b"), 0.001, None, False, False)
    ]  # fmt: skip
    shown = render.points_of_return(points)
    assert shown.index("20") < shown.index("0.50 GiB")
    assert "the best" in shown
    assert "half-written" in shown
    assert "1.0 MiB" in shown
    assert "no checkpoint yet" in render.points_of_return([])


def test_a_warning_among_the_events_is_marked_as_one():
    shown = render.happened([Event(NOW, "check", "It answers."), Event(NOW, "check", "! It never stops.")])
    assert shown.index("never stops") < shown.index("answers"), "the newest stands above"
    assert ">!</span><span>It never stops." in shown


def test_runs_beside_each_other_show_where_they_differ():
    came = tuple(Came(run(id=name), 0.5, 0.6, 30, 900.0, 2.0) for name in ("a", "b"))
    found = Comparison(
        ("a", "b"), came, {"a": {"loss": ((1, 2.0),)}, "b": {"loss": ((1, 3.0),)}}, (("epochs", "1", "2"),)
    )
    shown = render.compared(found)
    assert "epochs" in shown
    assert "Tokens/s" in shown
    assert "counted exactly" not in shown, "an agent counts no parts"
    assert shown.count("tone-2") >= 2
    assert "Their recipes are the same" in render.compared(replace(found, differences=()))


# ---- scores


def compared(low: float, high: float) -> Compared:
    return Compared(40, 0.4, 0.5, 0.1, low, high, 20, 5, 15)


def scores(text: str = "words", **changes) -> Scores:
    sample = Sample("q", "how_to", text, text, text, text, text, 0.2, 0.1)
    usual = Scores(
        "lamps", text, ExamSheet("sha", text, 40, 50), "2026-11-23", compared(0.05, 0.2),
        {"how_to": compared(0.01, 0.3), "odd_task": compared(-0.3, -0.1)}, {"counts_exact": compared(-0.1, 0.1)},
        Loss(2.0, 1.5, 1234), Lengths(40.0, 90.0, 41.0), (), (sample,),
    )  # fmt: skip
    return replace(usual, **changes)


def test_scores_say_what_is_better_worse_or_not_clear():
    shown = scores_render.scores(scores())
    assert shown.count("better</span>") == 2
    assert shown.count("worse</span>") == 1
    assert "Counts exact" in shown
    assert "odd task" in shown
    assert "40 of the 50 questions" in shown
    assert "-0.500" in shown
    assert "The worst answers" in shown
    own = scores_render.scores(scores(exam=ExamSheet("s", "p", 40, 40, True), worst=()))
    assert "your own fixed exam" in own
    assert "worst answers" not in own


def test_the_plain_steps_stand_beside_the_model_where_they_took_the_exam():
    figures = {"tools_exact": 1.0}
    own = [
        Mark(f"q{n}", "tools", HOSTILE, 0.2, 0.9, {"tools_exact": 0.0}, figures, 0.4, {"tools_exact": 0.5})
        for n in range(12)
    ]
    beside = [replace(own[0], id="r", task="requirements", steps=0.0)]
    shown = scores_render.scores(scores(marks=(*own, *beside)))
    assert shown.count("<table") == 2
    _, _, table = shown.partition("<caption>Against the plain steps</caption>")
    assert '<th scope="col">Plain steps</th><th scope="col">After</th>' in table
    rows = re.findall(r"<tr[^>]*><td>([^<]*)</td><td>12</td><td>([\d.]+)</td><td>([\d.]+)</td>", table)
    assert rows == [
        ("All questions such as ask gives an agent", "0.400", "0.900"), ("Tools of a guide", "0.400", "0.900"),
        ("Tools exact", "0.500", "1.000"),
    ]  # fmt: skip
    assert table.count("better</span>") == 3
    assert "the plain steps, which need no model" in table
    alone = scores_render.scores(scores(marks=tuple(beside)))
    assert alone.count("<table") == 1
    assert "plain steps" not in alone.lower()


def test_who_answers_is_told():
    assert "the steps themselves, word for word" in scores_render.answering(STEPS, None)
    assert "Before it: the steps themselves" in scores_render.answering(Agent("lamps", "local", "x"), STEPS)


def test_detectors_beside_each_other_show_what_they_count():
    came = tuple(Came(run(id=name), 0.5, 0.6, 30, None, 2.0, 0.875, 0.5, {"exact": 0.75}, "sha") for name in ("a", "b"))
    series = {"exact": ((1, 0.5), (2, 0.875)), "ap": ((1, 0.25), (2, 0.5))}
    shown = render.compared(Comparison(("a", "b"), came, {"a": series, "b": series}, ()))
    for words in (
        "Most parts counted exactly on validation photos",
        "87.5%",
        "All parts counted exactly on test photos",
    ):
        assert words in shown
    assert "okens/s" not in shown
    own = render.figures(run(last=Metric(2, NOW)), series)
    assert "<dt>Average precision</dt><dd>0.500, best 0.500 at step 2</dd>" in own
    assert "by trl" in render.head(run())
    assert "by trl" not in render.head(run(task="detector"))
    assert "<dt>Parts counted exactly</dt><dd>87.5%, best 87.5% at step 2</dd>" in own
    judges = {"right": ((20, 1.0), (40, 0.9))}
    own = render.figures(run(last=Metric(40, NOW)), judges)
    assert "<dt>Questions answered right</dt><dd>90.0%, best 100.0% at step 20</dd>" in own
    assert "Validation questions answered right" in curves.drawn(curves.of_run(judges))


def test_worst_photos_are_shown_where_the_evaluation_has_drawn_them():
    folder = trained("mine")
    wrong = WorstPhoto("a.png", 1, 0, {"screw": 3}, {"screw": "2 to 4"}, {"screw": "UNCERTAIN"})
    scores = replace(judged(folder, marks(figures(0.5), figures(0.75))), worst=(wrong,))
    write_detector_scores(folder.scores, scores)
    assert "not drawn" in detector_runs.scores(folder.scores)
    exam = new_run("mine-eval", "evaluate", ["python"], text="run: mine\n", parent="mine")
    (exam.path / "worst").mkdir()
    Image.new("RGB", (40, 30), "grey").save(exam.path / "worst" / "a.png.jpg")
    for path in (exam.scores, folder.scores):
        write_detector_scores(path, scores)
        shown = detector_runs.scores(path)
        assert "not drawn" not in shown
        assert "data:image/jpeg" in shown
        assert "screw: 2 to 4 found, 3 there" in shown
    write_detector_scores(folder.scores, replace(scores, seconds=7.0))  # another evaluation, whose photos are gone
    assert "not drawn" in detector_runs.scores(folder.scores)
