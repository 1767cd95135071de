"""A trained judge of states judges only where it is no worse than the one before on the person's own test examples."""

from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.judge import judges
from repairai.judge.questions import key
from repairai.runs.compare import compare
from repairai.runs.compare import figures as came_figures
from repairai.runs.judge_gate import activate
from repairai.runs.judge_score_words import as_table, said
from repairai.runs.judge_scores import compared_states, is_of_judge, read_judge_scores, rightness, told
from repairai.runs.listing import score_of
from repairai.runs.removal import delete_run
from repairai.runs.state import read_run
from repairai.schema import StateLimits
from tests.runs.judge_runs import HARDLY, LIMITS, NEITHER, NO, YES, judged, marks, mostly, right, trained
from tests.runs.states import ASKED, OPPOSITE


def test_where_nobody_judges_it_has_to_beat_a_guess_and_back_restores():
    judged(trained("first"), marks(mostly(7)))
    decision = activate("first")
    assert decision.active
    assert decision.said.startswith("first judges states now: it is better than a guess: states told rightly 85.7 % ")
    assert "against 50.0 %" in decision.said
    chosen = judges.active()
    assert (chosen.name, chosen.kind, chosen.run_id) == ("first", "local", "first")
    assert activate("first").said == "first judges states already."
    assert judges.back() == judges.NOBODY


def test_what_does_not_look_is_refused():
    """From the words alone it may well be right: grey photos show it."""
    judged(trained("first"), marks(right, blank=right))
    decision = activate("first")
    assert not decision.active
    assert "it answers from the words alone, not from the photo: it is not clearly apart from" in decision.said
    assert judges.active() == judges.NOBODY
    judged(trained("second"), [replace(each, blank=None) for each in marks(right)])
    assert "it was not shown grey photos" in activate("second").said


def test_a_guess_is_refused():
    judged(trained("first"), marks(mostly(2), blank=lambda at, answer: NO if answer == "yes" else YES))
    decision = activate("first")
    assert not decision.active
    assert "is not clearly apart from a guess" in decision.said


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (right, mostly(5), "it is worse than first: states told rightly"),
        (mostly(1, lambda answer: HARDLY if answer == "yes" else HARDLY[::-1]), mostly(5),
         "states told wrongly and surely 23.8 % against 0.0 %"),
    ],
)  # fmt: skip
def test_worse_is_refused_with_figures_and_forced(before, after, words: str):
    judged(trained("first"), marks(right))
    activate("first")
    judged(trained("second"), marks(after, before), against="first")
    decision = activate("second")
    assert not decision.active
    assert words in decision.said
    assert judges.active().run_id == "first"
    forced = activate("second", force=True)
    assert forced.active
    assert "because you insist" in forced.said
    assert judges.back().run_id == "first"


def test_a_little_worse_by_luck_judges():
    judged(trained("first"), marks(right))
    activate("first")
    own = marks(right, right)
    own[3] = replace(own[3], after=NO if own[3].answer == "yes" else YES)
    judged(trained("second"), own, against="first")
    decision = activate("second")
    assert decision.active
    assert decision.differences["balanced"].difference < 0


def test_copies_of_a_photo_prove_nothing():
    judged(trained("first"), marks(right, n=8, copies=10))
    decision = activate("first")
    assert not decision.active
    assert "4 independent photos for the test are too few" in decision.said


def test_it_is_held_against_the_one_that_judges_now():
    """Two that were each held against nobody can be compared where they were asked the same."""
    judged(trained("first"), marks(right))
    judged(trained("second"), marks(mostly(5)))
    activate("first")
    assert "it is worse than first: states told rightly" in activate("second").said
    judged(trained("third"), marks(right), sha="others")
    assert "first judges now, and was not asked the same examples" in activate("third").said


def test_questions_that_the_other_was_never_taught_leave_a_guess_to_be_beaten():
    judged(trained("first"), marks(right))
    activate("first")
    judged(trained("second"), marks(right), against="first")
    decision = activate("second")
    assert decision.active
    assert "better than a guess" in decision.said


def test_who_no_longer_answers_is_worse():
    judged(trained("first"), marks(right))
    activate("first")
    judged(trained("second"), marks(lambda at, answer: None if at % 2 else right(at, answer), right), against="first")
    assert "it is worse than first" in activate("second").said


def test_what_would_leave_everything_undecided_is_refused():
    judged(trained("first"), marks(right), decided=0.0, undecided={ASKED: "3 photos show it"})
    assert "it would leave everything undecided: 3 photos show it" in activate("first").said


def test_examples_that_thresholds_were_chosen_on_prove_nothing():
    judged(trained("first"), marks(right), split="val")
    assert "only measured on val examples" in activate("first").said


