"""The light classifier of states is trained for real, stopped, begun anew, measured and asked."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.files import home, read_record
from repairai.hardware.recipe import Recipe, read_recipe, saved
from repairai.hardware.workload import Workload
from repairai.judge import judges
from repairai.judge.classifier import load_classifier
from repairai.judge.limits import STATE_LIMITS, measured_of
from repairai.judge.questions import key
from repairai.judge.state_set import StateExample, StateSource, read_state_set, write_examples, write_sources
from repairai.runs.folder import RunFolder, new_run, run_folders
from repairai.runs.journal import Asked, Journal
from repairai.runs.judge_scores import JudgeScores, read_judge_scores
from repairai.runs.metrics import read_new
from repairai.runs.state import read_run
from repairai.schema import StateLimits
from training import judge_eval
from training.given import evaluation_run
from training.judge.backbone import load_backbone
from training.judge.evaluation import both_ways, thresholds
from training.judge.features import lit, mirrors
from training.judge.logistic import Table, fit, folds_of, loss_of
from training.judge.pictures import read_picture
from training.judge.probe import heads_of
from training.judge.trained_on import TrainedOn, trained_on
from training.judge_train import COMMAND, main, refuse, train

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "training" / "recipes" / "judge_builtin_linear-probe_cpu.yaml"
OPEN, CLOSED = "Is the latch open?", "Is the latch closed?"


def latch(is_open: bool, seed: int) -> np.ndarray:
    """A grey photo with a bar that lies where a latch is closed, and stands where it is open."""
    noise = np.random.default_rng(seed)
    photo = noise.integers(90, 130, (40, 40, 3), dtype=np.uint8)
    at = int(noise.integers(10, 26))
    photo[(slice(4, 36), slice(at, at + 5)) if is_open else (slice(at, at + 5), slice(4, 36))] = noise.integers(
        200, 255
    )
    return photo


def latches(folder: Path, n: int = 40, val: int = 0, test: int = 12) -> Path:
    """A set of latches, split by photo, some asked the other way round."""
    (folder / "photos").mkdir(parents=True)
    examples = []
    for at in range(n + val + test):
        is_open = at % 2 == 0
        Image.fromarray(latch(is_open, at)).save(folder / "photos" / f"{at}.png")
        split = "train" if at < n else "val" if at < n + val else "test"
        turned = at % 3 == 1  # the same, asked the other way round
        asked = (CLOSED, OPEN) if turned else (OPEN, CLOSED)
        answer = "yes" if is_open != turned else "no"
        examples.append(StateExample(f"photos/{at}.png", *asked, answer, f"mine/{at}", split, "person"))
    write_examples(folder, examples)
    write_sources(folder, [StateSource("mine", made_by="person", photos=len(examples))])
    return folder


def run_of(data: Path, name: str = "latch", **changed: object) -> RunFolder:
    recipe = read_recipe(RECIPE)
    recipe = replace(recipe, data=str(data), step=replace(recipe.step, image_px=64, **changed))
    return new_run(name, "train", COMMAND, text=saved(home() / f"{name}.yaml", recipe))


def trained(folder: RunFolder) -> RunFolder:
    with Journal(folder) as journal:
        train(folder, journal)
    return folder


def measured(folder: RunFolder) -> JudgeScores:
    with Journal(folder) as journal:
        return judge_eval.evaluate(folder, journal)


def events(folder: RunFolder, kind: str) -> list[str]:
    lines = map(json.loads, folder.events.read_text().splitlines())
    return [line["text"] for line in lines if line["kind"] == kind]


@pytest.mark.slow
def test_it_learns_measures_itself_and_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data = latches(tmp_path / "set", 40, 60, 20)
    run = trained(run_of(data))
    assert read_run(run).state == "finished"
    assert events(run, "states") == ["learns Is the latch open? 20 times yes, 20 times no"]
    assert "L2 of" in events(run, "head")[0]
    lines = read_new(run.metrics, 0)[0]
    assert lines[-1].loss < lines[0].loss
    assert lines[-1].eval_loss < 0.4
    assert json.loads((run.model / "sources.json").read_text())[0]["name"] == "mine"
    seen = trained_on(run.path, data)
    assert (len(seen.learned), len(seen.judged)) == (40, 60)

    assert judge_eval.main(["latch", "--escape", "0.1"]) == 0
    told = capsys.readouterr().out
    assert "latch tells 100.0 % of states rightly" in told
    scores = read_judge_scores(run.scores)
    assert scores.undecided == {}
    assert scores.whole.decided > 0.8
    assert (scores.whole.examples, scores.whole.sources, scores.whole.escaped) == (20, 20, 0.0)
    assert scores.whole.agreement == 1.0
    assert scores.whole.blank_accuracy == pytest.approx(0.5, abs=0.1)
    assert scores.whole.counted == 0.0, "no detector counts latches"
    assert set(scores.questions) == {OPEN, CLOSED}
    assert scores.limits[key(OPEN)].sources == 60
    assert (scores.against, scores.before) == ("", None)
    judge = load_classifier(run.model)
    for each in read_state_set(data)[-6:]:
        answer = judge.ask(read_picture(data / each.photo), each.question)
        assert (answer > 0.5) == (each.answer == "yes")
    assert judge.limits(OPEN).sure < 1
    assert judge.limits(CLOSED) == replace(judge.limits(OPEN), shift=-judge.limits(OPEN).shift)

    # The next one is held against the one in use.
    judges.use(judges.Judge("latch", "local", str(run.model.absolute()), run_id="latch"))
    again = trained(run_of(data, "again"))
    assert judge_eval.main(["again"]) == 0
    scores = read_judge_scores(again.scores)
    assert (scores.against, scores.before.balanced_accuracy) == ("latch", 1.0)
    assert scores.limits_before[key(OPEN)].sure < 1
    assert "it takes 45 of each answer" in " ".join(scores.undecided.values())
    assert load_classifier(again.model).limits(OPEN).sure == 1.0


@pytest.mark.slow
def test_a_stopped_evaluation_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = latches(tmp_path / "set", 12, 6, 8)
    run = trained(run_of(data))
    folder = evaluation_run(Path("latch"), {}, judge_eval.COMMAND, {"limit": None})
    asked = []
    ask = judge_eval.load_reasoner(str(run.model), "latch")
    monkeypatch.setattr(judge_eval, "load_reasoner", lambda *_: ask)
    own = ask.ask
    monkeypatch.setattr(ask, "ask", lambda photo, question: asked.append(question) or own(photo, question))
    calls = iter(range(1000))
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "asked", lambda self: "pause" if next(calls) > 10 else "")
        with pytest.raises(Asked):
            measured(folder)
    assert read_run(folder).state == "paused"
    before = len(asked)
    assert 0 < before < 28
    scores = measured(folder)
    assert len(asked) == 28 + 4, "each example twice, and two questions about a grey photo twice"
    assert scores == read_judge_scores(run.scores) == read_judge_scores(folder.scores)


@pytest.mark.slow
def test_it_stops_where_it_is_asked_and_begins_anew(tmp_path: Path):
    run = run_of(latches(tmp_path / "set", 8))
    run.control.mkdir(exist_ok=True)
    (run.control / "stop").touch()
    with pytest.raises(Asked):
        trained(run)
    assert read_run(run).state == "stopped"
    assert not run.model.exists()
    trained(run)
    assert read_run(run).state == "finished"
    assert {each.name for each in run.model.iterdir()} == {
        "backbone.onnx", "config.json", "model.safetensors", "sources.json"
    }  # fmt: skip


@pytest.mark.slow
def test_any_judge_is_measured_on_a_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data = latches(tmp_path / "set", 12, 20, 8)
    run = trained(run_of(data))
    folder = run.model.rename(tmp_path / "given")
    words = ["calibrate", str(data), "--judge", str(folder), "--escape", "0.3", "--limit", "6"]
    assert judge_eval.main([*words, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "given tells 100.0 % of states rightly (yes and no count alike) on 6 examples" in told
    assert str(folder / STATE_LIMITS) in told
    assert measured_of(str(folder))[key(OPEN)].sure < 1
    assert read_judge_scores(tmp_path / "out" / "scores.json").whole.examples == 6
    assert len(run_folders()) == 1, "it is no run"
    assert judge_eval.main(["calibrate", str(data), "--judge", "nobody"]) == 2
    assert "nobody is no judge that could be measured" in capsys.readouterr().err
    assert judge_eval.main(["calibrate", str(data), "--judge", "http://127.0.0.1:1"]) == 2
    assert "name it: --judge http://127.0.0.1:1#MODEL" in capsys.readouterr().err
    # Drawings are learned from, and decide nothing of real photos.
    write_examples(data, [replace(each, made_by="rendered") for each in read_state_set(data)])
    assert judge_eval.main(words) == 0
    assert "stays undecided: its validation photos are all drawn" in capsys.readouterr().out
    assert measured_of(str(folder)).get(key(OPEN), StateLimits()).sure == 1


@pytest.mark.slow
def test_states_that_were_learned_from_measure_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data = latches(tmp_path / "set", 12, 4, 6)
    run = trained(run_of(data))
    mixed = [
        replace(each, split="test") if each.source in ("mine/0", "mine/1") else each for each in read_state_set(data)
    ]
    write_examples(data, mixed)
    assert judge_eval.main(["latch"]) == 0
    assert read_judge_scores(run.scores).whole.examples == 6
    folder = max(
        (each for each in run_folders() if each.order.is_file()), key=lambda each: each.about.stat().st_mtime_ns
    )
    assert events(folder, "warning") == [
        "2 test states are left out, since it has seen photos of these in its training"
    ]
    write_examples(data, [replace(each, split="test") for each in mixed if each.split != "test" or each in mixed[:2]])
    capsys.readouterr()
    assert judge_eval.main(["latch"]) == 2
    assert "latch has seen all 16 test states of set in its training" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_trains_and_refuses_in_a_sentence(tmp_path: Path):
    recipe = tmp_path / "mine.yaml"
    made = replace(read_recipe(RECIPE), data=str(latches(tmp_path / "set", 8)))
    saved(recipe, replace(made, step=replace(made.step, image_px=32)))

    def start(path: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "training.judge_train", str(path)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    done = start(recipe)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("runs/mine/model")
    saved(recipe, replace(made, data=""))
    done = start(recipe)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "training.judge_train: the recipe names no states; build some with `python -m repairai states build`."
    )


def test_what_it_does_not_train_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    with pytest.raises(RepairError, match="the recipe is for sop by qlora, and this trains judges of states"):
        refuse(Recipe("sop", Workload("some/model"), 1.0, 1e-4, data="x"))
    with pytest.raises(RepairError, match="the recipe is for judge by few_shot"):
        refuse(Recipe("judge", Workload("some/model", "few_shot"), 1.0, 1e-4, data="x"))
    assert main([str(tmp_path / "missing.yaml")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert judge_eval.main(["nothing"]) == 2
    assert "there is no run" in capsys.readouterr().err


# ---- questions and heads


def example(photo: str, question: str, opposite: str, answer: str, split: str = "train") -> StateExample:
    return StateExample(photo, question, opposite, answer, photo, split)


def test_a_question_its_opposite_and_its_places_are_one_head():
    heads = heads_of([
        example("a", "Is the top-left screw in place?", "Is the top-left screw missing?", "yes"),
        example("b", "Is the bottom-right screw in place?", "Is the bottom-right screw missing?", "no"),
        example("c", "Is the screw missing?", "Is the screw in place?", "no"),
        example("d", "Is the lid open?", "Is the lid closed?", "yes"),
    ])  # fmt: skip
    assert len(heads) == 1, "of the lid there is one answer alone"
    assert heads[0].yes == (True, False, True)


def test_places_of_one_photo_that_differ_are_heads_of_their_own():
    asked = [(f"Is the {side} lamp on?", f"Is the {side} lamp off?") for side in ("left", "right")]
    examples = [
        example(photo, *asked[at], answer)
        for photo, answers in (("a", ("yes", "no")), ("b", ("no", "yes")))
        for at, answer in enumerate(answers)
    ]
    assert [each.taught.question for each in heads_of(examples)] == [asked[0][0], asked[1][0]]
    sided = [example(name, "Is the patch on the left?", "Is the patch on the right?", name) for name in ("yes", "no")]
    assert heads_of(sided)[0].yes == (True, False)
    with pytest.raises(RepairError, match="no question has states for training of both answers"):
        heads_of(examples[:1])


def test_questions_that_name_a_side_are_never_mirrored():
    assert mirrors(OPEN, CLOSED)
    assert not mirrors("Is the top-left screw in place?", "Is the top-left screw missing?")
    assert not mirrors("Is the arrow pointing up?", "Is the arrow pointing down?")
    assert not mirrors("Is the patch on the left?", "Is the patch on the right?")
    photo = latch(True, 1)
    assert np.array_equal(lit(photo, 3), lit(photo, 3))
    assert 0 < np.abs(lit(photo, 3).astype(int) - photo).mean() < 60


def test_limits_of_one_question_hold_for_its_opposite():
    from training.judge.asking import Kept

    examples = [
        StateExample(
            f"p{at}", *((OPEN, CLOSED) if at % 3 else (CLOSED, OPEN)), "yes" if at % 2 else "no", f"s{at}", "val"
        )
        for at in range(240)
    ]
    kept = [Kept(each.photo, each.question, (0.9, 0.1) if each.answer == "yes" else (0.1, 0.9)) for each in examples]
    limits, undecided = thresholds(examples, kept, 0.05)
    assert undecided == {}
    assert set(limits) == {key(CLOSED)}
    both = both_ways(examples, limits)
    assert both[key(OPEN)] == replace(limits[key(CLOSED)], shift=-limits[key(CLOSED)].shift)
    assert both[key(OPEN)] != StateLimits()


# ---- numbers


def test_a_head_is_the_one_with_the_least_loss_and_both_answers_weigh_alike():
    noise = np.random.default_rng(0)
    yes = np.arange(300) % 10 == 0
    rows = (noise.normal(0, 1, (300, 5)) + yes[:, None] * 1.5).astype(np.float32)
    table = Table(rows, yes, tuple(f"s{at // 2}" for at in range(300)), np.ones(300))
    weights, bias = fit(table, 0.01)
    best = loss_of(table, weights, bias) + 0.005 * float(weights @ weights)
    for at in range(5):
        for shift in (-0.05, 0.05):
            other = weights.copy()
            other[at] += shift
            assert loss_of(table, other, bias) + 0.005 * float(other @ other) > best
    said = rows @ weights + bias > 0
    assert said[yes].mean() > 0.85
    assert said[~yes].mean() < 0.15
    folds = folds_of(table)
    assert len(folds) == 5
    assert np.sum(folds, axis=0).tolist() == [1] * 300
    for out in folds:
        held = {source for source, hit in zip(table.sources, out, strict=True) if hit}
        assert not held & {source for source, hit in zip(table.sources, out, strict=True) if not hit}
        assert yes[out].any()
    assert folds_of(table.of(~yes)) == [], "one answer alone cannot be held back"


def test_the_list_of_what_was_learned_grows(tmp_path: Path):
    from training.judge.trained_on import keep

    first = [example("a", OPEN, CLOSED, "yes"), example("b", OPEN, CLOSED, "no", "val")]
    keep(tmp_path, tmp_path, first)
    keep(tmp_path, tmp_path, [replace(first[1], split="train")])
    assert read_record(tmp_path / "trained_on.json", TrainedOn).learned == {"a": "a", "b": "b"}
    assert trained_on(tmp_path, tmp_path / "other").learned == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["resnet", "convnext", "dinov2", "vit", "rt_detr"])
def test_any_vision_backbone_will_do(kind: str, tmp_path: Path):
    from tests.training.tiny_backbones import save_tiny_backbone
    from training.judge.backbone import export

    backbone = load_backbone(str(save_tiny_backbone(kind, tmp_path / kind)), 64)
    export(backbone, tmp_path / "backbone.onnx")
    from repairai.judge.classifier import open_backbone

    run = open_backbone(tmp_path / "backbone.onnx", backbone.mean, backbone.std)
    photos = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    import torch

    pixels = torch.from_numpy(photos).permute(0, 3, 1, 2).float() / 255
    pixels = (pixels - torch.tensor(backbone.mean)[:, None, None]) / torch.tensor(backbone.std)[:, None, None]
    with torch.no_grad():
        wanted = backbone.network(pixels).numpy()
    got = run(photos)
    assert got.shape == wanted.shape == (3, backbone.features())
    assert np.abs(got - wanted).max() < 1e-3 * max(1.0, np.abs(wanted).max())


def test_what_is_no_backbone_is_refused_in_a_sentence(tmp_path: Path):
    with pytest.raises(RepairError, match="image_px is 8; take a side from 16 to 1024"):
        load_backbone("builtin", 8)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(RepairError, match="cannot be used as an image backbone at 64 px"):
        load_backbone(str(tmp_path), 64)
