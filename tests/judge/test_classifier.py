"""The light classifier of states: what it answers, what it refuses, and that it looks once for all questions."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from repairai.errors import RepairError
from repairai.judge.classifier import REMEMBERED, load_classifier
from repairai.judge.limits import STATE_LIMITS, write_limits
from repairai.judge.reasoner import load_reasoner
from repairai.schema import StateLimits
from tests.judge.classifiers import OPPOSITE, QUESTION, bright_or_dark, plain


def test_a_question_and_its_opposite_are_answered_from_one_head(tmp_path: Path):
    judge = load_reasoner(str(bright_or_dark(tmp_path / "lamp")), "lamp")
    assert judge.name.startswith("lamp@")
    assert judge.ask(plain(230), QUESTION) > 0.95
    assert judge.ask(plain(20), QUESTION) < 0.05
    for level in (20, 100, 230):
        assert judge.ask(plain(level), QUESTION) + judge.ask(plain(level), OPPOSITE) == pytest.approx(1)
    assert judge.ask(plain(100), "is the Lamp  on?") == judge.ask(plain(100), "Is the top-left lamp on?")
    assert load_classifier(tmp_path / "lamp").name == judge.name, "the same weights have the same name"


def test_words_whose_opposite_was_taught_are_understood(tmp_path: Path):
    judge = load_classifier(bright_or_dark(tmp_path, [("Is the screw in place?", "Is the screw missing?")]))
    there = judge.ask(plain(200), "Is the screw in place?")
    assert judge.ask(plain(200), "Has the screw been removed?") == pytest.approx(1 - there)
    assert judge.ask(plain(200), "Is the lower right screw missing?") == pytest.approx(1 - there)


def test_a_photo_is_looked_at_once_for_all_of_its_questions(tmp_path: Path):
    asked = [(QUESTION, OPPOSITE), ("Is the lid open?", "Is the lid closed?")]
    judge = load_classifier(bright_or_dark(tmp_path, asked))
    looks = []
    run = judge.features
    judge.features = lambda photos: looks.append(photos.shape) or run(photos)
    for question in (word for pair in asked for word in pair):
        judge.ask(plain(90), question)
    assert looks == [(1, 32, 32, 3)]
    judge.ask(plain(90, 47), QUESTION)
    assert len(looks) == 2, "the same bytes in another shape are another photo"
    for level in range(REMEMBERED + 5):
        judge.ask(plain(level), QUESTION)
    assert len(judge._seen) == REMEMBERED


def test_a_question_that_it_was_not_taught_is_refused_in_a_sentence(tmp_path: Path):
    judge = load_classifier(bright_or_dark(tmp_path / "lamp"), "lamp")
    with pytest.raises(RepairError) as refused:
        judge.ask(plain(90), "Is the battery removed?")
    assert str(refused.value) == (
        "lamp was never taught 'Is the battery removed?', it was taught \"Is the lamp on?\"; ask one of these, or "
        "train it on examples of yours."
    )
    assert judge.limits("Is the battery removed?") == StateLimits()
    with pytest.raises(ValueError, match="need RGB uint8"):
        judge.ask(np.zeros((4, 4), np.uint8), QUESTION)


def test_questions_that_differ_by_their_place_alone_can_have_heads_of_their_own(tmp_path: Path):
    asked = [(f"Is the {side} lamp on?", f"Is the {side} lamp off?") for side in ("left", "right")]
    folder = bright_or_dark(tmp_path, asked)
    weights = load_file(folder / "model.safetensors")
    weights["weight"][1] *= -1
    save_file(weights, folder / "model.safetensors")
    judge = load_classifier(folder)
    assert judge.ask(plain(200), asked[0][0]) > 0.5 > judge.ask(plain(200), asked[1][0])
    with pytest.raises(RepairError, match="never taught 'Is the lamp on"):
        judge.ask(plain(200), "Is the lamp on?")


def test_what_was_measured_of_a_question_holds_for_its_opposite_turned(tmp_path: Path):
    known = StateLimits(0.9, 1.5, 0.25, 60)
    write_limits(bright_or_dark(tmp_path) / STATE_LIMITS, {QUESTION: known})
    judge = load_classifier(tmp_path)
    assert judge.limits("Is lamp 2 on?") == known
    assert judge.limits(OPPOSITE) == replace(known, shift=-0.25)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", '{"model_type": "repairai_state_classifier"', "is not JSON"),
        ("config.json", '{"model_type": "bert", "image_px": 32, "features": 3, "questions": []}', "need model_type"),
        ("backbone.onnx", "no network", "holds no backbone that can be run"),
        ("model.safetensors", "no weights", "model.safetensors cannot be read"),
    ],
)
def test_a_damaged_folder_is_refused_in_a_sentence(tmp_path: Path, name: str, content: str, said: str):
    (bright_or_dark(tmp_path) / name).write_text(content)
    with pytest.raises(RepairError, match=said):
        load_classifier(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(RepairError, match=f"has no {name}"):
        load_classifier(tmp_path)


def test_files_that_do_not_fit_each_other_are_refused(tmp_path: Path):
    folder = bright_or_dark(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "image_px": 64}))
    with pytest.raises(RepairError, match="backbone.onnx does not take photos of 64 px"):
        load_classifier(folder)
    (folder / "config.json").write_text(json.dumps({**config, "questions": config["questions"] * 2}))
    with pytest.raises(RepairError, match=r"model.safetensors holds .*'weight': \(1, 3\).* asks for .*\(2, 3\)"):
        load_classifier(folder)


def test_it_runs_without_torch(tmp_path: Path):
    bright_or_dark(tmp_path)
    code = (
        "import sys, numpy as np; from repairai.judge.reasoner import load_reasoner; "
        f"load_reasoner({str(tmp_path)!r}, 'lamp').ask(np.zeros((9, 9, 3), np.uint8), {QUESTION!r}); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
