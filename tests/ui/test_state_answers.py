"""Questions of state on the page: shown with where the judge looked and how sure it is, and answered by a person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.records import Kept
from repairai.schema import Reason, State, Verdict
from repairai.ui import render, state_render
from repairai.ui.overlay import overlay, regions_of
from repairai.ui.state_answers import NOT_KEPT, Judged, answered, crops_of
from repairai.ui.workbench import Workbench
from tests.ui.inspected import UNPLUGGED, state_finding, with_state
from tests.ui.test_render import HOSTILE


def photo(path: Path, width: int = 100, height: int = 80) -> Path:
    Image.fromarray(np.full((height, width, 3), 120, np.uint8)).save(path, quality=95)
    return path


def test_a_state_is_shown_with_its_probability_its_picture_and_two_buttons():
    html = render.verdict(with_state(), {1: "data:image/jpeg;base64,AAAA"}, asks=True)
    assert "the judge leans to yes" in html
    assert 'aria-label="leans to yes: 62 %"' in html
    assert 'src="data:image/jpeg;base64,AAAA"' in html
    assert html.count("<button") == 2
    assert "Yes, it is" in html
    assert "No, it is not" in html
    assert 'data-at="1" data-answer="yes" aria-pressed="false"' in html


@pytest.mark.parametrize(
    ("share", "reason", "said"),
    [(0.92, "state_met", "92 % sure: yes"), (0.08, "state_missed", "92 % sure: no"),
     (0.5, "state_contradicted", "neither"), (0.4, "unmeasured_judge", "leans to no: 60 %"),
     (0.9, "person_said", "the judge: yes, 90 %")],
)  # fmt: skip
def test_how_sure_it_is_stands_in_words_too(share: float, reason: Reason, said: str):
    assert f">{said}<" in state_render.probability(share, reason)


def test_a_count_and_a_state_that_nobody_judged_have_no_bar():
    html = render.verdict(with_state(state_finding(probability=None, region=None, reason="state_unknown")))
    assert "track" not in html
    assert "<button" not in html
    assert 'tr class="state"' not in html


def test_a_hostile_question_never_becomes_live():
    asked = State(f"{HOSTILE}?", "yes", f"not {HOSTILE}?")
    html = state_render.answers(asked, 0)
    assert "<script" not in html
    assert "<img" not in html
    drawn = overlay(np.zeros((60, 400, 3), np.uint8), (), {}, {}, "x", [(f"{HOSTILE}?", (0.0, 0.0, 399.0, 50.0))])
    assert "<script" not in drawn


def test_where_the_judge_looked_is_a_dashed_box_on_the_photo_and_a_picture(tmp_path: Path):
    done = with_state()
    assert regions_of(done) == [(UNPLUGGED.question, (10.0, 10.0, 50.0, 50.0))]
    html = overlay(np.zeros((80, 100, 3), np.uint8), done.detections, {}, {}, "x", regions_of(done))
    assert '<g class="region">' in html
    assert "where the judge looked" in html
    assert "where the judge looked" not in overlay(np.zeros((80, 100, 3), np.uint8), (), {}, {}, "x")
    crops = crops_of(done, photo(tmp_path / "a.png"))
    assert list(crops) == [1]
    assert crops[1].startswith("data:image/jpeg;base64,")
    assert crops_of(with_state(state_finding(region=None)), tmp_path / "a.png").keys() == {1}
    assert crops_of(with_state(state_finding(probability=None)), tmp_path / "none.png") == {}


@pytest.mark.parametrize(("answer", "outcome"), [("yes", "PASS"), ("no", "FAIL")])
def test_an_answer_is_kept_and_judged_with_at_once(home: Path, tmp_path: Path, answer: str, outcome: str):
    bench = Workbench()
    done = with_state()
    kept = bench.records.keep(done, photo(tmp_path / "a.png"))
    number = kept.id
    now, html = answered(bench.records, Judged(kept), "1", answer)
    assert f'data-outcome="{outcome}"' in html
    assert f'data-answer="{answer}" aria-pressed="true"' in html
    assert f'data-kept="{number}"' in html
    kept = bench.records.answers()
    assert [(each.inspection, each.question, each.answer) for each in kept] == [(number, UNPLUGGED.question, answer)]
    assert bench.records.get(number).inspection == done
    # Another press changes it.
    other = "no" if answer == "yes" else "yes"
    _, html = answered(bench.records, now, 1, other)
    assert f'data-answer="{other}" aria-pressed="true"' in html
    assert [each.answer for each in bench.records.answers()] == [other]


def test_an_answer_to_what_is_not_kept_settles_it_on_the_page_alone(home: Path):
    bench = Workbench()
    now, html = answered(bench.records, Judged(Kept(NOT_KEPT, with_state())), 1, "yes")
    assert now is not None
    assert now.kept.verdict.outcome == "PASS"
    assert "not kept" in html
    assert bench.records.answers() == ()


@pytest.mark.parametrize(("at", "answer"), [("0", "yes"), ("7", "yes"), ("-1", "yes"), ("x", "yes"), ("1", "maybe")])
def test_what_is_no_answer_is_refused(home: Path, at: str, answer: str):
    with pytest.raises(RepairError, match="no answer to a question"):
        answered(Workbench().records, Judged(Kept(NOT_KEPT, with_state())), at, answer)


def test_there_is_nothing_to_answer_before_a_photo_was_checked(home: Path):
    with pytest.raises(RepairError, match="no verdict"):
        answered(Workbench().records, None, "1", "yes")


def test_a_person_never_overturns_a_counted_fail(home: Path):
    done = with_state()
    count, state = done.verdict.findings
    short = replace(count, outcome="FAIL", reason="count_short", next_action="1 screw missing.")
    failed = replace(done, verdict=Verdict("FAIL", (short, state)))
    now, html = answered(Workbench().records, Judged(Kept(NOT_KEPT, failed)), 1, "yes")
    assert now is not None
    assert now.kept.verdict.outcome == "FAIL"
    assert 'data-outcome="FAIL"' in html
