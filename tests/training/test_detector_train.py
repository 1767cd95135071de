"""Detectors are trained for real on tiny models of their own classes: they leave, go on, and say what is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from repairai.errors import RepairError
from repairai.files import home, read_record
from repairai.hardware.recipe import Detecting, Recipe, saved
from repairai.hardware.workload import Workload
from repairai.inspection import open_detector
from repairai.runs.checkpoints import checkpoints
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import read_new
from repairai.runs.state import read_run
from repairai.vision import detectors
from repairai.vision.detector import load_detector
from repairai.vision.photo_set import edit, read_photo_set
from tests.training.tiny_detectors import SIZE, save_tiny_detector, save_tiny_grounding, write_photos
from training import detector_eval, detector_export
from training.detector.forward import Plain
from training.detector.model import load_detector_model, suit_processor
from training.detector.trained_on import trained_on
from training.detector.trainer import DetectorTrainer
from training.detector_train import COMMAND, main, train

pytestmark = pytest.mark.slow


@pytest.fixture
def unexported(monkeypatch):
    """The export takes longer than all else, and is tried with each family."""
    monkeypatch.setattr("training.detector_train._exported", lambda *_: "not exported")


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch) -> Recipe:
    monkeypatch.setattr("training.detector.trainer.loaders", lambda: 0)  # a process more takes longer than the training
    step = Workload(
        str(save_tiny_detector(tmp_path / "m")), "full", batch=4, image_px=SIZE, precision="fp32", optimizer="adamw",
        checkpointing=False,
    )  # fmt: skip
    return Recipe(
        "detector", step, 10.0, 2e-3, data=str(write_photos(tmp_path / "data")), eval_steps=3, max_steps=6, patience=0,
        clip=0.1, weight_decay=1e-4, detecting=Detecting(ema=0.9),
    )  # fmt: skip


def run_of(recipe: Recipe, name: str = "run") -> RunFolder:
    path = home() / f"{name}.yaml"
    return new_run(name, "train", COMMAND, text=saved(path, recipe))


def trained(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        train(folder, journal)


def losses(folder: RunFolder) -> dict[int, float]:
    return {line.step: line.loss for line in read_new(folder.metrics, 0)[0] if line.loss is not None}


def events(folder: RunFolder, kind: str) -> list[dict]:
    lines = map(json.loads, folder.events.read_text().splitlines())
    return [line for line in lines if line["kind"] == kind]


@pytest.mark.parametrize("kind", ["rt_detr_v2", "d_fine"])
def test_on_a_processor_it_learns_the_same_by_a_faster_way(tmp_path: Path, kind: str):
    folder = save_tiny_detector(tmp_path / kind, kind)
    labels = [{"class_labels": torch.tensor([0]), "boxes": torch.tensor([[0.5, 0.5, 0.3, 0.2]])}] * 2
    photos = torch.randint(0, 256, (2, SIZE, SIZE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen = []
    for suited in (False, True):
        model, _ = load_detector_model(folder, ("screw", "washer"))
        if suited:
            suit_processor(model, SIZE)
            assert model.config._attn_implementation == "eager"
        torch.manual_seed(0)
        loss = Plain()(model.train(), photos, labels).loss
        loss.backward()
        weights = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        seen.append((loss.item(), weights))
    (loss, weights), (as_fast, others) = seen
    assert as_fast == pytest.approx(loss, rel=1e-4)
    assert weights.keys() == others.keys()
    apart = {name: float((weights[name] - others[name]).abs().max()) for name in weights}
    assert max(apart.values()) < 1e-2 * max(float(each.abs().max()) for each in weights.values())


def before_step(monkeypatch: pytest.MonkeyPatch, step: int, do) -> None:
    """Lets something happen while a step is computed."""
    real = DetectorTrainer.training_step

    def training_step(self, *words, **named):
        if self.state.global_step == step - 1:
            do()
        return real(self, *words, **named)

    monkeypatch.setattr(DetectorTrainer, "training_step", training_step)


def ask(folder: RunFolder, what: str) -> None:
    folder.control.mkdir(exist_ok=True)
    (folder.control / what).touch()


@pytest.mark.parametrize("kind", ["rt_detr", "rt_detr_v2", "d_fine"])
def test_each_family_is_trained_saved_exported_and_loaded(recipe: Recipe, tmp_path: Path, kind: str, capsys):
    model = save_tiny_detector(tmp_path / kind, kind)
    method = "few_shot" if kind == "rt_detr" else "full"
    folder = run_of(
        replace(recipe, max_steps=4, eval_steps=2, step=replace(recipe.step, model=str(model), method=method))
    )
    trained(folder)
    assert read_run(folder).state == "finished"
    names = {path.name for path in folder.model.iterdir()}
    assert {"model.safetensors", "model.onnx", "config.json", "preprocessor_config.json", "sources.json"} == names
    assert json.loads((folder.model / "sources.json").read_text())[0]["licence"] == "CC0-1.0"
    (parts,) = events(folder, "parts")
    assert (parts["kept"], parts["fresh"], parts["left_out"]) == (["screw"], ["bar"], ["washer"])
    assert "the export" in events(folder, "check")[0]["text"]
    looks = [line for line in read_new(folder.metrics, 0)[0] if line.eval_loss is not None]
    assert [look.step for look in looks] == [0, 2, 4]
    assert all(0 <= look.exact <= 1 and 0 <= look.ap <= look.ap50 <= 1 for look in looks)
    detector = load_detector(folder.model)
    assert detector.labels == ("screw", "bar")
    assert detector.size_px == SIZE
    if kind == "rt_detr_v2":
        assert detector_export.main([str(folder.path), "--int8", "--use"]) == 0
        assert "points lost" in capsys.readouterr().out
        small = (folder.model / "model.int8.onnx").read_bytes()
        assert small == (folder.model / "model.onnx").read_bytes()
        # Once more it is made of the one in fp32, and not of the one in 8 bits.
        assert detector_export.main([str(folder.path), "--int8", "--progress-json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["bytes_before"] == (folder.model / "model.fp32.onnx").stat().st_size > found["bytes_after"]
        assert (folder.model / "model.int8.onnx").read_bytes() == small
    photo = np.full((90, 120, 3), 120, np.uint8)
    for each in (detector, load_detector(folder.model, "torch")):
        assert all(found.label in ("screw", "bar") for found in each.detect_from(photo, 0.0))


def test_grounding_dino_learns_from_few_photos_with_one_prompt(recipe: Recipe, tmp_path: Path):
    model = save_tiny_grounding(tmp_path / "dino")
    step = replace(recipe.step, model=str(model), method="few_shot", image_px=128)  # its coarsest features are of 64 px
    folder = run_of(replace(recipe, max_steps=4, eval_steps=2, step=step))
    trained(folder)
    assert read_run(folder).state == "finished"
    assert losses(folder).keys() == {1, 2, 3, 4}
    assert not (folder.model / "model.onnx").exists()
    # It is loaded again and finds as anybody would have it find.
    from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

    made, asked = (
        AutoModelForZeroShotObjectDetection.from_pretrained(folder.model),
        AutoProcessor.from_pretrained(folder.model),
    )
    assert made.config.id2label == {0: "screw", 1: "bar"}
    inputs = asked(images=np.zeros((90, 120, 3), np.uint8), text="screw. bar.", return_tensors="pt")
    with torch.no_grad():
        found = made(**inputs)
    (result,) = asked.post_process_grounded_object_detection(found, threshold=0.0, target_sizes=[(90, 120)])
    assert len(result["boxes"])
    # It inspects as others do: of each part the best of its tokens, which stand before the full stops.
    mine = load_detector(folder.model)
    assert mine.labels == ("screw", "bar")
    best = mine.detect_from(np.zeros((90, 120, 3), np.uint8), 0.0)[0]
    scores = found.logits[0].sigmoid()[:, [1, 3]]
    assert best.score == pytest.approx(float(scores.max()), abs=1e-3)
    assert best.label == mine.labels[int(scores.max(dim=0).values.argmax())]
    assert detector_eval.main(["--model", str(folder.model), "--data", recipe.data, "--on", "val"]) == 0
    assert load_detector(folder.model).limits["screw"].sure == 1.0, "four photos promise nothing"
    detectors.use(detectors.Inspector(folder.id, str(folder.model), folder.id))
    assert open_detector().name.startswith(f"{folder.id}@")
    with pytest.raises(RepairError, match="few photos only"):
        trained(run_of(replace(recipe, step=replace(step, method="full")), "whole"))


def test_what_is_left_and_gone_on_with_is_as_if_nothing_had_happened(unexported, recipe: Recipe, monkeypatch):
    recipe = replace(recipe, max_steps=9, detecting=Detecting(ema=0.9, augmentation="strong"))  # three epochs
    whole, parted = run_of(recipe, "whole"), run_of(recipe, "parted")
    trained(whole)
    with monkeypatch.context() as during:
        before_step(during, 5, lambda: ask(parted, "pause"))
        with pytest.raises(Asked):
            trained(parted)
    run = read_run(parted)
    assert (run.state, run.can_resume, run.checkpoint_step) == ("paused", True, 5)
    trained(parted)
    assert read_run(parted).state == "finished"
    assert losses(parted) == pytest.approx(losses(whole), rel=1e-5)
    one, other = (folder.model / "model.safetensors" for folder in (whole, parted))
    assert one.read_bytes() == other.read_bytes()


def test_memory_that_runs_out_halves_the_batch(unexported, recipe: Recipe, monkeypatch):
    recipe = replace(recipe, max_steps=4)
    whole, short = run_of(recipe, "whole"), run_of(recipe, "short")
    trained(whole)
    real = DetectorTrainer.training_step

    def training_step(self, model, inputs, *words, **named):
        if len(inputs["pixel_values"]) > 2 and self.state.global_step == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(self, model, inputs, *words, **named)

    monkeypatch.setattr(DetectorTrainer, "training_step", training_step)
    trained(short)
    (halved,) = events(short, "halved")
    assert (halved["batch"], halved["accumulation"]) == (2, 2)
    assert events(short, "resumed")[0]["step"] == 2
    assert read_run(short).state == "finished"
    # Batches of two denoise other boxes than those of four; apart from that they learn the same.
    assert losses(short)[3] == pytest.approx(losses(whole)[3], rel=0.5)


def test_what_does_not_fit_says_so_before_the_first_step(recipe: Recipe, monkeypatch):
    def try_worst(self):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(DetectorTrainer, "try_worst", try_worst)
    folder = run_of(recipe)
    with pytest.raises(MemoryError, match="one photo of 64 px does not fit"):
        trained(folder)
    assert [event["batch"] for event in events(folder, "halved")] == [2, 1]
    assert read_run(folder).state == "out_of_memory"


def test_photos_that_are_gone_at_the_end_lose_no_training(unexported, recipe: Recipe, monkeypatch):
    """A person may delete a set, or split it anew, while it is trained on for hours."""
    before_step(monkeypatch, 3, lambda: (Path(recipe.data) / "annotations.coco.json").unlink())
    folder = run_of(replace(recipe, max_steps=3))
    trained(folder)
    assert read_run(folder).state == "finished"
    assert json.loads((folder.model / "sources.json").read_text())[0]["licence"] == "CC0-1.0"
    seen = trained_on(folder.path, Path(recipe.data))
    assert (len(seen.learned), len(seen.judged)) == (12, 4)
    assert set(seen.learned.values()) == {""}, "the source of all of them stands in both splits"


def test_it_ends_early_and_keeps_the_best(unexported, recipe: Recipe, monkeypatch):
    from training.detector import judged

    worth = iter([0.5, 0.9, 0.4, 0.3, 0.2, 0.1])
    real = judged.Judge.__call__
    monkeypatch.setattr(judged.Judge, "__call__", lambda self, *w: replace(real(self, *w), exact=next(worth), ap=0.0))
    folder = run_of(replace(recipe, eval_steps=1, patience=2, max_steps=30, keep=1))
    trained(folder)
    assert read_run(folder).step == 3
    assert {each.step for each in checkpoints(folder)} >= {1}
    best = torch.load(folder.checkpoints / "checkpoint-1" / "mean.pt", weights_only=True)
    from transformers import AutoModelForObjectDetection

    kept = AutoModelForObjectDetection.from_pretrained(folder.model)
    assert torch.allclose(next(kept.parameters()), best[0])


def test_a_loss_that_is_no_number_ends_it(recipe: Recipe, monkeypatch):
    real = DetectorTrainer.compute_loss

    def compute_loss(self, *words, **named):
        loss = real(self, *words, **named)
        return loss * float("nan") if self.state.global_step == 2 else loss

    monkeypatch.setattr(DetectorTrainer, "compute_loss", compute_loss)
    folder = run_of(recipe)
    with pytest.raises(RepairError, match="loss of step 3 is no number"):
        trained(folder)
    assert not folder.model.exists()


def test_without_photos_to_judge_with_it_trains_in_bf16_all_the_same(unexported, recipe: Recipe):
    edit(Path(recipe.data), lambda own: replace(own, photos=tuple(replace(p, split="train") for p in own.photos)))
    folder = run_of(replace(recipe, step=replace(recipe.step, precision="bf16"), max_steps=3, patience=3))
    trained(folder)
    assert read_run(folder).state == "finished"
    assert any("no photos are for validation" in event["text"] for event in events(folder, "warning"))
    assert all(np.isfinite(loss) for loss in losses(folder).values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "sop"}, "this trains detectors"),
        ({"step": {"method": "lora"}}, "this trains detectors"),
        ({"step": {"precision": "fp16"}}, "fp16 makes a detector's losses overflow"),
        ({"step": {"image_px": 100}}, "no multiple of 32; take 96"),
        ({"gpus": 2}, "detectors are trained on one"),
        ({"data": ""}, "names no data"),
        ({"data": "/nowhere"}, "holds no annotations.coco.json"),
        ({"step": {"model": "/nowhere"}}, "neither a folder nor a name on the Hub"),
        ({"detecting": Detecting(shares={"other": 1.0})}, "differ by bench, other"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(recipe: Recipe, capsys, tmp_path: Path, change, said):
    change = dict(change)
    step = replace(recipe.step, **change.pop("step", {}))
    path = tmp_path / "refused.yaml"
    saved(path, replace(recipe, step=step, **change))
    assert main([str(path)]) == 2
    assert said in capsys.readouterr().err


def test_another_model_or_photos_without_boxes_are_refused(recipe: Recipe, tmp_path: Path, capsys):
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "bert" / "model.safetensors").write_bytes(b"")
    path = tmp_path / "r.yaml"
    saved(path, replace(recipe, step=replace(recipe.step, model=str(tmp_path / "bert"))))
    assert main([str(path)]) == 2
    assert "holds bert, which is no detector" in capsys.readouterr().err
    edit(Path(recipe.data), lambda own: replace(own, photos=tuple(replace(p, boxes=()) for p in own.photos)))
    saved(path, recipe)
    assert main([str(path)]) == 2
    assert "has a box" in capsys.readouterr().err


def test_eight_photos_are_learned_by_heart(recipe: Recipe, capsys, monkeypatch):
    monkeypatch.setattr("training.detector.overfit._input_px", lambda place: SIZE)
    monkeypatch.setattr("training.detector.overfit.RATE", 3e-3)
    assert main(["overfit", recipe.data, "--model", recipe.step.model, "--seconds", "3"]) in (0, 1)
    said = capsys.readouterr().out
    assert "8 photos" in said
    assert "step 1: loss" in said


def test_a_preview_shows_the_photos_with_their_boxes(recipe: Recipe, tmp_path: Path, capsys):
    assert main(["preview", recipe.data, "--preset", "bench", "--out", str(tmp_path / "out")]) == 0
    from PIL import Image

    with Image.open(capsys.readouterr().out.strip()) as sheet:
        assert sheet.width > sheet.height > 0
    assert read_photo_set(Path(recipe.data)).parts == ("screw", "bar")


def test_unknown_words_in_a_recipe_are_told(recipe: Recipe, tmp_path: Path):
    path = tmp_path / "r.yaml"
    path.write_text(saved(tmp_path / "r.yaml", recipe).replace("augmentation:", "augmentatoin:"))
    with pytest.raises(RepairError, match="did you mean 'augmentation'"):
        read_record(path, Recipe)