def test_an_adapter_is_registered_with_its_base():
    recipe = Recipe("judge", Workload("google/paligemma-3b-pt-224", "qlora"), 1.0, 1e-4)
    judged(trained("first", recipe, "adapter_config.json"), marks(right))
    activate("first")
    assert judges.active().base == "google/paligemma-3b-pt-224"


def test_what_cannot_be_activated(home: Path):
    with pytest.raises(RepairError, match="there is no run 'nothing'"):
        activate("nothing")
    folder = trained("first")
    assert "it has not been tested yet; evaluate it first: runs evaluate first" in activate("first").said
    folder.scores.write_text("{")
    with pytest.raises(RepairError, match="is not JSON"):
        activate("first")
    (folder.model / "config.json").unlink()
    with pytest.raises(RepairError, match="has made no model yet"):
        activate("first")
    trained("words", Recipe("sop", Workload("SmolLM2", "lora"), 1.0, 1e-4))
    with pytest.raises(RepairError, match="words trains no judge"):
        activate("words")


def test_the_run_that_judges_stays():
    judged(trained("first"), marks(right))
    activate("first")
    with pytest.raises(RepairError, match=r"first is the active judge.*models back --judge"):
        delete_run("first")
    judges.back()
    delete_run("first")
    assert "first" not in [each.name for each in judges.judges()]


def test_answers_come_to_what_their_limits_say():
    assert told(YES, ASKED, OPPOSITE, LIMITS).answer == "yes"
    assert told(NO, ASKED, OPPOSITE, LIMITS).answer == "no"
    assert told(HARDLY, ASKED, OPPOSITE, LIMITS).answer == ""
    assert told((0.95, 0.95), ASKED, OPPOSITE, LIMITS).answer == "", "both cannot be so"
    assert told(YES, ASKED, OPPOSITE, {}).answer == "", "nothing was measured"
    assert told(YES, ASKED, OPPOSITE, {"": StateLimits(sure=0.8)}).answer == "yes", "limits for any question"
    turned = told(YES, ASKED, OPPOSITE, {key(OPPOSITE): StateLimits(sure=0.8, shift=1.0)})
    assert (turned.answer, round(turned.question, 3)) == ("yes", 0.875), "its limits, the other way round"
    assert [rightness(told(each, ASKED, OPPOSITE, LIMITS), "yes") for each in (YES, NO, NEITHER)] == [1.0, 0.0, 0.5]


def test_balanced_accuracy_is_that_of_the_examples():
    """Three of four yes and one of two no: five eighths, in whatever sources they lie."""
    own = marks(right, n=6)
    own = [replace(each, answer="yes" if at < 4 else "no", source=f"s{at % 3}") for at, each in enumerate(own)]
    answers = [YES, YES, YES, NO, YES, NO]
    pairs = [(mark, None, told(given, ASKED, OPPOSITE, LIMITS)) for mark, given in zip(own, answers, strict=True)]
    found = compared_states(pairs)
    assert found["balanced"].after == pytest.approx(0.625)
    assert found["balanced"].before == pytest.approx(0.5)
    assert found["escape"].after == pytest.approx(2 / 6)


def test_scores_are_kept_told_and_compared(tmp_path: Path):
    folder = trained("first")
    scores = judged(folder, marks(right, right), against="second", undecided={"is the fan off": "too few"})
    assert read_judge_scores(folder.scores) == scores
    assert is_of_judge(folder.scores)
    assert not is_of_judge(tmp_path / "none.json")
    text = said(scores)
    assert text.startswith("first tells 90.0 % of states rightly (yes and no count alike) on 42 examples from 21 ")
    assert "With a grey photo in place of each it tells 50.0 %, so it looks." in text
    assert "Still undecided: is the fan off." in text
    assert "counting is right in 98.0 % and this judge in 96.0 %" in text
    assert text.endswith("at most 5.0 % of wrong states pass, on photos like those that they were chosen on.")
    assert f"| {ASKED} | 42 | 21 | 90.0 % | 80.0 % | 1.0 % |" in as_table(scores)
    assert score_of(read_run(folder)) == 0.9
    judged(trained("third"), marks(right))
    rows = dict(row[:1] + (row[1:],) for row in came_figures(compare(["first", "third"]).came))
    assert rows["states told rightly on test photos"] == ("90.0%", "90.0%")
    assert rows["grey photos told rightly on test photos"] == ("50.0%", "50.0%")
    (folder.scores).write_text('{"kind": "judge"}')
    assert score_of(read_run(folder)) is None, "of another version, or damaged"
