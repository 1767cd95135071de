"""What a person answers to a question of state is kept beside the inspection, which stays as it was."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.judge.decide import decide
from repairai.judge.region import WHOLE
from repairai.judge.state import check_state
from repairai.records import Records
from repairai.schema import Finding, Inspection, State
from tests.judge.sights import sight
from tests.ui.test_render import inspection

OPEN = State("Is the latch open?", "yes", "Is the latch closed?")
LEFT = State("Is the left screw in place?", "yes", "Is the left screw missing?")
RIGHT = State("Is the right screw in place?", "yes", "Is the right screw missing?")


def asking(*states: State) -> Inspection:
    found: list[Finding] = [check_state(each, sight(), WHOLE, None) for each in states]
    return replace(inspection(), verdict=decide(found))


def test_an_answer_settles_the_verdict_and_leaves_the_record_as_it_was():
    records = Records()
    kept = records.keep(asking(OPEN))
    assert kept.verdict.outcome == "UNCERTAIN"
    after = records.answer(kept.id, OPEN.question, "yes")
    assert after.verdict.outcome == "PASS"
    assert after.verdict.findings[0].reason == "person_said"
    assert after.inspection == kept.inspection == records.get(kept.id).inspection
    assert [(each.inspection, each.question, each.opposite, each.answer) for each in records.answers()] == [
        (kept.id, OPEN.question, OPEN.opposite, "yes")
    ]
    assert records.newest() == (after,), "a new process sees it, too"
    assert Records().get(kept.id) == after


def test_of_two_answers_the_last_one_counts():
    records = Records()
    kept = records.keep(asking(OPEN))
    records.answer(kept.id, OPEN.question, "yes")
    assert records.answer(kept.id, OPEN.question, "no").verdict.outcome == "FAIL"
    assert [each.answer for each in records.answers()] == ["no"]


def test_a_question_may_be_left_out_told_otherwise_or_the_other_way_round():
    records = Records()
    one, two = records.keep(asking(OPEN)), records.keep(asking(LEFT, RIGHT))
    assert records.answer(one.id, "", "yes").answers[0].answer == "yes"
    assert records.answer(one.id, " is the latch   OPEN ", "no").answers[0].answer == "no"
    assert records.answer(one.id, "Is the latch closed?", "no").answers[0].answer == "yes"
    assert records.answer(one.id, "Is this latch still open?", "no").answers[0].answer == "no"
    said = records.answer(two.id, "Is the screw on the right in place?", "no").answers
    assert [(each.question, each.answer) for each in said] == [(RIGHT.question, "no")]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("", "no question was named; answer 'Is the left screw in place\\?' or 'Is the right screw in place\\?'"),
        ("Is the screw in place?", "inspection number 1 does not ask 'is the screw in place'; answer 'Is the left"),
        ("Is the latch open?", "does not ask 'is the latch open'"),
    ],
)
def test_a_question_that_was_not_asked(question: str, told: str):
    records = Records()
    kept = records.keep(asking(LEFT, RIGHT))
    with pytest.raises(RepairError, match=told):
        records.answer(kept.id, question, "yes")
    assert records.answers() == ()


def test_what_cannot_be_answered():
    records = Records()
    counted = records.keep(inspection())
    with pytest.raises(RepairError, match="asks no question of state"):
        records.answer(counted.id, "Is the latch open?", "yes")
    with pytest.raises(RepairError, match="no inspection number 9"):
        records.answer(9, "Is the latch open?", "yes")
    with pytest.raises(ValueError, match="need yes or no, got 'maybe'"):
        records.answer(counted.id, "", "maybe")


def test_an_answer_holds_of_the_same_question_the_other_way_round():
    turned = State(OPEN.opposite, "no", OPEN.question)
    records = Records()
    kept = records.keep(asking(OPEN, turned))
    assert records.answer(kept.id, OPEN.question, "yes").verdict.outcome == "PASS"


def test_a_database_from_before_there_were_answers(home: Path):
    kept = Records().keep(asking(OPEN))
    with closing(sqlite3.connect(home / "records.sqlite")) as db, db:
        db.execute("DROP TABLE answers")
    records = Records()
    assert records.get(kept.id) == kept
    assert records.answer(kept.id, "", "yes").verdict.outcome == "PASS"


def test_answers_of_a_record_that_cannot_be_read_hide_no_other(home: Path):
    records = Records()
    good, bad = records.keep(asking(OPEN)), records.keep(asking(OPEN))
    records.answer(bad.id, "", "no")
    records.answer(good.id, "", "yes")
    with closing(sqlite3.connect(home / "records.sqlite")) as db, db:
        db.execute("UPDATE inspections SET record = '{' WHERE id = ?", (bad.id,))
    assert [each.id for each in records.newest()] == [good.id]
    assert [(each.inspection, each.answer) for each in records.answers()] == [(good.id, "yes"), (bad.id, "no")]


def test_two_processes_answer_at_once():
    number = Records().keep(asking(OPEN)).id
    code = (
        "import sys; from repairai.records import Records; r = Records();"
        f"[r.answer({number}, '', sys.argv[1]) for _ in range(20)]"
    )
    root = Path(__file__).parents[1]
    writers = [subprocess.Popen([sys.executable, "-c", code, said], cwd=root) for said in ("yes", "no")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(Records().answers()) == 1


def test_on_a_full_disk_the_inspection_stays(small_disk: Path, monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk / "home"))
    records = Records()
    kept = records.keep(asking(OPEN))
    with pytest.raises(RepairError, match="the disk is full: the answer was not kept"):  # noqa: PT012 - it fills up
        for at in range(100_000):
            records.answer(kept.id, "", "yes" if at % 2 else "no")
    assert records.get(kept.id).inspection == kept.inspection
