"""Thresholds of a judge of states let no more wrong states pass than is tolerated, and say where photos are too few."""

import math

import numpy as np
import pytest

from repairai.judge.state import weigh
from repairai.runs.judge_scores import StateMark
from repairai.schema import StateLimits
from training.judge.calibration import Tried, choose, platt, wrongly_sure
from training.judge.figures import balanced, figures, weighed

ASKED, OPPOSITE = "Is the latch open?", "Is the latch closed?"


def tried(n: int, spread: float, seed: int = 0, scale: float = 1.0, shift: float = 0.0) -> list[Tried]:
    """Answers of a judge whose log-odds lie about 2 for yes and -2 for no, and are then said too loud or too low."""
    noise = np.random.default_rng(seed)
    found = []
    for at in range(n):
        answer = "yes" if at % 2 else "no"
        odds = (2 if at % 2 else -2) + noise.normal(0, spread, 2)
        first, second = (1 / (1 + math.exp(-(each - shift) / scale)) for each in odds)
        found.append(Tried(f"s{at}", answer, first, 1 - second))
    return found


def test_too_few_photos_leave_a_question_undecided_and_say_how_many_it_takes():
    chosen = choose(tried(89, 0.1))
    assert chosen.limits.sure == 1.0
    assert chosen.undecided == (
        "there are 44 independent validation photos with the answer yes, and to let at most 5 % of wrong states pass, "
        "with 90 % confidence, it takes 45 of each answer: take more, or tolerate 6 %"
    )
    assert not choose(tried(89, 0.1), 0.06).undecided
    decides = choose(tried(90, 0.1))
    assert not decides.undecided
    assert decides.limits.sources == 90
    assert 0.95 <= decides.limits.sure < 1
    one = choose([each for each in tried(90, 0.1) if each.answer == "yes"])
    assert one.undecided.startswith("there are 0 independent validation photos with the answer no")


def test_copies_of_one_source_count_as_one_and_it_is_wrong_where_any_is():
    copies = [Tried(f"s{at // 4}", "yes" if at % 8 < 4 else "no", 0.9, 0.1) for at in range(200)]
    assert "25 independent validation photos with the answer yes" in choose(copies).undecided


def test_no_more_wrong_states_pass_than_are_tolerated():
    """Of many draws of validation photos at most a tenth may let more pass than is tolerated, on 20,000 new ones."""
    new = tried(20_000, 1.5, 99)
    exceeded = 0
    for seed in range(40):
        limits = choose(tried(200, 1.5, seed), 0.05).limits
        said = [(each.answer, weigh(each.question, each.opposite, limits).answer) for each in new]
        for answer in ("yes", "no"):
            own = [found for right, found in said if right == answer]
            exceeded += sum(found not in ("", answer) for found in own) > 0.05 * len(own)
    assert exceeded <= 8, "of 80"


def test_a_judge_that_guesses_decides_nothing():
    noise = np.random.default_rng(3)
    guesses = [Tried(f"s{at}", "yes" if at % 2 else "no", *noise.uniform(0.05, 0.95, 2)) for at in range(300)]
    chosen = choose(guesses)
    decided = [weigh(each.question, each.opposite, chosen.limits).answer for each in guesses]
    assert sum(map(bool, decided)) <= 3
    sure_of_nonsense = [Tried(f"s{at}", "yes" if at % 2 else "no", 1.0, 0.0) for at in range(300)]
    why = choose(sure_of_nonsense).undecided
    assert "on 150 of 300 independent validation photos it is on the wrong side" in why
    assert choose(sure_of_nonsense).limits.sure == 1.0


def test_log_odds_are_scaled_and_shifted_to_what_they_should_be():
    scale, shift = platt(tried(4000, math.sqrt(4), 1, scale=3.0, shift=1.0))
    # Of two normal heaps at -2 and 2 with the variance 4, the log-odds are those that were drawn.
    assert scale == pytest.approx(3.0, rel=0.15)
    assert shift == pytest.approx(1.0, abs=0.2)
    assert platt([Tried("s", "yes", 0.9, 0.1)]) == (1.0, 0.0), "one answer alone says nothing"
    assert platt(tried(400, 1.0, shift=1.0), same_words=True)[1] == 0.0


def test_limits_serve_a_question_and_its_opposite_alike():
    own = tried(200, 1.0, 5, shift=0.5)
    first, turned = choose(own).limits, choose([each.turned() for each in own]).limits
    assert turned.sure == pytest.approx(first.sure, abs=1e-3)
    assert turned.shift == pytest.approx(-first.shift, abs=0.02)
    for each in own:
        assert wrongly_sure(each, first.scale, first.shift) == pytest.approx(
            wrongly_sure(each.turned(), first.scale, -first.shift)
        )


def test_no_share_beyond_a_half_is_tolerated():
    with pytest.raises(ValueError, match=r"need escape above 0 and at most 0\.5, got 0\.6"):
        choose(tried(10, 1.0), 0.6)


# ---- figures


def mark(answer: str, after: tuple[float, float] | None, source: str = "s", counted: str | None = None) -> StateMark:
    return StateMark("photos/1.jpg", source, ASKED, answer, after, blank=(0.9, 0.1), counted=counted, opposite=OPPOSITE)


def test_figures_tell_what_was_right_decided_passed_and_agreed():
    limits = {"is latch open": StateLimits(0.9)}
    marks = [
        mark("yes", (0.95, 0.05), "a", "yes"), mark("yes", (0.6, 0.4), "b", "no"), mark("yes", (0.6, 0.9), "c"),
        mark("no", (0.95, 0.05), "d"), mark("no", (0.02, 0.98), "d", "no"),
    ]  # fmt: skip
    found = figures(marks, limits)
    assert (found.examples, found.sources) == (5, 4)
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found.decided == pytest.approx(3 / 5)
    assert found.escaped == 1 / 2
    assert found.false_calls == 0
    assert found.agreement == 4 / 5
    assert found.blank_accuracy == 0.5
    assert (found.counted, found.counted_accuracy) == (pytest.approx(3 / 5), pytest.approx(2 / 3))
    assert found.accuracy_where_counted == 1.0
    apart = abs(0.95 + 0.95 - 1) + abs(0.6 - 1) + abs(0.35 - 1) + abs(0.02 - 0)
    assert found.calibration_error == pytest.approx(apart / 5)


def test_what_was_not_answered_is_not_decided_and_told_apart():
    marks = [mark("yes", None), mark("no", (0.1, 0.9))]
    found = figures(marks, {"is latch open": StateLimits(0.8)})
    assert found.decided == 0.5
    assert found.balanced_accuracy == 1.0
    assert len(weighed(marks, {})) == 1
    nothing = figures([mark("yes", None)], {})
    assert nothing.balanced_accuracy is None
    assert nothing.decided is None
    assert balanced([]) is None
