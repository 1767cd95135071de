"""A judge of states on the command line: trained, evaluated, shown, let judge, and one step back."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from repairai.cli import main
from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.hardware.workload import Workload
from repairai.judge import judges
from repairai.judge.state_set import PHOTOS, StateExample, write_examples
from repairai.named_sets import STATE_SETS
from repairai.runs import launch
from repairai.runs.folder import run_folder
from tests.runs.judge_runs import judged, marks, right, trained
from tests.runs.states import ASKED, OPPOSITE

RECIPE = Path(__file__).parents[1] / "training" / "recipes" / "judge_builtin_linear-probe_cpu.yaml"
SPLITS = (("train", 40), ("val", 120), ("test", 40))


def latches(name: str = "latches") -> Path:
    """A set of states that anybody tells apart: bright is open, dark is closed; each photo is of its own source."""
    folder, chance = STATE_SETS.folder(name), np.random.default_rng(3)
    (folder / PHOTOS).mkdir(parents=True)
    found = []
    for split, n in SPLITS:
        for at in range(n):
            photo = f"{PHOTOS}/{split}-{at}.jpg"
            low = 150 if at % 2 else 20
            Image.fromarray(chance.integers(low, low + 80, (72, 72, 3), np.uint8)).save(folder / photo, quality=90)
            found.append(StateExample(photo, ASKED, OPPOSITE, "yes" if at % 2 else "no", f"{split}-{at}", split))
    write_examples(folder, found)
    return folder


@pytest.mark.slow
def test_a_judge_is_trained_evaluated_and_judges(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    latches()
    assert main(["train", str(RECIPE), "--name", "first", "--json"]) == 0, run_folder("first").log.read_text()
    assert read_recipe(run_folder("first").recipe).data == str(STATE_SETS.folder("latches")), "the newest states"
    assert main(["models", "use", "first"]) == 1
    assert "first does not judge: it has not been tested yet" in capsys.readouterr().out
    assert main(["runs", "evaluate", "first", "--escape", "0.06", "--json"]) == 0, run_folder(
        "first-eval"
    ).log.read_text()
    capsys.readouterr()
    assert main(["runs", "show", "first"]) == 0
    told = capsys.readouterr().out
    assert "test        first tells 100.0 % of states rightly" in told
    assert "With a grey photo in place of each it tells 50.0 %, so it looks." in told
    assert f"| {ASKED} | 40 | 40 | 100.0 % |" in told
    assert main(["models", "use", "first", "--json"]) == 0
    decision = json.loads(capsys.readouterr().out)
    assert decision["active"]
    assert "it is better than a guess: states told rightly 100.0 % against 50.0 %" in decision["said"]
    assert judges.active().run_id == "first"
    photo = tmp_path / "photo.jpg"
    Image.fromarray(np.random.default_rng(9).integers(150, 230, (300, 300, 3), np.uint8)).save(photo, quality=95)
    assert main(["inspect", str(photo), "--require", f"{ASKED} yes / {OPPOSITE}", "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["outcome"], finding["reason"]) == ("PASS", "state_met")
    assert main(["runs", "delete", "first"]) == 2
    assert "models back --judge" in capsys.readouterr().err


def test_its_scores_are_shown_in_words_and_as_a_table(capsys: pytest.CaptureFixture[str]):
    folder = trained("mine")
    judged(folder, marks(right))
    assert main(["runs", "show", "mine"]) == 0
    told = capsys.readouterr().out
    assert "test        mine tells 90.0 % of states rightly" in told
    assert f"| {ASKED} | 42 | 21 | 90.0 % |" in told
    assert "| 0.90 |" in told
    assert main(["runs", "show", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"]["kind"] == "judge"
    folder.scores.write_text('{"kind": "judge"}')
    assert main(["runs", "show", "mine"]) == 0
    assert "exam        scores.json is not a JudgeScores" in capsys.readouterr().out


def test_its_evaluation_is_its_own(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    started = []
    monkeypatch.setattr(launch, "_begin", lambda folder, *rest, **more: started.append(folder) or folder)
    trained("mine")
    folder = launch.evaluate("mine", launch.usual_limit("mine"), escape=0.1)
    about = json.loads(folder.about.read_text())
    assert about["command"][1:3] == ["-m", "training.judge_eval"]
    order = yaml.safe_load(folder.order.read_text())
    assert (order["run"], order["limit"], order["escape"]) == ("mine", None, 0.1)
    assert launch.usual_limit("mine") is None


def test_a_judge_is_trained_by_its_own_trainer_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    latches()
    recipe = Recipe("judge", Workload("builtin", "linear_probe"), 1.0, 1e-3)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(to_data(recipe)))
    assert main(["train", str(path), "--backend", "unsloth"]) == 2
    assert "unsloth trains no judges" in capsys.readouterr().err
    with pytest.raises(RepairError, match="there is no run"):
        run_folder("mine")
