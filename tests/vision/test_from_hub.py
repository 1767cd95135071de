"""Models that lie on the Hub are loaded by name, and see what they see from a folder of one's own."""

import json
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi, login

from repairai.errors import RepairError
from repairai.vision.detector import load_detector
from repairai.vision.open_vocabulary import load_open_vocabulary
from repairai.vision.pretrained import find_pretrained
from repairai.vision.proposals import Prompt
from repairai.vision.segmenter import load_segmenter
from tests.hub_server.server import HubServer
from tests.training.tiny_detectors import SIZE, save_tiny_detector, write_photos
from tests.vision.tiny_open_models import grounding, owl, sam

PHOTO = np.random.default_rng(0).integers(0, 256, (130, 200, 3), dtype=np.uint8)


@pytest.fixture
def pushed(hub: HubServer):
    """Pushes a folder with the real client, privately; its name comes back."""
    login(hub.add_user("me"))
    api = HfApi()

    def push(folder: Path) -> str:
        name = f"me/{folder.name}"
        api.create_repo(name, private=True)
        api.upload_folder(repo_id=name, folder_path=folder)
        return name

    return push


@pytest.mark.parametrize("kind", ["rt_detr", "rt_detr_v2", "d_fine"])
def test_a_detector_is_loaded_by_name(pushed, tmp_path: Path, kind: str):
    folder = save_tiny_detector(tmp_path / kind, kind)
    name = pushed(folder)
    detector = load_detector(find_pretrained(name), name=name)
    assert detector.name.startswith(f"me/{kind}@")
    assert (detector.labels, detector.size_px) == (("screw", "washer"), SIZE)
    found = detector.detect_from(PHOTO, 0.0)
    assert found
    assert found == load_detector(folder).detect_from(PHOTO, 0.0)


@pytest.mark.parametrize("make", [grounding, owl], ids=["grounding-dino", "owlv2"])
def test_a_model_that_is_asked_in_words_is_loaded_by_name(pushed, tmp_path: Path, make):
    folder = make(tmp_path / make.__name__)
    prompts = [Prompt("screw", "a screw."), Prompt("hole", "hole")]
    found = load_open_vocabulary(pushed(folder)).propose(PHOTO, prompts, floor=0.0)
    assert found
    assert found == load_open_vocabulary(str(folder)).propose(PHOTO, prompts, floor=0.0)


def test_a_model_that_makes_masks_is_loaded_by_name(pushed, tmp_path: Path):
    folder = sam(tmp_path / "sam")
    boxes = [(10.0, 20.0, 90.0, 80.0), (100.0, 0.0, 200.0, 130.0)]
    masks = load_segmenter(pushed(folder)).masks(PHOTO, boxes)
    assert masks.any()
    assert np.array_equal(masks, load_segmenter(str(folder)).masks(PHOTO, boxes))


def test_once_it_was_fetched_it_needs_no_hub(hub: HubServer, pushed, tmp_path: Path):
    name = pushed(save_tiny_detector(tmp_path / "rt_detr"))
    there = find_pretrained(name)
    with hub.away():
        assert find_pretrained(name) == there


def test_only_weights_that_hold_no_program_are_fetched(hub: HubServer, tmp_path: Path):
    folder = save_tiny_detector(tmp_path / "rt_detr")
    (folder / "pytorch_model.bin").write_bytes(b"program")
    (folder / "modeling.py").write_text("raise SystemExit")
    hub.add_folder("model", "maker/both", folder)
    assert {path.name for path in find_pretrained("maker/both").iterdir()} == {
        "config.json", "model.safetensors", "preprocessor_config.json",
    }  # fmt: skip
    (folder / "model.safetensors").unlink()
    hub.add_folder("model", "maker/old", folder)
    with pytest.raises(RepairError, match="maker/old has no weights in safetensors"):
        find_pretrained("maker/old")
    assert not hub.asked("GET", r"\.bin|\.py")


def test_what_may_not_be_had_is_one_sentence(hub: HubServer, tmp_path: Path):
    hub.add_repo("model", "maker/gated", {"config.json": "{}"}).gated = "manual"
    hub.add_repo("model", "maker/hidden", {"config.json": "{}"}, private=True)
    hub.add_repo("model", "maker/paid", {"config.json": "{}"})
    hub.add_repo("model", "maker/dear", {"config.json": "{}"})
    hub.misbehave(status=402, path="maker/paid/resolve", method="GET", times=None)
    hub.misbehave(status=402, path="/api/models/maker/dear", times=None)
    for name, said in (
        ("maker/gated", "maker/gated is given only to those who asked for it"),
        ("maker/hidden", "there is no model maker/hidden on the Hub, or it is private"),
        ("maker/none", "there is no model maker/none on the Hub"),
        ("maker/paid", "the Hub wants to be paid for maker/paid: Payment required"),
        ("maker/dear", "the Hub wants to be paid for maker/dear: Payment required"),
        ("no//name", "neither a folder nor a name on the Hub"),
    ):
        with pytest.raises(RepairError, match=said):
            find_pretrained(name)


@pytest.mark.slow
def test_a_detector_is_trained_on_by_name(pushed, tmp_path: Path, monkeypatch):
    """The recipe names the repo; what was trained is loaded as any other."""
    from repairai.files import home
    from repairai.hardware.recipe import Detecting, Recipe, saved
    from repairai.hardware.workload import Workload
    from repairai.runs.folder import new_run
    from repairai.runs.journal import Journal
    from repairai.runs.state import read_run
    from training.detector_train import COMMAND, train

    monkeypatch.setattr("training.detector.trainer.loaders", lambda: 0)
    monkeypatch.setattr("training.detector_train._exported", lambda *_: "not exported")
    name = pushed(save_tiny_detector(tmp_path / "rt_detr", "rt_detr"))
    step = Workload(name, "full", batch=4, image_px=SIZE, precision="fp32", optimizer="adamw", checkpointing=False)
    recipe = Recipe(
        "detector", step, 10.0, 2e-3, data=str(write_photos(tmp_path / "data")), eval_steps=2, max_steps=2, patience=0,
        clip=0.1, weight_decay=1e-4, detecting=Detecting(ema=0.9),
    )  # fmt: skip
    folder = new_run("run", "train", COMMAND, text=saved(home() / "run.yaml", recipe))
    with Journal(folder) as journal:
        train(folder, journal)
    assert read_run(folder).state == "finished"
    assert json.loads((folder.model / "config.json").read_text())["model_type"] == "rt_detr"
    assert load_detector(folder.model).labels == ("screw", "bar")
