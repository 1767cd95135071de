"""The detector's three steps on a tiny model: trained for real, resumed, exported, measured."""

import json
from pathlib import Path

import numpy as np
import pytest

from repairai.errors import RepairError
from repairai.files import read_record
from repairai.hardware.past import past_runs
from repairai.vision.detector import load_detector
from repairai.vision.engine import open_onnx
from training import builtin_data, builtin_eval
from training.detector_train import Architecture, Photos, Recipe, train

RECIPES = sorted((Path(__file__).parents[2] / "training" / "recipes").glob("detector_*.yaml"))
TINY = Architecture((8, 8, 16, 16), (1, 1, 1, 1), 16, 32, 2, 30)


def test_there_is_a_recipe():
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_can_be_read(path):
    recipe = read_record(path, Recipe)
    assert recipe.steps > 0
    assert str(path.name) in path.read_text(), "a recipe opens with its command"


def test_a_misspelt_key_is_an_error_with_a_suggestion(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(RECIPES[0].read_text().replace("learning_rate", "learning_rte"))
    with pytest.raises(RepairError, match="unknown key 'learning_rte', did you mean 'learning_rate'"):
        read_record(path, Recipe)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    builtin_data.main(["--out", str(folder), "--shared", str(folder / "absent"), "--scenes", "12"])
    return folder


@pytest.mark.slow
def test_a_tiny_detector_is_trained_resumed_exported_and_measured(data, tmp_path, monkeypatch):
    recipe = Recipe(
        data=data,
        out=tmp_path / "run",
        architecture=TINY,
        size_px=64,
        steps=6,
        batch=2,
        learning_rate=1e-3,
        weight_decay=1e-4,
        clip=1.0,
        ema=0.9,
        shares={"scenes": 1.0},
        workers=0,
        save_steps=2,
    )
    drawn = []
    whole = Photos.__getitem__

    def pulled_plug(self, index):
        drawn.append(index)
        if len(drawn) == 8:
            raise KeyboardInterrupt
        return whole(self, index)

    monkeypatch.setattr(Photos, "__getitem__", pulled_plug)
    with pytest.raises(KeyboardInterrupt):
        train(recipe)
    # Started again, it goes on behind the checkpoint of step 2.
    drawn.clear()
    monkeypatch.setattr(Photos, "__getitem__", lambda self, index: (drawn.append(index), whole(self, index))[1])
    model = train(recipe)
    assert len(drawn) < 12, "it began anew: six steps of two photos"
    assert {"model.safetensors", "model.onnx", "config.json", "preprocessor_config.json"} <= {
        p.name for p in model.iterdir()
    }

    (compared,) = past_runs()
    assert compared.work.batch == 2
    assert compared.measured_seconds > 0
    assert compared.planned_seconds is not None

    # The export gives what torch gives; as sets, since queries with equal scores may come in any order, and most,
    # since among barely trained queries equal scores decide which are asked at all.
    photo = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3), dtype=np.uint8)
    networks = open_onnx(model / "model.onnx", "f32"), load_detector(model, "torch").network
    exported, original = (np.concatenate(network(photo), axis=2)[0] for network in networks)
    nearest = np.abs(exported[:, None] - original[None]).max(axis=2).min(axis=1)
    assert np.mean(nearest < 1e-4) >= 0.5

    builtin_eval.main(["--model", str(model), "--data", str(data), "--shared", str(tmp_path / "absent")])
    figures = json.loads((model / "figures.json").read_text())
    assert set(figures["scenes"]) == {"screw", "screw_hole", "battery", "plugged_connector", "unplugged_connector"}
    assert load_detector(model).limits["screw"].empty_place == "screw_hole"
    assert "Where it fails" in (model / "README.md").read_text()


def test_a_model_that_is_no_detector_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(RepairError, match="bert"):
        load_detector(tmp_path)
