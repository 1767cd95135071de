"""Runs that have made a model, and data that were built, as they are before somebody shares them."""

import json
from pathlib import Path

import torch
import yaml
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.named_sets import DATA_SETS, PHOTO_SETS
from repairai.runs.detector_scores import (
    Confusion,
    Curve,
    DetectorScores,
    PartScores,
    PhotosShown,
    write_detector_scores,
)
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.scores import Compared, ExamSheet, Lengths, Loss, Scores, write_scores
from repairai.vision.photo_set import PhotoSource
from tests.training.tiny import save_tiny, write_data
from tests.training.tiny_detectors import SIZE, save_tiny_detector, write_photos
from training.detector.export import export

GUIDE = {
    "id": "ifixit-1", "title": "Lamp battery", "device": "Lamp", "url": "https://www.ifixit.com/Guide/1",
    "author": "Max", "origin": "ifixit",
}  # fmt: skip
SOURCES = {"CC BY-NC-SA 3.0": {"examples": 40, "guides": [GUIDE], "datasets": []},
           "CC0-1.0": {"examples": 8, "guides": [], "datasets": ["hub:maker/chats"]}}  # fmt: skip
TERMS = "iFixit's terms of use forbid training language models on what its site gives."


def built(name: str = "lamps") -> Path:
    """Data for an agent."""
    folder = write_data(DATA_SETS.place() / name)
    report = {
        "name": name, "made": "2026-01-01T00:00:00+00:00", "sources": [str(folder.parent / "private" / "guides.json")],
        "split_by": "device", "length_tokens": 512, "counted_with": "/home/max/models/tiny", "leaks": 0,
        "examples": {"train": {"how_to": 48}, "val": {"how_to": 6}, "exam": {"how_to": 6}},
        "near_copies": {"val": 1, "exam": 0}, "terms": [TERMS], "notes": ["val is small"],
    }  # fmt: skip
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "sources.json").write_text(json.dumps(SOURCES))
    return folder


def agent(base: Path, name: str = "agent", model: str = "", method: str = "lora") -> RunFolder:
    """A run that has made an adapter on a base, or trained the whole of it; a pickle lies beside.

    Args:
        base: The base's folder.
        name: Of the run.
        model: What its recipe calls the base; empty: the folder.
        method: `lora` or `full`.
    """
    step = Workload(model or str(base), method, length_tokens=512)
    recipe = Recipe("sop", step, 1.0, 1e-3, data=str(DATA_SETS.place() / "lamps"))
    folder = new_run(name, "train", ["python"], text=yaml.safe_dump(to_data(recipe)))
    whole = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if method == "lora":
        whole = get_peft_model(whole, LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear"))
        torch.manual_seed(1)
        for key, weight in whole.named_parameters():
            if "lora_" in key:
                weight.data = torch.randn_like(weight) * 0.15
    whole.save_pretrained(folder.model)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder.model)
    (folder.model / "README.md").unlink(missing_ok=True)
    (folder.model / "sources.json").write_text(json.dumps(SOURCES))
    (folder.model / "training_args.bin").write_bytes(b"a pickle")
    (folder.model / "notes.txt").write_text("of mine")
    folder.heartbeat.write_text(json.dumps({"ran": 1080.0, "time": 1.0}))
    add_metric(folder.metrics, Metric(1, 1.0, loss=2.0, memory_gib=3.25))
    add_event(folder.events, "data", "train: 48 examples in 12 rows of at most 512 tokens, 0 answers cut")
    return folder


def tiny_base(folder: Path) -> Path:
    """A base that an adapter stands on, and that reads as much as `ask` asks."""
    save_tiny(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 4096}))
    return folder


def examined(folder: RunFolder, model: str) -> None:
    """Give an agent's run scores."""
    whole = Compared(40, 0.1, 0.7, 0.6, 0.5, 0.7, 38, 1, 1)
    write_scores(
        folder.scores,
        Scores(
            folder.id, model, ExamSheet("e1e1", str(DATA_SETS.place() / "lamps" / "exam.jsonl"), 40, 40), "2026-01-01",
            whole, {"how_to": whole}, {"refused": whole, "cited_right": whole}, Loss(2.0, 1.0, 400),
            Lengths(20, 30, 21), (),
        ),
    )  # fmt: skip


def photos(name: str = "bench", n: int = 6, others: int = 4) -> Path:
    """A set of labelled photos, half of the others for validation, half for the test; each shows something else."""
    folder = write_photos(PHOTO_SETS.folder(name), n, others)
    path = folder / "annotations.coco.json"
    data = json.loads(path.read_text())
    for at, image in enumerate(data["images"]):
        image["source"] = f"bench/{at}"
        image["split"] = "test" if at >= n + others // 2 else image["split"]
    path.write_text(json.dumps(data))
    return folder


def eyes(name: str = "eyes", data: Path | None = None) -> RunFolder:
    """A run that has made a tiny detector, with its export and its thresholds."""
    step = Workload("builtin", "full", image_px=SIZE)
    recipe = Recipe("detector", step, 1.0, 1e-4, data=str(data or PHOTO_SETS.folder("bench")))
    folder = new_run(name, "train", ["python"], text=yaml.safe_dump(to_data(recipe)))
    save_tiny_detector(folder.model, names=("screw", "bar"))
    from transformers import AutoModelForObjectDetection

    export(AutoModelForObjectDetection.from_pretrained(folder.model), SIZE, folder.model / "model.onnx")
    limits = {
        "parts": {"screw": {"sure": 0.6, "maybe": 0.05}, "bar": {"sure": 1.0, "maybe": 0.3}},
        "measured_on": "3 validation photos of 3 sources", "escape": 0.05, "photos": {"screw": 3, "bar": 1},
        "undecided": {"bar": "too few photos show it"},
    }  # fmt: skip
    (folder.model / "limits.json").write_text(json.dumps(limits))
    sources = [vars(PhotoSource("bench", "CC BY 4.0", "https://example.org/bench", 9))]
    (folder.model / "sources.json").write_text(json.dumps(sources))
    (folder.model / "model.fp32.onnx").write_bytes(b"not this one")
    return folder


def measured(folder: RunFolder) -> None:
    """Give a detector's run scores."""
    part = PartScores(20, 18, 50, 0.9, 0.8, 0.02, 0.01, 0.95, 0.6, 0.9)
    figures = {name: Compared(20, 0.5, 0.9, 0.4, 0.2, 0.6, 10, 0, 10) for name in ("exact", "decided")}
    figures |= {name: Compared(20, 0.1, 0.02, -0.08, -0.2, 0.0, 0, 5, 15) for name in ("escape", "false_call")}
    shown = PhotosShown("s1", str(PHOTO_SETS.folder("bench")), "test", 20, 24, 12)
    write_detector_scores(
        folder.scores,
        DetectorScores(
            folder.id, "builtin", shown, "2026-01-01", {"screw": part}, part, (0.6, 0.9), {}, figures, (),
            Curve((), 0.0), Confusion(("screw",), ((1, 0), (0, 0))), (),
        ),
    )  # fmt: skip
