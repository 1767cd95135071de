"""From a photo to a verdict where a question of state is asked beside a count."""

from pathlib import Path

import numpy as np
import pytest

from repairai.errors import RepairError
from repairai.files import home, to_data
from repairai.inspection import inspect, open_detector, open_reasoner
from repairai.judge import judges
from repairai.judge.judges import Judge
from repairai.schema import Count, State, StateLimits
from repairai.ui.workbench import PHOTOS
from tests.judge.reasoners import Told

UNPLUGGED, PLUGGED = "Is the battery connector unplugged?", "Is the battery connector plugged in?"
STATE = State(UNPLUGGED, "yes", PLUGGED)
OPEN = State("Is the latch open?", "yes", "Is the latch closed?")
PHOTO = PHOTOS / "battery-unplugged.jpg"
BLOCK = PHOTOS / "block-three-screws.jpg"
FOUR = Count("screw", 4, 4)


def test_a_count_and_a_state_make_one_verdict():
    reasoner = Told({UNPLUGGED: 0.97, PLUGGED: 0.02})
    done = inspect(PHOTO, [Count("unplugged_connector", 1, None), STATE], open_detector(), reasoner=reasoner)
    assert [each.outcome for each in done.verdict.findings] == ["PASS", "PASS"]
    assert done.verdict.outcome == "PASS"
    assert done.models[1:] == ("told@1",)
    found = done.verdict.findings[1]
    assert found.probability == pytest.approx(0.975)
    connector = next(each.box for each in done.detections if each.label == "unplugged_connector")
    assert found.region[0] <= connector[0]
    assert found.region[2] >= connector[2]
    width, height = found.region[2] - found.region[0], found.region[3] - found.region[1]
    assert width < done.photo.width_px
    asked = [(question, (height, width, 3)) for question in (UNPLUGGED, PLUGGED)]
    assert reasoner.asked == asked, "the question, then its opposite, each once"
    assert len(set(reasoner.shown)) == 1, "one array: what is costly of a photo is done once"


def test_the_same_bytes_give_the_same_finding():
    reasoner = Told({UNPLUGGED: 0.8, PLUGGED: 0.02})
    first, second = (to_data(inspect(PHOTO, [STATE], open_detector(), reasoner=reasoner).verdict) for _ in range(2))
    assert first == second


def test_a_state_never_overturns_a_counted_fail():
    done = inspect(BLOCK, [FOUR, OPEN], open_detector(), reasoner=Told({OPEN.question: 1.0, OPEN.opposite: 0.0}))
    assert [each.outcome for each in done.verdict.findings] == ["FAIL", "PASS"]
    assert done.verdict.outcome == "FAIL"
    assert done.verdict.findings[1].region is None, "the whole photo: the detector knows no latch"


@pytest.mark.parametrize(
    ("reasoner", "reason"),
    [
        (None, "state_unknown"),
        (Told({}), "judge_failed"),
        (Told({OPEN.question: 1.7, OPEN.opposite: 0.0}), "judge_failed"),
        (Told({OPEN.question: float("nan"), OPEN.opposite: 0.0}), "judge_failed"),
        (Told({OPEN.question: 1.0, OPEN.opposite: 1.0}), "state_contradicted"),
        (Told({OPEN.question: 1.0, OPEN.opposite: 0.0}, StateLimits()), "unmeasured_judge"),
    ],
)
def test_what_is_not_settled_takes_no_count_away(reasoner: Told | None, reason: str):
    counted, state = inspect(BLOCK, [FOUR, OPEN], open_detector(), reasoner=reasoner).verdict.findings
    assert (counted.outcome, state.outcome, state.reason) == ("FAIL", "UNCERTAIN", reason)
    assert state.next_action


@pytest.mark.parametrize(
    ("photo", "state", "reason"),
    [
        (BLOCK, State("Is the screw tight?", "yes", "Is the screw loose?"), "not_observable"),
        (BLOCK, State("?", "yes", "Is it?"), "not_observable"),
        (BLOCK, STATE, "place_not_seen"),
        (PHOTOS / "block-blurred.jpg", OPEN, "too_blurred"),
    ],
)
def test_what_the_photo_cannot_show_is_not_asked(photo: Path, state: State, reason: str):
    reasoner = Told({state.question: 1.0, state.opposite: 0.0})
    done = inspect(photo, [state], open_detector(), reasoner=reasoner)
    assert done.verdict.findings[0].reason == reason
    assert reasoner.asked == []
    assert len(done.models) == 1


# ---- who is asked


def judge_at(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def loads(monkeypatch):
    """Stand in for what opens a model, and say what was opened."""
    opened = []

    def load(place: str, name: str, base: str = "") -> Told:
        opened.append((place, name, base))
        return Told({}, name=f"{name}@1")

    monkeypatch.setattr("repairai.judge.reasoner.load_reasoner", load)
    return opened


def test_the_judge_in_use_is_opened_once_and_again_when_it_was_changed(tmp_path: Path, loads):
    assert open_reasoner() is None
    assert open_reasoner("nobody") is None
    mine = judge_at(tmp_path / "mine")
    judges.use(Judge("mine", "local", str(mine), base="org/base"))
    assert open_reasoner() is open_reasoner("mine") is open_reasoner()
    assert loads == [(str(mine), "mine", "org/base")]
    (mine / "state_limits.json").write_text("{}")
    open_reasoner()
    assert len(loads) == 2
    assert open_reasoner("nobody") is None, "though another is in use"


def test_a_run_that_was_never_in_use_can_be_asked(loads):
    model = judge_at(home() / "runs" / "20260101-latches" / "model")
    assert open_reasoner("20260101-latches").name == "20260101-latches@1"
    assert loads == [(str(model), "20260101-latches", "")]


def test_a_judge_that_is_not_there():
    with pytest.raises(RepairError, match="there is no judge of states named 'absent'"):
        open_reasoner("absent")


def test_what_keeps_the_judge_in_use_from_being_opened_becomes_its_answer(tmp_path: Path):
    mine = judge_at(tmp_path / "mine")
    judges.use(Judge("mine", "local", str(mine)))
    (mine / "config.json").unlink()
    with pytest.raises(RepairError, match="the folder of the judge mine is gone"):
        open_reasoner("mine")
    done = inspect(BLOCK, [FOUR, OPEN], open_detector(), reasoner=open_reasoner())
    assert [each.reason for each in done.verdict.findings] == ["count_short", "judge_failed"]
    assert "The folder of the judge mine is gone" in done.verdict.findings[1].next_action
    judges.register_path().write_text("{")
    done = inspect(BLOCK, [FOUR, OPEN], open_detector(), reasoner=open_reasoner())
    assert "The register of judges is damaged" in done.verdict.findings[1].next_action


def test_a_server_that_is_down():
    judges.use(judges.named("http://127.0.0.1:9"))
    done = inspect(BLOCK, [FOUR, OPEN], open_detector(), reasoner=open_reasoner())
    assert [each.reason for each in done.verdict.findings] == ["count_short", "judge_failed"]
    assert "127.0.0.1:9" in done.verdict.findings[1].next_action


def test_photos_are_not_changed_by_who_looks_at_them():
    class Vandal(Told):
        def ask(self, photo: np.ndarray, question: str) -> float:
            photo[:] = 0
            return super().ask(photo, question)

    answers = {UNPLUGGED: 0.97, PLUGGED: 0.02}
    spoiled, clean = (
        inspect(PHOTO, [STATE, STATE], open_detector(), reasoner=kind(answers)) for kind in (Vandal, Told)
    )
    assert to_data(spoiled.verdict) == to_data(clean.verdict)
